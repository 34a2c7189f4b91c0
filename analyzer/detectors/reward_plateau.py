"""The reward never rose.

Why it matters
--------------
An agent that earns at the end what it earned at random has learnt nothing, however calm its other curves are. Often it
never saw a reward, or its updates never reached the policy.

How it is measured
------------------
Reinforcement learning only. The mean of the last fifth of the leading reward is compared with that of the first fifth:
the upper bound of the gain (95 %) must stay below a tenth of level or range, and no stretch between may have
gained clearly. It is an alarm where the log shows a floor: the reward is exactly constant, no episode succeeds, every
episode ends at its limit with a negative reward. Apart from that the policy may not move: its entropy is constant, and
it is that of a uniform choice, or the updates have no length.

When it is wrong
----------------
A reward at its ceiling from the start is flat as well; a flat reward without a sign of a floor is a note. A sparse
reward may come late: then the last fifth is above the first.

What to do
----------
Where the reward is constant: explore more, shape the reward, or begin with an easier task. Where the policy does not
move: check the learning rate, frozen weights and the sign of the loss. Overfit a task of one step first.

References
----------
Jones, Debugging reinforcement learning systems without the agonizing pain (2021).

"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzer.detectors import Detector
from analyzer.features import Curve, RunFeatures
from analyzer.features.leading_indicators import entropy_of
from analyzer.features.reward_level import SHARES, RewardLevels
from analyzer.features.rewards import gained
from analyzer.model.case import Case, made_run, noise
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Sign, Unfit, Veto, Words
from analyzer.model.formatting import filled, number, step


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    gain: float = field(
        default=0.1, metadata={"unit": "of level or range", "why": "upper bound of the gain from first to last fifth"}
    )
    moved: float = field(
        default=0.01, metadata={"unit": "of the entropy", "why": "a policy that is trained changes its entropy by more"}
    )


@dataclass(frozen=True)
class Params:
    """What shapes the measures."""

    least: int = field(default=50, metadata={"unit": "points", "why": "an agent that learns shows it in so many"})
    part: int = field(default=5, metadata={"unit": "parts", "why": "the first and the last fifth are compared"})
    bound: float = field(default=1.645, metadata={"unit": "standard errors", "why": "the upper bound at 95 %"})
    limit: float = field(
        default=0.9, metadata={"unit": "of the episodes", "why": "that end at one and the same length"}
    )
    actions: int = field(default=20, metadata={"unit": "actions", "why": "among more any entropy is near a logarithm"})
    uniform: float = field(default=1e-3, metadata={"unit": "of the entropy", "why": "no choice is preferred"})
    evaluations: int = field(
        default=12, metadata={"unit": "evaluations", "why": "of many episodes each: so many alike are no chance"}
    )
    nothing: float = field(default=0.02, metadata={"unit": "of the tasks", "why": "solved now and then, by chance"})
    all: float = field(default=1.0, metadata={"unit": "ratio", "why": "the whole of the tasks could be gained"})
    step: float = field(default=1e-5, metadata={"unit": "nats", "why": "an update that changes no action"})


PARAMS = Params()
TINY = float(np.finfo(float).tiny)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the sentences need besides."""

    start: float
    end: float
    last: int


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield a reading of the leading reward, and one of the policy's entropy where it is logged."""
    if features.family != "rl":
        yield Unfit("no reinforcement learning")
        return
    lead = features.rewards.lead(PARAMS.least)
    score = features.rewards.independent
    if score is not None and score.n >= PARAMS.evaluations and (np.ptp(score.raw) == 0 or _unsolved(features)):
        lead = score
    at = features.rewards.standing(lead) if lead is not None else None
    if lead is None or at is None:
        few = f"fewer than {PARAMS.least} values of a reward"
        yield Unfit(few if features.rewards.goals else "no reward is logged")
        return
    yield _reading(features, lead, at)
    still = _still(features, lead)
    if still is not None:
        yield still


