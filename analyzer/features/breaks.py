"""Where the level of a curve breaks upwards: the gap between what comes before and after each level."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analyzer.stats.noise import trendless_sigma
from analyzer.stats.robust import MEDIAN_ERROR, running_medians, sliding_windows
from analyzer.stats.student import HUGE, gaussian_of_t

Array = NDArray[np.float64]
Steps = NDArray[np.int64]

LONG = 40  # levels (points) from which the noise is measured in places and its tails and its scatter show
LINES = (24, 12, 6)  # windows on both sides of a break: the levels over these numbers
FEW_LEVELS = 20  # a curve with fewer is judged by what it has
SHORTEST = (2, 3, 3)  # levels in such a window, at least
STEEP = 8  # the first eighth of the levels is the steep start: no break is looked for in it
KNOWN_BEFORE = 4  # degrees of freedom: what is known of the noise of a curve before it is seen
STEEP_SHORT = 4  # the same of a curve whose noise is measured as a whole
SHARP = 0.5  # of the gap between wide windows that must be there between narrow ones
MEETING = -0.5  # levels: where two windows meet, seen from the first level of the later one
SHIFT_LEVELS = 6  # levels: with fewer nothing is said about breaks
NEIGHBOURS = 2  # levels on either side that an outlier is compared with
SEEN = 4.0  # standard errors from which a break is a candidate


@dataclass(frozen=True, eq=False)
class BreakSearch:
    """The search for breaks in `levels` (lower is better, float64[m]); `noise` float64[m] is at least `smallest`."""

    levels: Array
    noise: Array
    smallest: float

    @property
    def m(self) -> int:
        """Number of levels."""
        return int(self.levels.size)

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
            lines = line_at(straight[at], MEETING) - line_at(straight[at - w], w + MEETING)
            # between two windows of two the neighbours of the break tell more than medians
            medians = middle[at] - middle[at - w] if w > 2 else y[at] - y[at - 1]
            found.append((w, at, medians, lines, self._noise_around(at, w)))
        return tuple(found)

    def gaps(self, correlation: float, wander: Array, tails: float) -> tuple[Array, Array]:
        """Return the smallest gap over the windows at each level, in standard errors and in units of a level."""
        m = self.m
        errors, gaps, ramp = np.full(m, np.inf), np.full(m, np.inf), np.zeros(m, bool)
        narrowest = self._windows[0][0] if self._windows else 0
        for w, at, medians, lines, level_noise in self._windows:
            noise = wander[at] * level_noise * np.sqrt(min(correlation, w))
            by_lines = ratios(lines, noise * tails * line_error(w) * np.sqrt(2.0))
            by_medians = ratios(medians, noise * (MEDIAN_ERROR * np.sqrt(2 / w) if w > 2 else np.sqrt(2.0)))
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

    def joined(self, reach: int) -> Array:
        """Levels without a clear break upwards that is too near to the end for a line beside it.

        The break is no correlation of the noise.
        """
        if self.m < SHIFT_LEVELS:
            return self.levels
        errors, gaps = self.gaps(1.0, np.ones(self.m), 1.0)
        k = int(np.argmax(errors))
        if errors[k] < SEEN or self.m - k > 2 * reach:
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
        return np.maximum(found, self.smallest)

    def _by_few(self, errors: float) -> float:
        return gaussian_of_t(errors, self.m - self.m // STEEP_SHORT - 2.0 + KNOWN_BEFORE)


def ratios(parts: Array, wholes: Array) -> Array:
    """Return parts / wholes (positive), at most `HUGE`: what overflows is as far away as a level can be."""
    with np.errstate(over="ignore"):
        return np.asarray(np.clip(parts / wholes, -HUGE, HUGE))


def line_at(rows: Array, x: float) -> Array:
    """Return the least-squares line through each row (values at 0 … w - 1), at x."""
    w = rows.shape[1]
    at = np.arange(w) - (w - 1) / 2
    return np.asarray(rows.mean(axis=1) + (rows @ at) / (at @ at) * (x - (w - 1) / 2))


def line_error(w: int) -> float:
    """Return the standard error of such a line half a step beyond its end, for a noise of 1."""
    return float(np.sqrt(1 / w + 3 * w / (w**2 - 1)))
