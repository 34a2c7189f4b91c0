"""The reward that is optimised rises while an independent score of the same policy falls.

Why it matters
--------------
The policy has found what the reward pays for and nobody wants: length, format, a weak judge. Every further step makes
the model worse, and the curve that everybody looks at says the opposite.

How it is measured
------------------
The optimised reward is compared with an independent score (held-out tasks, an oracle, success) of six evaluations or
more. After the best of the score the reward must have gained a tenth of its whole gain, and the score must have lost a
quarter of its own, each by four standard errors. Or the reward has clearly gained while the score gained less than a
fifth of what was left to gain and answers have grown to nearly twice their length.

When it is wrong
----------------
A score that is always lower than the reward by the same amount or factor moves with it and is no contradiction. A
flat score beside a flat reward says nothing. Without an independent score hacking cannot be seen at all.

What to do
----------
Stop at the best of the independent score. Mend the reward before training on: length, format, the judge. Read samples
from before and after the turn.

References
----------
Gao, Schulman and Hilton, Scaling laws for reward model overoptimization (2023). Skalse et al., Defining and
characterizing reward hacking (2022).

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzer.detectors import Detector
from analyzer.features import Curve, RunFeatures
from analyzer.features.common_axis import on_axis
from analyzer.features.reward_level import RewardLevels
from analyzer.features.rewards import gained
from analyzer.model.case import Case, made_run, noise
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Severity, Sign, Unfit, Veto, Words
from analyzer.model.formatting import filled, number, percent, step
from analyzer.model.run import Run
from analyzer.stats.robust import median


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    gains: float = field(default=0.1, metadata={"unit": "of its gain", "why": "gain of the reward after the turn"})
    loses: float = field(default=0.25, metadata={"unit": "of its gain", "why": "loss of the score after its best"})
    clear: float = field(default=4.0, metadata={"unit": "standard errors", "why": "either change"})
    left: float = field(
        default=0.2, metadata={"unit": "of what is left", "why": "gain of a score that does not follow"}
    )
    longer: float = field(
        default=1.8, metadata={"unit": "×", "why": "length of answers at the end over that at the start"}
    )


@dataclass(frozen=True)
class Params:
    """What shapes the measures."""

    tail: int = field(default=3, metadata={"unit": "evaluations", "why": "that make a level of the score, at least"})
    part: int = field(default=10, metadata={"unit": "windows", "why": "a level of the reward is a tenth of the run"})
    all: float = field(default=1.0, metadata={"unit": "ratio", "why": "a score that is a share ends there"})


PARAMS = Params()


@dataclass(frozen=True, slots=True)
class Facts:
    """What the sentences need besides: levels of reward and score at the turn and at the end, and of the length."""

    turn: int
    reward: tuple[float, float]
    score: tuple[float, float]
    start: float
    longer: float


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield a reading of the turn of the independent score, and one of a score that does not follow."""
    if features.family != "rl":
        yield Unfit("no reinforcement learning")
        return
    reward, score = features.rewards.optimised, features.rewards.independent
    at = features.rewards.standing(reward) if reward is not None else None
    its = features.rewards.standing(score) if score is not None else None
    if reward is None or score is None or at is None or its is None:
        yield Unfit("no independent score (held-out tasks, an oracle, success) is logged beside a reward")
        return
    yield _turned(reward, at, score, its)
    longer = _longer(features)
    if longer is not None:
        yield _left_behind(reward, at, score, its, longer)


