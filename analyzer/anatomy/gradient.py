"""What the gradient norm did around a step: the first witness of an explosion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analyzer.anatomy.curve import Curve
from analyzer.model.wording import number, step
from analyzer.stats import trend
from analyzer.stats.robust import median

LEAST = 8  # points


@dataclass(frozen=True)
class Surge:
    """The largest gradient norm in a stretch of steps beside the usual one before it; `tag` is the series' name."""

    tag: str
    peak: float
    usual: float
    at: int

    @property
    def ratio(self) -> float:
        """How many times the usual norm the peak is."""
        return self.peak / self.usual

    @property
    def sentence(self) -> str:
        """The surge in words."""
        return f"{self.tag} reaches {number(self.peak)} at step {step(self.at)}, usually {number(self.usual)}"


def surge(gradient: Curve | None, first: float, last: float) -> Surge | None:
    """Return the surge between two steps; None without a gradient norm, or with too few points to say what is usual."""
    if gradient is None or gradient.n < LEAST:
        return None
    inside = (gradient.at >= first) & (gradient.at <= last)
    before = gradient.raw[gradient.at < first]
    usual = median(before if before.size >= LEAST // 2 else gradient.raw)
    if not inside.any() or not usual > 0:
        return None
    top = int(np.argmax(np.where(inside, gradient.raw, -np.inf)))
    return Surge(gradient.tag, float(gradient.raw[top]), usual, int(gradient.at[top]))


@dataclass(frozen=True)
class Course:
    """Where a gradient norm goes: medians of its first tenth and last quarter, of the lowest of twelve parts.

    `slope`: rise of log norm over the second half at the lower 95 % bound (Theil-Sen), 0 with norms of 0; `at_most`:
    share of the norms at the largest one (within 0.2 %), which clipping leaves behind; `most`: the largest.
    """

    early: float
    late: float
    low: float
    slope: float
    at_most: float
    most: float


def course_of(gradient: Curve) -> Course:
    """Return the course of a gradient norm with two dozen finite points or more."""
    raw = gradient.raw
    low = min(median(part) for part in np.array_split(raw, 12))
    parts = np.array([median(part) for part in np.array_split(raw[raw.size // 2 :], 10)])
    slope = 0.0
    if parts.min() > 0:
        slope = trend.slope(np.arange(10.0), np.log(parts))[1] * 9.0
    most = float(raw.max())
    return Course(
        early=median(raw[: max(3, raw.size // 10)]),
        late=median(raw[-max(3, raw.size // 4) :]),
        low=low,
        slope=slope,
        at_most=float(np.mean(raw >= most * (1 - 2e-3))) if most > 0 else 0.0,
        most=most,
    )
