"""The checks that belong to a run that trains well and that no training curve answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.features.curve import Curve
from analyzer.features.extrapolation import ahead
from analyzer.features.rewards import PARAMS as REWARDS
from analyzer.model.formatting import counted, number, step
from analyzer.model.result import Advice

if TYPE_CHECKING:
    from analyzer.features import RunFeatures


def further_checks(features: RunFeatures) -> tuple[Advice, ...]:
    """Return the checks that no training curve answers, each with what this log says for or against it."""
    if features.family == "rl":
        return _of_a_policy(features)
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


def _of_a_policy(features: RunFeatures) -> tuple[Advice, ...]:
    """Return what rewards of one run cannot answer: other seeds, a score of its own, what the policy really does."""
    rewards = features.rewards
    score = rewards.independent
    held = [c for c in rewards.goals if c.role.goal in ("independent", "evaluated")]
    lead = rewards.lead()
    at = rewards.standing(lead) if lead is not None else None
    rises = at is not None and at.errors(at.end - at.last_blocks[0], at.tail, at.tail) >= REWARDS.rises
    longer = f"{lead.tag} still rises at the end." if lead is not None and rises else "The reward rises no more."
    language = features.kind.branch == "language"
    evaluation = "An evaluation without exploration"
    if language:
        evaluation = "A held-out score that the reward does not know"
        held = [score] if score is not None else []
    told = f"{held[0].tag} has {counted(int(held[0].steps.size), 'value')}." if held else "None is logged."
    if language and score is None:
        told = "None is logged: a reward that is deceived looks like one that is earned."
    return (
        Advice("Stability over seeds", "Seeds differ by factors: one run ranks no algorithm. Train two or three more."),
        Advice(evaluation, told),
        Advice("A look at answers" if language else "A look at episodes", "A reward does not show how it was earned."),
        Advice("Whether longer training pays", longer),
    )


def _still_falls(curve: Curve) -> bool:
    """Whether more steps would take off a few hundredths of the loss, as far as its noise lets one say."""
    further = ahead(curve.coarse) if curve.n >= 30 else None
    return further is not None and further.gain > 0.02 and further.clear > 3
