"""Settings that are moved during a run (KL weight, curriculum share, temperature, stage), and where they move.

A knob is a logged scalar that is set, not measured: it is no loss, metric, system value, counter, gradient norm or
learning rate (whose phases are events of their own), and it follows its schedule without noise. Where a loss moves
together with a knob its meaning may have changed on purpose.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from analyzer.features.curve import Array, Curve
from analyzer.features.gradient_norm import is_loss_scale
from analyzer.model.formatting import number, step
from analyzer.model.result import Event
from analyzer.model.roles import words_of
from analyzer.stats.robust import quantile

if TYPE_CHECKING:
    from analyzer.features import RunFeatures


@dataclass(frozen=True)
class Params:
    """What makes a scalar a knob, and which of its moves counts."""

    smooth: float = field(
        default=0.05,
        metadata={"unit": "of its pace", "why": "third differences of a ramp, cosine or exponential are no larger"},
    )
    regular: float = field(
        default=0.8, metadata={"unit": "of the points", "why": "a schedule has a few kinks; a measured value has noise"}
    )
    around: int = field(
        default=6, metadata={"unit": "points", "why": "they show on either side that the knob is still or on its way"}
    )
    cold: float = field(
        default=15.0, metadata={"unit": "°C", "why": "no machine at work is colder: a lower temperature is a softmax's"}
    )
    clock: float = field(
        default=100.0,
        metadata={
            "unit": "value",
            "why": "weights, shares and temperatures are smaller; what rises beyond it counts or times",
        },
    )
    share: float = field(
        default=0.2,
        metadata={"unit": "of its range", "why": "a knob that hardly moves there explains nothing"},
    )
    faster: float = field(
        default=2.0,
        metadata={
            "unit": "× its mean pace",
            "why": "a knob that moves evenly all the time says nothing of one stretch of the run",
        },
    )
    part: float = field(
        default=0.5,
        metadata={
            "unit": "of the steps",
            "why": "a knob that is moved for less than half of the run, and from before the middle of the stretch on",
        },
    )
    whole: float = field(
        default=0.8,
        metadata={"unit": "of its range", "why": "nearly all of its way there: no faster pace is asked for"},
    )


PARAMS = Params()
LEAST_MOVES = 2  # distances between moves: with fewer nothing repeats


@dataclass(frozen=True, slots=True)
class Knob:
    """A knob that moves from `before` to `after` between two steps; it was last seen at rest at the step `since`."""

    tag: str
    since: int
    first: int
    last: int
    before: float
    after: float

    @property
    def event(self) -> str:
        """What `Evidence.explained_by` holds when this knob accounts for what is seen."""
        return f"event:knob@{self.first}"

    @property
    def as_event(self) -> Event:
        """The move as an event of the run, for the report."""
        return Event("knob", self.first, self.sentence)

    @property
    def sentence(self) -> str:
        """The move in words."""
        return (
            f"{self.tag} goes from {number(self.before)} to {number(self.after)} "
            f"between steps {step(self.first)} and {step(self.last)}"
        )


def knob_at(features: RunFeatures, where: int | tuple[int, int]) -> Knob | None:
    """Return the knob that moves at a step, or between two steps; of several the one that moves furthest of its way.

    The stretch is widened by one point of the knob on both sides, because the knob may be logged more rarely.
    """
    first, last = (where, where) if isinstance(where, int) else where
    moved = [found for curve in _knobs(features) if (found := _moves(curve, first, last)) is not None]
    return max(moved, key=lambda found: found[0])[1] if moved else None


def cycle_of(features: RunFeatures) -> tuple[str, float] | None:
    """Return the tag of a setting that is moved again and again, at equal distances, and that distance in steps."""
    for curve in _knobs(features, counters=True):
        moves = curve.at[1:][np.diff(curve.raw) != 0]
        gaps = np.diff(moves)
        if gaps.size >= LEAST_MOVES and gaps.size < PARAMS.part * curve.n and np.ptp(gaps) <= curve.cadence:
            return curve.tag, float(np.mean(gaps))
    return None


def _knobs(features: RunFeatures, *, counters: bool = False) -> list[Curve]:
    """Return the scalars that may be settings; `counters`: those that count, too (the number of a task)."""
    softmax = [
        c for c in features.having("system") if "temperature" in words_of(c.tag) and c.n and c.raw.max() < PARAMS.cold
    ]
    candidates = [*features.having("unknown"), *features.having("constant"), *softmax]
    moved = [c for c in candidates if c.n > 2 and np.ptp(c.raw) > 0 and not is_loss_scale(c.tag)]
    return [c for c in moved if counters or not _counts(c)]


def _counts(curve: Curve) -> bool:
    """Whether it rises from point to point like a counter or a clock."""
    return bool(np.all(np.diff(curve.raw) > 0) and (curve.raw.max() > PARAMS.clock or np.all(curve.raw % 1 == 0)))


def _is_set(values: Array) -> bool:
    """Whether values are set and not measured: still at most points, or on their way without noise."""
    change = np.abs(np.diff(values))
    if float(np.mean(change == 0)) >= PARAMS.part:
        return True
    pace = quantile(change, PARAMS.regular)
    third = np.abs(np.diff(values, 3))
    return third.size > 0 and float(np.mean(third <= PARAMS.smooth * pace)) >= PARAMS.regular


def _moves(curve: Curve, first: int, last: int) -> tuple[float, Knob] | None:
    """Return the share of its way that a curve makes between two steps, with its move; None for what is no knob."""
    a = max(0, int(np.searchsorted(curve.at, first, side="left")) - 1)
    b = min(curve.n - 1, int(np.searchsorted(curve.at, last, side="right")))
    inside, at = curve.raw[a : b + 1], curve.at[a : b + 1]
    share, steps = float(np.ptp(inside) / np.ptp(curve.raw)), _part(at[0], at[-1], curve)
    moving, active = np.flatnonzero(np.diff(inside) != 0), np.flatnonzero(np.diff(curve.raw) != 0)
    stages = bool(np.all(np.diff(active) > 1))  # the more stages a setting has, the smaller is each
    least = min(PARAMS.share, PARAMS.part / active.size) if stages else PARAMS.share
    if not moving.size or share < least or _part(at[0], at[moving[0]], curve) > PARAMS.part * steps:
        return None
    if not _is_set(curve.raw[max(0, a - PARAMS.around) : b + 1 + PARAMS.around]):
        return None
    a_while = _part(curve.at[active[0] + 1], curve.at[active[-1] + 1], curve) <= PARAMS.part
    if not a_while and not stages and share < min(PARAMS.faster * steps, PARAMS.whole):
        return None
    start, end = int(moving[0]), int(moving[-1]) + 1
    return share, Knob(
        curve.tag, int(at[start]), int(at[start + 1]), int(at[end]), float(inside[start]), float(inside[end])
    )


def _part(first: int, last: int, curve: Curve) -> float:
    """Return the share of a curve's steps between two of them."""
    return float(last - first) / max(float(curve.at[-1] - curve.at[0]), 1.0)
