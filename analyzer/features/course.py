"""The course of one curve: its levels with their errors, what it gained, where it broke, and what it lost again.

All detectors and the health criteria ask the same questions of a curve here, so that they cannot disagree about it.
Directions are normalised: *better* is lower inside this module, for losses and metrics alike. The mathematics is in
docs/statistics.md.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analyzer.stats.noise import around_lines, beside_breaks, correlation_time, rounding_sigma, trendless_sigma
from analyzer.stats.robust import (
    MEDIAN_ERROR,
    autocorrelation,
    even_edges,
    mad_sigma,
    median,
    quantile,
    quantiles,
    running_medians,
    sliding_windows,
)

Array = NDArray[np.float64]
Steps = NDArray[np.int64]

MOST = 240  # levels: a longer curve is described by medians of blocks, which tell all that its course asks for
NOISE_PARTS = 8  # parts of a curve whose noise is measured separately
NOISE_LEVELS = 12  # levels in such a part, at least
SMALLEST_NOISE = 2e-4  # of the level: numbers that a logger rounds to four digits carry no less
CORRELATED = 12  # levels from which an autocorrelation is measured: with fewer its error is as large as itself
LONG = 40  # levels (points) from which the noise is measured in places and its tails and its scatter show
END = 0.05  # share of the levels at the end that make one level of the course
HELD = 0.1  # share of the levels that a curve must have held a level for it to count as reached
LINES = (24, 12, 6)  # windows on both sides of a break: the levels over these numbers
FEW_LEVELS = 20  # a curve with fewer is judged by what it has
SHORTEST = (2, 3, 3)  # levels in such a window, at least
STEEP = 8  # the first eighth of the levels is the steep start: no break is looked for in it
KNOWN_BEFORE = 4  # degrees of freedom: what is known of the noise of a curve before it is seen
STEEP_SHORT = 4  # the same of a curve whose noise is measured as a whole
SHARP = 0.5  # of the gap between wide windows that must be there between narrow ones
PROGRESS_WEIGHS = 0.2  # of the level: what the loss of all progress weighs at least
SOME = 0.01  # of the level: the smallest gain that is progress
ZEROS = 0.05  # share of the values that may be exactly 0 in a curve that is compared in log space
HUGE = 1e12  # standard errors: more are no more
SMALLEST = 1e-300  # what a ratio is divided by at least
LARGEST_LOG = 700.0  # nats: beyond it the exponential leaves float64
INNER = 0.98  # share of the values whose spread is the scale of a curve for which 0 means nothing
MEETING = -0.5  # levels: where two windows meet, seen from the first level of the later one
FALL_LEVELS = 3  # levels: with fewer nothing is said about what was gained
RELAPSE_LEVELS = 5  # levels: with fewer nothing is said about what was lost
SHIFT_LEVELS = 6  # levels: with fewer nothing is said about breaks
FROZEN_POINTS = 4  # points: with fewer nothing is said about repeated values
REPEATS = 3  # points: equal values at the end that are no coincidence
SMOOTHED_PARTS = 3  # parts of a curve from which the noise of one is compared with its neighbours'
FAR_CALMER = 0.5  # of the whole curve's residual: a part that is calmer speaks for itself
LATE_LEVELS = 8  # levels from which the noise is measured without the first third as well
PAIRED = 12  # levels from which one level of the course is made of two
FINE = 1000  # points: of a longer curve every k-th single point tells how its noise changes
FEW_UNEVEN = 0.1  # share of such distances that does not count
NOISY = -0.3  # autocorrelation of second differences: -2/3 for white noise, near 1 for a smooth curve
UNEVEN = 1.5  # times: a change of the distance between points from which their noise is not compared
LOG_SPREAD = 1.11  # standard deviation of the logarithm of |x| for a Gaussian x
RESOLUTION = 1e-7  # of the level: what float32 can tell apart
TIED = 0.25  # share of neighbours that are equal from which values are taken as rounded
MOST_OF_IT = 0.5  # of a rise (or of the progress): the larger part
LARGE = 1.5  # times the level: a rise that is no drift when it takes half of the progress
REST = 0.05  # of the height of a break: what may be left of it when it counts as made good
NEIGHBOURS = 2  # levels on either side that an outlier is compared with
LEFT = 0.25  # of the noise: what a local line leaves of it at least
FAR = 0.95  # share of the residuals below the quantile that shows how heavy the tails of the noise are
GAUSSIAN_FAR = 1.96  # that quantile of |x| for a Gaussian x of unit noise
SEEN = 4.0  # standard errors from which a break is a candidate


@dataclass(frozen=True, slots=True)
class Fall:
    """How much better the end (or the best level) is than the start.

    `errors`: the gain in standard errors; `size`: as a share of the starting level; `start`, `end`, `best`: levels in
    the units of the log.
    """

    errors: float
    size: float
    best_size: float
    start: float
    end: float
    best: float


@dataclass(frozen=True, slots=True)
class Rise:
    """A level that is worse than one before it: at the end against the best, or after a break against before it.

    `errors`: the difference in standard errors. `size`: as a share of the better level. `of_progress`: as a share of
    what had been gained since the start (inf where next to nothing had been). `setback`: the share of the run that is
    undone, from where the curve had first reached the level that it fell back to, to the `onset`. `onset`: index of
    the last point that was still good (of the first bad one for a break). `cost`: the share of the run until the old
    level is reached again, up to the end where it never is, `points` the levels there; `healed`: whether it is.
    `before`, `after`: levels in the units of the log. `usual`: the largest rise before the onset that the curve came
    back from, as a share of this one. `reached`: index of the point from which the run is undone. `began`: index of the
    first point after which no single level was good again. `seen`: the
    part of the rise that levels reached indeed: the lines on both sides of a break may point beyond them. `slow`: the
    trend of all levels since the best shows it, and the difference of the two levels alone does not.
    """

    errors: float
    size: float
    of_progress: float
    setback: float
    onset: int
    before: float
    after: float
    cost: float = 1.0
    points: int = 0
    healed: bool = False
    usual: float = 0.0
    reached: int = 0
    seen: float = 1.0
    began: int = 0
    slow: bool = False

    @property
    def matters(self) -> float:
        """Size of the rise as a share of the level; a quarter of the progress lost weighs as much as 5 % of the level.

        A language model's loss has a floor that no training reaches: its whole progress may be 2 % of its level.
        """
        lost = PROGRESS_WEIGHS * min(self.of_progress, 1.0) if np.isfinite(self.of_progress) else 0.0
        return max(self.size, lost)

    @property
    def undone(self) -> float:
        """Share of the run that is undone, or of the progress that is lost where that is more."""
        return max(self.setback, min(self.of_progress, 1.0))


@dataclass(frozen=True, slots=True)
class Scatter:
    """A lasting change of the noise of single points.

    `ratio`: noise after over noise before, relative to the level where the curve is positive; `raw_ratio`: the same in
    the units of the log; `errors`: the smaller of both changes in standard errors; `onset`: index of the first point
    after it.
    """

    ratio: float
    raw_ratio: float
    errors: float
    onset: int


@dataclass(frozen=True, eq=False)
class Course:
    """The course of the finite points of a curve: `steps` int64[n] (rising), `values` float64[n].

    `higher_is_better` turns the values over. `log`: whether levels are compared in log space (positive values that
    span more than a factor of two, lower being better; up to a twentieth may be 0).
    """

    steps: Steps
    values: Array
    higher_is_better: bool = False

    @property
    def n(self) -> int:
        """Number of points."""
        return int(self.values.size)

    @cached_property
    def log(self) -> bool:
        """Whether levels are compared in log space; a few exact zeros (a batch that is fitted) do not hinder it."""
        if self.higher_is_better or self.n == 0 or self.values.min() < 0:
            return False
        positive = np.count_nonzero(self.values) >= (1 - ZEROS) * self.n
        return bool(positive and self.values.max() > 2 * self.values.min())

    @cached_property
    def _blocks(self) -> tuple[Steps, Array]:
        """Index of the first point of each level, and the levels: medians of blocks, or the points themselves."""
        if self.log:
            y = np.log(np.maximum(self.values, np.min(self.values, where=self.values > 0, initial=np.inf)))
        else:
            y = -self.values if self.higher_is_better else self.values
        size = -(-self.n // MOST)
        if size <= 1:
            return np.arange(self.n), y
        count = self.n // size
        rest = self.n - count * size
        found: Array = np.asarray(np.median(y[rest:].reshape(count, size), axis=1), np.float64)
        at = rest + size * np.arange(count)
        if rest:
            return np.concatenate([[0], at]), np.concatenate([[median(y[:rest])], found])
        return at, found

    @property
    def first(self) -> Steps:
        """Index of the first point of each level, int64[m]."""
        return self._blocks[0]

    @property
    def levels(self) -> Array:
        """The levels, float64[m] with m ≤ 241, in the space that they are compared in; lower is better."""
        return self._blocks[1]

    @cached_property
    def m(self) -> int:
        """Number of levels."""
        return int(self.levels.size)

    @cached_property
    def noise(self) -> Array:
        """Standard deviation of each level around the trend, float64[m]: measured in parts, because it changes."""
        y, m = self.levels, self.m
        edges = even_edges(m, self._parts)
        sizes = np.array([trendless_sigma(y[max(0, a - 1) : b + 1]) for a, b in itertools.pairwise(edges)])
        if sizes.size >= SMOOTHED_PARTS:  # one part that holds a break must not hide it
            sizes = _smoothed(sizes)
        elif m >= LATE_LEVELS:  # the steep start of a short curve bends more than differences can follow
            sizes = np.minimum(sizes, trendless_sigma(y[m // 3 :]))
        if m < FEW_LEVELS:  # nor must a break in it count as noise
            late = y[m // STEEP_SHORT :]
            steepest = int(np.argmax(np.diff(late))) + 1 if late.size >= SHIFT_LEVELS else 0
            sizes = np.minimum(sizes, trendless_sigma(late, broken=steepest))
        return np.asarray(np.maximum(np.repeat(sizes, np.diff(edges)), self._smallest))

    @cached_property
    def _smallest(self) -> float:
        """Smallest noise that a level has: what a logger rounds away."""
        return max(SMALLEST_NOISE * (1.0 if self.log else abs(median(self.levels))), np.finfo(float).tiny)

    @cached_property
    def correlation(self) -> float:
        """How many neighbouring levels carry the information of one, at least 1.

        A local line takes a part of the noise with it: of w levels with correlation time τ, τ / w of the variance, and
        as much of the correlation (Kendall, Note on bias in the estimation of autocorrelation, Biometrika 41, 1954).
        Both are made up for.
        """
        return self._correlated[0]

    @cached_property
    def wander(self) -> Array:
        """Standard deviation of each level around its trend over `noise`, float64[m], at least 1.

        Differences do not feel noise that is slower than two levels. It is measured in the parts that noise is. Lines
        through a shorter curve leave what its start bends, which counts as correlation there.
        """
        if self.m < LONG:
            return np.ones(self.m)
        skipped, rest = self.m // STEEP, self._residual
        edges = even_edges(self.m, self._parts)
        pieces = [rest[max(a, skipped) - skipped : b - skipped] for a, b in itertools.pairwise(edges)]
        whole = mad_sigma(rest)
        found = [mad_sigma(piece) if piece.size >= LATE_LEVELS else whole for piece in pieces]
        if pieces[0].size < LATE_LEVELS:  # what bends a line through calm levels is little beside noisy ones
            found[0] = min(whole, found[1] * _ratio(self.noise[edges[1]], self.noise[0]))
        sizes = _smoothed(np.array(found))
        sizes = np.where(sizes < FAR_CALMER * whole, sizes, whole)
        return np.repeat(np.maximum(1.0, sizes / math.sqrt(self._correlated[1])), np.diff(edges))

    @cached_property
    def _correlated(self) -> tuple[float, float]:
        """The correlation, and the share of the variance that local lines leave."""
        if self.m < FEW_LEVELS:
            return 1.0, 1.0
        together = correlation_time(self._residual, self._reach)
        left = max(LEFT, 1 - together / (2 * self._reach + 1))
        slower = 1.0 if self.m >= LONG else max(1.0, mad_sigma(self._residual) ** 2 / left)
        return (1 + (together - 1) / left) * slower, left

    @property
    def _parts(self) -> int:
        """Parts of the curve whose noise is measured separately."""
        return max(1, min(NOISE_PARTS, self.m // NOISE_LEVELS))

    @property
    def _reach(self) -> int:
        """Levels on either side that the line through a level is fitted to, where its residual is asked for."""
        return max(6, self.m // 20)

    @cached_property
    def _residual(self) -> Array:
        """Levels less local lines that cross no break, over their noise, without the steep start."""
        return _ratios(beside_breaks(self._joined, self._reach), self.noise)[self.m // STEEP :]

    @cached_property
    def tails(self) -> float:
        """How much larger the error of a mean is than with Gaussian noise of the same median deviation, at least 1.

        Means and lines feel the tails of the noise, medians do not. 1 for a curve that is too short to show them.
        """
        if self.m < LONG:
            return 1.0
        far = np.abs(self._residual - median(self._residual))
        return max(1.0, quantile(far, FAR) / (GAUSSIAN_FAR * max(1.0, mad_sigma(self._residual))))

    def error(self, a: int, b: int) -> float:
        """Return the standard error of the median of the levels a … b - 1, in the space they are compared in."""
        width = b - a
        sigma = median(self.wander[a:b] * self.noise[a:b])
        if width == 1:
            return sigma
        return MEDIAN_ERROR * sigma * float(np.sqrt(min(self.correlation, width) / width))

    def _by_few(self, errors: float) -> float:
        free = self.m - self.m // STEEP_SHORT - 2.0 + KNOWN_BEFORE
        size = math.sqrt(free * math.log1p(min(abs(errors), HUGE) ** 2 / free)) * (8 * free + 1) / (8 * free + 3)
        return math.copysign(size, errors)

    def by_student(self, errors: float) -> float:
        """Return a difference in standard errors of a Gaussian test, for curves that are running means themselves.

        Strongly correlated levels are few independent ones, from which an error is not known well: Student's t with as
        many degrees of freedom, turned into a Gaussian deviate.
        Source: Wallace, Bounds on normal approximations to Student's t, Annals of Mathematical Statistics 30 (1959).
        """
        free = max(1.0, self.m / self.correlation - 2)
        size = math.sqrt(free * math.log1p(min(abs(errors), HUGE) ** 2 / free)) * (8 * free + 1) / (8 * free + 3)
        return math.copysign(size, errors)

    def back(self, level: float) -> float:
        """Return a level in the units of the log."""
        if self.log:
            return float(np.exp(np.clip(level, -LARGEST_LOG, LARGEST_LOG)))
        return -float(level) if self.higher_is_better else float(level)

    def _forth(self, value: float) -> float:
        """Return the level of a value in the units of the log: the reverse of `back`."""
        if self.log:
            return float(np.log(max(value, np.finfo(float).tiny)))
        return -value if self.higher_is_better else value

    @cached_property
    def window(self) -> int:
        """Levels that make one level of the course: more where there are many, one in a short curve."""
        least = 1 if self.m < PAIRED else 2 if self.m < FEW_LEVELS else 3
        return max(least, round(END * self.m))

    @cached_property
    def _running(self) -> Array:
        """Medians of each window of levels, float64[m - window + 1]."""
        windows = sliding_windows(self.levels, self.window)
        return np.asarray(np.median(windows, axis=-1), np.float64)

    @cached_property
    def start(self) -> float:
        """Level of the first points, before the trend has moved."""
        return median(self.levels[: max(1, min(3, self.m // 10))])

    def share(self, i: int, j: int) -> float:
        """Return the share of the run's steps between two points."""
        span = float(self.steps[-1] - self.steps[0])
        return max(0.0, float(self.steps[j] - self.steps[i])) / span if span > 0 else 0.0

    @cached_property
    def fall(self) -> Fall | None:
        """What was gained from the start to the end, None with fewer than three levels."""
        if self.m < FALL_LEVELS:
            return None
        w, head = self.window, max(1, min(3, self.m // 10))
        end, best = float(self._running[-1]), float(np.min(self._running))
        error = float(np.hypot(self.error(0, head), self.error(self.m - w, self.m)))
        start = self.start
        raw = [self.back(level) for level in (start, end, best)]
        scale = max(abs(raw[0]), 0.0 if self._has_scale else self._range / 2, np.finfo(float).tiny)
        sign = -1.0 if self.higher_is_better else 1.0
        errors = _ratio(start - end, error)
        if 0 < errors < SEEN:  # few or noisy first points: the whole way tells more than its two ends
            errors = max(errors, self._trend(0))
        gains = [_ratio(sign * (raw[0] - level), scale) for level in raw[1:]]
        return Fall(errors, *gains, *raw)

    def _trend(self, first: int) -> float:
        """How clearly the levels from one on fall with time: Kendall's rank correlation in standard errors.

        Source: Kendall, Rank correlation methods (1948), chapter 4; neighbours that resemble each other count once.
        """
        levels = self.levels[first:]
        m = levels.size
        score = float(np.sum(np.sign(levels[:, None] - levels[None, :]) * np.triu(np.ones((m, m)), 1)))
        return score / math.sqrt(m * (m - 1) * (2 * m + 5) / 18 * self.correlation)

    @property
    def _has_scale(self) -> bool:
        """Whether 0 means something for the curve, so that a difference is a share of its level."""
        return self.log or bool(self.values.min() > 0)

    @cached_property
    def _range(self) -> float:
        """Spread of the inner 98 % of the values: the scale of curves for which 0 means nothing."""
        low, high = quantiles(self.values, ((1 - INNER) / 2, (1 + INNER) / 2))
        return float(high - low)

    @cached_property
    def relapse(self) -> Rise | None:
        """The end against the best level before it, None with fewer than five levels."""
        m, w = self.m, self.window
        if m < RELAPSE_LEVELS:
            return None
        held = w if m < FEW_LEVELS else max(w, round(HELD * m))
        end = float(self._running[-1])
        before = running_medians(self.levels[: m - w], held)
        best = int(np.argmin(before))
        error = self.error(best, best + held)
        good = np.flatnonzero(before <= before[best] + 2 * error)
        onset = int(good[-1]) + held // 2  # a median is still good when half of its levels are not
        first = int(np.flatnonzero(self._running <= end)[0])
        low = float(before[best])
        error = math.hypot(self.error(m - w, m), error)
        errors, slow = _ratio(end - low, error), False
        if 0 < errors < SEEN:  # a noisy best: the whole way back tells more than its two ends
            trend = -self._trend(best)
            errors, slow = max(errors, trend), trend > errors
        errors = _best_of(errors, max(1, before.size // held))
        near = np.flatnonzero(self.levels[: m - 1] <= low + 2 * self.noise[: m - 1])
        began = min(max(onset, int(near[-1]) if near.size else 0) + 1, m - 1)
        rise = self._rise(low, end, errors, first=first, onset=onset)
        return replace(rise, began=int(self.first[began]), slow=slow)

    @cached_property
    def shift(self) -> Rise | None:
        """The largest lasting break upwards, None where there is none or fewer than six levels.

        At each level the gap between what comes before and after it is measured over windows of several lengths, both
        as a difference of medians and between two straight lines where they meet (a falling trend hides a break from
        the first, noise from the second); the smallest over the windows counts, so that a spike that heals within them
        is none.
        """
        if self.m < SHIFT_LEVELS:
            return None
        errors, gaps = self._gaps(self.correlation, self.wander, self.tails)
        seen = np.flatnonzero(errors >= SEEN)
        if not seen.size:
            return None
        k = int(seen[np.argmax(gaps[seen])])
        y, narrow = self.levels, max(2, self.m // LINES[0])
        before = median(y[max(0, k - narrow) : k]) if self.m >= FEW_LEVELS else float(y[k - 1])
        width = min(narrow if self.m >= FEW_LEVELS else 1, self.m - k, k)
        later = running_medians(y[k:], width)
        after = before + float(gaps[k])
        reached = np.flatnonzero(y[:k] <= after)
        first = int(reached[0]) if reached.size else k
        lowest = float(np.min(running_medians(y[:k], width)))
        healed = np.flatnonzero(later <= self._good_again(max(before, lowest), float(np.max(later))))
        until = k + int(healed[0]) if healed.size else self.m - 1
        clear = _best_of(float(errors[k]), int(np.count_nonzero(np.isfinite(gaps))))
        broken = self._rise(before, after, clear, first=first, onset=k, end=until, healed=bool(healed.size))
        # the lines on both sides may point beyond every level that was reached
        part = (min(after, float(np.max(later))) - before) / (after - before) if after > before else 0.0
        return replace(broken, seen=max(0.0, float(part)), began=broken.onset)

    def _good_again(self, base: float, top: float) -> float:
        """Return the level at which a rise from `base` to `top` counts as made good: nearly, and below the start."""
        low, high = self.back(base), self.back(top)
        return max(base, min(self._forth(low + REST * (high - low)), self.start))

    @cached_property
    def _windows(self) -> tuple[tuple[int, Steps, Array, Array, Array], ...]:
        """Per window: its width, the levels that a break is looked for at, the gaps there and the noise of a level.

        The gaps are differences of medians and differences between two lines where they meet, float64[len(at)].
        """
        y, m, calm, found = self.levels, self.m, self._without_outliers, []
        widths = sorted({max(least, m // part) for part, least in zip(LINES, SHORTEST, strict=True)})
        least_after = widths[1] if m >= FEW_LEVELS else 1  # one narrow window alone does not show that a break lasts
        for w in widths:
            # the very first level is the steepest: it stays out, but for a step that does not touch it
            at = np.arange(max(w + (w > 2), m // STEEP), m - max(w, least_after) + 1)
            if not at.size:
                continue
            middle = np.median(sliding_windows(y, w), axis=1)
            straight = sliding_windows(calm, w)
            lines = _line_at(straight[at], MEETING) - _line_at(straight[at - w], w + MEETING)
            # between two windows of two the neighbours of the break tell more than medians
            medians = middle[at] - middle[at - w] if w > 2 else y[at] - y[at - 1]
            found.append((w, at, medians, lines, self._noise_around(at, w)))
        return tuple(found)

    def _gaps(self, correlation: float, wander: Array, tails: float) -> tuple[Array, Array]:
        """Return the smallest gap over the windows at each level, in standard errors and in units of a level."""
        m = self.m
        errors, gaps, ramp = np.full(m, np.inf), np.full(m, np.inf), np.zeros(m, bool)
        narrowest = self._windows[0][0] if self._windows else 0
        for w, at, medians, lines, level_noise in self._windows:
            noise = wander[at] * level_noise * np.sqrt(min(correlation, w))
            by_lines = _ratios(lines, noise * tails * _line_error(w) * np.sqrt(2.0))
            by_medians = _ratios(medians, noise * (MEDIAN_ERROR * np.sqrt(2 / w) if w > 2 else np.sqrt(2.0)))
            clearer = (by_lines >= by_medians) & (at > w)
            z, gap = np.where(clearer, by_lines, by_medians), np.where(clearer, lines, medians)
            gaps[at] = np.minimum(gaps[at], gap)
            errors[at] = np.minimum(errors[at], z)
            # a break is as high between narrow windows as between wide ones, a ramp grows with their distance
            sharp = SHARP if w == narrowest else np.sqrt((narrowest if narrowest > 2 else 1) / w)
            ramp[at] |= gaps[at] < sharp * medians
        if m < FEW_LEVELS:  # so few differences do not tell the noise well
            errors = np.array([self._by_few(float(z)) if np.isfinite(z) else z for z in errors])
        errors[~np.isfinite(errors) | ramp] = -np.inf
        return errors, gaps

    @cached_property
    def _joined(self) -> Array:
        """Levels without a clear break upwards that is too near to the end for a line beside it.

        The break is no correlation of the noise.
        """
        if self.m < SHIFT_LEVELS:
            return self.levels
        errors, gaps = self._gaps(1.0, np.ones(self.m), 1.0)
        k = int(np.argmax(errors))
        if errors[k] < SEEN or self.m - k > 2 * self._reach:
            return self.levels
        return np.where(np.arange(self.m) < k, self.levels, self.levels - gaps[k])

    @cached_property
    def _without_outliers(self) -> Array:
        """Levels with single outliers replaced by the median of their neighbours: one of them would bend a line.

        Source: Hampel, The influence curve and its role in robust estimation (1974); a short curve is left as it is.
        """
        if self.m < FEW_LEVELS:
            return self.levels
        padded = np.pad(self.levels, NEIGHBOURS, mode="edge")
        near = running_medians(padded, 2 * NEIGHBOURS + 1)
        return np.where(np.abs(self.levels - near) > SEEN * self.noise, near, self.levels)

    def _noise_around(self, at: Steps, w: int) -> Array:
        """Return the noise of a level around each possible break; in a short curve the break must not count in it."""
        if self.m >= LONG:
            return np.asarray(running_medians(self.noise, 2 * w)[at - w])
        start = self.m // STEEP_SHORT  # the steep start bends more than differences can follow
        late = self.levels[start:]
        found = [trendless_sigma(late, broken=int(k) - start) for k in at]
        return np.maximum(found, self._smallest)

    def _rise(
        self, before: float, after: float, errors: float, *, first: int, onset: int, end: int = -1, healed: bool = False
    ) -> Rise:
        """Return a rise between two levels; `first`, `onset`, `end` are indices of levels."""
        low, high, start = self.back(before), self.back(after), self.back(self.start)
        rise = abs(high - low) * (1 if after > before else -1)
        gained = abs(start - low) if self.start > before else 0.0
        scale = max(abs(low), 0.0 if self._has_scale else self._range / 2)
        gained = gained if gained > SOME * scale else 0.0
        points = self.first
        return Rise(
            errors=errors,
            size=_ratio(rise, scale),
            of_progress=rise / gained if gained > 0 else (math.inf if rise > 0 else 0.0),
            setback=self.share(int(points[first]), int(points[onset])),
            onset=int(points[onset]),
            before=low,
            after=high,
            cost=self.share(int(points[onset]), int(points[end])),
            points=(end if end >= 0 else self.m) - onset,
            healed=healed,
            usual=_ratio(self._usual(onset), after - before),
            reached=int(points[first]),
        )

    @cached_property
    def relapse_is_fast(self) -> bool:
        """Whether one break makes most of the relapse, or it is large and half of the progress is lost."""
        relapse, shift = self.relapse, self.shift
        if relapse is None or relapse.slow:
            return False
        if shift is not None and not shift.healed and self._follows(shift.onset, relapse.onset):
            whole = abs(relapse.after - relapse.before)
            if abs(shift.after - shift.before) > MOST_OF_IT * whole:
                return True
        return 1 + relapse.size >= LARGE and relapse.of_progress >= MOST_OF_IT

    def _follows(self, onset: int, other: int) -> bool:
        """Whether a point comes after another, or so little before it that levels cannot tell."""
        at, after = np.searchsorted(self.first, [onset, other])
        return bool(at + self.window >= after)

    @cached_property
    def recovers(self) -> bool:
        """Whether the end has come down from most of the height that the level had since its best."""
        relapse = self.relapse
        if relapse is None:
            return False
        onset = int(np.searchsorted(self.first, relapse.onset))
        top = float(np.max(self._running[min(onset, self._running.size - 1) :]))
        low = self._forth(relapse.before)
        return self._forth(relapse.after) - low < MOST_OF_IT * (top - low)

    @cached_property
    def scatter(self) -> Scatter | None:
        """The clearest lasting change of the noise of single points, None for fewer than 40 points.

        Residuals around local lines; the median of their logarithms after a point is compared with that before it, in
        windows of a sixth of the run and over all that follows; the smaller change counts.
        """
        if self.n < LONG:
            return None
        thin = max(1, self.n // FINE)
        values = self.values[::thin] if thin > 1 else self.values
        positive = values.min() > 0
        raw = self._log_scatter(values)
        relative = self._log_scatter(np.log(values)) if positive else raw
        n = raw.size
        window = max(8, n // LINES[-1])
        best: Scatter | None = None
        for k in range(max(window, n // STEEP), n - max(8, n // 10), max(1, n // 40)):
            if not self._evenly_logged[max(0, k * thin - self.n // 4)]:
                continue
            near, far = _change(relative, k, window), _change(relative, k, n)
            change = near if abs(near) < abs(far) else far
            if near * far <= 0:
                continue
            error = MEDIAN_ERROR * LOG_SPREAD * float(np.sqrt(1 / window + 1 / min(window, n - k)))
            by_log = _change(raw, k, window)
            # noise of one size is ever larger beside a loss that falls: both changes must be there
            both = min(abs(change), abs(by_log)) if change * by_log > 0 else 0.0
            errors = _best_of(both / error, n // window)
            if best is None or abs(change) > abs(np.log(best.ratio)):
                best = Scatter(float(np.exp(change)), float(np.exp(by_log)), errors, k * thin)
        return best

    @cached_property
    def _evenly_logged(self) -> NDArray[np.bool_]:
        """Whether points are equally far apart from each on, bool[n]: the trend between rare points is no noise."""
        gaps = np.diff(self.steps).astype(np.float64)
        uneven = np.abs(gaps / max(median(gaps[self.n // 2 :]), 1.0) - 1) > UNEVEN - 1
        share = np.cumsum(uneven[::-1])[::-1] / np.arange(gaps.size, 0, -1)
        return np.append(share <= FEW_UNEVEN, True)

    def _log_scatter(self, values: Array) -> Array:
        """Return log |residual| around local lines, float64[n].

        What float32 cannot resolve, or the logger has rounded away, is no smaller noise.
        """
        rest = np.abs(around_lines(values, 3))
        smallest = max(RESOLUTION * max(median(np.abs(values)), np.finfo(float).tiny), rounding_sigma(values))
        return np.asarray(np.log(np.maximum(rest, smallest)))

    @cached_property
    def noise_left(self) -> float:
        """Noise of single points in the last third over that in the first fifth (after the first points).

        In the units of the log or relative to the level, whichever is more; 1 for fewer than 40 points.
        """
        if self.n < CORRELATED:
            return 1.0
        thin = max(1, self.n // FINE)
        values = self.values[::thin]
        n = values.size
        bends = np.diff(values[n // 50 : n // 5], 2)
        if autocorrelation(bends) > NOISY:  # a smooth curve has no noise that could die
            return 1.0
        kinds = [self._log_scatter(values), *([self._log_scatter(np.log(values))] if values.min() > 0 else [])]
        return float(np.exp(max(median(k[-(n // 3) :]) - median(k[n // 50 : n // 5]) for k in kinds)))

    @cached_property
    def frozen(self) -> int | None:
        """Index from which every value repeats the last one to the last digit; None where only the last one does.

        A curve that repeats values all the time (rounded, or logged between evaluations) is not frozen.
        """
        if self.n < FROZEN_POINTS:
            return None
        same = np.flatnonzero(self.values != self.values[-1])
        first = int(same[-1]) + 1 if same.size else 0
        before = np.diff(self.values[:first])
        rounded = before.size > 0 and float(np.mean(before == 0)) > TIED
        return first if self.n - first >= REPEATS and not rounded else None

    def _usual(self, onset: int) -> float:
        """Return the largest rise of the running level before a level's index that was over by then.

        The steep start is left out: what a curve does before it has learnt anything is no measure of its noise.
        """
        levels = self._running[min(self.m // STEEP, self._running.size - 1) : max(1, onset - self.window + 1)]
        if levels.size < 2:
            return 0.0
        lowest_after = np.minimum.accumulate(levels[::-1])[::-1]
        lowest_before = np.minimum.accumulate(levels)
        return float(np.max(levels - np.maximum(lowest_before, lowest_after)))


def _smoothed(sizes: Array) -> Array:
    """Return each size as the median of itself and its two neighbours."""
    padded = np.pad(sizes, 1, mode="edge")
    return np.asarray(np.median(np.stack([padded[:-2], padded[1:-1], padded[2:]]), axis=0))


def _ratio(part: float, whole: float) -> float:
    """Return part / whole as a Python float, which overflows to infinity; `whole` is taken as positive."""
    return float(part) / max(float(whole), SMALLEST)


def _ratios(parts: Array, wholes: Array) -> Array:
    """Return parts / wholes (positive), at most `HUGE`: what overflows is as far away as a level can be."""
    with np.errstate(over="ignore"):
        return np.asarray(np.clip(parts / wholes, -HUGE, HUGE))


def _change(logs: Array, k: int, window: int) -> float:
    return median(logs[k : k + window]) - median(logs[max(0, k - window) : k])


def _best_of(errors: float, places: int) -> float:
    """Return how many standard errors the largest of several differences is worth: chance had as many places.

    The largest of k Gaussian values is about √(2 ln k): what is beyond that is left.
    Source: Leadbetter, Lindgren and Rootzén, Extremes and related properties of random sequences (1983), chapter 1.
    """
    beyond = min(abs(float(errors)), HUGE) ** 2 - 2 * math.log(max(1, places))
    return math.copysign(math.sqrt(max(0.0, beyond)), errors)


def _line_at(rows: Array, x: float) -> Array:
    """Return the least-squares line through each row (values at 0 … w - 1), at x."""
    w = rows.shape[1]
    at = np.arange(w) - (w - 1) / 2
    return np.asarray(rows.mean(axis=1) + (rows @ at) / (at @ at) * (x - (w - 1) / 2))


def _line_error(w: int) -> float:
    """Return the standard error of such a line half a step beyond its end, for a noise of 1."""
    return float(np.sqrt(1 / w + 3 * w / (w**2 - 1)))
