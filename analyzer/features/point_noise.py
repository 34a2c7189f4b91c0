"""The noise of single points: whether it changes for good, dies, or the values stop changing at all."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analyzer.features.breaks import LINES, LONG, STEEP
from analyzer.stats.noise import around_lines, rounding_sigma
from analyzer.stats.robust import MEDIAN_ERROR, autocorrelation, median
from analyzer.stats.student import best_of

Array = NDArray[np.float64]
Steps = NDArray[np.int64]

CORRELATED = 12  # levels from which an autocorrelation is measured: with fewer its error is as large as itself
FROZEN_POINTS = 4  # points: with fewer nothing is said about repeated values
REPEATS = 3  # points: equal values at the end that are no coincidence
FINE = 1000  # points: of a longer curve every k-th single point tells how its noise changes
FEW_UNEVEN = 0.1  # share of such distances that does not count
NOISY = -0.3  # autocorrelation of second differences: -2/3 for white noise, near 1 for a smooth curve
UNEVEN = 1.5  # times: a change of the distance between points from which their noise is not compared
LOG_SPREAD = 1.11  # standard deviation of the logarithm of |x| for a Gaussian x
RESOLUTION = 1e-7  # of the level: what float32 can tell apart
TIED = 0.25  # share of neighbours that are equal from which values are taken as rounded


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
class PointNoise:
    """The noise of a curve's finite points: `steps` int64[n] (rising), `values` float64[n]."""

    steps: Steps
    values: Array

    @property
    def n(self) -> int:
        """Number of points."""
        return int(self.values.size)

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
            errors = best_of(both / error, n // window)
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

        In the units of the log or relative to the level, whichever is more; 1 for fewer than 12 points.
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


def _change(logs: Array, k: int, window: int) -> float:
    return median(logs[k : k + window]) - median(logs[max(0, k - window) : k])
