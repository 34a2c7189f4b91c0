"""There is nothing left to learn from: all samples of a group earn the same, or no gradient arrives.

Why it matters
--------------
Policy gradients compare samples. Where all answers to a prompt are right, or all are wrong, their advantages are zero,
and the compute of every further step is spent for nothing.

How it is measured
------------------
Reinforcement learning only, from the first point at which it holds for most points up to the end: the share of groups
without spread (0.7 or more), the spread of rewards (below a hundredth of the range of the reward), the advantages
(zero), or the gradient norm (below a thousandth of its start, or exactly zero). An independent score says whether
everything is right or wrong; without one, the level that the reward ended at.

When it is wrong
----------------
A task that is solved gives no signal either: then it is a note. A loss of 0.0 alone says nothing, GRPO's is zero by
rounding.

What to do
----------
Mix difficulties, leave out prompts that are always right or always wrong, draw more samples for each prompt, and give
credit for parts of an answer.

References
----------
Yu et al., DAPO: an open-source LLM reinforcement learning system at scale (2025), dynamic sampling. Shao et al.,
DeepSeekMath (2024).

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzer.detectors import Detector
from analyzer.features import Curve, RunFeatures
from analyzer.model.case import Case, made_run, noise
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Sign, Unfit, Words
from analyzer.model.formatting import filled, number, percent, step
from analyzer.model.run import Run
from analyzer.stats.robust import median
from analyzer.stats.suffix import majority_suffix


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    lasted: float = field(
        default=0.25, metadata={"unit": "of the run", "why": "share of the run, to its end, without a signal"}
    )


@dataclass(frozen=True)
class Params:
    """What shapes the measures."""

    least: int = field(default=20, metadata={"unit": "points", "why": "fewer show no lasting state"})
    groups: float = field(
        default=0.7, metadata={"unit": "of the groups", "why": "without spread: little is left of a batch"}
    )
    spread: float = field(default=0.01, metadata={"unit": "of the range", "why": "rewards that hardly differ"})
    gradient: float = field(default=1e-3, metadata={"unit": "of the start", "why": "an update that moves nothing"})
    first: int = field(default=10, metadata={"unit": "points", "why": "whose largest norm is that of the start"})
    right: float = field(default=0.9, metadata={"unit": "of the largest share", "why": "nearly everything is right"})
    still: float = field(default=0.02, metadata={"unit": "of level or range", "why": "a reward that stands still"})


PARAMS = Params()


@dataclass(frozen=True, slots=True)
class Facts:
    """What the sentences need besides."""

    since: int
    lasted: float
    level: float
    kind: str


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield a reading for each series that shows whether there is a signal."""
    if features.family != "rl":
        yield Unfit("no reinforcement learning")
        return
    found = [(c, gone) for c in _witnesses(features) if (gone := _gone(features, c)) is not None]
    if not found:
        yield Unfit("no spread within groups, advantages or gradient norm that is long enough is logged")
        return
    for curve, gone in found:
        yield _reading(features, curve, gone)


def _witnesses(features: RunFeatures) -> list[Curve]:
    curves = features.measuring("zero-spread", "reward-spread", "advantage")
    gradient = [features.gradient] if features.gradient is not None else []
    return [c for c in (*curves, *gradient) if c.n >= PARAMS.least]


def _gone(features: RunFeatures, curve: Curve) -> np.ndarray | None:
    """Return at which points a series shows no signal, None where it cannot tell."""
    values = np.abs(curve.raw)
    if curve.role.signal == "zero-spread":
        return np.asarray(values >= PARAMS.groups)
    if curve.role.signal == "reward-spread":
        reward = features.rewards.optimised
        scale = max(float(np.ptp(reward.raw)) if reward is not None else 0.0, float(np.max(values)))
        return np.asarray(values <= PARAMS.spread * scale)
    if curve.role.signal == "advantage":
        return np.asarray(values == 0)
    reward = features.rewards.optimised
    at = features.rewards.standing(reward) if reward is not None else None
    if at is None:
        return None
    return np.asarray(values <= PARAMS.gradient * float(np.max(values[: PARAMS.first])))


