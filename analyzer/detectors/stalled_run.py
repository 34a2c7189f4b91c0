"""For a long time nothing was logged at all.

Why it matters
--------------
A run that hangs, waits for a machine or was interrupted pays for hours in which nothing is learnt; nobody notices
afterwards, because the curve over steps has no gap.

How it is measured
------------------
The longest time between two neighbouring points of the longest series in which no other series has a point either,
compared with the fourth longest, which is what evaluations and checkpoints usually take.

When it is wrong
----------------
A laptop that slept, a queue, or a resume the next day are silences that need no mending. A step that goes back right
at the silence is a restart and explains it.

What to do
----------
Look at the job's own log and the machine's at the hour named: preemption, a full disk, a data loader that hangs, an
evaluation that takes long.

References
----------
None: it is a comparison of times.

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzer.detectors import Detector
from analyzer.features import RunFeatures
from analyzer.features.throughput import Silence, silence
from analyzer.model.case import Case, falling
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Unfit, Words
from analyzer.model.formatting import duration, moment, step
from analyzer.model.run import Run, Series


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    factor: float = field(
        default=10.0, metadata={"unit": "×", "why": "silence over the fourth longest one of the run, as a factor"}
    )
    minutes: float = field(
        default=30.0, metadata={"unit": "minutes", "why": "silence that is worth reporting, in minutes"}
    )


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield one reading over the run's longest silence."""
    its = silence(features.run)
    if its is None:
        yield Unfit("fewer than a dozen points with a time")
        return
    first, last = sorted((its.before, its.after))
    # a step that goes back right at the silence is its restart; other series may go back a little less far
    back = max(1, its.before - its.after)
    restart = features.event_near(its.after, back, ("restart",)) if its.after <= its.before else None
    yield Evidence(
        (its.tag,),
        (
            Measure(
                "longest silence over the fourth longest",
                its.seconds / its.usual if its.usual > 0 else float("inf"),
                "factor",
                unit="×",
            ),
            Measure("longest silence", its.seconds / 60, "minutes", unit="minutes"),
        ),
        "info",
        first_step=first,
        last_step=last,
        marks=(Mark("step", its.tag, "silence", (its.after,)),),
        explained_by=f"event:{restart.kind}@{restart.step}" if restart else None,
        facts=its,
    )


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    its: Silence = evidence.facts
    when = f" from {moment(its.since)}" if moment(its.since) else ""
    return Words(
        f"nothing was logged for {duration(its.seconds)}{when}, between steps {step(its.before)} and "
        f"{step(its.after)}; usually a point comes within {duration(its.usual)}",
        advice=(
            "Look at the log of the job and of the machine at that hour: preemption, a full disk, a loader that hangs.",
            "If the run was paused and resumed, nothing needs mending.",
        ),
    )


def _timed(seconds: np.ndarray) -> Run:
    series = Series("train/loss", np.arange(seconds.size), falling(seconds.size), 1.7e9 + np.cumsum(seconds))
    return Run("case", "case", "made", "formula", {"train/loss": series})


def _with_silence(seconds: float) -> np.ndarray:
    gaps = np.full(300, 10.0)
    gaps[200] = seconds
    return gaps


DETECTOR = Detector(
    "stalled-run",
    __doc__,
    measure,
    Limits(),
    (
        Case("five hours of silence", "fires", lambda: _timed(_with_silence(18_000.0))),
        Case("a steady run", "quiet", lambda: _timed(_with_silence(10.0))),
        Case("a long evaluation", "almost", lambda: _timed(_with_silence(600.0))),
        Case(
            "long evaluations",
            "almost",
            lambda: _timed(np.where(np.arange(300) % 50 == 0, 3600.0, 10.0)),
        ),
    ),
    describe=describe,
)
