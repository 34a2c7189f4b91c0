"""The first sign of trouble before an onset, in any curve: the last good checkpoint lies before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from analyzer.features.curve import Curve
from analyzer.features.gradient_norm import PARAMS as GRADIENT
from analyzer.features.gradient_norm import is_loss_scale
from analyzer.model.formatting import number, step
from analyzer.stats.robust import median
from analyzer.stats.suffix import majority_suffix

if TYPE_CHECKING:
    from analyzer.features import RunFeatures

SignId = Literal["gradient-non-finite", "gradient-leap", "loss-scale-falls", "curve-non-finite"]


@dataclass(frozen=True)
class Params:
    """What counts as a sign."""

    leap: float = field(
        default=10.0,
        metadata={"unit": "× usual norm", "why": "gradient norms of small batches reach several times their median"},
    )
    halvings: float = field(
        default=2.0,
        metadata={"unit": "halvings", "why": "one halving in a while is the daily work of a dynamic loss scale"},
    )


PARAMS = Params()


class FirstSign(NamedTuple):
    """The step and tag of the earliest sign, and the sign in a sentence."""

    step: int
    tag: str
    sentence: str


@dataclass(frozen=True, slots=True)
class EarlySign:
    """Something that went wrong in `tag` from `step` up to an onset, with its numbers."""

    id: SignId
    tag: str
    step: int
    numbers: Mapping[str, float]

    @property
    def sentence(self) -> str:
        """The sign in words."""
        if self.id == "gradient-leap":
            norm, usual = number(self.numbers["norm"]), number(self.numbers["usual"])
            return f"{self.tag} reaches {norm} at step {step(self.step)}, usually {usual}"
        if self.id == "loss-scale-falls":
            high, low = number(self.numbers["from"]), number(self.numbers["to"])
            return f"{self.tag} falls from {high} to {low} from step {step(self.step)} on"
        return f"{self.tag} is non-finite from step {step(self.step)} on"


def first_sign(features: RunFeatures, onset: int) -> FirstSign | None:
    """Return the earliest sign of trouble in any curve before an onset (a step), None where no curve shows one."""
    signs = early_signs(features, onset)
    return FirstSign(signs[0].step, signs[0].tag, signs[0].sentence) if signs else None


def early_signs(features: RunFeatures, onset: int) -> list[EarlySign]:
    """Return the signs that last up to an onset, the earliest first: one at most for each curve.

    A gradient norm that is not finite or leaps, a loss scale that is halved again and again, and any other loss, metric
    or unknown curve that was finite once and is not any more. A leap of the norm at the onset itself counts, because
    the norm of a step is computed before the update that loses the loss.
    """
    found = [sign for curve in features.curves.values() if (sign := _sign_of(curve, onset)) is not None]
    return sorted(found, key=lambda sign: (sign.step, sign.tag))


def _sign_of(curve: Curve, onset: int) -> EarlySign | None:
    if curve.role.role == "gradient-norm":
        return _gradient(curve, onset)
    if is_loss_scale(curve.tag):
        return _loss_scale(curve, onset)
    if curve.role.role in ("loss", "metric", "unknown"):
        bad = ~curve.finite[curve.steps < onset]
        start = majority_suffix(bad)
        if start:  # one that was never finite is no news at any step
            return EarlySign("curve-non-finite", curve.tag, int(curve.steps[start]), {})
    return None


def _gradient(curve: Curve, onset: int) -> EarlySign | None:
    until = curve.steps <= onset
    values, steps, finite = curve.values[until], curve.steps[until], curve.finite[until]
    known = values[finite]
    if known.size < GRADIENT.usual:
        return None
    usual = median(known[: (known.size + 1) // 2])
    with np.errstate(invalid="ignore"):
        start = majority_suffix(~finite | (values > PARAMS.leap * usual))
    if start is None or (steps[start] >= onset and not finite[start]):
        return None
    if not finite[start]:
        return EarlySign("gradient-non-finite", curve.tag, int(steps[start]), {})
    peak = float(np.max(values[start:][finite[start:]]))
    return EarlySign("gradient-leap", curve.tag, int(steps[start]), {"norm": peak, "usual": usual})


def _loss_scale(curve: Curve, onset: int) -> EarlySign | None:
    scale, steps = curve.raw[curve.at <= onset], curve.at[curve.at <= onset]
    if scale.size < 2 or scale[-1] <= 0:
        return None
    rises = np.flatnonzero(np.diff(scale) > 0)
    row = scale[int(rises[-1]) + 1 if rises.size else 0 :]
    falls = np.flatnonzero(np.diff(row) < 0)
    if not falls.size or float(np.log2(row[0] / row[-1])) < PARAMS.halvings:
        return None
    first = int(steps[scale.size - row.size + int(falls[0]) + 1])
    return EarlySign("loss-scale-falls", curve.tag, first, {"from": float(row[0]), "to": float(row[-1])})
