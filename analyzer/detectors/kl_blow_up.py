"""The policy runs away from its reference model while the reward gains nothing by it.

Why it matters
--------------
Far from the reference a language model leaves language: the reward model was never trained there, samples turn into
babble, and a score that still holds says nothing.

How it is measured
------------------
The divergence from the reference, in reinforcement learning of language models. Its level over the last tenth of the
run is compared with that over the second fifth, and with that at the best of the leading reward. It must accelerate
(the second half of the rise takes less time than the first), and the reward must not have gained meanwhile. An
independent score leads where one is logged.

When it is wrong
----------------
A divergence that grows from 0 while the reward rises, or that levels off, is what training is for. Without a penalty
most trainers do not log it.

What to do
----------
Raise the weight of the penalty (beta), lower the learning rate, or reset the reference to a good checkpoint. Read
samples from the step at which it accelerates.

References
----------
Gao, Schulman and Hilton, Scaling laws for reward model overoptimization (2023). Ziegler et al., Fine-tuning language
models from human preferences (2019).

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzer.detectors import Detector
from analyzer.features import Curve, RunFeatures
from analyzer.features.common_axis import on_axis
from analyzer.features.reward_level import PARAMS as STANDING
from analyzer.features.rewards import Change
from analyzer.model.case import Case, made_run, noise
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Sign, Unfit, Veto, Words
from analyzer.model.formatting import filled, number, step, times
from analyzer.model.run import Run
from analyzer.stats.robust import median


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    growth: float = field(
        default=8.0, metadata={"unit": "×", "why": "divergence at the end over that of the second fifth"}
    )
    late: float = field(
        default=3.0, metadata={"unit": "×", "why": "divergence at the end over that at the best of the reward"}
    )
    bend: float = field(
        default=0.4,
        metadata={"unit": "of the rise", "why": "what is done of the rise at half of its time; a line has done half"},
    )


@dataclass(frozen=True)
class Params:
    """What shapes the measures."""

    least: int = field(default=20, metadata={"unit": "points", "why": "fewer show no acceleration"})
    tail: int = field(default=10, metadata={"unit": "windows", "why": "the end is the last tenth"})
    begun: float = field(default=0.1, metadata={"unit": "of the rise", "why": "it has begun when so much is done"})
    grain: float = field(default=1e-3, metadata={"unit": "nats", "why": "a smaller divergence is none"})


PARAMS = Params()


@dataclass(frozen=True, slots=True)
class Facts:
    """What the sentences need besides."""

    before: float
    end: float
    since: int
    at_best: bool = False


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield two readings of the divergence: against its own early level, and against the best of the reward."""
    if features.family != "rl":
        yield Unfit("no reinforcement learning")
        return
    curves = features.measuring("reference-kl")
    long = [c for c in curves if c.n >= PARAMS.least]
    if not long:
        few = f"fewer than {PARAMS.least} values of the divergence from the reference model"
        yield Unfit(few if curves else "no divergence from a reference model is logged")
        return
    yield from _readings(features, long[0])


