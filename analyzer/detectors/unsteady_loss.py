"""The level or the noise of the loss changes for good, and nothing explains it.

Why it matters
--------------
Something changed in the middle of the run: the data, a loss term, the batch, the learning rate, the hardware. What was
logged before and after is not one experiment any more.

How it is measured
------------------
The largest lasting break of the level of each loss (the health criterion *calm*), and the clearest lasting change of
the noise of single points: the median logarithm of the residuals around local lines, before and after. The noise must
widen both in the units of the log and relative to the level, so that a loss that comes near 0 is not accused. The
finding is made only where no other detector speaks of the same curve.

When it is wrong
----------------
A smaller batch, a harder mixture of data or a loss term that is switched on by intention.

What to do
----------
Find out what changed at the named step: batch size, data, loss terms, learning rate, a resume.

References
----------
Killick, Fearnhead and Eckley, Optimal detection of changepoints with a linear computational cost, JASA 107 (2012).

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzer.detectors import Detector
from analyzer.features import Curve, RunFeatures
from analyzer.features.health import judged_losses
from analyzer.features.point_noise import Scatter
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Unfit, Words
from analyzer.model.formatting import step, times
from analyzer.model.health import Criterion


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    wider: float = field(default=3.0, metadata={"why": "noise after over noise before, relative to the level"})
    raw: float = field(default=2.5, metadata={"why": "the same in the units of the log"})
    noise: float = field(default=3.5, metadata={"why": "the change of the noise, in standard errors"})


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield a reading for each loss whose noise can be measured."""
    if features.family == "preference":
        yield Unfit("the loss of preference training spreads as margins grow")
        return
    losses = [(c, s) for c in judged_losses(features) if c.n and (s := c.course.point_noise.scatter) is not None]
    found = [(c, s) for c, s in losses if c.raw[: s.onset].min() > 0]  # only beside a level has noise a size of its own
    calm = next(one for one in features.health if one.criterion == "calm")
    if calm.state == "refuted":
        yield _broken(calm)
    elif not found:
        yield Unfit(features.why_not if not features.falls else "no loss has enough points to measure its noise")
    for curve, scatter in found:
        yield _reading(features, curve, scatter)


def _broken(calm: Criterion) -> Evidence:
    has = calm.numbers
    first, last = int(has["step"]), int(has["last_step"])
    return Evidence(
        calm.tags,
        (Measure("break of the level", has["errors"], "noise", unit="standard errors"),),
        "warning",
        first_step=first,
        last_step=last,
        cause="break",
        facts=calm,
        marks=(
            Mark("region", calm.tags[0], "another level", (first, last)),
            Mark("level", calm.tags[0], "level before", values=(has["before"],)),
        ),
    )


def _reading(features: RunFeatures, curve: Curve, scatter: Scatter) -> Evidence:
    first, last = int(curve.at[min(scatter.onset, curve.n - 1)]), int(curve.at[-1])
    event = features.event_near(
        first, 0.05 * (last - int(curve.at[0])), ("restart", "lr-restart", "lr-drop", "warm-up")
    )
    return Evidence(
        curve.tags,
        (
            Measure("noise after over noise before", scatter.ratio, "wider", unit="×"),
            Measure("the same in the units of the log", scatter.raw_ratio, "raw", unit="×"),
            Measure("change of the noise", scatter.errors, "noise", unit="standard errors"),
        ),
        "warning",
        first_step=first,
        last_step=last,
        facts=(first, scatter.ratio),
        marks=(Mark("region", curve.tag, "wider noise", (first, last)),),
        explained_by=f"event:{event.kind}@{event.step}" if event else None,
    )


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    if evidence.cause == "break":
        first = int(evidence.facts.numbers["step"])
        summary = evidence.facts.sentence
    else:
        first, ratio = evidence.facts
        summary = f"the noise of {evidence.tags[0]} is {times(ratio)} as wide from step {step(first)} on"
    return Words(
        summary,
        advice=(
            f"Find out what changed at step {step(first)}: batch size, data, loss terms, learning rate, a resume.",
            "Compare the level of the loss before and after on the same examples.",
        ),
    )


def _widened(points: int, factor: float) -> np.ndarray:
    width = np.where(np.arange(points) < points // 2, 1.0, factor)
    return falling(points, floor=1.5) + width * noise(points, 0.02)


DETECTOR = Detector(
    "unsteady-loss",
    __doc__,
    measure,
    Limits(),
    (
        Case("noise that widens four-fold", "fires", lambda: made_run({"train/loss": _widened(400, 4.0)})),
        Case("a falling loss", "quiet", lambda: made_run({"train/loss": falling(300) + noise(300, 0.02)})),
        Case(
            "relative noise that grows towards 0",
            "almost",
            lambda: made_run({"train/loss": falling(600, floor=0.01) + noise(600, 0.003)}),
        ),
    ),
    describe=describe,
)
