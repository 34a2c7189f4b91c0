"""The value function runs away from the returns that it estimates, or explains nothing of them.

Why it matters
--------------
The policy is improved by what the critic says. Values beyond every return that was ever collected feed on themselves
(the estimate is its own target), and a critic that explains nothing leaves the advantages to noise.

How it is measured
------------------
Three ways. Estimates are compared with the largest return that was seen, and must still grow. The value loss is
compared with the squared spread of the returns, which is what the plainest estimate (their mean) would cost, and with
its own lowest level. The explained variance is the median over the second half of the run; alone it is a note.

When it is wrong
----------------
A value loss that rises with the reward follows the scale of its targets. Where all returns are alike, as at the
ceiling of a task, the variance to explain is noise. Losses of distributions over returns have no such scale: they are
small, and are not found.

What to do
----------
Use a slower target network, clip the gradient and the value loss, scale rewards or returns, and check how the end of an
episode and a time limit are distinguished. A critic that explains nothing needs a rate of its own, more steps, or the
features that the return depends on.

References
----------
van Hasselt et al., Deep reinforcement learning and the deadly triad (2018). Fujimoto, van Hoof and Meger, Addressing
function approximation error in actor-critic methods (2018).

"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzer.detectors import Detector
from analyzer.features import Curve, RunFeatures
from analyzer.features.reward_level import RewardLevels
from analyzer.model.case import Case, made_run, noise
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Severity, Unfit, Veto, Words
from analyzer.model.formatting import number, step, times
from analyzer.stats.robust import even_edges, median


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    beyond: float = field(default=10.0, metadata={"unit": "×", "why": "estimate over the largest return that was seen"})
    growing: float = field(default=1.2, metadata={"unit": "×", "why": "estimate at the end over that at the middle"})
    risen: float = field(default=100.0, metadata={"unit": "×", "why": "value loss at the end over its lowest level"})
    error: float = field(
        default=1.0, metadata={"unit": "× squared spread", "why": "value loss: the mean return itself costs no more"}
    )
    explained: float = field(default=0.05, metadata={"unit": "ratio", "why": "variance that the critic explains"})


@dataclass(frozen=True)
class Params:
    """What shapes the measures."""

    least: int = field(default=20, metadata={"unit": "points", "why": "fewer show no lasting level"})
    half: int = field(default=50, metadata={"unit": "points", "why": "over which a critic has explained nothing"})
    blocks: int = field(default=10, metadata={"unit": "blocks", "why": "the end and the lowest level are tenths"})
    useful: float = field(
        default=0.3, metadata={"unit": "ratio", "why": "a critic that had explained so much was useful"}
    )
    lost: float = field(
        default=0.25, metadata={"unit": "of the gain", "why": "a reward that has lost so much has fallen"}
    )


PARAMS = Params()
TINY = float(np.finfo(float).tiny)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the sentences need besides: the level at the end, what it is compared with, and since when."""

    end: float
    other: float
    since: int


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield a reading for each estimate, each value loss, and the explained variance."""
    if features.family != "rl":
        yield Unfit("no reinforcement learning")
        return
    reward = features.rewards.optimised
    at = features.rewards.standing(reward) if reward is not None else None
    read = False
    watched = [c for c in features.curves.values() if c.role.role == "loss" or c.role.signal == "value-estimate"]
    lost = any(not c.finite[-1] for c in watched if c.values.size)
    grave: Severity = "error" if lost else "warning"  # numbers that are no longer finite follow
    if at is not None:
        for curve in features.measuring("value-estimate", "value-loss"):
            if curve.n >= PARAMS.least:
                read = True
                reading = _estimate if curve.role.signal == "value-estimate" else _loss
                yield reading(curve, at, grave)
    for curve in features.measuring("explained-variance")[:1]:
        if curve.n >= 2 * PARAMS.half:
            read = True
            yield _explained(curve, at)
    if not read:
        yield Unfit("no value loss, value estimate or explained variance that is long enough, or no reward beside it")


def _levels(curve: Curve) -> np.ndarray:
    """Return the medians of tenths of a curve, float64[blocks]."""
    edges = even_edges(curve.n, PARAMS.blocks)
    return np.array([median(np.abs(curve.raw[a:b])) for a, b in itertools.pairwise(edges)])


def _since(curve: Curve, level: float) -> int:
    """Return the step from which a curve stays above a level."""
    below = np.flatnonzero(np.abs(curve.raw) <= level)
    return int(curve.at[min(curve.n - 1, int(below[-1]) + 1 if below.size else 0)])


def _estimate(curve: Curve, at: RewardLevels, grave: Severity) -> Evidence:
    largest = max(float(np.max(np.abs(at.values))), float(np.finfo(float).tiny))
    levels = _levels(curve)
    since, last = _since(curve, largest), int(curve.at[-1])
    return Evidence(
        curve.tags,
        (
            Measure("estimate at the end over the largest return", float(levels[-1]) / largest, "beyond", unit="×"),
            Measure("estimate at the end over that at the middle", _over(levels[-1], levels[4]), "growing", unit="×"),
        ),
        grave,
        first_step=since,
        last_step=last,
        cause="estimates-diverge",
        marks=(
            Mark("region", curve.tag, "beyond every return", (since, last)),
            Mark("level", curve.tag, "largest return", values=(largest,)),
        ),
        facts=Facts(float(levels[-1]), largest, since),
    )


def _loss(curve: Curve, at: RewardLevels, grave: Severity) -> Evidence:
    levels = _levels(curve)
    spread = float(np.var(at.values)) or math.inf
    end, lowest = float(np.min(levels[-2:])), float(np.min(levels[:-1]))
    since, last = _since(curve, spread), int(curve.at[-1])
    return Evidence(
        curve.tags,
        (
            Measure("value loss at the end over its lowest level", _over(end, lowest), "risen", unit="×"),
            Measure("value loss at the end over the squared spread of the returns", end / spread, "error", unit="×"),
        ),
        grave,
        first_step=since,
        last_step=last,
        cause="loss-diverges",
        marks=(Mark("region", curve.tag, "diverged", (since, last)),),
        vetoes=(Veto("one-return", curve.tag),) if at.range <= 0 else (),
        facts=Facts(end, lowest, since),
    )


def _over(one: float, other: float) -> float:
    return float(one / max(other, TINY))


def _explained(curve: Curve, at: RewardLevels | None) -> Evidence:
    half = curve.raw[curve.n // 2 :]
    first, last = int(curve.at[curve.n // 2]), int(curve.at[-1])
    # at the ceiling of a task every return is the same, and nothing is left to explain
    alike = at is not None and at.at_ceiling
    return Evidence(
        curve.tags,
        (Measure("explained variance over the second half", median(half), "explained", "below", "ratio"),),
        "info",
        first_step=first,
        last_step=last,
        cause="blind-critic",
        marks=(Mark("region", curve.tag, "explains nothing", (first, last)),),
        vetoes=(Veto("returns-alike", curve.tag),) if alike else (),
        facts=Facts(median(half), 0.0, first),
    )


CAUSES = {
    "estimates-diverge": "an estimate that is its own target: a target that moves too fast, or missed ends of episodes",
    "loss-diverges": "a critic that has diverged: its rate, the scale of the targets, or the ends of episodes",
    "blind-critic": "a critic that learns too slowly, or does not see what the return depends on",
}


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    facts: Facts = evidence.facts
    tag, since = evidence.tags[0], step(facts.since)
    ends = f"{tag} ends at {number(facts.end)}"
    summary = f"{ends}; no return that was collected is larger than {number(facts.other)} (beyond it from step {since})"
    advice: tuple[str, ...] = (
        "Use a slower target network, and a second estimate of which the smaller counts.",
        "Clip the gradient and the value loss, and scale the rewards.",
        "Check that the end of an episode and a time limit are distinguished.",
    )
    if evidence.cause == "loss-diverges":
        grown = times(_over(facts.end, facts.other))
        summary = f"{ends}, {grown} its lowest level, and the values err by more than the returns spread"
    elif evidence.cause == "blind-critic":
        summary = (
            f"the critic explains {number(max(facts.end, 0.0), 2)} of the variance of the returns ({tag}) over the "
        )
        summary += "second half of the run"
        advice = (
            "Give the critic a rate of its own, and more steps on each batch.",
            "Check that it sees what the return depends on, and that returns are scaled.",
        )
    return Words(summary, CAUSES[evidence.cause or "loss-diverges"], advice=advice)


def _returns(points: int, gain: float) -> np.ndarray:
    return 20 + gain * (1 - np.exp(-5 * np.arange(points) / points)) + noise(points, 3.0, 4)


DETECTOR = Detector(
    "value-divergence",
    __doc__,
    measure,
    Limits(),
    (
        Case(
            "estimates without end",
            "fires",
            lambda: made_run({"charts/episodic_return": _returns(200, 2), "q_values": 5 * np.exp(np.arange(200) / 25)}),
        ),
        Case(
            "a value loss beyond all returns",
            "fires",
            lambda: made_run(
                {
                    "rollout/ep_rew_mean": _returns(200, 2),
                    "rollout/exploration_rate": np.full(200, 0.1),
                    "train/td_error": 20 * np.exp(np.arange(200) / 20),
                }
            ),
        ),
        Case(
            "a value loss that rises with the reward",
            "quiet",
            lambda: made_run(
                {
                    "rollout/ep_rew_mean": _returns(200, 180),
                    "train/value_loss": 0.1 * _returns(200, 180) ** 2 * np.exp(noise(200, 0.2, 6)),
                }
            ),
        ),
        Case(
            "estimates that approach the return",
            "almost",
            lambda: made_run({"charts/episodic_return": _returns(200, 180), "q_values": 2 * _returns(200, 180)}),
        ),
        Case(
            "a critic that explains nothing of a rising reward",
            "almost",
            lambda: made_run(
                {"rollout/ep_rew_mean": _returns(400, 180), "train/explained_variance": noise(400, 0.02, 7)}
            ),
        ),
    ),
    describe=describe,
)
