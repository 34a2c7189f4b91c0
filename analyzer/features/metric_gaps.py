"""Metrics of training beside those of held-out data, as curves: how far they are apart at the end."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from analyzer.features.chance_level import unit_of
from analyzer.features.curve import Curve
from analyzer.features.sample_size import PARAMS as ENOUGH
from analyzer.stats.robust import median

if TYPE_CHECKING:
    from analyzer.features import RunFeatures

KINDS = ("accuracy", "auc", "r2")


@dataclass(frozen=True)
class Params:
    """How the ends are taken."""

    late: int = field(default=5, metadata={"unit": "th part", "why": "at the end: the level of a gap"})


PARAMS = Params()


@dataclass(frozen=True, slots=True)
class MetricGap:
    """A training metric and a held-out one at their ends, as shares: `size` is their difference."""

    train: Curve
    held_out: Curve
    reached: float
    kept: float
    size: float
    errors: float
    first_step: int


def metric_gaps(features: RunFeatures) -> list[MetricGap]:
    """Return the gap of each held-out accuracy, AUC or R² that has a counterpart on training data, the widest first."""
    metrics = [c for c in features.having("metric") if c.role.kind in KINDS and c.n >= ENOUGH.evaluations]
    held = [c for c in metrics if c.role.split in ("validation", "test")]
    own = [c for c in metrics if c.role.split in ("train", None)]
    pairs = [(next((o for o in own if o.role.kind == c.role.kind), None), c) for c in held]
    return sorted((_gap(mate, curve) for mate, curve in pairs if mate is not None), key=lambda one: -one.size)


def _gap(mate: Curve, curve: Curve) -> MetricGap:
    unit = unit_of(curve.role.kind, mate.raw, curve.raw)
    reached, kept = (median(c.raw[-max(2, c.n // PARAMS.late) :]) / unit for c in (mate, curve))
    floor = max(kept, 0.0)  # an R² below 0 is chance, however far
    error = math.hypot(*(c.course.error(c.course.m - c.course.window, c.course.m) / unit for c in (mate, curve)))
    size = reached - floor
    wide = curve.at[curve.raw / unit < reached - size / 2]
    return MetricGap(
        mate,
        curve,
        reached,
        kept,
        size,
        size / error if error > 0 else math.inf,
        int(wide[0]) if wide.size else int(curve.at[0]),
    )
