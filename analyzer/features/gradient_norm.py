"""What the gradient norm did around a step and over the run: the first witness of an explosion."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from analyzer.features.curve import Curve
from analyzer.model.formatting import number, step
from analyzer.model.roles import words_of
from analyzer.stats import trend
from analyzer.stats.robust import median


@dataclass(frozen=True)
class Params:
    """How a gradient norm is described."""

    usual: int = field(default=8, metadata={"unit": "points", "why": "fewer do not say what is usual"})
    course: int = field(default=24, metadata={"unit": "points", "why": "two in each of the twelve parts of a course"})
    parts: int = field(
        default=12, metadata={"unit": "count", "why": "parts of a course: short enough to find its lowest level"}
    )
    late: int = field(default=3, metadata={"unit": "parts", "why": "the last quarter is the end of the course"})
    tied: float = field(
        default=2e-3, metadata={"unit": "of the norm", "why": "clipped norms differ by rounding in half precision"}
    )


PARAMS = Params()
LOSS_SCALE = (frozenset({"loss", "grad", "amp", "fp16"}), frozenset({"scale", "scaler"}))


def is_loss_scale(tag: str) -> bool:
    """Whether a tag names the loss scale of mixed precision."""
    words = set(words_of(tag))
    return all(words & own for own in LOSS_SCALE) and "vs" not in words


@dataclass(frozen=True)
class Surge:
    """The largest gradient norm in a stretch of steps and the usual one before it; `tag` is the series' name."""

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
    if gradient is None or gradient.n < PARAMS.usual:
        return None
    inside = (gradient.at >= first) & (gradient.at <= last)
    before = gradient.raw[gradient.at < first]
    usual = median(before if before.size >= PARAMS.usual // 2 else gradient.raw)
    if not inside.any() or not usual > 0:
        return None
    top = int(np.argmax(np.where(inside, gradient.raw, -np.inf)))
    return Surge(gradient.tag, float(gradient.raw[top]), usual, int(gradient.at[top]))


@dataclass(frozen=True)
class Course:
    """Where a gradient norm goes, by twelve parts of the run.

    `early`, `late`, `low`: medians of the first part, of the last quarter, of the lowest part. `slope`: rise of the log
    norm over the second half at the lower 95 % bound (Theil-Sen), 0 with norms of 0. `most`: the largest norm;
    `at_most`, `late_at_most`: the share of all norms, and of the last quarter, that equal it, which clipping leaves
    behind.
    """

    early: float
    late: float
    low: float
    slope: float
    at_most: float
    late_at_most: float
    most: float


def course_of(gradient: Curve) -> Course:
    """Return the course of a gradient norm with `Params.course` finite points or more."""
    raw = gradient.raw
    parts = np.array_split(raw, PARAMS.parts)
    half = np.array([median(part) for part in np.array_split(raw[raw.size // 2 :], PARAMS.parts)])
    slope = 0.0
    if half.min() > 0:
        slope = trend.slope(np.arange(half.size, dtype=np.float64), np.log(half))[1] * (half.size - 1)
    late = np.concatenate(parts[-PARAMS.late :])
    most = float(raw.max())
    tied = most * (1 - PARAMS.tied)
    return Course(
        early=median(parts[0]),
        late=median(late),
        low=min(median(part) for part in parts),
        slope=slope,
        at_most=float(np.mean(raw >= tied)) if most > 0 else 0.0,
        late_at_most=float(np.mean(late >= tied)) if most > 0 else 0.0,
        most=most,
    )
