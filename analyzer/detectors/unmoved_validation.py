"""The held-out loss stays where it began, at the level of an untrained model, while training learns.

Why it matters
--------------
A model that learns anything general moves its held-out loss, for better or worse. Where it does not move at all, the
evaluation sees another model, other inputs or other labels than the training does.

How it is measured
------------------
The training loss has clearly fallen. The held-out loss is at or above the level where training began, its end and
its start differ by less than noise explains, its two halves have the same level, and its best level is hardly better
than its first. A held-out metric that
gets clearly better clears it.

When it is wrong
----------------
Labels that are random, or that the inputs cannot predict, also leave nothing to learn for held-out data, but the loss
rises then as the model grows sure of what it memorises. A pre-trained model may start at its best: its held-out level
is then low.

What to do
----------
Evaluate a part of the training data with the code that evaluates the held-out data: if that is poor too, look at
evaluation mode, the statistics of batch normalisation, the loaded weights and the preprocessing. If it is good, compare
labels and inputs of the two splits.

References
----------
Ioffe and Szegedy, Batch normalization (2015), for the statistics that are used in evaluation mode.

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzer.detectors import GRAVE, Detector
from analyzer.features import Curve, RunFeatures
from analyzer.features.rises import Fall
from analyzer.features.run_size import is_smoke_test
from analyzer.features.sample_size import PARAMS as ENOUGH
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Sign, Unfit, Veto, Words
from analyzer.model.formatting import number
from analyzer.stats.robust import median


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    learnt: float = field(
        default=0.3, metadata={"unit": "of the start", "why": "fall of the training loss, as a share of its start"}
    )
    clear: float = field(
        default=4.0, metadata={"unit": "standard errors", "why": "fall of the training loss, in standard errors"}
    )
    height: float = field(
        default=0.9, metadata={"unit": "× start of training", "why": "held-out level over where training began"}
    )
    moved: float = field(
        default=3.0, metadata={"unit": "standard errors", "why": "difference of the held-out end and start"}
    )
    drift: float = field(
        default=0.05, metadata={"unit": "of its level", "why": "difference between the two halves of the held-out loss"}
    )
    gained: float = field(
        default=0.15, metadata={"unit": "of the start", "why": "best held-out level below the first, as a share of it"}
    )


@dataclass(frozen=True)
class Params:
    """What is judged."""

    better: float = field(
        default=4.0, metadata={"unit": "standard errors", "why": "a metric that gets so much better has learnt"}
    )


PARAMS = Params()


@dataclass(frozen=True)
class Facts:
    """What the sentences need: the held-out level, and the fall of training."""

    level: float
    training: Fall


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield one reading for each held-out loss that has a training loss."""
    if not features.falls:
        yield Unfit(features.why_not)
        return
    pairs = [
        (c, m) for c in features.validation if c.n >= ENOUGH.evaluations and (m := features.partner(c)) is not None
    ]
    falls = [(c, m, c.course.fall, m.course.fall) for c, m in pairs if m.n >= ENOUGH.evaluations]
    judged = [(c, m, ours, theirs) for c, m, ours, theirs in falls if ours is not None and theirs is not None]
    if not judged:
        few = f"fewer than {ENOUGH.evaluations} values of a validation and a training loss"
        yield Unfit(few if features.validation else "no validation loss")
        return
    for curve, mate, ours, theirs in judged:
        yield _reading(features, curve, mate, ours, theirs)


def _reading(features: RunFeatures, curve: Curve, mate: Curve, ours: Fall, theirs: Fall) -> Evidence:
    level = median(curve.raw)
    region = (int(curve.at[0]), int(curve.at[-1]))
    improves = next((c for c in features.having("metric", curve.role.split) if _improves(c)), None)
    return Evidence(
        (curve.tag, *mate.tags),
        (
            Measure("fall of training", theirs.size, "learnt", unit="of its start"),
            Measure("fall of training", theirs.errors, "clear", unit="× standard error"),
            Measure(
                "held-out level",
                level / theirs.start if theirs.start > 0 else 0.0,
                "height",
                unit="× start of training",
            ),
            Measure("held-out end against start", abs(ours.errors), "moved", "below", "× standard error"),
            Measure("difference of the held-out halves", _drift(curve), "drift", "below", "of its level"),
            Measure("best held-out level below the first", ours.best_size, "gained", "below", "of its start"),
        ),
        "info" if is_smoke_test(features) else "warning",
        first_step=region[0],
        last_step=region[1],
        cause="other-evaluation",
        marks=(Mark("region", curve.tag, "does not move", region),),
        signs=_signs(features, curve, level, theirs),
        vetoes=() if improves is None else (Veto("metric-improves", improves.tag),),
        facts=Facts(level, theirs),
    )


def _drift(curve: Curve) -> float:
    """Return the difference between the medians of the two halves of a curve, as a share of its level."""
    first, second = median(curve.raw[: curve.n // 2]), median(curve.raw[curve.n // 2 :])
    level = median(np.abs(curve.raw))
    return abs(second - first) / level if level > 0 else 0.0


def _improves(metric: Curve) -> bool:
    """Whether a metric gets better by more than noise explains."""
    fall = metric.course.fall if metric.n >= ENOUGH.evaluations and metric.role.direction else None
    return fall is not None and fall.errors > PARAMS.better


def _signs(features: RunFeatures, curve: Curve, level: float, theirs: Fall) -> tuple[Sign, ...]:
    found = []
    if level > theirs.start:
        found.append(Sign("above-untrained", curve.tag, {"level": level, "start": theirs.start}))
    metrics = [c for c in features.having("metric", curve.role.split) if c.n >= ENOUGH.evaluations and c.role.direction]
    if metrics:
        found.append(Sign("metric-rests", metrics[0].tag, {"level": median(metrics[0].raw)}))
    return tuple(found)


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    facts: Facts = evidence.facts
    held, train = evidence.tags[:2]
    sentences = {
        "above-untrained": lambda n: (
            f"{number(n['level'])} is above {number(n['start'])}, where training began: an untrained model does better"
        ),
        "metric-rests": lambda n: f"the held-out metric does not move either, at {number(n['level'], 2)}",
    }
    return Words(
        f"{held} stays near {number(facts.level)} from first to last while {train} falls from "
        f"{number(facts.training.start)} to {number(facts.training.end)}",
        "the evaluation differs from the training: evaluation mode, statistics of batch normalisation, preprocessing, "
        "or other labels",
        tuple(sentences[sign.id](sign.numbers) for sign in evidence.signs),
        (
            "Evaluate a part of the training data with the code of the evaluation: a poor loss there proves it wrong.",
            "Check evaluation mode and the statistics of batch normalisation: evaluate once in training mode, too.",
            "Compare preprocessing, label encoding and the loaded weights of the two.",
        ),
    )


DETECTOR = Detector(
    "unmoved-validation",
    __doc__,
    measure,
    Limits(),
    (
        Case(
            "far above an untrained model, from first to last",
            "fires",
            lambda: made_run({"train/loss": falling(50, 0.7, 0.05), "val/loss": 3.7 + noise(50, 0.1)}),
        ),
        Case(
            "both fall",
            "quiet",
            lambda: made_run({"train/loss": falling(50), "val/loss": falling(50, 2.3, 0.3) + noise(50, 0.01)}),
        ),
        Case(
            "learnt before the first evaluation",
            "almost",
            lambda: made_run({"train/loss": falling(50, 2.3, 0.2, 60), "val/loss": 0.35 + noise(50, 0.01)}),
        ),
    ),
    yields_to=(*GRAVE, "repetitive-loss"),
    describe=describe,
)
