"""What a healthy run of reinforcement learning must show: its reward rose, or is at its ceiling, and it kept the gain.

A flat reward refutes nothing: the task may be solved from the start, or the log too short. What went wrong is said by
the detectors; here a criterion is shown, or it stays unclear.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.features import rewards
from analyzer.features.curve import Curve
from analyzer.features.reward_level import PARAMS as STANDING
from analyzer.features.reward_level import RewardLevels
from analyzer.features.rewards import PARAMS as REWARDS
from analyzer.model.formatting import counted, number, step
from analyzer.model.health import Criterion

if TYPE_CHECKING:
    from analyzer.features import RunFeatures


def enough_data(features: RunFeatures) -> Criterion:
    """Whether a reward has enough values to show health."""
    goals = features.rewards.goals
    if not goals:
        return Criterion("enough-data", "unclear", "no reward is logged, and only a reward shows what an agent learnt")
    longest = max(goals, key=lambda c: c.n)
    numbers = {"points": float(longest.n), "needed": float(REWARDS.least)}
    text = f"{longest.tag} has {counted(longest.n, 'finite point')}"
    if longest.n < REWARDS.least:
        return Criterion("enough-data", "unclear", f"{text}; {REWARDS.least} are needed", numbers, longest.tags)
    return Criterion("enough-data", "shown", text, numbers, longest.tags)


def _judged(features: RunFeatures) -> tuple[Curve, RewardLevels] | None:
    """Return the reward that leads, with its levels; None where none is long enough."""
    lead = features.rewards.lead()
    at = features.rewards.standing(lead) if lead is not None else None
    return (lead, at) if lead is not None and at is not None else None


def learnt(features: RunFeatures) -> Criterion:
    """Whether the reward rose clearly and by an amount that matters, or is at a known ceiling.

    Where evaluations are too few or too noisy to show it, the collected reward does.
    """
    judged = _judged(features)
    if judged is None:
        return Criterion("learnt", "unclear", "no reward is long enough to show a gain")
    lead, at = judged
    others = () if lead.role.goal == "independent" else features.rewards.goals
    for curve in dict.fromkeys((lead, *others)):
        its = features.rewards.standing(curve)
        if its is not None and curve.n >= REWARDS.least and rewards.gained(curve, its):
            best = f"{number(its.best)} at step {step(int(curve.at[its.best_at]))}"
            end = "" if its.lost_errors < REWARDS.within else f" and ends at {number(its.end)}"
            text = f"{curve.tag} rose from {number(its.start)} to {best}{end}"
            return Criterion("learnt", "shown", text, _numbers(curve, its), curve.tags)
    if at.at_ceiling:
        text = f"{lead.tag} stands at {number(at.end)}, the most that it can reach"
        return Criterion("learnt", "shown", text, _numbers(lead, at), lead.tags)
    text = f"{lead.tag} shows no clear gain: {number(at.start)} at first, {number(at.end)} at the end"
    return Criterion("learnt", "unclear", text, _numbers(lead, at), lead.tags)


def kept(features: RunFeatures) -> Criterion:
    """Whether the reward ends near its best level."""
    judged = _judged(features)
    if judged is None:
        return Criterion("kept", "unclear", "no reward is long enough to compare its end with its best")
    lead, at = judged
    if rewards.kept(at):
        level = "near its best level" if at.lost_errors <= REWARDS.within or at.at_ceiling else "with most of its gain"
        text = f"{lead.tag} ends {level}: {number(at.end)}, at best {number(at.best)}"
        return Criterion("kept", "shown", text, _numbers(lead, at), lead.tags)
    text = f"{lead.tag} ends at {number(at.end)}, below its best of {number(at.best)}"
    return Criterion("kept", "unclear", text, _numbers(lead, at), lead.tags)


def held_out(features: RunFeatures) -> Criterion:
    """Whether an independent score, where one is logged beside the reward, rose with it or at least did not fall."""
    score = features.rewards.independent
    lead = features.rewards.lead()
    if score is None:
        return Criterion("held-out", "not-applicable", "no score is logged that is independent of the reward")
    at = features.rewards.standing(score)
    if score is lead or at is None:
        return Criterion("held-out", "not-applicable", f"{score.tag} is the reward that the run is judged by")
    if at.kept_errors > -STANDING.clear:
        text = f"{score.tag} goes from {number(at.start)} to {number(at.end)}"
        return Criterion("held-out", "shown", text, _numbers(score, at), score.tags)
    text = f"{score.tag} falls from {number(at.start)} to {number(at.end)}"
    return Criterion("held-out", "unclear", text, _numbers(score, at), score.tags)


def _numbers(curve: Curve, at: RewardLevels) -> dict[str, float]:
    return {
        "start": at.start,
        "best": at.best,
        "best_step": float(curve.at[at.best_at]),
        "end": at.end,
        "gain": at.gain / at.scale,
        "errors": at.gain_errors,
        "noise": at.sigma,
    }