def _reading(features: RunFeatures, curve: Curve, at: RewardLevels) -> Evidence:
    fifth = at.n // PARAMS.part
    start, end = float(np.mean(at.values[:fifth])), float(np.mean(at.values[-fifth:]))
    most = end - start + PARAMS.bound * math.sqrt(2) * at.error(fifth)
    signs = _floor(features, curve, at)
    scale = PARAMS.all if curve is features.rewards.independent and _unsolved(features) else at.scale
    first, last = int(curve.at[0]), int(curve.at[-1])
    return Evidence(
        curve.tags,
        (
            Measure(
                "upper bound of the gain",
                most / scale if at.range > 0 else 0.0,
                "gain",
                "below",
                "of level or range",
            ),
        ),
        "warning" if signs else "info",
        first_step=first,
        last_step=last,
        cause=signs[0].id if signs else None,
        marks=(Mark("region", curve.tag, "no gain", (first, last)),),
        signs=tuple(signs),
        vetoes=_vetoes(features, curve, at),
        facts=Facts(start, end, last),
    )


def _vetoes(features: RunFeatures, curve: Curve, at: RewardLevels) -> tuple[Veto, ...]:
    """Return what makes a flat reward no plateau: a gain between, a reward that rises, a ceiling, a resumed run."""
    rising = next(
        (c for c in features.rewards.goals if (other := features.rewards.standing(c)) and gained(c, other)), None
    )
    found = [Veto("reward-rises", rising.tag)] if rising is not None else []
    found += [Veto("at-its-ceiling", curve.tag)] if _ceiling(features, at) else []
    resumed = any(e.kind == "restart" for e in features.events) or int(curve.at[0]) > 0.5 * int(curve.at[-1])
    return tuple([*found, Veto("resumed")] if resumed else found)


def _ceiling(features: RunFeatures, at: RewardLevels) -> bool:
    """Whether a flat reward is all that can be had: a share of one, or paid episodes that last as long as they may."""
    if at.range > 0:
        return at.at_ceiling
    return at.end in SHARES or (at.end > 0 and _at_the_limit(features) is not None)


def _unsolved(features: RunFeatures) -> bool:
    """Whether next to none of the held-out tasks was ever solved, where their share is logged."""
    score = features.rewards.independent
    at = features.rewards.standing(score) if score is not None else None
    return features.rewards.share_solved is not None and at is not None and at.best <= PARAMS.nothing


def _at_the_limit(features: RunFeatures) -> Curve | None:
    """Return the length of episodes where nearly all end at the same, the largest one."""
    lengths = features.measuring("episode-length")
    return next((c for c in lengths if float(np.mean(c.raw == np.max(c.raw))) >= PARAMS.limit), None)


def _floor(features: RunFeatures, curve: Curve, at: RewardLevels) -> list[Sign]:
    """Return what shows that the agent is at a floor, the most telling first."""
    found: list[Sign] = []
    length = _at_the_limit(features)
    if at.range > 0 and curve is features.rewards.independent and _unsolved(features):
        found.append(Sign("unsolved", curve.tag, {"best": at.best}))
    elif at.range == 0:
        found.append(Sign("constant", curve.tag, {"level": at.end}))
    elif length is not None and at.end < 0:
        found.append(Sign("never-ends", length.tag, {"steps": float(np.max(length.raw))}))
    return found


