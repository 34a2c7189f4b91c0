"""The model always gives the same answer.

Why it matters
--------------
A model that always says no reaches the share of the commonest class in accuracy and finds nothing. It is saved,
compared and deployed because its accuracy looks good.

How it is measured
------------------
For runs that log one value a metric. A constant answer leaves digits that nothing else leaves: a recall, specificity of
exactly 0 or 1 beside an MCC or kappa of 0 or an area under the curve of 0.5, an F1 or precision of exactly 0, an MCC or
kappa of exactly 0, an area under the curve of exactly 0.5; an accuracy that equals the share of a class; a weighted
precision that is the square of the accuracy, an F1 that follows from the accuracy alone; a log loss that is, on
training and held-out data, the entropy of the class shares. Across the runs of an audit a run counts too whose held-out
metrics are those of runs with other settings to the last digit.

When it is wrong
----------------
A small recall is no constant answer: the rare class is found now and then. F1 and precision are 0 as well when a few
positives are predicted and all are wrong. A metric that the code never computes is 0, too: then the others move.

What to do
----------
Look at the confusion matrix. Lower the decision threshold, weigh or resample the rare class. Check that the features
are not constant after scaling, that the regularisation is not so strong that nothing is fitted, and that the loss
falls during the fit. Choose models by average precision, MCC or F1.

References
----------
Google, Machine Learning Crash Course: classification: accuracy, recall, precision. Saito and Rehmsmeier, The
precision-recall plot is more informative than the ROC plot on imbalanced datasets (2015).

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from analyzer.detectors import Detector
from analyzer.features import RunFeatures
from analyzer.features.single_values import Single, Value
from analyzer.features.single_values.confusion import constant_digits
from analyzer.features.single_values.errors import least_entropy
from analyzer.model.case import Case, made_run
from analyzer.model.evidence import Evidence, Measure, Reading, Unfit, Veto, Words
from analyzer.model.formatting import number
from analyzer.model.vocabulary import Split


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    signs: float = field(
        default=0.0, metadata={"unit": "signs", "why": "digits of a constant answer among the held-out values"}
    )


@dataclass(frozen=True)
class Params:
    """What the comparisons take."""

    digits: float = field(default=1e-9, metadata={"unit": "of 1", "why": "exactly 0 or 0.5, but for rounding"})
    fitted: float = field(
        default=3.0, metadata={"unit": "nats × examples", "why": "what estimated class shares cost beyond the entropy"}
    )
    usual: float = field(
        default=0.75, metadata={"unit": "of the entropy", "why": "of ln 2: below it the classes are unequal enough"}
    )
    apart: float = field(
        default=2.5, metadata={"unit": "standard errors", "why": "an area so far from one half orders the examples"}
    )


PARAMS = Params()
ZERO: tuple[str, ...] = ("f1", "precision")
LEVELS = {"mcc": 0.0, "kappa": 0.0, "auc": 0.5}


@dataclass(frozen=True, slots=True)
class Facts:
    """What the sentences need: the values, and which rule they meet."""

    rule: str
    values: tuple[Value, ...]


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield one reading over the held-out values."""
    single = features.single
    if single is None:
        yield Unfit("the run logs curves; this is looked for where a metric has one value")
        return
    judged = [v for v in single.held_out if v.kind in (*ZERO, *LEVELS, "recall", "specificity", "accuracy")]
    if not judged:
        yield Unfit("log a classification metric of held-out data (test_f1, test_roc_auc)")
        return
    found = next((f for f in (_found(single, s) for s in dict.fromkeys(v.split for v in judged)) if f), None)
    values = found.values if found else tuple(judged[:1])
    moving = next((v for v in judged if found and v.split == values[0].split and _varies(v)), None)
    yield Evidence(
        tuple(dict.fromkeys(v.tag for v in values)),
        (
            Measure("signs of a constant answer", 1.0 if found else 0.0, "signs", unit="signs"),
            *(Measure(v.kind.replace("-", " "), v.value) for v in values),
        ),
        "warning",
        cause=None if found is None else "no-positives" if found.rule == "zero" else "one-class",
        vetoes=() if moving is None else (Veto("answers-vary", moving.tag, {"value": moving.value}),),
        facts=found,
    )


def _varies(value: Value) -> bool:
    """Whether a correlation or balanced accuracy says that the answers follow the classes."""
    return value.kind in ("mcc", "kappa") and value.value > PARAMS.digits


