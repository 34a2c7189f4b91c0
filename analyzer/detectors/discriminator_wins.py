"""The discriminator of a GAN is sure of everything, and the generator has nothing left to learn from.

Why it matters
--------------
A discriminator that is right on every sample gives the generator no direction: its gradient vanishes or only pushes,
and the samples stay as they are while both losses look busy.

How it is measured
------------------
Adversarial training with cross-entropy, over the last third of the run: the discriminator's loss is below 0.15 ln 2
(an even guess costs ln 2 a side), and the generator's is 3 or more, or twice what it had been before. Where the
discriminator's outputs are logged, real samples must get more than 0.95 and generated ones less than 0.05.

When it is wrong
----------------
Losses of Wasserstein, hinge and least-squares GANs have no such level and are not judged; a flat loss at ln 2 or 2 ln 2
is balance, and oscillation alone is ordinary.

What to do
----------
Give the discriminator a lower rate or fewer steps, smooth its labels, add noise to its inputs or regularise it
(spectral norm, gradient penalty), or use a loss that does not saturate.

References
----------
Arjovsky and Bottou, Towards principled methods for training generative adversarial networks (2017). Goodfellow et al.,
Generative adversarial nets (2014).

"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzer.detectors import Detector
from analyzer.features import Curve, RunFeatures
from analyzer.features.gan_health import PARAMS as GAN
from analyzer.features.gan_health import is_cross_entropy, judged, outputs
from analyzer.model.case import Case, made_run, noise
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Sign, Unfit, Veto, Words
from analyzer.model.formatting import filled, number, step
from analyzer.model.run import Run
from analyzer.stats.robust import median


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    loss: float = field(
        default=0.15, metadata={"unit": "of ln 2", "why": "the discriminator's loss, over a guess a side"}
    )
    generator: float = field(
        default=1.0, metadata={"unit": "×", "why": "the generator's loss over what shows that it has lost"}
    )


@dataclass(frozen=True)
class Params:
    """What shapes the measures."""

    part: int = field(default=3, metadata={"unit": "parts", "why": "the last third is compared"})
    lost: float = field(
        default=3.0, metadata={"unit": "nats", "why": "a generated sample passes in one case of twenty"}
    )
    risen: float = field(default=2.0, metadata={"unit": "×", "why": "the generator's loss over its own level before"})
    sure: float = field(default=0.95, metadata={"unit": "probability", "why": "for real samples"})


PARAMS = Params()


@dataclass(frozen=True, slots=True)
class Facts:
    """What the sentences need besides."""

    discriminator: float
    generator: float
    since: int


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield one reading of the losses of both sides."""
    if features.family != "gan":
        yield Unfit("no adversarial training")
        return
    loss = judged(features)
    generators = [c for c in features.measuring("generator-loss") if c.n >= GAN.enough]
    if loss is None or not generators:
        yield Unfit(f"fewer than {GAN.enough} values of the losses of both sides")
        return
    if not is_cross_entropy(features):
        yield Unfit("the losses are no cross-entropy: their levels say nothing of who wins")
        return
    yield _reading(features, loss, max(generators, key=lambda c: c.n))


def _reading(features: RunFeatures, loss: Curve, generator: Curve) -> Evidence:
    end, opposite = median(_last(loss)), median(_last(generator))
    before = median(generator.raw[: generator.n // PARAMS.part])
    shows = min(PARAMS.lost, PARAMS.risen * before) if before > 0 else PARAMS.lost
    guess = math.log(2)
    high = np.flatnonzero(loss.raw > loss.raw[0] / 2)
    since, last = int(loss.at[min(loss.n - 1, int(high[-1]) + 1 if high.size else 0)]), int(loss.at[-1])
    told = outputs(features)
    signs: list[Sign] = []
    vetoes: list[Veto] = []
    if told is not None:
        real, fake = (median(_last(c)) for c in told)
        numbers = {"real": real, "fake": fake}
        if real > PARAMS.sure and fake < 1 - PARAMS.sure:
            signs.append(Sign("outputs", told[0].tag, numbers))
        else:
            vetoes.append(Veto("not-sure", told[0].tag, numbers))
    return Evidence(
        (loss.tag, generator.tag),
        (
            Measure("discriminator's loss over that of a guess", end / guess, "loss", "below", "of ln 2"),
            Measure("generator's loss over what shows that it has lost", opposite / shows, "generator", unit="×"),
        ),
        "error" if _vanishes(features) else "warning",
        first_step=since,
        last_step=last,
        cause="discriminator-too-strong",
        marks=(
            Mark("region", loss.tag, "the discriminator has won", (since, last)),
            Mark("level", loss.tag, "even guess", values=(guess,)),
        ),
        signs=tuple(signs),
        vetoes=tuple(vetoes),
        facts=Facts(end, opposite, since),
    )


def _last(curve: Curve) -> np.ndarray:
    return curve.raw[-(curve.n // PARAMS.part) :]


def _vanishes(features: RunFeatures) -> bool:
    """Whether a logged gradient norm is next to nothing over the last third."""
    curve = features.gradient
    return curve is not None and curve.n >= GAN.enough and median(_last(curve)) <= 0


SENTENCES = {"outputs": "it gives real samples {real} and generated ones {fake} ({tag})"}


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    facts: Facts = evidence.facts
    loss, generator = evidence.tags
    return Words(
        f"the discriminator has won from step {step(facts.since)} on: {loss} is {number(facts.discriminator)} over the "
        f"last third (an even guess costs 0.693), {generator} {number(facts.generator)}",
        "a discriminator that learns faster than the generator can follow",
        tuple(filled(SENTENCES[sign.id], sign.tag, sign.numbers) for sign in evidence.signs),
        (
            "Give the discriminator a lower rate or fewer steps.",
            "Smooth its labels, add noise to its inputs, or regularise it (spectral norm, gradient penalty).",
            "Use a loss that does not saturate.",
        ),
    )


def _run(discriminator: np.ndarray, generator: np.ndarray, **more: np.ndarray) -> Run:
    return made_run({"loss_D": discriminator, "loss_G": generator, **more})


AT = np.arange(200) / 200
EVEN = 2 * math.log(2) * np.exp(noise(200, 0.05, 4))  # the loss of a discriminator that guesses on both sides
DETECTOR = Detector(
    "discriminator-wins",
    __doc__,
    measure,
    Limits(),
    (
        Case("sure of everything", "fires", lambda: _run(1.4 * np.exp(-12 * AT), 0.7 + 12 * AT)),
        Case("balance", "quiet", lambda: _run(EVEN, 0.7 * np.exp(noise(200, 0.1, 5)))),
        Case(
            "a low loss, and samples that pass",
            "almost",
            lambda: _run(0.09 * np.exp(noise(200, 0.1, 4)), 0.8 * np.exp(noise(200, 0.1, 5))),
        ),
        Case("a critic", "almost", lambda: _run(-40 + 39 * AT, 20 - 10 * AT)),
    ),
    yields_to=("non-finite",),
    describe=describe,
)
