"""One component supplies nearly all of the reward's gain and is exhausted, while another hardly moved.

Why it matters
--------------
A total that rises by its easy part (format, length) looks like progress on the task, and its end looks like a plateau.

How it is measured
------------------
The gains of the components of the reward, where they add up to that of the total: one supplies 70 % or more and is at
its ceiling, another supplies less than 20 % although it still changes. It is a note.

When it is wrong
----------------
Components may be logged without their weights: where their gains do not add up, nothing is said.

What to do
----------
Lower the weight of the part that is exhausted, or drop it, so that what is left to learn is paid for.

References
----------
Shao et al., DeepSeekMath (2024).

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzer.detectors import Detector
from analyzer.features import Curve, RunFeatures
from analyzer.features.reward_level import RewardLevels
from analyzer.model.case import Case, made_run, noise
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Unfit, Veto, Words
from analyzer.model.formatting import number, percent
from analyzer.model.run import Run


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    most: float = field(default=0.7, metadata={"unit": "of the gain", "why": "share of one component"})
    least: float = field(default=0.2, metadata={"unit": "of the gain", "why": "share of another one that still moves"})


@dataclass(frozen=True)
class Params:
    """What shapes the measures."""

    sums: float = field(
        default=0.2, metadata={"unit": "of the gain", "why": "so near the parts must add up to the total"}
    )
    clear: float = field(default=5.0, metadata={"unit": "standard errors", "why": "a gain of the total worth dividing"})


PARAMS = Params()


@dataclass(frozen=True, slots=True)
class Facts:
    """What the sentences need besides."""

    most: float
    level: float
    least: float


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield one reading of the components of the reward."""
    parts = [(c, s) for c in features.rewards.components if (s := features.rewards.standing(c)) is not None]
    reward = features.rewards.optimised
    at = features.rewards.standing(reward) if reward is not None else None
    if features.family != "rl" or reward is None or at is None or len(parts) < 2:
        yield Unfit("no two components of a reward are logged beside it")
        return
    if at.kept_errors < PARAMS.clear:
        yield Unfit("the reward has no clear gain that could be divided")
        return
    yield _reading(reward, at, parts)


def _reading(reward: Curve, at: RewardLevels, parts: list[tuple[Curve, RewardLevels]]) -> Evidence:
    total = at.end - at.start
    shares = [(s.end - s.start) / total for _, s in parts]
    top, low = int(np.argmax(shares)), int(np.argmin(shares))
    (most, its), (least, other) = parts[top], parts[low]
    vetoes = []
    if abs(sum(shares) - 1) > PARAMS.sums:
        vetoes.append(Veto("weights-unknown", reward.tag, {"sum": sum(shares)}))
    if not its.at_ceiling:
        vetoes.append(Veto("still-gaining", most.tag))
    if other.range <= other.floor:
        vetoes.append(Veto("constant", least.tag))
    first, last = int(reward.at[0]), int(reward.at[-1])
    return Evidence(
        (reward.tag, most.tag, least.tag),
        (
            Measure("share of the gain from one component", shares[top], "most", unit="ratio"),
            Measure("share of the gain from another", shares[low], "least", "below", "ratio"),
        ),
        "info",
        first_step=first,
        last_step=last,
        cause="exhausted-part",
        marks=(Mark("level", most.tag, "exhausted", values=(its.end,)),),
        vetoes=tuple(vetoes),
        facts=Facts(shares[top], its.end, shares[low]),
    )


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    facts: Facts = evidence.facts
    reward, most, least = evidence.tags
    return Words(
        f"{percent(facts.most)} of the gain of {reward} come from {most}, which is exhausted at {number(facts.level)}; "
        f"{least} supplies {percent(max(facts.least, 0.0))}",
        "an easy component of the reward is learnt first and hides that the rest is not",
        advice=(
            f"Lower the weight of {most}, or drop it now that it is learnt.",
            f"Make {least} easier at first, or pay for parts of it.",
        ),
    )


def _run(form: np.ndarray, right: np.ndarray) -> Run:
    n = form.size
    form, right = form + noise(n, 1e-3, 4), right + noise(n, 0.01, 5)
    return made_run(
        {
            "train/reward": form + right,
            "train/rewards/format/mean": form,
            "train/rewards/correct/mean": right,
            "train/kl": 0.01 + 0.2 * np.arange(n) / n,
        }
    )


AT = np.arange(200) / 200
DETECTOR = Detector(
    "lopsided-reward",
    __doc__,
    measure,
    Limits(),
    (
        Case("format alone", "fires", lambda: _run(np.minimum(0.1 + 2 * AT, 1.0), 0.1 + 0.05 * AT)),
        Case("both", "quiet", lambda: _run(0.1 + 0.4 * AT, 0.1 + 0.5 * AT)),
        Case("format first", "almost", lambda: _run(np.minimum(0.1 + 2 * AT, 1.0), 0.1 + 0.6 * AT)),
    ),
    yields_to=("reward-hacking", "no-learning-signal"),
    describe=describe,
)
