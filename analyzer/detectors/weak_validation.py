"""The validation is too rare or too noisy to judge anything by.

Why it matters
--------------
Overfitting, the best checkpoint and the moment to stop are read from the validation. With a handful of evaluations, or
with noise as large as what was learnt, they are read from chance, and the report cannot say that all is well.

How it is measured
------------------
*Rare*: a long training with fewer evaluations than are needed to see a turn. *Noisy*: the smallest rise at the end that
would stand out (two standard errors of the last level against the best) is so large, compared with all that was gained
in validation or in training, that half of it could be lost unseen. A run that gained nothing is not judged. More
held-out examples are advised only where the noise has a size that sampling explains: that of ten examples or more,
whose losses scatter by about their own level.

When it is wrong
----------------
A short fine-tuning of one or two epochs has no use for more evaluations. A validation loss that swings because the
training does says nothing of its size: `not-converging` leads then, and `unstable-evaluation` where it swings further
than any sampling explains.

What to do
----------
Evaluate at least ten times a run, more often at its start. Against noise use more held-out examples: the noise falls
with the square root of their number; or evaluate the mean of the last weights.

References
----------
Card et al., With little power comes great responsibility (2020).

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzer.detectors import GRAVE, Detector
from analyzer.features import Curve, RunFeatures
from analyzer.features.course import Course
from analyzer.features.sample_size import settled
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Unfit, Words
from analyzer.model.formatting import counted, number, percent
from analyzer.stats.robust import MEDIAN_ERROR, difference_sigma, median


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    evaluations: float = field(default=5.0, metadata={"unit": "count", "why": "evaluations in a long run"})
    gained: float = field(
        default=0.1, metadata={"unit": "of the start", "why": "what was gained at all, as a share of the start"}
    )
    unseen: float = field(
        default=0.5,
        metadata={"unit": "of what was gained", "why": "smallest visible rise, as a share of all that was gained"},
    )


@dataclass(frozen=True)
class Params:
    """What is asked of a validation."""

    long: int = field(
        default=40, metadata={"unit": "points", "why": "a training loss of so many points is worth more evaluations"}
    )
    enough: int = field(default=10, metadata={"unit": "evaluations", "why": "so many show where a loss turns"})
    visible: float = field(default=2.0, metadata={"unit": "standard errors", "why": "95 % of chance lies within"})
    wanted: float = field(
        default=0.2, metadata={"unit": "of what was gained", "why": "a rise that the advised number of examples shows"}
    )
    sampling: float = field(
        default=0.3, metadata={"unit": "of the level", "why": "ten examples scatter by so much; nobody has fewer"}
    )


PARAMS = Params()

CAUSES = {
    "too-rare": "evaluated too rarely",
    "few-examples": "too few held-out examples",
    "model-swings": "a model that swings from one evaluation to the next",
}


@dataclass(frozen=True)
class Rare:
    """What the sentences need of a validation that is too rare: the training loss and its points."""

    training: str
    points: int


@dataclass(frozen=True)
class Noisy:
    """What the sentences need of a noisy validation: noise of one evaluation, smallest visible share of the gain."""

    noise: float
    unseen: float


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield one reading of the number of evaluations, or one of their noise where there are enough."""
    if not features.falls:
        yield Unfit(features.why_not)
        return
    held = max(features.validation, key=lambda c: c.n, default=None)
    if held is None or not held.n:
        yield Unfit("no validation loss")
        return
    fine = max(features.training, key=lambda c: c.n, default=None)
    if held.n >= PARAMS.enough:
        yield _noisy(held, features.partner(held))
    elif fine is not None and fine.n >= PARAMS.long:
        yield _rare(held, fine)
    else:
        yield Unfit("too short a run to ask for more evaluations")


def _rare(curve: Curve, fine: Curve) -> Evidence:
    first, last = int(fine.at[0]), int(fine.steps[-1])
    return Evidence(
        (curve.tag,),
        (Measure("evaluations", float(curve.n), "evaluations", "below", "count"),),
        "info",
        cause="too-rare",
        marks=tuple(Mark("step", fine.tag, "evaluated", (int(s),)) for s in curve.at if first <= s <= last),
        facts=Rare(fine.tag, fine.n),
    )


