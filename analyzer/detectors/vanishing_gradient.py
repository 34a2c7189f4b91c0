"""The gradient shrinks to nothing before anything is learnt.

Why it matters
--------------
Without a gradient no weight moves, whatever the learning rate: dead or saturated units, or an initialisation from
which the signal does not reach the first layers.

How it is measured
------------------
The median of the gradient norm over the last quarter is compared with that over the first tenth. It must have shrunk
to a small part of it (or be exactly 0) while the training loss has not been learnt: a small gradient at the end of a
run that has learnt is convergence.

When it is wrong
----------------
A task that cannot be learnt further than its first steps has a small gradient by design; a metric that is good clears
the run. The norm over all parameters hides a single layer that has died. Norms after scaling by the loss scale, or
summed over devices, may change for reasons of their own.

What to do
----------
Use another initialisation or activation (leaky ReLU), residual connections or normalisation; lower the learning rate
with which the units died. Overfit ten examples first.

References
----------
Hochreiter, The vanishing gradient problem during learning recurrent neural nets (1998). He et al., Delving deep into
rectifiers (2015).

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzer.detectors import Detector
from analyzer.features import RunFeatures
from analyzer.features.chance_level import trained_well
from analyzer.features.gradient_norm import PARAMS as GRADIENT
from analyzer.features.gradient_norm import course_of
from analyzer.features.run_size import is_smoke_test
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Sign, Unfit, Veto, Words
from analyzer.model.formatting import number, percent, step
from analyzer.stats.suffix import majority_suffix


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    left: float = field(
        default=1e-3, metadata={"unit": "ratio", "why": "gradient norm at the end, as a share of that at the start"}
    )
    learnt: float = field(
        default=0.3,
        metadata={"unit": "of the start", "why": "fall of the loss that counts as learnt, as a share of its start"},
    )


@dataclass(frozen=True)
class Params:
    """Where the gradient is gone."""

    gone: float = field(
        default=0.01, metadata={"unit": "of its start", "why": "norm from which on the gradient counts as gone"}
    )


PARAMS = Params()


@dataclass(frozen=True)
class Facts:
    """What the sentences need: the norm at the start and at the end."""

    early: float
    late: float


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield one reading of the gradient norm, and of the loss that the run's course is judged by."""
    curve = features.gradient
    if curve is None or curve.n < GRADIENT.course:
        why = f"fewer than {GRADIENT.course} norms of the gradient"
        yield Unfit("no gradient norm is logged" if curve is None else why)
        return
    judged = features.course
    if isinstance(judged, str):
        yield Unfit(judged)
        return
    loss, _ = judged
    fall = loss.course.fall
    its = course_of(curve)
    gone = majority_suffix(curve.raw <= PARAMS.gone * its.early)
    first, last = int(curve.at[gone or 0]), int(curve.at[-1])
    learnt = fall.best_size if fall is not None else 0.0
    yield Evidence(
        curve.tags,
        (
            Measure(
                "gradient norm at the end over that at the start",
                its.late / its.early if its.early > 0 else 1.0,
                "left",
                "below",
                "ratio",
            ),
            Measure("fall of the loss at best", learnt, "learnt", "below", "of the start"),
        ),
        "info" if is_smoke_test(features) else "warning",
        first_step=first,
        last_step=last,
        cause="dead-units",
        marks=(Mark("region", curve.tag, "no gradient", (first, last)),),
        signs=(Sign("not-learnt", loss.tag, {"fall": max(learnt, 0.0)}),),
        vetoes=(Veto("metric-good"),) if trained_well(features) else (),
        facts=Facts(its.early, its.late),
    )


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    facts: Facts = evidence.facts
    loss = evidence.signs[0]
    return Words(
        f"{evidence.tags[0]} shrinks from {number(facts.early)} to {number(facts.late)} by step "
        f"{step(evidence.first_step or 0)}, and {loss.tag} has fallen by {percent(loss.numbers['fall'])}",
        "dead or saturated units, or an initialisation through which no signal passes",
        (f"{loss.tag} is far from learnt when the gradient is gone",),
        (
            "Use another initialisation or activation (leaky ReLU), or normalise the layers.",
            "Lower the learning rate of the first steps, in which units die.",
            "Overfit ten examples first; a model that cannot do that has a fault.",
        ),
    )


def _dying(points: int, loss: np.ndarray) -> dict[str, np.ndarray]:
    norm = np.exp(-np.arange(points) / points * 30) + 1e-9
    return {"train/loss": loss, "grad_norm": norm * np.exp(noise(points, 0.1))}


DETECTOR = Detector(
    "vanishing-gradient",
    __doc__,
    measure,
    Limits(),
    (
        Case(
            "gone before much is learnt",
            "fires",
            lambda: made_run(_dying(300, falling(300, 2.3, 1.8, 20.0) + noise(300, 0.02))),
        ),
        Case(
            "a steady gradient",
            "quiet",
            lambda: made_run({"train/loss": falling(300) + noise(300, 0.02), "grad_norm": np.exp(noise(300, 0.2))}),
        ),
        Case("convergence", "almost", lambda: made_run(_dying(300, falling(300) + noise(300, 0.01)))),
    ),
    yields_to=("plateau", "hidden-nan", "learning-rate-stuck"),
    describe=describe,
)