def _still(features: RunFeatures, curve: Curve) -> Evidence | None:
    """Return a reading of the policy's entropy, None where no entropy is logged that can show a policy that is stuck.

    A constant entropy alone is that of a Gaussian policy with a fixed spread. A policy is stuck where the entropy also
    is that of a uniform choice, or its updates are nothing.
    """
    entropy = next((c for c in features.measuring("entropy") if c.n >= PARAMS.least), None)
    if entropy is None:
        return None
    values = entropy_of(entropy)
    level = float(np.mean(values))
    steps = [c for c in features.measuring("step-kl") if c.n >= PARAMS.least]
    largest = max((float(np.max(np.abs(c.raw))) for c in steps), default=math.inf)
    actions = round(math.exp(min(level, math.log(PARAMS.actions)))) if level > 0 else 0
    uniform = actions > 1 and abs(level - math.log(actions)) <= PARAMS.uniform * level
    first, last = int(entropy.at[0]), int(entropy.at[-1])
    return Evidence(
        (curve.tag, entropy.tag),
        (Measure("change of the entropy", float(np.ptp(values)) / max(abs(level), TINY), "moved", "below", "ratio"),),
        "warning",
        first_step=first,
        last_step=last,
        cause="policy-still",
        marks=(Mark("region", entropy.tag, "the policy does not move", (first, last)),),
        signs=(Sign("uniform", entropy.tag, {"actions": actions}),) if uniform else (),
        vetoes=() if uniform or largest <= PARAMS.step else (Veto("updates-move-it", entropy.tag),),
        facts=Facts(level, level, last),
    )


CAUSES = {
    "constant": "the agent never sees another reward: too little exploration, a sparse reward, or a task it cannot see",
    "unsolved": "tasks that are too hard: an answer that is right is too rare to learn from",
    "never-ends": "the agent never ends an episode by itself: it does not find what is asked",
    "policy-still": "updates do not reach the policy: learning rate, frozen weights, or the sign of the loss",
}
SENTENCES = {
    "constant": "{tag} is {level} at every point",
    "unsolved": "{tag} is {best:%} at its best",
    "never-ends": "{tag} is at its limit of {steps} in nearly all episodes",
    "uniform": "{tag} is that of a uniform choice among {actions} actions",
}


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    facts: Facts = evidence.facts
    explore = "Explore more, shape the reward, or begin with an easier task."
    check = "Check the learning rate, that no weights are frozen, and the sign of the loss."
    small = "Let the agent first overfit a task of one step, with a reward that you know."
    advice = (explore, small, check)
    signs = tuple(filled(SENTENCES[sign.id], sign.tag, sign.numbers) for sign in evidence.signs)
    if evidence.cause == "policy-still":
        summary = f"the policy does not move: its entropy stays at {number(facts.end)} ({evidence.tags[1]}) up to step "
        return Words(summary + step(facts.last), CAUSES["policy-still"], signs, (check, small))
    return Words(
        f"{evidence.tags[0]} never rises: {number(facts.start)} in the first fifth, {number(facts.end)} in the last, "
        f"up to step {step(facts.last)}",
        CAUSES.get(evidence.cause or ""),
        signs,
        advice,
    )


DETECTOR = Detector(
    "reward-plateau",
    __doc__,
    measure,
    Limits(),
    (
        Case("no episode ever succeeds", "fires", lambda: made_run({"rollout/ep_rew_mean": np.zeros(200)})),
        Case(
            "a policy that does not move",
            "fires",
            lambda: made_run({"rollout/ep_rew_mean": 22 + noise(200, 0.7), "train/entropy": np.full(200, math.log(2))}),
        ),
        Case(
            "a reward that rises",
            "quiet",
            lambda: made_run({"rollout/ep_rew_mean": 20 + np.arange(200) / 4 + noise(200, 2.0)}),
        ),
        Case(
            "flat, without a sign of a floor", "almost", lambda: made_run({"rollout/ep_rew_mean": 22 + noise(200, 0.7)})
        ),
        Case(
            "a first success after half of the run",
            "almost",
            lambda: made_run({"rollout/ep_rew_mean": np.where(np.arange(200) < 110, 0.0, 0.9)}),
        ),
        Case(
            "episodes that last as long as they may",
            "almost",
            lambda: made_run({"rollout/ep_rew_mean": np.full(200, 500.0), "rollout/ep_len_mean": np.full(200, 500.0)}),
        ),
    ),
    yields_to=(
        "non-finite",
        "entropy-collapse",
        "no-learning-signal",
        "policy-update-too-large",
        "value-divergence",
    ),
    describe=describe,
)
