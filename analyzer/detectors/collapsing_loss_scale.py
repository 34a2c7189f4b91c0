"""The loss scale of mixed precision is halved again and again.

Why it matters
--------------
A dynamic loss scale is halved after each step whose gradient overflows, and that step is skipped. A scale that falls to
its floor means that every step overflows: nothing is learnt any more, or gradients underflow to 0 at the floor.

How it is measured
------------------
How many times the logged scale was halved between its largest value and its end, and where it ends: at the
lowest value of the run.

When it is wrong
----------------
A dynamic scale starts far too high on purpose and comes down by some ten halvings in its first steps: the halvings are
counted over the last half of the run alone. A static scale never changes.

What to do
----------
Look at the first halving of the row: the batches and the gradient norm there. Use bfloat16, clip the gradient norm, or
keep the layer that overflows in single precision.

References
----------
Micikevicius et al., Mixed precision training (2018).

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzer.detectors import Detector
from analyzer.features import RunFeatures
from analyzer.features.gradient_norm import PARAMS as GRADIENT
from analyzer.features.gradient_norm import is_loss_scale
from analyzer.model.case import Case, falling, made_run
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Sign, Unfit, Veto, Words
from analyzer.model.formatting import number, step


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    halvings: float = field(
        default=5.0,
        metadata={"unit": "halvings", "why": "halvings over the last half of the run, to its lowest value"},
    )


@dataclass(frozen=True)
class Facts:
    """What the sentences need: the scale before and after."""

    high: float
    low: float


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield one reading of the loss scale."""
    named = [c for c in features.curves.values() if c.role.role != "counter" and is_loss_scale(c.tag)]
    scales = [c for c in named if c.n >= GRADIENT.usual and c.raw[-1] > 0]
    if not scales:
        yield Unfit(f"no loss scale with {GRADIENT.usual} points is logged")
        return
    curve = max(scales, key=lambda c: c.n)
    late, at = curve.raw[curve.n // 2 :], curve.at[curve.n // 2 :]
    top = int(late.size - 1 - np.argmax(late[::-1]))
    high, low = float(late[top]), float(late[-1])
    first, last = int(at[top]), int(at[-1])
    vetoes = []
    if low > float(curve.raw.min()):
        vetoes.append(Veto("was-lower-before", curve.tag, {"lowest": float(curve.raw.min())}))
    if bool(np.any(np.diff(late[top:]) > 0)):
        vetoes.append(Veto("recovers-between", curve.tag))
    yield Evidence(
        curve.tags,
        (Measure("halvings to its lowest value", float(np.log2(high / low)), "halvings", unit="count"),),
        "warning",
        first_step=first,
        last_step=last,
        cause="overflow",
        marks=(Mark("region", curve.tag, "collapses", (first, last)),),
        signs=(Sign("steps-skipped", curve.tag),),
        vetoes=tuple(vetoes),
        facts=Facts(high, low),
    )


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    facts: Facts = evidence.facts
    since = step(evidence.first_step or 0)
    return Words(
        f"{evidence.tags[0]} is halved {number(evidence.measures[0].value, 2)} times from step {since} on, "
        f"from {number(facts.high)} to {number(facts.low)}, and does not recover",
        "gradients that overflow in half precision at every step",
        ("each halving is a step that was skipped",),
        (
            f"Look at the batches and the gradient norm around step {since}.",
            "Use bfloat16, or keep the layer that overflows in single precision.",
            "Clip the gradient norm and lower the learning rate.",
        ),
    )


def _scaled(points: int, collapse: int) -> dict[str, np.ndarray]:
    at = np.arange(points)
    scale = np.where(at < collapse, 65536.0, 65536.0 * 0.5 ** np.minimum((at - collapse) // 3, 16))
    return {"train/loss": falling(points), "loss_scale": scale}


DETECTOR = Detector(
    "collapsing-loss-scale",
    __doc__,
    measure,
    Limits(),
    (
        Case("halved to its floor", "fires", lambda: made_run(_scaled(300, 220))),
        Case("a steady scale", "quiet", lambda: made_run(_scaled(300, 400))),
        Case("high at its start", "almost", lambda: made_run(_scaled(300, 10))),
    ),
    yields_to=("exploding-loss", "non-finite", "hidden-nan"),
    describe=describe,
)
