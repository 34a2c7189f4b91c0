"""Many answers are cut off at the length limit.

Why it matters
--------------
An answer that is cut off cannot be right, whatever it would have said: it is paid as a failure, and the policy learns
from it. Where longer answers pay, cutting becomes the rule.

How it is measured
------------------
Reinforcement learning of language models: the share of completions that reach the limit, over the last tenth of the
run. A quarter must be cut off, a tenth more than at the start; or half of them throughout.

When it is wrong
----------------
Some truncation is ordinary where answers are long. While the reward or an independent score still rises it is a note.

What to do
----------
Raise the limit, penalise length beyond a soft limit, or leave cut answers out of the loss. Read some of them.

References
----------
Yu et al., DAPO: an open-source LLM reinforcement learning system at scale (2025), overlong reward shaping. Liu et al.,
Understanding R1-zero-like training (2025).

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzer.detectors import Detector
from analyzer.features import Curve, RunFeatures
from analyzer.model.case import Case, made_run, noise
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Sign, Unfit, Words
from analyzer.model.formatting import filled, percent, step
from analyzer.model.run import Run


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    share: float = field(default=0.25, metadata={"unit": "ratio", "why": "share of answers cut off in the last tenth"})
    more: float = field(default=0.1, metadata={"unit": "ratio", "why": "growth of that share since the start"})
    always: float = field(default=0.5, metadata={"unit": "ratio", "why": "share cut off in every tenth of the run"})


@dataclass(frozen=True)
class Params:
    """What shapes the measures."""

    least: int = field(default=20, metadata={"unit": "points", "why": "fewer make no tenths"})
    part: int = field(default=10, metadata={"unit": "windows", "why": "start and end are tenths"})


PARAMS = Params()


@dataclass(frozen=True, slots=True)
class Facts:
    """What the sentences need besides."""

    start: float
    end: float
    since: int


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield two readings of the share that is cut off: its growth, and its level throughout."""
    curves = features.measuring("truncated") if features.family == "rl" else []
    long = [c for c in curves if c.n >= PARAMS.least]
    if not long:
        why = f"fewer than {PARAMS.least} values" if curves else "it is not logged"
        yield Unfit(f"share of completions that are cut off: {why}")
        return
    yield from _readings(features, long[0])


def _readings(features: RunFeatures, curve: Curve) -> Iterator[Evidence]:
    tenth = curve.n // PARAMS.part
    means = [float(np.mean(part)) for part in np.array_split(curve.raw, PARAMS.part)]
    start, end = float(np.mean(curve.raw[:tenth])), float(np.mean(curve.raw[-tenth:]))
    calm = np.convolve(curve.raw, np.ones(tenth) / tenth, "valid")
    above = np.flatnonzero(calm >= (start + end) / 2)
    since, last = int(curve.at[int(above[0]) if above.size else 0]), int(curve.at[-1])
    change = features.rewards.since(since)
    rises = change is not None and change.rises
    moved = "reward-rises" if rises else "reward-rests"
    signs = (Sign(moved, change.curve.tag, change.numbers),) if change is not None else ()
    growth = (
        Measure("share cut off over the last tenth", end, "share", unit="ratio"),
        Measure("growth of that share", end - start, "more", unit="ratio"),
    )
    throughout = (Measure("smallest share cut off in a tenth of the run", min(means), "always", unit="ratio"),)
    for measures, first in ((growth, since), (throughout, int(curve.at[0]))):
        yield Evidence(
            curve.tags,
            measures,
            "info" if rises else "warning",
            first_step=first,
            last_step=last,
            cause="length",
            marks=(Mark("region", curve.tag, "cut off", (first, last)),),
            signs=signs,
            facts=Facts(start, end, first),
        )


SENTENCES = {
    "reward-rises": "{tag} still rises meanwhile, from {before} to {after}",
    "reward-rests": "{tag} gains nothing meanwhile: {before}, then {after}",
}


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    facts: Facts = evidence.facts
    return Words(
        f"{percent(facts.end)} of the completions are cut off at the limit at the end, {percent(facts.start)} at "
        f"the start, most of it from step {step(facts.since)} on ({evidence.tags[0]})",
        "answers that grow into the limit: it is too low, or the reward pays for length",
        tuple(filled(SENTENCES[sign.id], sign.tag, sign.numbers) for sign in evidence.signs),
        (
            "Read some of the answers that are cut off.",
            "Raise the limit, or penalise length beyond a soft limit.",
            "Leave cut answers out of the loss.",
        ),
    )


def _run(cut: np.ndarray, reward: np.ndarray) -> Run:
    n = reward.size
    return made_run(
        {
            "train/reward": reward + noise(n, 0.02, 4),
            "train/kl": 0.01 + 0.2 * np.arange(n) / n,
            "train/completions/clipped_ratio": np.clip(cut + noise(n, 0.02, 5), 0, 1),
        }
    )


AT = np.arange(200) / 200
RISES = np.linspace(0.2, 0.8, 200)  # a reward that rises evenly
DETECTOR = Detector(
    "truncated-completions",
    __doc__,
    measure,
    Limits(),
    (
        Case("most of them, and the reward has stopped", "fires", lambda: _run(0.7 * AT, 0.2 + np.minimum(AT, 0.2))),
        Case("half of them throughout", "fires", lambda: _run(np.full(200, 0.6), np.full(200, 0.4))),
        Case("few", "quiet", lambda: _run(np.full(200, 0.05), RISES)),
        Case("more and more while the reward rises", "almost", lambda: _run(0.5 * AT, RISES)),
    ),
    yields_to=("reward-collapse", "non-finite"),
    describe=describe,
)
