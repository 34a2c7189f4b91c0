"""The policy's entropy is gone, and since then the reward gains nothing.

Why it matters
--------------
A policy without entropy tries nothing new. What it does wrong it does for ever, because no sample shows it anything
better; the groups of a language model consist of one answer, and there is nothing left to compare.

How it is measured
------------------
Reinforcement learning only. The entropy at each point is compared with that of the first points (minus the entropy, as
several libraries log it, is turned over). It must be below a twentieth of the start, or next to nothing from the start
on, for a fifth of the run and up to the end. Differential entropy of continuous actions has no zero: there a fall of
2.3 nats per action dimension counts, which narrows each action to a tenth of its spread.

When it is wrong
----------------
A solved task may be done without any randomness: where the reward is at a known ceiling or still rises, it is a note,
and so it is where an agent in an environment has clearly gained and kept it. A coefficient that is annealed on purpose
takes the entropy with it.

What to do
----------
Raise the entropy coefficient or the target entropy, sample at a higher temperature, or clip ratios less above than
below one (clip-higher). Start again from a checkpoint that still had entropy.

References
----------
Ahmed et al., Understanding the impact of entropy on policy optimization (2019). Yu et al., DAPO: an open-source LLM
reinforcement learning system at scale (2025).

"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzer.detectors import Detector
from analyzer.features import Curve, RunFeatures
from analyzer.features.leading_indicators import entropy_of
from analyzer.model.case import Case, made_run, noise
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Sign, Unfit, Veto, Words
from analyzer.model.formatting import filled, number, percent, step
from analyzer.stats.robust import median
from analyzer.stats.suffix import majority_suffix


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    left: float = field(
        default=0.05, metadata={"unit": "of the start", "why": "entropy at the end over that at the start"}
    )
    lasted: float = field(
        default=0.2, metadata={"unit": "of the run", "why": "share of the run, to its end, without entropy"}
    )


@dataclass(frozen=True)
class Params:
    """What shapes the measures."""

    least: int = field(default=20, metadata={"unit": "points", "why": "fewer show no lasting state"})
    first: int = field(default=3, metadata={"unit": "points", "why": "before the policy has moved"})
    gone: float = field(default=0.05, metadata={"unit": "of the start", "why": "a policy that hardly varies"})
    none: float = field(
        default=0.02, metadata={"unit": "of ln 2", "why": "less than any choice between two actions has"}
    )
    narrowed: float = field(default=2.3, metadata={"unit": "nats", "why": "a tenth of the spread of an action is left"})
    gaussian: float = field(
        default=1.42, metadata={"unit": "nats", "why": "entropy of one action with a standard deviation of one"}
    )
    annealed: float = field(default=0.5, metadata={"unit": "×", "why": "coefficient at the end over that at the start"})


PARAMS = Params()


@dataclass(frozen=True, slots=True)
class Facts:
    """What the sentences need besides."""

    start: float
    end: float
    since: int
    from_the_start: bool
    lasted: float


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield one reading of the policy's entropy."""
    if features.family != "rl":
        yield Unfit("no reinforcement learning")
        return
    curves = features.measuring("entropy")
    long = [c for c in curves if c.n >= PARAMS.least]
    if not long:
        why = f"fewer than {PARAMS.least} values of the entropy" if curves else "no entropy of the policy is logged"
        yield Unfit(why)
        return
    yield _reading(features, long[0])