def _levels(score: Curve, its: RewardLevels) -> tuple[int, float, float, float]:
    """Return the index of the best evaluation, the level there, the level at the end, and the error of a level."""
    width = max(PARAMS.tail, score.n // PARAMS.part)
    calm = np.convolve(its.values, np.ones(width) / width, "valid")
    best = int(np.argmax(calm))
    return best + width // 2, float(calm[best]), float(calm[-1]), max(its.error(width), its.floor / width)


def _turned(reward: Curve, at: RewardLevels, score: Curve, its: RewardLevels) -> Evidence:
    best, top, end, error = _levels(score, its)
    points = on_axis(score.points, reward.points)
    turn = int(points.steps[score.finite][best])
    place = int(np.searchsorted(reward.at, turn))
    before = (
        float(np.mean(at.values[max(0, place - at.tail // 2) : place + at.tail // 2 + 1])) if place < at.n else at.end
    )
    won, lost = at.end - before, top - end
    grave: Severity = "error" if end < its.start - error else "warning"
    first, last = int(score.at[best]), int(score.at[-1])
    return Evidence(
        (score.tag, reward.tag),
        (
            Measure(
                "gain of the reward after the turn", won / max(at.end - at.start, at.floor), "gains", unit="of its gain"
            ),
            Measure("the same in standard errors", at.errors(won, at.tail, at.tail), "clear", unit="standard errors"),
            Measure(
                "loss of the score after its best", lost / max(top - its.start, error), "loses", unit="of its gain"
            ),
            Measure("the same in standard errors", lost / (error * 2**0.5), "clear", unit="standard errors"),
        ),
        grave,
        first_step=first,
        last_step=last,
        cause="turned",
        marks=(
            Mark("region", score.tag, "falls while the reward rises", (first, last)),
            Mark("step", reward.tag, "best of the independent score", (turn,)),
        ),
        vetoes=(Veto("reward-does-not-rise", reward.tag),) if at.end <= at.start else (),
        facts=Facts(first, (before, at.end), (top, end), its.start, 1.0),
    )


def _longer(features: RunFeatures) -> tuple[Curve, float] | None:
    """Return the length of answers with its growth, None where it is not logged."""
    for curve in features.measuring("response-length"):
        first, last = median(curve.raw[: max(3, curve.n // 20)]), median(curve.raw[-max(3, curve.n // 10) :])
        if first > 0:
            return curve, last / first
    return None


def _left_behind(
    reward: Curve, at: RewardLevels, score: Curve, its: RewardLevels, longer: tuple[Curve, float]
) -> Evidence:
    _, _, end, error = _levels(score, its)
    room = max(PARAMS.all - its.start, error) if float(np.max(its.values)) <= PARAMS.all else max(its.range, error)
    length, growth = longer
    first, last = int(score.at[0]), int(score.at[-1])
    vetoes = () if gained(reward, at) else (Veto("reward-does-not-rise", reward.tag),)
    return Evidence(
        (score.tag, reward.tag),
        (
            Measure("gain of the score", (end - its.start) / room, "left", "below", "of what is left"),
            Measure("length of answers at the end over that at the start", growth, "longer", unit="×"),
        ),
        "error" if end < its.start - error else "warning",
        first_step=first,
        last_step=last,
        cause="length",
        marks=(Mark("region", score.tag, "does not follow the reward", (first, last)),),
        signs=(Sign("longer", length.tag, {"growth": growth}),),
        vetoes=vetoes,
        facts=Facts(first, (at.start, at.end), (its.start, end), its.start, growth),
    )


CAUSES = {
    "turned": "the policy exploits the reward: it pays for something that the independent score does not",
    "length": "the reward pays for length: answers grow, and the tasks are solved no better",
}
SENTENCES = {"longer": "{tag} grows to {growth} times its first level"}


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    facts: Facts = evidence.facts
    score, reward = evidence.tags
    rises = f"{reward} goes from {number(facts.reward[0])} to {number(facts.reward[1])}"
    verb = "falls" if facts.score[1] < facts.score[0] else "goes"
    falls = f"{score} {verb} from {number(facts.score[0])} to {number(facts.score[1])}"
    since = f"from step {step(facts.turn)} on " if evidence.cause == "turned" else ""
    worse = f", below its start of {number(facts.start)}" if evidence.severity == "error" else ""
    keep = f"Keep the checkpoint of step {step(facts.turn)}, where {score} was best."
    lost = percent(evidence.measures[2].value) if evidence.cause == "turned" else ""
    return Words(
        f"{since}{rises} while {falls}{worse}" + (f": {lost} of its gain is lost" if lost and not worse else ""),
        CAUSES[evidence.cause or "turned"],
        tuple(filled(SENTENCES[sign.id], sign.tag, sign.numbers) for sign in evidence.signs),
        (
            *((keep,) if evidence.cause == "turned" else ()),
            "Mend the reward before training on: length, format, the judge.",
            "Read samples from before and after the turn.",
        ),
    )


def _run(score: np.ndarray, reward: np.ndarray) -> Run:
    n = reward.size
    return made_run(
        {
            "train/reward": reward + noise(n, 0.02, 4),
            "train/kl": 0.01 + 0.5 * np.arange(n) / n,
            "eval/accuracy": (np.arange(0, n, n // score.size)[: score.size], score + noise(score.size, 0.01, 5)),
        }
    )


AT = np.arange(20) / 20
RISES = np.linspace(0.2, 0.8, 200)  # a reward that rises evenly
DETECTOR = Detector(
    "reward-hacking",
    __doc__,
    measure,
    Limits(),
    (
        Case("the score turns and the reward goes on", "fires", lambda: _run(0.5 - np.abs(AT - 0.5) * 0.8, RISES)),
        Case("both rise", "quiet", lambda: _run(0.2 + 0.5 * AT, RISES)),
        Case("a score that is lower by a constant factor", "almost", lambda: _run(0.1 + 0.25 * AT, RISES)),
        Case("both turn", "almost", lambda: _run(0.5 - 0.6 * np.clip(AT - 0.9, 0, 1), RISES)),
    ),
    yields_to=("non-finite",),
    describe=describe,
)