def _reading(features: RunFeatures, curve: Curve, gone: np.ndarray) -> Evidence:
    since = majority_suffix(gone)
    first, last = int(curve.at[since if since is not None else curve.n - 1]), int(curve.at[-1])
    lasted = (last - first) / max(1, last - int(curve.at[0])) if since is not None else 0.0
    kind = _kind(features)
    score = features.rewards.independent or features.rewards.optimised
    at = features.rewards.standing(score) if score is not None else None
    signs = (Sign(kind, score.tag, {"level": at.end}),) if score is not None and at is not None else ()
    return Evidence(
        curve.tags,
        (Measure("share of the run without a signal", lasted, "lasted", unit="ratio"),),
        "info" if kind == "all-right" else "warning",
        first_step=first,
        last_step=last,
        cause=kind,
        marks=(Mark("region", curve.tag, "no signal", (first, last)),),
        signs=signs,
        facts=Facts(first, lasted, median(curve.raw[-max(3, curve.n // 10) :]), curve.role.signal or "gradient"),
    )


def _kind(features: RunFeatures) -> str:
    """Return whether everything is right at the end, everything is wrong, or a judge always says the same."""
    share = features.rewards.share_solved
    if share is not None:
        return "all-right" if share >= PARAMS.right else "all-wrong"
    reward = features.rewards.optimised
    at = features.rewards.standing(reward) if reward is not None else None
    if at is None:
        return "all-wrong"
    if at.at_ceiling or features.rewards.earned:
        return "all-right"
    usual = float(np.ptp(at.values)) <= PARAMS.still * max(abs(at.end), at.floor)
    return "flat-judge" if usual and at.end not in (0.0, -1.0) else "all-wrong"


CAUSES = {
    "all-right": "tasks that are solved: every answer is right",
    "all-wrong": "tasks that are too hard, or a policy that gives one answer: no answer is better than another",
    "flat-judge": "a judge that gives every answer the same score",
}
SENTENCES = {
    "all-right": "{tag} ends at {level}: what is asked is done",
    "all-wrong": "{tag} ends at {level}",
    "flat-judge": "{tag} stays at {level} throughout",
}
WHAT = {
    "zero-spread": "{share} of the groups have answers that all earn the same",
    "reward-spread": "rewards of one group do not differ",
    "advantage": "all advantages are 0",
    "gradient": "the gradient norm is next to nothing",
}


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    facts: Facts = evidence.facts
    what = WHAT[facts.kind].format(share=percent(facts.level))
    solved = evidence.cause == "all-right"
    first = "Stop here, or go on with harder tasks." if solved else "Mix in tasks that are sometimes solved."
    return Words(
        f"{what} from step {step(facts.since)} on, for {percent(facts.lasted)} of the run ({evidence.tags[0]}, "
        f"{number(facts.level)} at the end): updates move nothing",
        CAUSES[evidence.cause or "all-wrong"],
        tuple(filled(SENTENCES[sign.id], sign.tag, sign.numbers) for sign in evidence.signs),
        (
            first,
            "Leave out prompts that are always right or always wrong, and draw more samples for each prompt.",
            "Give credit for parts of an answer, or use a judge with finer scores.",
        ),
    )


def _run(share: np.ndarray, reward: np.ndarray) -> Run:
    return made_run({"train/reward": reward, "train/frac_reward_zero_std": np.clip(share, 0, 1)})


DETECTOR = Detector(
    "no-learning-signal",
    __doc__,
    measure,
    Limits(),
    (
        Case("every answer is wrong", "fires", lambda: _run(0.95 + noise(200, 0.02), np.abs(noise(200, 0.01, 3)))),
        Case(
            "groups that differ",
            "quiet",
            lambda: _run(0.2 + noise(200, 0.05), 0.2 + 0.6 * np.arange(200) / 200 + noise(200, 0.03, 3)),
        ),
        Case(
            "solved",
            "almost",
            lambda: _run(
                np.minimum(np.arange(200) / 100, 0.95),
                np.minimum(0.2 + np.arange(200) / 120, 1.0) + noise(200, 1e-3, 3),
            ),
        ),
        Case(
            "a hard stretch that passes",
            "almost",
            lambda: _run(
                np.where(np.arange(200) < 120, 0.9, 0.3),
                0.7 * np.clip((np.arange(200) - 100) / 100, 0, 1) + noise(200, 0.02, 3),
            ),
        ),
    ),
    yields_to=("entropy-collapse", "non-finite"),
    describe=describe,
)