def _found(single: Single, split: Split) -> Facts | None:
    """Return the first rule that the values of a split meet."""
    own = [v for v in single.held_out if v.split == split and not v.of_class]
    blank = [v for v in own if v.kind in LEVELS and abs(v.value - LEVELS[v.kind]) <= PARAMS.digits]
    extreme = [v for v in own if v.kind in ("recall", "specificity") and v.value in (0.0, 1.0) and not v.average]
    zero = [v for v in own if v.kind in ZERO and v.value == 0]
    if extreme and blank:
        return Facts("extreme", (extreme[0], blank[0]))
    if zero:
        return Facts("zero", (zero[0], *(v for v in own if v.kind == "accuracy")))
    if blank:
        return Facts("blank", (blank[0],))
    digits = constant_digits(single, split)
    if digits is not None:
        return Facts(f"digits-{digits[2]}", digits[:2])
    return _share(single, split) or _entropy(single, split)


def _share(single: Single, split: Split) -> Facts | None:
    """Return the accuracy where it equals the share of a class that the log tells."""
    accuracy, share = single.one("accuracy", split), single.sizes.share
    baseline = single.references.get("accuracy")
    if accuracy is None:
        return None
    known = [one for one in (share, baseline) if one is not None and 0 < one < 1]
    same = any(min(abs(accuracy.value - one), abs(accuracy.value - 1 + one)) <= PARAMS.digits for one in known)
    return Facts("share", (accuracy,)) if same else None


def _entropy(single: Single, split: Split) -> Facts | None:
    """Return accuracy and log loss where the latter is, on every split, the entropy of giving the class shares."""
    splits: tuple[Split, ...] = (split, "train")
    pairs = [(single.one("accuracy", s), single.one("log-loss", s)) for s in splits]
    logged = [(a, b) for a, b in pairs if a is not None and b is not None]
    if not logged or logged[0][0].split != split or any(v.kind == "auc" and v.value > 0.5 for v in single.held_out):
        return None
    for accuracy, loss in logged:
        least = least_entropy(accuracy.value)
        n = single.sizes.train if accuracy.split == "train" else single.sizes.test
        unequal = 0 < least < PARAMS.usual * least_entropy(0.5)
        if not (unequal and accuracy.value > 0.5 and abs(loss.value - least) <= PARAMS.fitted / n):
            return None
    return Facts("entropy", logged[0])


CAUSES = {
    "one-class": "one answer is always given, whatever the features say",
    "no-positives": "the positive class is never predicted rightly: the threshold is never reached, or one class is "
    "always given",
}


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    facts: Facts = evidence.facts
    values = [f"{v.tag} is {number(v.value)}" for v in facts.values]
    sentence = " and ".join(values)
    because = {
        "extreme": "all examples get one answer",
        "zero": "the positive class is never found",
        "blank": "exactly what one answer for all examples gives",
        "share": "exactly the share of one class",
        "entropy": "what always giving the class shares costs",
    }
    last = because.get(facts.rule, "digits that follow from always giving one class")
    return Words(
        f"{sentence}: {last}",
        CAUSES[evidence.cause or "one-class"],
        (),
        (
            "Look at the confusion matrix; lower the decision threshold, and weigh or resample the rare class.",
            "Check that the features are not constant after scaling, and that the regularisation is not too strong.",
            "Choose models by average precision, MCC or F1, not by accuracy.",
        ),
    )


DETECTOR = Detector(
    "constant-predictor",
    __doc__,
    measure,
    Limits(),
    (
        Case(
            "always no",
            "fires",
            lambda: made_run(
                {"train_accuracy": [0.92], "test_accuracy": [0.923], "test_f1": [0.0], "test_recall": [0.0]}, n_test=600
            ),
        ),
        Case(
            "the weighted precision is the square of the accuracy",
            "fires",
            lambda: made_run({"train_accuracy": [0.81], "test_accuracy": [0.8], "test_precision_weighted": [0.64]}),
        ),
        Case(
            "a good classifier",
            "quiet",
            lambda: made_run(
                {"train_accuracy": [0.95], "test_accuracy": [0.93], "test_f1": [0.91], "test_roc_auc": [0.97]}
            ),
        ),
        Case(
            "a rare class that is found now and then",
            "almost",
            lambda: made_run(
                {"train_accuracy": [0.97], "test_accuracy": [0.96], "test_recall": [0.12], "test_roc_auc": [0.83]}
            ),
        ),
    ),
    yields_to=("non-finite", "contradictory-accuracy"),
    describe=describe,
)