def _noisy(curve: Curve, mate: Curve | None) -> Evidence:
    course = curve.course
    level = median(course.levels[-course.window :])
    visible = abs(course.back(level + PARAMS.visible * _error(course)) - course.back(level))
    late = settled(curve.raw)
    noise_ = difference_sigma(late)
    both = [c.course for c in (curve, mate) if c is not None and c.n > 2]
    gained = max((c.back(c.start) - c.back(median(c.levels[c.m // 2 :])) for c in both), default=0.0)
    start = max((abs(c.back(c.start)) for c in both), default=0.0)
    unseen = visible / gained if gained > 0 else float("inf")
    sampled = noise_ <= PARAMS.sampling * abs(median(late))
    region = (int(curve.at[0]), int(curve.at[-1]))
    return Evidence(
        (curve.tag,),
        (
            Measure("smallest visible rise", unseen, "unseen", unit="of what was gained"),
            Measure("what was gained", gained / start if start > 0 else 0.0, "gained", unit="of the start"),
            Measure("noise of one evaluation", noise_),
            Measure("evaluations", float(curve.n), unit="count"),
        ),
        "info",
        first_step=region[0],
        last_step=region[1],
        cause="few-examples" if sampled else "model-swings",
        marks=(Mark("region", curve.tag, "too noisy", region),),
        facts=Noisy(noise_, unseen),
    )


def _error(course: Course) -> float:
    """Return the standard error of the difference of two levels, by the noise of the usual evaluation."""
    width = course.window
    sigma = median(course.wander * course.noise)
    one = sigma if width == 1 else MEDIAN_ERROR * sigma * float(np.sqrt(min(course.correlation, width) / width))
    return float(np.sqrt(2.0)) * one


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    tag, cause = evidence.tags[0], evidence.cause or "too-rare"
    if isinstance(evidence.facts, Rare):
        its = evidence.facts
        return Words(
            f"{tag} has {counted(int(evidence.measures[0].value), 'value')} against {its.points:,} of {its.training}: "
            f"too few to see whether it turns; {PARAMS.enough} or more would do",
            CAUSES[cause],
            advice=(f"Evaluate at least {PARAMS.enough} times a run, more often at its start.",),
        )
    noisy: Noisy = evidence.facts
    lost = f"{percent(noisy.unseen)} of" if noisy.unseen < 1 else "more than"
    more = f"Use about {number((noisy.unseen / PARAMS.wanted) ** 2, 1)} times as many held-out examples."
    swings = "Lower the learning rate first: no number of held-out examples makes up for such swings."
    return Words(
        f"{tag} is so noisy (± {number(noisy.noise, 2)} at each evaluation) that a loss of "
        f"{lost} all that was gained would not be seen",
        CAUSES[cause],
        advice=(
            more if cause == "few-examples" else swings,
            "Evaluate the mean of the last weights, which swings less.",
        ),
    )


DETECTOR = Detector(
    "weak-validation",
    __doc__,
    measure,
    Limits(),
    (
        Case(
            "evaluated three times",
            "fires",
            lambda: made_run({"train/loss": falling(300), "val/loss": (np.array([0, 150, 299]), [2.3, 0.6, 0.5])}),
        ),
        Case(
            "a handful of held-out examples",
            "fires",
            lambda: made_run({"val/loss": falling(60, 1.0, 0.8) + 0.15 * np.abs(noise(60, 1.0, 5))}),
        ),
        Case(
            "often and calm",
            "quiet",
            lambda: made_run({"train/loss": falling(300), "val/loss": falling(60, 2.4, 0.3) + noise(60, 0.01)}),
        ),
        Case(
            "noisy beside its level, not beside what was learnt",
            "almost",
            lambda: made_run({"train/loss": falling(300), "val/loss": falling(60, 2.4, 0.1) + noise(60, 0.05)}),
        ),
    ),
    yields_to=(*GRAVE, "overfitting", "repetitive-loss", "unstable-evaluation", "unmoved-validation"),
    describe=describe,
)
