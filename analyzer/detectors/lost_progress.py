"""The run ends worse than it had been.

Why it matters
--------------
A better model existed and was trained away; the last checkpoint is not the one to keep.

How it is measured
------------------
For every training and held-out loss and for the leading metrics the level at the end is compared with the best level
that was held: in standard errors that know trend, curvature and autocorrelation, as a share of the level, and as the
share of the run that is undone. A last evaluation that jumps away from those before it counts as well. This is the
health criterion *kept*; the finding is made only where no other detector speaks of the same curve. A learning rate that
is raised in one step after the best level is named as the cause.

When it is wrong
----------------
A metric that is measured on few examples, or in another way towards the end. A schedule that trains another task last.

What to do
----------
Keep the checkpoint of the best step. Look at what changed after it: learning rate, data, loss terms.

References
----------
Prechelt, Early stopping, but when? (1998).

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzer.detectors import Detector
from analyzer.features import RunFeatures
from analyzer.features.health import undone
from analyzer.features.schedule import RAISED_CAUSE, RAISED_SENTENCE, raised_sign
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Unfit, Words
from analyzer.model.formatting import filled, number, step


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    noise: float = field(default=3.5, metadata={"why": "difference of the end and the best level, in standard errors"})
    size: float = field(default=0.05, metadata={"why": "the same, as a share of the best level"})


@dataclass(frozen=True)
class Params:
    """What shapes the measures."""

    all: float = field(default=1.0, metadata={"unit": "of the progress", "why": "lost: an error"})
    large: float = field(default=0.2, metadata={"unit": "of the level", "why": "rise from which that is an error"})


PARAMS = Params()


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield one reading for the curve that lost most."""
    kept = next(one for one in features.health if one.criterion == "kept")
    if kept.state in ("unclear", "not-applicable"):
        yield Unfit(kept.sentence)
        return
    has = kept.numbers
    lost_all = has.get("of_progress", 0.0) >= PARAMS.all and abs(has.get("size", 0.0)) >= PARAMS.large
    first, last = (int(has[name]) if name in has else None for name in ("step", "last_step"))
    tag = kept.tags[0]
    marks = (
        (
            Mark("region", tag, "worse than before", (first, last)),
            Mark("level", tag, "best level", values=(has["before"],)),
        )
        if kept.state == "refuted" and first is not None and last is not None
        else ()
    )
    event = features.event_near(first, (last or first) - first, ("lr-restart",)) if first is not None else None
    raised = raised_sign(features.rate, event)
    yield Evidence(
        kept.tags,
        (
            Measure("end over the best level", has.get("errors", 0.0), "noise", unit="standard errors"),
            Measure(
                "end over the best level", max(has.get("size", 0.0), 0.0) if marks else 0.0, "size", unit="of the level"
            ),
        ),
        "error" if lost_all and "evaluations" not in has and features.curves[tag].role.role == "loss" else "warning",
        first_step=first,
        last_step=last,
        cause=raised.id if raised else None,
        signs=(raised,) if raised else (),
        facts=kept,
        marks=marks,
    )


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    has = evidence.facts.numbers
    since = step(int(has["step"]))
    if "evaluations" in has:
        return Words(
            evidence.facts.sentence,
            advice=(
                "Evaluate the last checkpoint again; if the value stays, keep the checkpoint before it.",
                f"Look at what changed before step {since}: learning rate, data, the way of measuring.",
            ),
        )
    return Words(
        f"{evidence.tags[0]} was at {number(has['before'])} around step {since} and ends at {number(has['after'])}: "
        f"{undone(has['of_progress'], has['setback'])}",
        RAISED_CAUSE if evidence.cause else None,
        tuple(filled(RAISED_SENTENCE, sign.tag, sign.numbers) for sign in evidence.signs),
        advice=(
            f"Keep the checkpoint of step {since}.",
            "Look at what changed after it: learning rate, data, loss terms, the way of measuring.",
        ),
    )


def _forgetting(points: int) -> np.ndarray:
    rise = np.clip(np.arange(points) / (0.4 * points), 0, 1)
    fall = np.clip((np.arange(points) - 0.6 * points) / (0.4 * points), 0, 1)
    return np.asarray(0.2 + 0.6 * rise - 0.4 * fall + noise(points, 0.01))


DETECTOR = Detector(
    "lost-progress",
    __doc__,
    measure,
    Limits(),
    (
        Case("a metric that is forgotten", "fires", lambda: made_run({"val/accuracy": _forgetting(60)})),
        Case("a falling loss", "quiet", lambda: made_run({"train/loss": falling(300) + noise(300, 0.02)})),
        Case(
            "an end within the noise",
            "almost",
            lambda: made_run({"val/accuracy": 0.9 - 0.6 * np.exp(-np.arange(60) / 8) + noise(60, 0.02)}),
        ),
    ),
    describe=describe,
)
