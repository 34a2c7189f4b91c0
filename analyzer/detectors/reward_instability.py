"""The reward falls by half of what had been gained, comes back, and falls again.

Why it matters
--------------
A policy that forgets and relearns will be in a trough when the run ends as likely as at a peak: which checkpoint is
kept is luck, and two runs cannot be compared by their ends.

How it is measured
------------------
Reinforcement learning only. Falls of the calmed reward count that take half of what had been gained so far, are clear
(five standard errors), matter (a tenth of level or range), last for three hundredths of the run, and are made good: the
reward comes back to within a quarter of the fall. Two or more make the finding; it is an alarm where the last one began
in the second half of the run.

When it is wrong
----------------
Evaluations of a few episodes jump by themselves: where the collected reward does not, it is trusted. A reward that is
calm at its best for the last third of the run has settled.

What to do
----------
Lower the learning rate or let it decay, limit the change of the policy per update, use larger batches, and keep
checkpoints by evaluated reward.

References
----------
Henderson et al., Deep reinforcement learning that matters (2018). Chan et al., Measuring the reliability of
reinforcement learning algorithms (2020).

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzer.detectors import Detector
from analyzer.features import Curve, RunFeatures
from analyzer.features.knobs import knob_at
from analyzer.features.reward_level import RewardLevels
from analyzer.model.case import Case, made_run, noise
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Unfit, Veto, Words
from analyzer.model.formatting import counted, number, step


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    falls: float = field(default=1.0, metadata={"unit": "count", "why": "falls that were made good"})


@dataclass(frozen=True)
class Params:
    """What counts as a fall."""

    least: int = field(default=40, metadata={"unit": "values", "why": "two falls and two recoveries need so many"})
    part: float = field(default=0.5, metadata={"unit": "of the gain so far", "why": "half of it forgotten"})
    worth: float = field(default=0.1, metadata={"unit": "of level or range", "why": "the smallest fall that matters"})
    clear: float = field(default=5.0, metadata={"unit": "standard errors", "why": "a fall that no noise makes"})
    lasts: float = field(default=0.03, metadata={"unit": "of the run", "why": "a single lost episode is none"})
    again: int = field(default=2, metadata={"unit": "falls", "why": "one alone is an accident"})
    back: float = field(default=0.75, metadata={"unit": "of the fall", "why": "so much of it is made good"})
    settled: float = field(default=0.33, metadata={"unit": "of the run", "why": "calm at its best up to the end"})


PARAMS = Params()


@dataclass(frozen=True, slots=True)
class Fall:
    """A fall that was made good: indices of the peak, the lowest point and the recovery, and both levels.

    `half` is the last index at which half of the fall was still to come.
    """

    peak: int
    half: int
    low: int
    back: int
    high: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Facts:
    """What the sentences need besides: how many falls, and the deepest one with its steps."""

    count: int
    high: float
    bottom: float
    steps: tuple[int, int]


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield one reading of the leading reward."""
    if features.family != "rl":
        yield Unfit("no reinforcement learning")
        return
    goals = features.rewards.goals
    lead = features.rewards.lead(PARAMS.least)
    at = features.rewards.standing(lead) if lead is not None else None
    if lead is None or at is None:
        yield Unfit(f"fewer than {PARAMS.least} values of a reward" if goals else "no reward is logged")
        return
    others = [c for c in goals if c is not lead and c.n >= PARAMS.least]
    calm = next((c for c in others if len(_falls_of(features, c)) < PARAMS.again), None)
    yield _reading(lead, at, _falls_of(features, lead), calm)


def _falls_of(features: RunFeatures, curve: Curve) -> list[Fall]:
    """Return the falls of a reward that no setting moved with: a harder lesson is no instability."""
    at = features.rewards.standing(curve)
    found = falls(at) if at is not None else []
    ends = [min(fall.half + _width(curve.n), curve.n - 1) for fall in found]
    spans = [(int(curve.at[fall.half]), int(curve.at[end])) for fall, end in zip(found, ends, strict=True)]
    return [fall for fall, span in zip(found, spans, strict=True) if knob_at(features, span) is None]


def _width(points: int) -> int:
    """Return the points of the shortest fall that lasts."""
    return max(3, int(PARAMS.lasts * points))


