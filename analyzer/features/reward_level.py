"""Where a reward stands: its levels at the start, at its best and at its end, each with an error of its own.

A reward climbs fast and early, is autocorrelated (often a mean of the last hundred episodes), and may consist of rare
spikes. So its levels are means over short windows, their errors come from residuals around a smooth trend with the
correlation of neighbours taken into account, and a change below the resolution of the log is none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analyzer.stats.noise import around_lines, beside_breaks, correlation_time
from analyzer.stats.robust import MAD_TO_SIGMA, median, running_medians

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Params:
    """The windows of the levels, and what is taken for noise."""

    start: float = field(
        default=0.02, metadata={"unit": "of the points", "why": "a game may be learnt within the first tenth"}
    )
    start_least: int = field(default=3, metadata={"unit": "points", "why": "that make the first level, at least"})
    best: int = field(default=15, metadata={"unit": "windows", "why": "the best level is held for a part of the run"})
    end: int = field(default=10, metadata={"unit": "windows", "why": "the end is the last tenth"})
    least: int = field(default=5, metadata={"unit": "points", "why": "that make the best level and the end, at least"})
    left: float = field(default=0.25, metadata={"unit": "of the variance", "why": "a line leaves of noise, at least"})
    wide: int = field(
        default=7, metadata={"unit": "windows", "why": "on either side of a point: slower wandering is a course"}
    )
    lines: int = field(
        default=6, metadata={"unit": "points", "why": "on either side of a point, for a line through it"}
    )
    spread: float = field(
        default=0.6,
        metadata={"unit": "× standard deviation", "why": "the median of rare spikes is 0, their noise is not"},
    )
    correlation: float = field(
        default=0.98, metadata={"unit": "ratio", "why": "a mean of a hundred episodes changes by a hundredth each time"}
    )
    floor: float = field(
        default=0.01, metadata={"unit": "of level or range", "why": "nobody acts on a smaller change of a reward"}
    )
    clear: float = field(default=5.0, metadata={"unit": "standard errors", "why": "a change that no noise makes"})
    still: float = field(
        default=0.02,
        metadata={"unit": "of the range", "why": "so near the running median stays where only spikes rise"},
    )
    begun: float = field(
        default=0.25, metadata={"unit": "of the fall", "why": "a fall has begun when so much of it is done for good"}
    )
    ceiling: float = field(
        default=0.6, metadata={"unit": "of the last tenth", "why": "values that equal the largest: there is no more"}
    )


PARAMS = Params()
SHARES = (1.0, 100.0)  # a share and a percentage of which there is no more
WALLACE = 8  # of his approximation
FLOAT32 = 4 * float(np.finfo(np.float32).eps)  # of the level: what logs in single precision tell apart


@dataclass(frozen=True, eq=False)
class RewardLevels:
    """The levels of a reward: `values` float64[n] are finite, n ≥ 5, higher is better."""

    values: Array

    @property
    def n(self) -> int:
        """Number of points."""
        return int(self.values.size)

    @cached_property
    def head(self) -> int:
        """Points that make the level of the start."""
        return max(PARAMS.start_least, int(PARAMS.start * self.n))

    @cached_property
    def window(self) -> int:
        """Points that make the best level."""
        return min(self.n, max(PARAMS.least, self.n // PARAMS.best))

    @cached_property
    def tail(self) -> int:
        """Points that make the level of the end."""
        return min(self.n, max(PARAMS.least, self.n // PARAMS.end))

    @cached_property
    def start(self) -> float:
        """Level of the first points."""
        return float(np.mean(self.values[: self.head]))

    @cached_property
    def end(self) -> float:
        """Level of the last points."""
        return float(np.mean(self.values[-self.tail :]))

    @cached_property
    def last_blocks(self) -> tuple[float, float]:
        """Levels of the last two windows, the earlier one first."""
        return float(np.mean(self.values[-2 * self.tail : -self.tail])) if self.n > self.tail else self.end, self.end

    @cached_property
    def calm(self) -> Array:
        """Centred means over the window, float64[n - window + 1]."""
        sums = np.concatenate([[0.0], np.cumsum(self.values - self.start)])
        return np.asarray((sums[self.window :] - sums[: -self.window]) / self.window + self.start)

    @cached_property
    def best(self) -> float:
        """The highest level; that of a curve of rare spikes is its usual value."""
        return median(self.values) if self.spiky else float(np.max(self.calm))

    @cached_property
    def best_at(self) -> int:
        """Index of the point in the middle of the highest level."""
        return int(np.argmax(self.calm)) + self.window // 2

    @cached_property
    def spiky(self) -> bool:
        """Whether the running median never leaves its place: what rises above it are rare events and no level."""
        if self.range <= 0 or self.n < 2 * PARAMS.least:
            return False
        running = running_medians(self.values, self.window)
        return bool(np.ptp(running) <= PARAMS.still * self.range)

    @cached_property
    def range(self) -> float:
        """Largest less smallest value."""
        return float(np.ptp(self.values))

    @cached_property
    def scale(self) -> float:
        """The larger of level and range, by which changes are measured."""
        return max(abs(self.best), abs(self.start), self.range, float(np.finfo(float).tiny))

    @cached_property
    def floor(self) -> float:
        """The smallest change that counts: what the log resolves, and a share of level or range."""
        smallest = float(np.finfo(float).tiny)  # below it, ratios lose their meaning
        return max(FLOAT32 * float(np.max(np.abs(self.values))), PARAMS.floor * self.scale, smallest)

    @cached_property
    def _residual(self) -> Array:
        return around_lines(self.values, max(PARAMS.start_least, self.window // 2))

    @cached_property
    def sigma(self) -> float:
        """Noise of one point around a smooth trend."""
        rest = self._residual
        return max(MAD_TO_SIGMA * median(np.abs(rest - median(rest))), PARAMS.spread * float(np.std(rest)))

    @cached_property
    def _inflation(self) -> float:
        """Factor of the error of a mean by the correlation of neighbours."""
        rest = self._residual - float(np.mean(self._residual))
        power = float(rest @ rest)
        r = float(rest[1:] @ rest[:-1]) / power if power > 0 else 0.0
        r = min(max(r, 0.0), PARAMS.correlation)
        return math.sqrt((1 + r) / (1 - r))

    def error(self, points: int) -> float:
        """Return the standard error of a mean over so many neighbouring points."""
        return self.sigma * self._inflation / math.sqrt(max(1, points))

    def errors(self, change: float, a: int, b: int) -> float:
        """Return a change between two means over `a` and `b` points in standard errors, 0 below the floor."""
        if abs(change) < self.floor:
            return 0.0
        return change / max(math.hypot(self.error(a), self.error(b)), self.floor / PARAMS.clear)

    @property
    def gain(self) -> float:
        """Best level less the start, 0 where nothing was gained."""
        return max(0.0, self.best - self.start)

    @property
    def gain_errors(self) -> float:
        """The gain in standard errors."""
        return self.errors(self.best - self.start, self.head, self.window)

    @property
    def kept_errors(self) -> float:
        """End less start in standard errors."""
        return self.errors(self.end - self.start, self.head, self.tail)

    @property
    def lost(self) -> float:
        """Best level less the end."""
        return max(0.0, self.best - self.end)

    @property
    def lost_errors(self) -> float:
        """The loss since the best level in standard errors."""
        return self.errors(self.best - self.end, self.window, self.tail)

    @cached_property
    def at_ceiling(self) -> bool:
        """Whether it ends at a known ceiling: a share of 1, or the largest value again and again."""
        last = self.values[-self.tail :]
        top = float(np.max(self.values))
        near = top - self.floor
        again = self.range > self.floor and float(np.mean(last >= top - FLOAT32 * abs(top))) >= PARAMS.ceiling
        whole = any(
            abs(top - share) <= PARAMS.floor * share and self.end >= share - 2 * PARAMS.floor * share
            for share in SHARES
        )
        return again or (whole and self.end >= near - PARAMS.floor * abs(top))

    def onset(self, high: float, low: float) -> int:
        """Return the index of the first point from which on the reward stays a quarter of the fall below `high`."""
        width = min(PARAMS.least, self.n)
        running = running_medians(self.values, width)
        good = np.flatnonzero(running >= high - PARAMS.begun * (high - low))
        return min(self.n - 1, int(good[-1]) + width // 2 + 1) if good.size else 0


@dataclass(frozen=True)
class Wander:
    """How a stretch of a reward wanders about lines: how many neighbouring points tell what one tells, of how many."""

    correlation: float
    points: int

    def by_student(self, errors: float) -> float:
        """Return a difference in standard errors of a Gaussian test: few independent values know their error badly.

        Student's t as a Gaussian deviate. Source: Wallace, Bounds on normal approximations to Student's t, Annals of
        Mathematical Statistics 30 (1959).
        """
        free = max(1.0, self.points / self.correlation - 2)
        size = math.sqrt(free * math.log1p(errors**2 / free)) * (WALLACE * free + 1) / (WALLACE * free + 3)
        return math.copysign(size, errors)


def wander(values: Array) -> Wander:
    """Return how a stretch of a reward wanders about lines over two sevenths of it; float64[n], n ≥ 12."""
    half = max(PARAMS.lines, values.size // PARAMS.wide)
    rest = beside_breaks(values, half)
    together = correlation_time(rest, half)
    left = max(PARAMS.left, 1 - together / (2 * half + 1))  # a line takes what wanders more slowly than its window
    return Wander(1 + (together - 1) / left, int(values.size))


def standing(values: Array) -> RewardLevels | None:
    """Return where a reward stands, None with too few values for any level."""
    return RewardLevels(values) if values.size >= PARAMS.least else None