def _readings(features: RunFeatures, curve: Curve) -> Iterator[Evidence]:
    n = curve.n
    tail = max(3, n // PARAMS.tail)
    values = np.abs(curve.raw)
    end = median(values[-tail:])
    early = max(median(values[n // 5 : 2 * n // 5]), PARAMS.grain)
    first = _onset(curve, values, early, end)
    since = features.rewards.since(first)
    bend = _bend(values)
    yield _reading(features, curve, Facts(early, end, first), bend, since)
    best = _at_best(features, curve, values)
    if best is not None:
        level, step_ = best
        yield _reading(features, curve, Facts(level, end, step_, at_best=True), bend, features.rewards.since(step_))


def _onset(curve: Curve, values: np.ndarray, early: float, end: float) -> int:
    """Return the step from which the divergence stays above its early level by a tenth of the rise."""
    width = max(3, values.size // PARAMS.tail // 2)
    calm = np.median(np.lib.stride_tricks.sliding_window_view(values, width), axis=-1)
    below = np.flatnonzero(calm <= early + PARAMS.begun * (end - early))
    return int(curve.at[min(curve.n - 1, int(below[-1]) + width // 2 if below.size else 0)])


def _at_best(features: RunFeatures, curve: Curve, values: np.ndarray) -> tuple[float, int] | None:
    """Return the divergence at the best of the leading reward, with the step; None without a reward."""
    lead = features.rewards.lead()
    at = features.rewards.standing(lead) if lead is not None else None
    if lead is None or at is None:
        return None
    step_ = int(lead.at[at.best_at])
    points = on_axis(curve.points, lead.points)
    place = int(np.searchsorted(points.steps[curve.finite], step_))
    near = values[max(0, place - PARAMS.tail // 2) : place + PARAMS.tail // 2 + 1]
    return (max(median(near), PARAMS.grain), int(curve.at[min(place, curve.n - 1)])) if near.size else None


def _bend(values: np.ndarray) -> float:
    """Return the share of the rise from the first fifth to the end that is done at half of that time: ½ for a line."""
    n = values.size
    tail = max(3, n // PARAMS.tail)
    start, middle, end = (median(values[a : a + tail]) for a in (n // 5, (n // 5 + n - tail) // 2, n - tail))
    return (middle - start) / (end - start) if end > start else 1.0


def _reading(features: RunFeatures, curve: Curve, facts: Facts, bend: float, change: Change | None) -> Evidence:
    steps = (facts.since, int(curve.at[-1]))
    vetoes = []
    if change is not None and change.rises:
        vetoes.append(Veto("reward-rises", change.curve.tag, change.numbers))
    elif features.rewards.solved:
        vetoes.append(Veto("solved"))
    falls = change is not None and change.errors <= -STANDING.clear
    signs = []
    if change is not None:
        signs.append(Sign("reward-falls" if falls else "reward-rests", change.curve.tag, change.numbers))
    limit, name = ("late", "at the best of the reward") if facts.at_best else ("growth", "of the second fifth")
    return Evidence(
        curve.tags,
        (
            Measure(f"divergence at the end over that {name}", facts.end / facts.before, limit, unit="×"),
            Measure("share of the rise done at half of its time", bend, "bend", "below", "ratio"),
        ),
        "warning",
        first_step=steps[0],
        last_step=steps[1],
        cause="left-the-reference",
        marks=(Mark("region", curve.tag, "runs away", steps),),
        signs=tuple(signs),
        vetoes=tuple(vetoes),
        facts=facts,
    )


SENTENCES = {
    "reward-falls": "{tag} falls meanwhile, from {before} to {after}",
    "reward-rests": "{tag} gains nothing meanwhile: {before}, then {after}",
}


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    facts: Facts = evidence.facts
    growth = times(facts.end / facts.before)
    return Words(
        f"the divergence from the reference model grows from {number(facts.before)} around step {step(facts.since)} to "
        f"{number(facts.end)} at the end ({evidence.tags[0]}), {growth} as much, and accelerates",
        "a penalty that is too weak for this learning rate: the policy leaves the reference model",
        tuple(filled(SENTENCES[sign.id], sign.tag, sign.numbers) for sign in evidence.signs),
        (
            f"Keep a checkpoint from before step {step(facts.since)}, and read samples from after it.",
            "Raise the weight of the KL penalty (beta), or lower the learning rate.",
            "Reset the reference model to a good checkpoint.",
        ),
    )


def _run(divergence: np.ndarray, reward: np.ndarray) -> Run:
    noisy = divergence * np.exp(noise(divergence.size, 0.1, 5))
    return made_run({"train/reward": reward + noise(reward.size, 0.02, 4), "train/kl": noisy})


AT = np.arange(200) / 200
DETECTOR = Detector(
    "kl-blow-up",
    __doc__,
    measure,
    Limits(),
    (
        Case(
            "it accelerates and the reward has stopped",
            "fires",
            lambda: _run(0.01 * np.exp(6 * AT), 0.3 + np.minimum(AT, 0.2)),
        ),
        Case("it grows evenly with the reward", "quiet", lambda: _run(0.001 + AT, 0.3 + 0.5 * AT)),
        Case("it accelerates with the reward", "almost", lambda: _run(0.01 * np.exp(6 * AT), 0.3 + 0.5 * AT)),
        Case("it grows evenly beside a flat reward", "almost", lambda: _run(0.001 + AT, 0.3 + 0 * AT)),
        Case("it levels off", "almost", lambda: _run(1 - np.exp(-8 * AT), 0.3 + np.minimum(AT, 0.2))),
    ),
    yields_to=("reward-collapse", "reward-hacking", "non-finite"),
    describe=describe,
)
