"""The loss still falls at the end, at a rate that matters.

Why it matters
--------------
The run stopped before it was done: more steps are the cheapest way to a better model, and comparing it with runs that
were trained to the end is unfair to it.

How it is measured
------------------
On the validation loss, else on the training loss, the last three stretches of 15 % of the points are compared (log
space where the loss is positive and spans more than a factor of two). The next stretch is expected to bring as much
less than the last as that brought less than the one before. What it would bring must matter compared with the level of
the loss and with all that has been gained, and the last fall must be beyond the noise. A learning rate that has come
down to a tenth of its highest value says that the end was planned.

When it is wrong
----------------
A decay of the rate that is not logged makes a last fall that would not go on. A training loss that falls says nothing
of new data: only without a validation loss is it used. Losses of adversarial and reinforcement learning are not
judged.

What to do
----------
Train on from the last checkpoint until validation turns or stops improving. If the fall is a straight line from the
start, try a higher learning rate first.

References
----------
Hestness et al., Deep learning scaling is predictable, empirically (2017). Smith, A disciplined approach to neural
network hyper-parameters (2018).

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzer.detectors import GRAVE, Detector
from analyzer.features import Curve, RunFeatures
from analyzer.features.extrapolation import PARAMS as AHEAD
from analyzer.features.extrapolation import Extrapolation, ahead
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Sign, Unfit, Words
from analyzer.model.formatting import number, percent, step


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    gain: float = field(
        default=0.04,
        metadata={"unit": "of the loss", "why": "what 15 % more steps would bring, as a share of the loss"},
    )
    progress: float = field(
        default=0.015,
        metadata={"unit": "of the progress", "why": "the same, as a share of all that has been gained"},
    )
    clear: float = field(
        default=5.0, metadata={"unit": "standard errors", "why": "fall over the last 15 %, in standard errors"}
    )
    rate: float = field(
        default=0.1, metadata={"unit": "of its highest", "why": "learning rate at the end, over its highest value"}
    )


@dataclass(frozen=True)
class Params:
    """What tells a rate that is too low from a run that is too short."""

    line: float = field(
        default=0.6, metadata={"unit": "smallest over largest fall", "why": "1 for a straight line, less for a bend"}
    )


PARAMS = Params()

CAUSES = {
    "straight-line": "a learning rate that is too low, or far too few steps: it falls in a straight line",
    "stopped-early": "stopped before it was done",
}


@dataclass(frozen=True)
class Facts:
    """What the sentences need: what comes next, and in how many steps."""

    further: Extrapolation
    steps: float


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield one reading for the validation loss, or for the training loss of a run without one."""
    if not features.falls:
        yield Unfit(features.why_not)
        return
    losses = [c for c in (features.validation or features.training) if not c.role.running]
    curve = next((c for c in losses if c.n >= AHEAD.least), None)
    further = ahead(curve.coarse) if curve is not None else None
    if curve is not None and AHEAD.piece * float(curve.at[-1] - curve.at[0]) < 1:
        yield Unfit(f"{curve.tag} has all its points within a few steps")
        return
    if curve is None or further is None:
        yield Unfit(f"fewer than {AHEAD.least} finite points of a loss" if losses else "no training or validation loss")
        return
    yield _reading(features, curve, further)


def _reading(features: RunFeatures, curve: Curve, further: Extrapolation) -> Evidence:
    since, last = int(curve.at[min(curve.n - 1, int((1 - AHEAD.piece) * curve.n))]), int(curve.steps[-1])
    measures = [
        Measure("what 15 % more steps would bring", further.gain, "gain", unit="of the loss"),
        Measure("what 15 % more steps would bring", further.of_progress, "progress", unit="of the progress"),
        Measure("fall over the last 15 %", further.clear, "clear", unit="× standard error"),
        Measure("smallest over largest fall of the quarters", further.steady, unit="ratio"),
    ]
    signs: tuple[Sign, ...] = ()
    rate = features.rate
    if rate is not None and rate.n > 2 and rate.raw.max() > 0:
        left = float(rate.raw[-1] / rate.raw.max())
        measures.append(Measure("learning rate at the end", left, "rate", unit="of its highest"))
        signs = (Sign("rate-left", rate.tag, {"rate": float(rate.raw[-1]), "share": left}),)
    return Evidence(
        curve.tags,
        tuple(measures),
        "info",
        first_step=since,
        last_step=last,
        cause="straight-line" if further.steady > PARAMS.line else "stopped-early",
        marks=(Mark("region", curve.tag, "still falling", (since, last)),),
        signs=signs,
        facts=Facts(further, AHEAD.piece * float(curve.at[-1] - curve.at[0])),
    )


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    facts: Facts = evidence.facts
    further = facts.further
    less = f" ({percent(further.gain)} less)" if further.next > 0 else ""
    line = evidence.cause == "straight-line"
    raise_ = ("Try a learning rate three times higher: the fall has not slowed down since the start.",) if line else ()
    return Words(
        f"{evidence.tags[0]} still falls at the end: some {step(facts.steps)} more steps would take it from "
        f"{number(further.level)} to about {number(further.next)}{less}",
        CAUSES[evidence.cause or "stopped-early"],
        tuple(
            f"{sign.tag} is {number(sign.numbers['rate'])} at the end, {percent(sign.numbers['share'])} of its highest"
            for sign in evidence.signs
        ),
        (
            *raise_,
            "Train on from the last checkpoint until the validation loss turns or stops improving.",
            "Do not compare it with runs that were trained to the end.",
        ),
    )


DETECTOR = Detector(
    "still-improving",
    __doc__,
    measure,
    Limits(),
    (
        Case(
            "stopped half way",
            "fires",
            lambda: made_run({"train/loss": np.linspace(2.0, 1.2, 300) + noise(300, 0.02)}),
        ),
        Case(
            "a validation loss that falls",
            "fires",
            lambda: made_run({"train/loss": falling(300), "val/loss": falling(40, 2.3, 0.1, 0.8) + noise(40, 0.005)}),
        ),
        Case("converged", "quiet", lambda: made_run({"train/loss": falling(300, 2.3, 0.4, 60) + noise(300, 0.02)})),
        Case(
            "the rate has come down",
            "almost",
            lambda: made_run(
                {"train/loss": np.linspace(2.0, 1.2, 300) + noise(300, 0.02), "lr": np.linspace(0.1, 0.0, 300)}
            ),
        ),
        Case("an exact fit", "almost", lambda: made_run({"train/loss": 2.0 * 0.9 ** np.arange(200)})),
    ),
    yields_to=(*GRAVE, "overfitting", "repetitive-loss", "loss-spike", "grokking"),
    describe=describe,
)
