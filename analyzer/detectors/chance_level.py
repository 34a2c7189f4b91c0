"""A model that was trained is no better than guessing on held-out data.

Why it matters
--------------
A model at chance has learnt nothing that holds for other data, whatever its training values say. Its accuracy may look
good all the same: it is the share of the commonest class.

How it is measured
------------------
For runs that log one value a metric. Each held-out value is compared with what guessing reaches: 0.5 for the area under
the ROC curve, 0 for MCC, kappa and R², the share of the commonest class for accuracy if the log contains it, the
entropy of the classes for the log loss beside the accuracy, the value of a baseline (`baseline_accuracy`) where one is
logged. Accuracy, recall and precision or F1 of two classes leave one confusion matrix, and its MCC is compared as well.
A value is at chance when it is within 2.5 standard errors of it and near it; one value that is clearly better clears
the run. The number of examples is taken from `n_test`, `test_size` or `example_count`, else 1,000 are assumed. Across
the runs of an audit a run is also compared with the dummy run of its experiment.

When it is wrong
----------------
A weak signal on few examples looks like chance. Accuracy alone says nothing of chance where the share of the commonest
class is not known, and is not judged by it. A target that cannot be predicted from these features is at chance rightly.

What to do
----------
Check that features and labels belong to the same rows after shuffling, joining and splitting. Check that the labels
are not shifted and that the features of the test set go through the same preprocessing. Compare with a simple model
and with a dummy that always gives the commonest class.

References
----------
Hanley and McNeil, The meaning and use of the area under a ROC curve (1982). Chicco and Jurman, The advantages of the
Matthews correlation coefficient (2020).

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from analyzer.detectors import Detector
from analyzer.features import RunFeatures
from analyzer.features.single_health import missing_for_chance
from analyzer.features.single_values.chance import Witness, verdict, witnesses
from analyzer.model.case import Case, made_run
from analyzer.model.evidence import Evidence, Measure, Reading, Sign, Unfit, Veto, Words
from analyzer.model.formatting import number


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    clear: float = field(
        default=2.5, metadata={"unit": "standard errors", "why": "how far above chance a held-out value is"}
    )
    near: float = field(
        default=1.0, metadata={"unit": "× 0.1", "why": "the same distance, in tenths of a share (fifths of MCC, kappa)"}
    )


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield one reading: the held-out value that is clearest beside chance."""
    single = features.single
    if single is None:
        yield Unfit("the run logs curves; this is looked for where a metric has one value")
        return
    found = witnesses(single)
    one = verdict(found)
    if one is None:
        yield Unfit(missing_for_chance(single))
        return
    also = tuple(t for w in found if w is not one and w.state == one.state for t in w.tags if t not in one.tags)
    clear = next((w for w in found if w.state == "clear" and w is not one), None)
    yield Evidence(
        one.tags,
        (
            Measure("above chance", one.errors, "clear", "below", "standard errors"),
            Measure("above chance", one.above / one.near if one.near else 0.0, "near", "below", "× 0.1"),
            Measure("held-out value", one.value),
            Measure("chance", one.level),
        ),
        "warning",
        cause="baseline" if one.reference else "worse" if one.errors < -1 else "guessing",
        also=tuple(dict.fromkeys(also)),
        signs=(Sign("examples", "", {"examples": float(single.sizes.test)}),) if single.sizes.test_known else (),
        vetoes=() if clear is None else (Veto("better-than-chance", clear.tags[0], {"value": clear.value}),),
        facts=one,
    )


CAUSES = {
    "guessing": "nothing was learnt that holds for held-out data",
    "worse": "the answers are worse than guessing: labels or rows do not belong together, or the model fits its own "
    "data alone",
    "baseline": "nothing was learnt beyond the baseline",
}


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    one: Witness = evidence.facts
    level = f"the baseline reaches {number(one.level)}" if one.reference else f"guessing reaches {number(one.level)}"
    if one.kind == "mcc" and len(one.tags) > 1:
        what = f"{', '.join(one.tags)} together make a correlation (MCC) of {number(one.value)}"
    else:
        what = f"{one.tags[0]} is {number(one.value)}"
    signs = tuple(f"the held-out set has {int(sign.numbers['examples']):,} examples" for sign in evidence.signs)
    return Words(
        f"{what}; {level}",
        CAUSES[evidence.cause or "guessing"],
        signs,
        (
            "Check that features and labels belong to the same rows after shuffling, joining and splitting.",
            "Check that the held-out features go through the same preprocessing as those of training.",
            "Compare with a simple model and with a dummy that always gives the commonest class.",
        ),
    )


DETECTOR = Detector(
    "chance-level",
    __doc__,
    measure,
    Limits(),
    (
        Case(
            "an area under the curve of one half",
            "fires",
            lambda: made_run({"train_roc_auc": [0.55], "test_roc_auc": [0.507], "test_accuracy": [0.71]}, n_test=800),
        ),
        Case(
            "R² below zero",
            "fires",
            lambda: made_run({"train_r2": [0.05], "test_r2": [-0.08], "test_rmse": [1.04]}, n_test=400),
        ),
        Case(
            "a good classifier",
            "quiet",
            lambda: made_run({"train_roc_auc": [0.95], "test_roc_auc": [0.93]}, n_test=800),
        ),
        Case(
            "weak but real",
            "almost",
            lambda: made_run({"train_roc_auc": [0.63], "test_roc_auc": [0.6]}, n_test=2000),
        ),
    ),
    yields_to=("non-finite", "constant-predictor", "overfitting"),
    describe=describe,
)
