"""Nothing in the run got better.

Why it matters
--------------
A run whose losses and metrics end where they began has learnt nothing that its log shows, however calm it looks.

How it is measured
------------------
For every loss and metric the level at the end is compared with that of the first points, in standard errors. The
finding needs a metric of twenty points or more whose gain is below two hundredths of its first level even at its upper
bound, and no curve with a clear gain (the health criterion *learnt*; whether a flat loss is stuck or rests, plateau
judges); or training that learnt while a held-out loss stays above where training began (the criterion *held-out*). It
is made only where no other detector speaks of the course of the run.

When it is wrong
----------------
Fine-tuning that starts at its optimum. A log that begins after most was learnt. Held-out data that is nothing like the
training data on purpose.

What to do
----------
Check that the gradient reaches the weights and that the learning rate is neither 0 nor far too small. Overfit ten
examples first. Where only held-out data does not get better, compare evaluation and training: evaluation mode,
preprocessing, labels.

References
----------
Karpathy, A recipe for training neural networks (2019).

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from analyzer.detectors import Detector
from analyzer.features import RunFeatures
from analyzer.features.chance_level import answers_move, trained_well
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Unfit, Veto, Words
from analyzer.model.formatting import number


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    gain: float = field(default=0.01, metadata={"why": "gain from the start to the best level, over the start"})


@dataclass(frozen=True)
class Params:
    """What shapes the measures."""

    worse: float = field(default=0.1, metadata={"unit": "of the start", "why": "an end above it is no rest"})
    twice: float = field(default=1.0, metadata={"unit": "of the start", "why": "an end so far above it is an error"})


PARAMS = Params()


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield one reading for the criteria *learnt* and *held-out*."""
    if not features.falls:
        yield Unfit(f"{features.why_not}; a reward that never rises is one of reward-plateau")
        return
    if features.single is not None:
        yield Unfit("no curve is long enough to show a gain")
        return
    states = {one.criterion: one for one in features.health}
    learnt, held = states["learnt"], states["held-out"]
    one = held if learnt.state == "shown" and held.state == "refuted" else learnt
    if one.state not in ("shown", "refuted") or not one.tags:
        yield Unfit(one.sentence)
        return
    tag = one.tags[0]
    worse = one.numbers["gain"] < -PARAMS.worse
    good = one is learnt and not worse and (trained_well(features) or answers_move(features))
    span = (int(features.run.series[tag].steps.min()), int(features.run.series[tag].steps.max()))
    yield Evidence(
        one.tags,
        (Measure("gain from the start to the end", one.numbers["gain"], "gain", "below", "of the start"),),
        "error" if one.numbers["gain"] <= -PARAMS.twice else "warning",
        first_step=span[0],
        last_step=span[1],
        cause="evaluation" if one is held else None,
        vetoes=(Veto("rests-trained", tag),) if good else (),
        facts=one,
        marks=(Mark("region", tag, "no gain", span),),
    )


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    has, tag = evidence.facts.numbers, evidence.tags[0]
    course = f"{number(has['start'])} at first, {number(has['end'])} at the end"
    if evidence.cause == "evaluation":
        return Words(
            f"{tag} never got better while training did: {course}",
            "evaluation that differs from training: evaluation mode, preprocessing, labels",
            advice=(
                "Check evaluation mode and the statistics of batch normalisation.",
                "Evaluate on a few training batches: they must give the training loss.",
                "Compare preprocessing and labels of both splits.",
            ),
        )
    what = "nothing got better" if has["gain"] > -PARAMS.worse else "it ends worse than it began"
    return Words(
        f"{what}: {tag} is {course}",
        advice=(
            "Check that the gradient reaches the weights and that the learning rate is neither 0 nor far too small.",
            "Overfit ten examples first; a model that cannot do that has a fault.",
        ),
    )


DETECTOR = Detector(
    "never-improved",
    __doc__,
    measure,
    Limits(),
    (
        Case("a metric that stands still", "fires", lambda: made_run({"val/f1": 0.31 + noise(400, 0.002)})),
        Case("a falling loss", "quiet", lambda: made_run({"train/loss": falling(300) + noise(300, 0.02)})),
        Case("fine-tuning at its optimum", "almost", lambda: made_run({"train/loss": 0.21 + noise(300, 0.002)})),
    ),
    describe=describe,
)
