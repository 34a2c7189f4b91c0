"""Most gradient norms stand at one and the same largest value: the clip threshold.

Why it matters
--------------
Where every update is clipped its length is the threshold, whatever the gradient says: the optimiser follows directions
alone, the effective learning rate is set by the clipping, and changing the rate or the threshold does the same thing.

How it is measured
------------------
The share of the logged gradient norms within 0.2 % of the largest one. Only a norm that is logged after clipping can
show it; a norm that is logged before clipping goes on beyond the threshold and shows nothing.

When it is wrong
----------------
A norm that never changes at all is normalised or a setting, and not clipped. In the first part of a training many
updates are clipped by design: more than half of all must be, up to the end. It is reported as a note.

What to do
----------
Log the norm before clipping to see how far beyond the threshold it is. Raise the threshold to about the usual norm, or
leave it and tune the learning rate as what it now is: the length of each step.

References
----------
Zhang et al., Why gradient clipping accelerates training: a theoretical justification for adaptivity (2020).

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzer.detectors import Detector
from analyzer.features import RunFeatures
from analyzer.features.gradient_norm import PARAMS as GRADIENT
from analyzer.features.gradient_norm import course_of
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Sign, Unfit, Veto, Words
from analyzer.model.formatting import number, percent


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    share: float = field(
        default=0.5, metadata={"unit": "ratio", "why": "share of the gradient norms that stand at their largest value"}
    )
    late: float = field(
        default=0.5, metadata={"unit": "ratio", "why": "the same share over the last quarter of the run"}
    )


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield one reading of the gradient norm."""
    curve = features.gradient
    if curve is None or curve.n < GRADIENT.course:
        why = f"fewer than {GRADIENT.course} norms of the gradient"
        yield Unfit("no gradient norm is logged" if curve is None else why)
        return
    its = course_of(curve)
    yield Evidence(
        curve.tags,
        (
            Measure("share of the norms at their largest value", its.at_most, "share", unit="ratio"),
            Measure("the same over the last quarter", its.late_at_most, "late", unit="ratio"),
        ),
        "info",
        first_step=int(curve.at[0]),
        last_step=int(curve.at[-1]),
        cause="low-threshold",
        marks=(Mark("level", curve.tag, "clip threshold", values=(its.most,)),),
        signs=(Sign("clipped-late", curve.tag, {"share": its.late_at_most}),),
        vetoes=(Veto("norm-never-changes", curve.tag),) if its.at_most == 1.0 else (),
        facts=its.most,
    )


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    share, late = (measure.value for measure in evidence.measures)
    return Words(
        f"{percent(share)} of the values of {evidence.tags[0]} stand at {number(evidence.facts)}, the largest: "
        "nearly every update is clipped",
        "a clip threshold below the usual norm",
        (f"over the last quarter it is {percent(late)}",),
        (
            "Log the norm before clipping to see how far beyond the threshold it is.",
            "Raise the threshold to about the usual norm, or tune the learning rate as the length of each step.",
        ),
    )


def _clipped(points: int, threshold: float) -> dict[str, np.ndarray]:
    norm = np.minimum(1.5 * np.exp(noise(points, 0.5, 6)), threshold)
    return {"train/loss": falling(points) + noise(points, 0.02), "grad_norm": norm}


DETECTOR = Detector(
    "saturated-clipping",
    __doc__,
    measure,
    Limits(),
    (
        Case("clipped at 1", "fires", lambda: made_run(_clipped(300, 1.0))),
        Case("never clipped", "quiet", lambda: made_run(_clipped(300, 100.0))),
        Case("clipped now and then", "almost", lambda: made_run(_clipped(300, 2.0))),
        Case(
            "a norm that is normalised",
            "almost",
            lambda: made_run({"train/loss": falling(300), "grad_norm": np.ones(300)}),
        ),
    ),
    describe=describe,
)
