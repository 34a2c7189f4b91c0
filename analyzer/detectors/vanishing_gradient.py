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
A task that cannot be learnt further than its first steps has a small gradient by right; a metric that is good clears
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

from analyzer.anatomy import Anatomy
from analyzer.anatomy.chance import trained_well
from analyzer.anatomy.gradient import course_of
from analyzer.detectors import Detector
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.verdict import Evidence, Mark, Measure, Reading, Unfit
from analyzer.model.wording import number, percent, step
from analyzer.stats.robust import median

LEAST = 24  # points


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    left: float = field(default=1e-3, metadata={"why": "gradient norm at the end, as a share of that at the start"})
    learnt: float = field(
        default=0.3, metadata={"why": "fall of the loss that counts as learnt, as a share of its start"}
    )


def measure(anatomy: Anatomy) -> Iterator[Reading]:
    """Yield one reading of the gradient norm beside the loss that the run's course is judged by."""
    curve = anatomy.gradient
    if curve is None or curve.n < LEAST:
        yield Unfit("no gradient norm is logged" if curve is None else f"fewer than {LEAST} norms of the gradient")
        return
    judged = anatomy.course
    if isinstance(judged, str):
        yield Unfit(judged)
        return
    loss, far = judged
    its = course_of(curve)
    first, last = int(curve.at[_gone_since(curve.raw, its.early)]), int(curve.at[-1])
    left = its.late / its.early if its.early > 0 else 1.0
    learnt = 1.0 if trained_well(anatomy) else far.best_gain
    yield Evidence(
        curve.tags,
        (
            Measure("gradient norm at the end over that at the start", left, "left", "below", "ratio"),
            Measure("fall of the loss at best", learnt, "learnt", "below", "of the start"),
        ),
        "warning",
        f"{curve.tag} shrinks from {number(its.early)} to {number(its.late)} by step {step(first)}, "
        f"and {loss.tag} has fallen by {percent(max(far.best_gain, 0.0))}",
        first,
        last,
        "dead or saturated units, or an initialisation through which no signal passes",
        (f"{loss.tag} is far from learnt when the gradient is gone",),
        (
            "Use another initialisation or activation (leaky ReLU), or normalise the layers.",
            "Lower the learning rate of the first steps, in which units die.",
            "Overfit ten examples first; a model that cannot do that has a fault.",
        ),
        marks=(Mark("region", curve.tag, "no gradient", (first, last)),),
    )


def _gone_since(raw: np.ndarray, early: float) -> int:
    """Return the first point from which the norm's running median stays within a hundredth of its start."""
    parts = np.array_split(np.arange(raw.size), 24)
    above = [i for i, part in enumerate(parts) if median(raw[part]) > 0.01 * early]
    return int(parts[min(above[-1] + 1, len(parts) - 1)][0]) if above else 0


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
    course=False,
)
