"""What a healthy GAN must show: neither side has won, or a measure of quality has got better.

The losses of a GAN fall for neither side when it goes well. With the cross-entropy of the first GANs a balanced
discriminator stays near ln 2 a side and tells real from generated samples in some cases only; the losses of
Wasserstein, hinge and least-squares GANs have no such level.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from analyzer.features.curve import Array, Curve
from analyzer.features.rises import Rise
from analyzer.model.formatting import counted, number
from analyzer.model.health import Criterion
from analyzer.model.roles import words_of
from analyzer.stats.robust import median

if TYPE_CHECKING:
    from analyzer.features import RunFeatures


@dataclass(frozen=True)
class Params:
    """How balance is measured."""

    enough: int = field(default=20, metadata={"unit": "points", "why": "fewer show no lasting balance"})
    even: float = field(
        default=0.25, metadata={"unit": "of ln 2", "why": "a discriminator that is unsure of most samples"}
    )
    sure: float = field(
        default=0.9, metadata={"unit": "probability", "why": "for real samples: it is nearly sure of them"}
    )
    better: float = field(default=0.1, metadata={"unit": "of the start", "why": "gain of a measure of quality"})
    run_away: float = field(default=10.0, metadata={"unit": "× the level", "why": "no game between two sides does it"})
    clear: float = field(default=3.5, metadata={"unit": "standard errors", "why": "a gain that is not noise"})


PARAMS = Params()
OTHER_LOSSES = frozenset({"wasserstein", "wgan", "gp", "hinge", "lsgan", "ls", "penalty"})


def is_cross_entropy(features: RunFeatures) -> bool:
    """Whether the losses can be the cross-entropy of the first GANs: never negative, and no other kind is named."""
    losses = features.measuring("discriminator-loss", "generator-loss")
    named = {w for tag in features.curves for w in words_of(tag)} & OTHER_LOSSES
    return not named and all(float(np.min(c.raw)) >= 0 for c in losses)


def judged(features: RunFeatures) -> Curve | None:
    """Return the discriminator's loss, the longest of several, None where it has too few points."""
    found = [c for c in features.measuring("discriminator-loss") if c.n >= PARAMS.enough]
    return max(found, key=lambda c: c.n, default=None)


def outputs(features: RunFeatures) -> tuple[Curve, Curve] | None:
    """Return what the discriminator says of real and of generated samples, None where it is no probability."""
    real, fake = features.measuring("real-output"), features.measuring("fake-output")
    if not real or not fake or min(real[0].n, fake[0].n) < PARAMS.enough:
        return None
    both = np.concatenate([real[0].raw, fake[0].raw])
    return (real[0], fake[0]) if float(np.min(both)) >= 0 and float(np.max(both)) <= 1 else None


def enough_data(features: RunFeatures) -> Criterion:
    """Whether the losses of both sides are long enough."""
    curve = judged(features)
    if curve is None:
        text = f"the discriminator's loss has fewer than {PARAMS.enough} points, or is not logged"
        return Criterion("enough-data", "unclear", text)
    return Criterion("enough-data", "shown", f"{curve.tag} has {counted(curve.n, 'finite point')}", {}, curve.tags)


def learnt(features: RunFeatures) -> Criterion:
    """Whether a measure of quality got better, or neither side has won over the second half of the run."""
    for curve in features.having("metric"):
        fall = curve.course.fall if curve.role.kind == "fid" and curve.n >= PARAMS.enough else None
        if fall is not None and fall.errors >= PARAMS.clear and fall.size >= PARAMS.better:
            text = f"{curve.tag} fell from {number(fall.start)} to {number(fall.end)}"
            return Criterion("learnt", "shown", text, {"gain": fall.size, "errors": fall.errors}, curve.tags)
    loss = judged(features)
    if loss is None or not is_cross_entropy(features):
        return Criterion("learnt", "unclear", "no measure of quality is logged, and the losses of a GAN show none")
    level, told = median(_half(loss)), outputs(features)
    if told is not None:
        real, fake = (median(_half(one)) for one in told)
        text = (
            f"neither side has won: the discriminator gives real samples {number(real)}, generated ones {number(fake)}"
        )
        numbers = {"gain": 1.0, "real": real, "fake": fake}
        if real <= PARAMS.sure and fake >= 1 - PARAMS.sure:
            return Criterion("learnt", "shown", text, numbers, (told[0].tag, told[1].tag))
    elif any(abs(level / balance - 1) <= PARAMS.even for balance in (math.log(2), 2 * math.log(2))):
        text = f"neither side has won: {loss.tag} stays at {number(level)}, near an even guess"
        return Criterion("learnt", "shown", text, {"gain": 1.0, "level": level}, loss.tags)
    return Criterion("learnt", "unclear", f"{loss.tag} is at {number(level)}, and no measure of quality is logged")


def calm(features: RunFeatures) -> Criterion:
    """Whether the loss of neither side runs away: it may rise as the other side gets better, but not without end."""
    curves = [c for c in features.measuring("discriminator-loss", "generator-loss") if c.n >= PARAMS.enough]
    if not curves:
        return Criterion("calm", "not-applicable", f"no loss has {PARAMS.enough} points")
    for curve in curves:
        worst = max((r for r in (curve.course.relapse, curve.course.shift) if r is not None), key=_factor, default=None)
        if worst is not None and worst.errors >= PARAMS.clear and not worst.healed and _factor(worst) > PARAMS.run_away:
            text = f"{curve.name} runs away from {number(worst.before)} to {number(worst.after)}"
            numbers = {
                "before": worst.before,
                "after": worst.after,
                "errors": worst.errors,
                "step": float(curve.at[worst.onset]),
                "last_step": float(curve.at[-1]),
            }
            return Criterion("calm", "refuted", text, numbers, curve.tags)
    return Criterion("calm", "shown", f"the loss of neither side runs away ({curves[0].name})", {}, curves[0].tags)


def _factor(rise: Rise) -> float:
    """Return how many times its level a loss rises to; a loss around 0 has no such level."""
    return rise.after / rise.before if rise.before > 0 else 0.0


def kept(features: RunFeatures) -> Criterion:
    """Return that nothing is asked of a GAN without a measure of quality: no level of its losses is its best."""
    return Criterion("kept", "not-applicable", features.why_not)


def held_out(features: RunFeatures) -> Criterion:
    """Return that nothing is asked here: samples are judged by a measure of quality, if any is logged."""
    return Criterion("held-out", "not-applicable", features.why_not)


def _half(curve: Curve) -> Array:
    return curve.raw[curve.n // 2 :]
