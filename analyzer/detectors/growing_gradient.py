"""The gradient norm grows and grows while the loss falls no further.

Why it matters
--------------
Steps become longer and bring nothing: the run climbs towards the edge of stability, and explosions and NaN often come
next.

How it is measured
------------------
The median norm over the last quarter is compared with that of the lowest of twelve parts of the run, and the trend of
its logarithm over the second half must rise at its lower 95 % bound (Theil-Sen). Meanwhile the training loss must not
have fallen any further in the second half.

When it is wrong
----------------
Norms grow in many sound trainings while the loss falls (weights that normalisation makes irrelevant, a rate that
decays, a loss close to 0): those are not reported. It is a note, and an explosion or NaN that follows explains it.

What to do
----------
Lower the learning rate or add weight decay; clip the gradient norm. Look at the norms of the weights.

References
----------
Cohen et al., Gradient descent on neural networks typically occurs at the edge of stability (2021).

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzer.detectors import Detector
from analyzer.features import RunFeatures
from analyzer.features.gradient_norm import PARAMS as GRADIENT
from analyzer.features.gradient_norm import course_of
from analyzer.features.progress import falls_after
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Sign, Unfit, Veto, Words
from analyzer.model.formatting import number, step, times


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    growth: float = field(
        default=5.0, metadata={"unit": "×", "why": "gradient norm at the end over its lowest level, as a factor"}
    )
    rising: float = field(
        default=0.2, metadata={"unit": "log", "why": "rise of its logarithm over the second half, lower bound"}
    )


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
    its = course_of(curve)
    first, last = int(curve.at[curve.n // 2]), int(curve.at[-1])
    falls = falls_after(loss, first)
    yield Evidence(
        curve.tags,
        (
            Measure(
                "norm at the end over its lowest level", its.late / its.low if its.low > 0 else 1.0, "growth", unit="×"
            ),
            Measure("rise of its logarithm over the second half", its.slope, "rising", unit="lower bound"),
        ),
        "info",
        first_step=first,
        last_step=last,
        marks=(Mark("region", curve.tag, "grows", (first, last)),),
        signs=() if falls else (Sign("loss-rests", loss.tag, {"since": float(first)}),),
        vetoes=(Veto("loss-falls", loss.tag, {"since": float(first)}),) if falls else (),
        facts=its.late,
    )


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    growth = evidence.measures[0].value
    rests = evidence.signs[0]
    return Words(
        f"{evidence.tags[0]} grows to {number(evidence.facts)}, {times(growth)} its lowest level, "
        f"and {rests.tag} has not fallen since step {step(rests.numbers['since'])}",
        signs=(f"{rests.tag} falls no further in the second half",),
        advice=(
            "Lower the learning rate, or add weight decay.",
            "Clip the gradient norm before one update is too long.",
        ),
    )


def _growing(points: int, loss: np.ndarray) -> dict[str, np.ndarray]:
    norm = 0.3 * np.exp(np.linspace(0, 4, points) + noise(points, 0.1))
    return {"train/loss": loss + noise(points, 0.01), "grad_norm": norm}


DETECTOR = Detector(
    "growing-gradient",
    __doc__,
    measure,
    Limits(),
    (
        Case("growing over a flat loss", "fires", lambda: made_run(_growing(300, falling(300, 2.3, 0.8, 200.0)))),
        Case(
            "a steady gradient",
            "quiet",
            lambda: made_run({"train/loss": falling(300) + noise(300, 0.02), "grad_norm": np.exp(noise(300, 0.2))}),
        ),
        Case("growing while it learns", "almost", lambda: made_run(_growing(300, falling(300, rate=1.0)))),
    ),
    yields_to=("exploding-loss", "non-finite", "not-converging", "slow-divergence"),
    describe=describe,
    retired=("flat",),
)
