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

from analyzer.features.breaks import (
    FEW_LEVELS,
    LINES,
    LONG,
    SEEN,
    SHIFT_LEVELS,
    STEEP,
    STEEP_SHORT,
    BreakSearch,
    ratios,
)
from analyzer.features.point_noise import PointNoise
from analyzer.features.rises import Fall, Rise
from analyzer.stats.noise import beside_breaks, correlation_time, trendless_sigma
from analyzer.stats.robust import (
    MEDIAN_ERROR,
    even_edges,
    mad_sigma,
    median,
    quantile,
    quantiles,
    running_medians,
    sliding_windows,
)
from analyzer.stats.student import best_of, gaussian_of_t

Array = NDArray[np.float64]
Steps = NDArray[np.int64]

MOST = 240  # levels: a longer curve is described by medians of blocks, which tell all that its course asks for
NOISE_PARTS = 8  # parts of a curve whose noise is measured separately
NOISE_LEVELS = 12  # levels in such a part, at least
SMALLEST_NOISE = 2e-4  # of the level: numbers that a logger rounds to four digits carry no less
END = 0.05  # share of the levels at the end that make one level of the course
HELD = 0.1  # share of the levels that a curve must have held a level for it to count as reached
SOME = 0.01  # of the level: the smallest gain that is progress
ZEROS = 0.05  # share of the values that may be exactly 0 in a curve that is compared in log space
SMALLEST = 1e-300  # what a ratio is divided by at least
LARGEST_LOG = 700.0  # nats: beyond it the exponential leaves float64
INNER = 0.98  # share of the values whose spread is the scale of a curve for which 0 means nothing
FALL_LEVELS = 3  # levels: with fewer nothing is said about what was gained
RELAPSE_LEVELS = 5  # levels: with fewer nothing is said about what was lost
SMOOTHED_PARTS = 3  # parts of a curve from which the noise of one is compared with its neighbours'
FAR_CALMER = 0.5  # of the whole curve's residual: a part that is calmer speaks for itself
LATE_LEVELS = 8  # levels from which the noise is measured without the first third as well
PAIRED = 12  # levels from which one level of the course is made of two
MOST_OF_IT = 0.5  # of a rise (or of the progress): the larger part
LARGE = 1.5  # times the level: a rise that is no drift when it takes half of the progress
REST = 0.05  # of the height of a break: what may be left of it when it counts as made good
LEFT = 0.25  # of the noise: what a local line leaves of it at least
FAR = 0.95  # share of the residuals below the quantile that shows how heavy the tails of the noise are
GAUSSIAN_FAR = 1.96  # that quantile of |x| for a Gaussian x of unit noise


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
    def _breaks(self) -> BreakSearch:
        return BreakSearch(self.levels, self.noise, self._smallest)

    @cached_property
    def point_noise(self) -> PointNoise:
        """The noise of the single points."""
        return PointNoise(self.steps, self.values)

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
        return ratios(beside_breaks(self._breaks.joined(self._reach), self._reach), self.noise)[self.m // STEEP :]

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

    def by_student(self, errors: float) -> float:
        """Return a difference in standard errors of a Gaussian test, for curves that are running means themselves.

        Strongly correlated levels are few independent ones, from which an error is not known well: Student's t with as
        many degrees of freedom, turned into a Gaussian deviate.
        """
        return gaussian_of_t(errors, max(1.0, self.m / self.correlation - 2))

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
        errors = best_of(errors, max(1, before.size // held))
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
        errors, gaps = self._breaks.gaps(self.correlation, self.wander, self.tails)
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
        clear = best_of(float(errors[k]), int(np.count_nonzero(np.isfinite(gaps))))
        broken = self._rise(before, after, clear, first=first, onset=k, end=until, healed=bool(healed.size))
        # the lines on both sides may point beyond every level that was reached
        part = (min(after, float(np.max(later))) - before) / (after - before) if after > before else 0.0
        return replace(broken, seen=max(0.0, float(part)), began=broken.onset)

    def _good_again(self, base: float, top: float) -> float:
        """Return the level at which a rise from `base` to `top` counts as made good: nearly, and below the start."""
        low, high = self.back(base), self.back(top)
        return max(base, min(self._forth(low + REST * (high - low)), self.start))

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
