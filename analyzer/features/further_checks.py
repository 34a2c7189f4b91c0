"""The checks that belong to a run that trains well and that no training curve answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.features.curve import Curve
from analyzer.features.extrapolation import ahead
from analyzer.model.formatting import number, step
from analyzer.model.result import Advice

if TYPE_CHECKING:
    from analyzer.features import RunFeatures


def further_checks(features: RunFeatures) -> tuple[Advice, ...]:
    """Return the checks that no training curve answers, each with what this log says for or against it."""
    metrics = [c for c in features.having("metric") if c.n]
    tests = [c for c in features.curves.values() if c.role.split == "test" and c.role.role in ("loss", "metric")]
    perfect = [c for c in metrics if c.role.split != "train" and c.role.direction == "higher" and c.raw[-1] >= 0.999]
    still = next((c for c in features.training if _still_falls(c)), None)
    leak = (
        f"{perfect[0].tag} is {number(float(perfect[0].raw[-1]))}, which is too good not to look twice."
        if perfect
        else (
            "No held-out metric here is suspiciously perfect."
            if metrics
            else "No metric is logged, so this log cannot say."
        )
    )
    held = (
        f"{tests[0].tag} is logged {step(tests[0].steps.size)} times; choose nothing by it."
        if tests
        else "No test split is logged."
    )
    return (
        Advice("Metrics on slices of the data, and fairness between groups", "Only whole-set values are logged."),
        Advice("Leakage between training and held-out data", leak),
        Advice("A held-out test, looked at once", held),
        Advice("Stability over seeds", "One run says nothing of it: train two or three more seeds."),
        Advice("A comparison with a simple baseline", "No baseline is logged in this run."),
        Advice("Drift of the data after training", "A training log cannot show it."),
        Advice(
            "Whether longer training pays",
            f"{still.tag} still falls at the end."
            if still
            else "The loss no longer falls at the end, as far as the log shows.",
        ),
    )


def _still_falls(curve: Curve) -> bool:
    """Whether more steps would take off a few hundredths of the loss, as far as its noise lets one say."""
    further = ahead(curve.coarse) if curve.n >= 30 else None
    return further is not None and further.gain > 0.02 and further.clear > 3
