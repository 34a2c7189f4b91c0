"""Training values beside held-out values of the same kind: how far they are apart, and how sure that is."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from analyzer.features.single_values.errors import standard_error
from analyzer.features.single_values.values import Single, Value
from analyzer.model.metric_kinds import Kind

SHARES: tuple[Kind, ...] = ("accuracy", "balanced-accuracy", "auc")
SIGNED: tuple[Kind, ...] = ("mcc", "kappa")
FALLBACK: tuple[Kind, ...] = ("f1",)
"""F1 rests on the positives alone: it is asked where nothing better is logged."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A pair: `size` is training minus held-out in the unit of a share (half of that of MCC and kappa)."""

    train: Value
    held_out: Value
    size: float
    errors: float

    @property
    def kind(self) -> Kind:
        """The kind of metric."""
        return self.held_out.kind


def gaps(single: Single) -> list[Gap]:
    """Return the pairs whose gap tells of learning by heart, in the order of the kinds that tell it best."""
    pairs = [(mate, held) for held in single.held_out if (mate := partner(single, held)) is not None]
    told = [p for p in pairs if p[1].kind in (*SHARES, *SIGNED, "r2")]
    told = told or [p for p in pairs if p[1].kind in FALLBACK and not p[1].of_class]
    return [gap_of(single, *pair) for pair in told]


def gap_of(single: Single, train: Value, held_out: Value) -> Gap:
    """Return how far a pair is apart."""
    sizes, kind = single.sizes, held_out.kind
    own = standard_error(kind, train.value, sizes.train, sizes.share)
    other = standard_error(kind, held_out.value, sizes.test, sizes.share)
    # an R² below 0 is chance, however far: only what training has above it can have been memorised
    reached = max(held_out.value, 0.0) if kind == "r2" else held_out.value
    size, error = train.value - reached, math.hypot(own, other)
    return Gap(train, held_out, size / 2.0 if kind in SIGNED else size, size / error if error > 0 else 0.0)


def partner(single: Single, held_out: Value) -> Value | None:
    """Return the training value of a held-out one; R² is worked out from errors where it is not logged."""
    mate = single.partner(held_out)
    return mate if mate is not None or held_out.kind != "r2" else _derived(single, held_out)


def _derived(single: Single, r2: Value) -> Value | None:
    """Return the training R², from the squared errors of both splits and the held-out R²."""
    held = _square(single, r2.split, train=False)
    own = _square(single, "train", train=True)
    if held is None or own is None or not r2.value < 1 or held[0] <= 0:
        return None
    spread = held[0] / (1 - r2.value)
    return replace(own[1], kind="r2", value=1 - own[0] / spread)


def _square(single: Single, split: str, *, train: bool) -> tuple[float, Value] | None:
    values = single.training if train else single.held_out
    for value in values:
        if value.split == split and value.kind in ("rmse", "mse") and value.value >= 0:
            return (value.value**2 if value.kind == "rmse" else value.value), value
    return None
