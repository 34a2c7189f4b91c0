"""One series made ready to be judged: the points that stand, in the space where they lie straightest, with noise."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analyzer.features.course import Course
from analyzer.features.resumed_points import ResumedPoints
from analyzer.model.formatting import counted
from analyzer.model.roles import Role
from analyzer.stats import robust
from analyzer.stats import trend as trends

Array = NDArray[np.float64]
Steps = NDArray[np.int64]

FINE = 2000  # points: a curve that has more is looked at by means of blocks where its shape is asked
HUGE = 1e300  # MLflow's databases hold ±1.797e308 for ±inf


@dataclass(frozen=True, eq=False)
class Curve:
    """A series with its role, and what every detector needs of it, worked out once.

    `steps`, `values`, `wall_times`: the lineage, non-finite values included; `at`, `raw`: its finite points;
    `y`: `raw` in log space where `log` (a positive loss that spans more than a factor of two), else as it is.
    `tags` are the series it is made of (several when a total is summed from components).
    """

    tags: tuple[str, ...]
    role: Role
    points: ResumedPoints

    @property
    def tag(self) -> str:
        """The first tag, for pictures and marks."""
        return self.tags[0]

    @property
    def name(self) -> str:
        """What the values are called in a sentence: the tag, or the sum of several."""
        first, *others = self.tags
        if not others:
            return first
        rest = others[0] if len(others) == 1 else counted(len(others), "other loss", "other losses")
        return f"the sum of {first} and {rest}"

    @property
    def steps(self) -> Steps:
        """Steps of all points, int64."""
        return self.points.steps

    @property
    def values(self) -> Array:
        """Values of all points, float64; NaN and ±inf are data."""
        return self.points.values

    @property
    def wall_times(self) -> Array:
        """Unix seconds of all points."""
        return self.points.wall_times

    @cached_property
    def finite(self) -> NDArray[np.bool_]:
        """Which points are finite; what MLflow's databases hold for ±inf counts as infinite."""
        return np.isfinite(self.values) & (np.abs(self.values) < HUGE)

    @cached_property
    def at(self) -> Steps:
        """Steps of the finite points."""
        return self.steps[self.finite]

    @cached_property
    def raw(self) -> Array:
        """Finite values."""
        return self.values[self.finite]

    @property
    def n(self) -> int:
        """Number of finite points."""
        return int(self.raw.size)

    @cached_property
    def log(self) -> bool:
        """Whether the curve is judged in log space: a loss that spans more than a factor of two and is positive.

        A few exact zeros among positive values (a batch that is fitted perfectly) do not hinder it.
        """
        if self.n < 2 or self.role.role not in ("loss", "gradient-norm"):
            return False
        low, high = float(self.raw.min()), float(self.raw.max())
        return high > 2 * low and (low > 0 or (low == 0 and int(np.count_nonzero(self.raw)) >= 0.95 * self.n))

    @cached_property
    def y(self) -> Array:
        """The finite values in the space they are judged in."""
        if not self.log:
            return self.raw
        positive = self.raw if self.raw.min() > 0 else np.maximum(self.raw, self.raw[self.raw > 0].min())
        return np.log(positive)

    @cached_property
    def trend(self) -> Array:
        """Robust trend of `y` at each finite point."""
        return trends.smooth(self.y)

    @cached_property
    def residual(self) -> Array:
        """What is left of `y` over its trend."""
        return self.y - self.trend

    @cached_property
    def sigma(self) -> float:
        """Noise of one point in units of `y`: the larger of the spread over the trend and of differences."""
        return max(robust.mad_sigma(self.residual), robust.difference_sigma(self.y) if self.n > 8 else 0.0)

    @cached_property
    def rho(self) -> float:
        """Lag-1 autocorrelation of the residual."""
        return robust.autocorrelation(self.residual)

    @cached_property
    def blocks(self) -> trends.Blocks:
        """Block medians of `y`."""
        return trends.blocked(self.y)

    def back(self, y: float) -> float:
        """Return a value of `y` in the units of the log."""
        return float(np.exp(y)) if self.log else float(y)

    def level(self, first: float, last: float) -> float:
        """Return the median of `y` between two fractions of the finite points (at least one point)."""
        a = min(int(first * self.n), self.n - 1)
        return robust.median(self.y[a : max(a + 1, int(np.ceil(last * self.n)))])

    @cached_property
    def start(self) -> float:
        """Where the curve begins, in `y`: the median of the first points before the trend has moved."""
        return robust.median(self.y[: max(1, min(3, self.n // 10))])

    @cached_property
    def end(self) -> float:
        """Where it ends, in `y`: the median of the last tenth, three points at least."""
        return robust.median(self.y[-max(3, self.n // 10) :])

    @cached_property
    def coarse(self) -> Curve:
        """The curve by means of blocks where it has more points than its shape needs: for what asks no single point.

        A block stands at its last step; what is not finite is left out.
        """
        if self.n <= FINE:
            return self
        edges = np.linspace(0, self.n, FINE + 1).astype(np.int64)
        means = np.add.reduceat(self.raw, edges[:-1]) / np.diff(edges)
        times = self.wall_times[self.finite]
        return Curve(self.tags, self.role, ResumedPoints(self.at[edges[1:] - 1], means, times[edges[1:] - 1]))

    @cached_property
    def course(self) -> Course:
        """The course of the finite points: levels, gain, breaks and what was lost again."""
        return Course(self.at, self.raw, self.role.direction == "higher")

    @cached_property
    def cadence(self) -> float:
        """Usual distance between two points in steps."""
        gaps = np.diff(self.steps).astype(np.float64)
        gaps = gaps[gaps > 0]
        return robust.median(gaps) if gaps.size else 1.0
