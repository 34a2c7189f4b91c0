"""A held-out value is so good that it should be looked at twice.

Why it matters
--------------
A perfect test score, a test that is better than training, and one that equals it to the digit are often a leak: the
target among the features, the same rows in both sets, or the training data scored twice.

How it is measured
------------------
For runs that log one value a metric: a held-out score of 1 on 200 examples or more; a held-out value that is better
than that of training by more than four standard errors; a held-out value that equals that of training to the last digit
and is neither 0 nor 1.

When it is wrong
----------------
Simple tasks are solved perfectly. Training scores with dropout, augmentation or resampled classes lie below those of
held-out data. On a handful of examples equal shares are a coincidence.

What to do
----------
Look for rows that both sets share, and for features that are known only after the target. Check which data each
score was computed on.

References
----------
Kapoor and Narayanan, Leakage and the reproducibility crisis in machine-learning-based science (2023).

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from analyzer.detectors import Detector
from analyzer.features import RunFeatures
from analyzer.features.single_values import Single, Value
from analyzer.features.single_values.gaps import SHARES, SIGNED, gap_of, partner
from analyzer.model.case import Case, made_run
from analyzer.model.evidence import Evidence, Measure, Reading, Unfit, Words
from analyzer.model.formatting import number


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    examples: float = field(
        default=199.0, metadata={"unit": "examples", "why": "held-out examples of a perfect score, more than"}
    )
    better: float = field(
        default=4.0, metadata={"unit": "standard errors", "why": "how far held-out data are better than training"}
    )
    same: float = field(default=0.0, metadata={"unit": "pairs", "why": "pairs that are equal to the last digit"})


PERFECT = (*SHARES, *SIGNED, "r2", "f1")


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield a reading of each held-out value, and of each pair with training."""
    single = features.single
    if single is None:
        yield Unfit("the run logs curves; this is looked for where a metric has one value")
        return
    judged = [v for v in single.held_out if v.kind in PERFECT and not v.of_class]
    if not judged:
        yield Unfit("log a score of held-out data (test_accuracy, test_r2)")
        return
    for value in judged:
        yield from _of(single, value)


def _of(single: Single, value: Value) -> Iterator[Evidence]:
    perfect = float(single.sizes.test) if value.value == 1 else 0.0
    held = Measure("held-out value", value.value)
    yield Evidence(
        (value.tag,),
        (Measure("examples of a perfect score", perfect, "examples", unit="examples"), held),
        "info",
        cause="perfect",
    )
    mate = partner(single, value)
    if mate is None or mate.kind not in (*SHARES, *SIGNED, "r2") or mate.tag == value.tag:
        return
    gap, train = gap_of(single, mate, value), Measure("training value", mate.value)
    tags = (value.tag, mate.tag)
    better = Measure("better than training", -gap.errors, "better", unit="standard errors")
    yield Evidence(tags, (better, held, train), "info", cause="better")
    plain = single.partner(value) is not None and value.value not in (0.0, 0.5, 1.0)
    same = Measure("equal to the last digit", 1.0 if plain and mate.value == value.value else 0.0, "same", unit="pairs")
    yield Evidence(tags, (same, held, train), "info", cause="same")


CAUSES = {
    "perfect": "an easy task, or a leak: the target among the features, or the same rows in both sets",
    "better": "the sets differ, training is scored in another way, or held-out rows were trained on",
    "same": "one set was scored twice, or the answer is constant",
}


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    tag, cause = evidence.tags[0], evidence.cause or "perfect"
    values = {m.name: m.value for m in evidence.measures}
    held = number(values["held-out value"])
    summary = f"{tag} is {held}"
    if cause == "better":
        summary += f" and {evidence.tags[1]} only {number(values['training value'])}"
    elif cause == "same":
        summary += f", and {evidence.tags[1]} is the same to the last digit"
    return Words(
        summary,
        CAUSES[cause],
        (),
        (
            "Look for rows that both sets share, and for features that are known only after the target.",
            "Check which data each score was computed on.",
        ),
    )


DETECTOR = Detector(
    "too-good",
    __doc__,
    measure,
    Limits(),
    (
        Case(
            "a perfect test",
            "fires",
            lambda: made_run({"train_roc_auc": [1.0], "test_roc_auc": [1.0]}, n_test=600),
        ),
        Case(
            "the test equals training to the digit",
            "fires",
            lambda: made_run({"train_roc_auc": [0.91372], "test_roc_auc": [0.91372]}, n_test=600),
        ),
        Case(
            "a good classifier",
            "quiet",
            lambda: made_run({"train_roc_auc": [0.95], "test_roc_auc": [0.93]}, n_test=800),
        ),
        Case(
            "thirty of thirty are right",
            "almost",
            lambda: made_run({"train_roc_auc": [0.98], "test_roc_auc": [1.0]}, n_test=30),
        ),
    ),
    yields_to=("constant-predictor",),
    describe=describe,
)
