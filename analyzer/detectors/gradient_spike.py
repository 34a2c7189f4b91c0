"""The gradient norm leaps while the loss stays calm.

Why it matters
--------------
One enormous update can undo many good ones. Where the loss does not show it the optimiser or clipping has caught it;
the leaps still name the batches and steps to look at before one of them is not caught.

How it is measured
------------------
As for the loss: each norm is compared in log space with the higher of the medians before and after it, and must be far
beyond the noise and the tail that the run's other norms follow. A leap of the loss explains it.

When it is wrong
----------------
Norms have heavy tails by nature, most of all with small batches: only leaps far beyond the run's own tail are reported,
and always as a note. At a restart, or after the learning rate was raised, a leap is expected.

What to do
----------
Look at the batches of the named steps. Clip the gradient norm at two or three times its usual value.

References
----------
Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural networks (2013).

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzer.detectors import Detector
from analyzer.features import RunFeatures
from analyzer.features.gradient_norm import PARAMS as GRADIENT
from analyzer.features.knobs import knob_at
from analyzer.features.spikes import spikes
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Sign, Unfit, Words
from analyzer.model.formatting import number, step, times
from analyzer.stats.robust import median


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    factor: float = field(
        default=10.0, metadata={"unit": "×", "why": "leap over the level before and after, as a factor"}
    )
    tail: float = field(
        default=1.5, metadata={"unit": "×", "why": "leap over what noise and tail of the norms explain, as a ratio"}
    )


@dataclass(frozen=True)
class Params:
    """Where leaps are looked for, and what is said of them."""

    near: float = field(
        default=0.01, metadata={"unit": "of the run", "why": "norms leap for a while after a restart of the rate"}
    )
    shows: float = field(
        default=5.0, metadata={"unit": "× noise", "why": "height from which the loss leaps with the norm"}
    )


PARAMS = Params()
CLIP_AT = 3  # times the usual norm: advice only, no decision rests on it


@dataclass(frozen=True)
class Facts:
    """What the sentences need: the peak, its factor over the level, the usual norm, and how many leaps there are."""

    peak: float
    factor: float
    usual: float
    leaps: int


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield one reading over the gradient norm; the highest leap leads."""
    curve = features.gradient
    if curve is None or curve.n < GRADIENT.course or not curve.raw.max() > 0:
        why = f"fewer than {GRADIENT.course} norms of the gradient"
        yield Unfit("no gradient norm is logged" if curve is None else why)
        return
    found = spikes(curve)
    top = max(found, key=lambda s: (s.ratio > 1, s.height))
    usual = median(curve.raw)
    factor = _factor(top.height) if curve.log else 1 + (top.height / usual if usual > 0 else 0.0)
    first, last = int(curve.at[top.first]), int(curve.at[top.last])
    peak = float(np.max(curve.raw[top.first : top.last + 1]))
    count = sum(s.ratio > 1 for s in found)
    reach = max(2 * curve.cadence, PARAMS.near * float(np.ptp(curve.at)))
    event = features.event_near(first, reach, ("lr-restart", "restart"))
    knob = knob_at(features, first)
    yield Evidence(
        curve.tags,
        (
            Measure("leap over the level before and after", factor, "factor", unit="×"),
            Measure("leap over what noise and tail explain", top.ratio, "tail", unit="×"),
            Measure("leaps", float(count), unit="count"),
        ),
        "info",
        first_step=first,
        last_step=last,
        marks=(Mark("region", curve.tag, "leap", (first, last)),),
        explained_by=f"event:{event.kind}@{event.step}" if event else knob.event if knob else None,
        signs=(_loss_sign(features, first, last, curve.cadence),),
        facts=Facts(peak, factor, usual, count),
    )


def _factor(height: float) -> float:
    """Return a height in log space as a factor, the largest float where it is larger."""
    return float(np.exp(min(height, np.log(np.finfo(float).max))))


def _loss_sign(features: RunFeatures, first: int, last: int, cadence: float) -> Sign:
    """Return what the finest training loss does at the leap."""
    for loss in features.training[:1]:
        near = (loss.at >= first - cadence) & (loss.at <= last + 2 * cadence)
        if near.any():
            height = float(np.max(loss.residual[near])) / loss.sigma if loss.sigma > 0 else 0.0
            return Sign("loss-leaps" if height > PARAMS.shows else "loss-calm", loss.tag, {"height": height})
    return Sign("no-loss")


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    facts: Facts = evidence.facts
    sign = evidence.signs[0]
    loss = {
        "loss-leaps": f"{sign.tag} leaps with it",
        "loss-calm": f"{sign.tag} does not show it",
        "no-loss": "no loss is logged with it",
    }[sign.id]
    at = step(evidence.first_step or 0)
    often = f", the highest of {facts.leaps} leaps" if facts.leaps > 1 else ""
    leap = f"{evidence.tags[0]} leaps to {number(facts.peak)}, {times(facts.factor)} its level"
    return Words(
        f"{leap}, at step {at}{often}, and {loss}",
        signs=(loss,),
        advice=(
            f"Look at the batches of step {at} and around: outliers, corrupt examples, very long inputs.",
            f"Clip the gradient norm at {number(CLIP_AT * facts.usual, 2)}, three times its usual value.",
        ),
    )


def _leaping(points: int, at: int, factor: float, spread: float) -> np.ndarray:
    values = np.exp(noise(points, spread, 4))
    values[at : at + 2] *= factor
    return values


def _beside(norm: np.ndarray) -> dict[str, np.ndarray]:
    return {"train/loss": falling(norm.size) * np.exp(noise(norm.size, 0.05)), "grad_norm": norm}


DETECTOR = Detector(
    "gradient-spike",
    __doc__,
    measure,
    Limits(),
    (
        Case("a leap that the loss survives", "fires", lambda: made_run(_beside(_leaping(400, 200, 60.0, 0.2)))),
        Case("calm norms", "quiet", lambda: made_run(_beside(_leaping(400, 200, 1.0, 0.2)))),
        Case("norms with a heavy tail", "almost", lambda: made_run(_beside(_leaping(400, 200, 4.0, 0.9)))),
    ),
    yields_to=("exploding-loss", "non-finite", "loss-spike", "hidden-nan"),
    describe=describe,
)