def _reading(features: RunFeatures, curve: Curve) -> Evidence:
    values = entropy_of(curve)
    start, end = median(values[: PARAMS.first]), median(values[-max(PARAMS.first, curve.n // 10) :])
    nothing = PARAMS.none * math.log(2)
    low = nothing if start <= nothing else PARAMS.gone * start
    floor = 0.0
    if float(np.min(values)) < -nothing:  # continuous actions
        low = start - PARAMS.narrowed * max(1, round(start / PARAMS.gaussian))
        floor = low - PARAMS.gone * (start - low)
    since = majority_suffix(values <= low)
    first, last = int(curve.at[since if since is not None else curve.n - 1]), int(curve.at[-1])
    lasted = (last - first) / max(1, last - int(curve.at[0]))
    left = max(0.0, (end - floor) / (start - floor)) if start > nothing and start > floor else 0.0
    change = features.rewards.since(first)
    rises = change is not None and change.rises
    # how much is left to learn is known where tasks are counted, and there nearly always is some for a language model
    room = features.rewards.share_solved is not None or features.kind.branch == "language"
    harmless = rises or features.rewards.solved or (features.rewards.earned and not room)
    signs = []
    if change is not None:
        signs.append(Sign("reward-rises" if rises else "reward-rests", change.curve.tag, change.numbers))
    return Evidence(
        curve.tags,
        (
            Measure("entropy at the end over that at the start", left, "left", "below", "ratio"),
            Measure("share of the run without entropy", lasted, "lasted", unit="ratio"),
        ),
        "info" if harmless else "warning",
        first_step=first,
        last_step=last,
        cause="decided-before-it-learnt" if start <= nothing else "no-exploration",
        marks=(Mark("region", curve.tag, "no entropy", (first, last)),),
        signs=tuple(signs),
        vetoes=_annealed(features),
        facts=Facts(start, end, first, start <= nothing, lasted),
    )


def _annealed(features: RunFeatures) -> tuple[Veto, ...]:
    """Return a veto where the coefficient of the entropy is lowered on purpose."""
    lowered = [
        c
        for c in features.measuring("coefficient")
        if c.raw[0] > 0 and c.raw[-1] < PARAMS.annealed * c.raw[0] and np.mean(np.diff(c.raw) <= 0) == 1
    ]
    return tuple(Veto("coefficient-annealed", c.tag) for c in lowered[:1])


CAUSES = {
    "decided-before-it-learnt": "a policy that had decided before it learnt anything: initialisation, scale of actions",
    "no-exploration": "too little reward for keeping options open",
}
SENTENCES = {
    "reward-rises": "{tag} still rises meanwhile, from {before} to {after}",
    "reward-rests": "{tag} gains nothing meanwhile: {before}, then {after}",
}


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    facts: Facts = evidence.facts
    if facts.from_the_start:
        summary = f"{evidence.tags[0]} shows no entropy from the start on ({number(facts.start)})"
        advice = ("Check the initialisation of the policy's last layer and the scale of actions and observations.",)
    else:
        summary = (
            f"the entropy falls from {number(facts.start)} to {number(facts.end)} ({evidence.tags[0]}) and is gone "
        )
        summary += f"from step {step(facts.since)} on, for {percent(facts.lasted)} of the run"
        advice = (f"Go back to a checkpoint before step {step(facts.since)}, while the policy still varied.",)
    return Words(
        summary,
        CAUSES[evidence.cause or "no-exploration"],
        tuple(filled(SENTENCES[sign.id], sign.tag, sign.numbers) for sign in evidence.signs),
        (
            *advice,
            "Raise the entropy coefficient or the target entropy, or the sampling temperature.",
            "With ratio clipping, clip less above one than below (clip-higher).",
        ),
    )


def _reward(points: int, rise: float = 100.0, until: float = 1.0) -> np.ndarray:
    climb = np.minimum(np.arange(points) / (until * points), 1.0)
    return 20 + rise * climb + noise(points, 3.0, 4)


def _gone(points: int, until: float, left: float) -> np.ndarray:
    fall = np.exp(-5 * np.minimum(np.arange(points) / (until * points), 1.0))
    return np.asarray(left + 1.3 * fall * np.exp(noise(points, 0.05, 5)))


DETECTOR = Detector(
    "entropy-collapse",
    __doc__,
    measure,
    Limits(),
    (
        Case(
            "gone at half of the run",
            "fires",
            lambda: made_run({"rollout/ep_rew_mean": _reward(200, 0.0), "train/entropy": _gone(200, 0.4, 0.0)}),
        ),
        Case(
            "none from the start",
            "fires",
            lambda: made_run(
                {"rollout/ep_rew_mean": 9 + noise(200, 0.1), "train/entropy": 1e-3 * np.exp(noise(200, 0.3))}
            ),
        ),
        Case(
            "it falls while the reward rises",
            "quiet",
            lambda: made_run({"rollout/ep_rew_mean": _reward(200), "train/entropy": _gone(200, 1.0, 0.2)}),
        ),
        Case(
            "gone while the reward still rises",
            "almost",
            lambda: made_run({"rollout/ep_rew_mean": _reward(200), "train/entropy": _gone(200, 0.4, 0.0)}),
        ),
        Case(
            "an annealed coefficient",
            "almost",
            lambda: made_run(
                {
                    "rollout/ep_rew_mean": _reward(200, 0.0),
                    "train/entropy": _gone(200, 0.4, 0.0),
                    "train/ent_coef": np.linspace(0.01, 0.0, 200),
                }
            ),
        ),
    ),
    yields_to=("reward-collapse", "reward-hacking", "non-finite"),
    describe=describe,
)