def falls(at: RewardLevels) -> list[Fall]:
    """Return the falls of a reward that were made good, in order, by means over the shortest fall that lasts."""
    width = _width(at.n)
    level = np.convolve(at.values, np.ones(width) / width, "valid")
    error = max(at.error(width) * 2**0.5, at.floor / PARAMS.clear)
    found: list[Fall] = []
    peak, low = 0, 0
    for i in range(level.size):
        fall = level[peak] - level[low]
        deep = fall >= max(PARAMS.part * (level[peak] - at.start), PARAMS.worth * at.scale, PARAMS.clear * error)
        if deep and level[i] >= level[low] + PARAMS.back * fall:
            half = peak + int(np.flatnonzero(level[peak : low + 1] >= (level[peak] + level[low]) / 2)[-1])
            found.append(Fall(peak, half, low, i, float(level[peak]), float(level[low])))
            peak = low = i
        elif level[i] >= level[peak]:
            peak = low = i
        elif level[i] < level[low]:
            low = i
    return found


def _reading(curve: Curve, at: RewardLevels, found: list[Fall], calm: Curve | None) -> Evidence:
    first, last = (found[0].peak, found[-1].back) if found else (0, at.n - 1)
    deepest = max(found, key=lambda f: f.high - f.bottom, default=Fall(0, 0, 0, 0, at.start, at.start))
    late = bool(found) and found[-1].peak >= at.n / 2
    third = at.values[-int(PARAMS.settled * at.n) :]
    settled = float(np.min(third)) >= at.best - max(PARAMS.worth * at.scale, PARAMS.clear * at.sigma)
    vetoes = [Veto("settled", curve.tag)] if settled else []
    vetoes += [Veto("another-reward-is-calm", calm.tag)] if calm is not None else []
    steps = (int(curve.at[first]), int(curve.at[min(last, curve.n - 1)]))
    return Evidence(
        curve.tags,
        (Measure("falls by half of the gain that were made good", float(len(found)), "falls", unit="count"),),
        "warning" if late else "info",
        first_step=steps[0],
        last_step=steps[1],
        cause="unstable",
        marks=tuple(
            Mark("region", curve.tag, "fallen", (int(curve.at[f.peak]), int(curve.at[min(f.back, curve.n - 1)])))
            for f in found
        ),
        vetoes=tuple(vetoes),
        facts=Facts(
            len(found), deepest.high, deepest.bottom, (int(curve.at[deepest.peak]), int(curve.at[deepest.low]))
        ),
    )


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    facts: Facts = evidence.facts
    worst = f"from {number(facts.high)} at step {step(facts.steps[0])} to {number(facts.bottom)} at step "
    worst += step(facts.steps[1])
    return Words(
        f"{evidence.tags[0]} falls {counted(facts.count, 'time')} by half of what it had gained and comes back, at "
        f"worst {worst}",
        "updates that forget what was learnt: too large, or from too little data",
        advice=(
            "Keep checkpoints by evaluated reward.",
            "Lower the learning rate or let it decay, and limit the change of the policy per update.",
            "Use larger batches, or more environments.",
        ),
    )


def _waves(points: int, count: int, *, until: float = 1.0) -> np.ndarray:
    climb = 100 * np.minimum(np.arange(points) / (0.15 * points), 1.0)
    phase = np.arange(points) / (until * points)
    troughs = (np.sin(2 * np.pi * count * phase) < -0.3) & (phase < 1) & (phase > 0.2)
    return np.asarray(np.where(troughs, 20.0, climb) + noise(points, 3.0, 4))


DETECTOR = Detector(
    "reward-instability",
    __doc__,
    measure,
    Limits(),
    (
        Case("four falls", "fires", lambda: made_run({"rollout/ep_rew_mean": _waves(400, 4)})),
        Case("a calm climb", "quiet", lambda: made_run({"rollout/ep_rew_mean": _waves(400, 0)})),
        Case(
            "falls that are over at half of the run",
            "almost",
            lambda: made_run({"rollout/ep_rew_mean": _waves(400, 4, until=0.5)}),
        ),
        Case(
            "single lost episodes",
            "almost",
            lambda: made_run({"rollout/ep_rew_mean": np.where(np.arange(400) % 60 == 59, 10.0, _waves(400, 0))}),
        ),
        Case("noise", "almost", lambda: made_run({"rollout/ep_rew_mean": noise(400, 30.0, 5)})),
    ),
    yields_to=("reward-collapse", "value-divergence", "policy-update-too-large", "non-finite"),
    describe=describe,
)
