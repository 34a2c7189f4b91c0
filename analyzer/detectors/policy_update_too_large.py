"""Updates change the policy by more than the method allows for.

Why it matters
--------------
Policy gradients hold near the policy that collected the data. Far from it the update follows an error, and one such
update can undo everything that had been learnt.

How it is measured
------------------
Reinforcement learning only. The share of ratios that were clipped, and the divergence from the policy before the
update, as the highest median over a tenth of the run, its first twentieth left out. Usual are shares of 0.05 to 0.2
and divergences below 0.02.

When it is wrong
----------------
A clip range that is set very small clips nearly everything without harm. Where the reward rises and holds, large
updates are a note.

What to do
----------
Lower the learning rate or let it decay, take fewer passes over a batch, stop a batch early at a target KL, or clip the
gradient norm.

References
----------
Schulman et al., Proximal policy optimization algorithms (2017). Huang et al., The 37 implementation details of
proximal policy optimization (2022).

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzer.detectors import Detector
from analyzer.features import Curve, RunFeatures
from analyzer.features.reward_level import PARAMS as STANDING
from analyzer.model.case import Case, made_run, noise
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Sign, Unfit, Veto, Words
from analyzer.model.formatting import filled, number, percent, step
from analyzer.model.run import Run


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    share: float = field(default=0.3, metadata={"unit": "ratio", "why": "share of the ratios that are clipped"})
    divergence: float = field(default=0.1, metadata={"unit": "nats", "why": "divergence of the policy in one update"})


@dataclass(frozen=True)
class Params:
    """What shapes the measures."""

    least: int = field(default=10, metadata={"unit": "points", "why": "whose median no single update decides"})
    part: float = field(default=0.1, metadata={"unit": "of the run", "why": "so long updates are too large, at least"})
    first: float = field(
        default=0.05, metadata={"unit": "of the run", "why": "the first updates are larger than usual"}
    )
    tiny: float = field(default=0.05, metadata={"unit": "ratio", "why": "a clip range that clips nearly everything"})
    lost: float = field(
        default=0.25, metadata={"unit": "of the gain", "why": "a reward that has lost so much has fallen"}
    )


PARAMS = Params()


@dataclass(frozen=True, slots=True)
class Facts:
    """What the sentences need besides: the level, and the steps between which it was reached."""

    level: float
    first: int
    last: int
    shares: bool


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield a reading for each clipped share and each divergence of an update."""
    if features.family != "rl":
        yield Unfit("no reinforcement learning")
        return
    curves = features.measuring("step-kl", "clip-share")
    long = [c for c in curves if c.n >= 2 * PARAMS.least]
    if not long:
        why = f"fewer than {2 * PARAMS.least} values of either" if curves else "neither is logged"
        yield Unfit(f"clipped share and divergence of an update: {why}")
        return
    for curve in long:
        yield _reading(features, curve)


def _reading(features: RunFeatures, curve: Curve) -> Evidence:
    begin = int(PARAMS.first * curve.n)
    values = curve.raw[begin:]
    width = min(values.size, max(PARAMS.least, int(PARAMS.part * curve.n)))
    levels = np.median(np.lib.stride_tricks.sliding_window_view(values, width), axis=-1)
    top = int(np.argmax(levels))
    level, shares = float(levels[top]), curve.role.signal == "clip-share"
    first, last = int(curve.at[begin + top]), int(curve.at[begin + top + width - 1])
    trouble = _trouble(features)
    limit = "share" if shares else "divergence"
    return Evidence(
        curve.tags,
        (Measure("highest level over a tenth of the run", level, limit, unit="ratio" if shares else "nats"),),
        "warning" if trouble else "info",
        first_step=first,
        last_step=last,
        cause="steps-too-long",
        marks=(Mark("region", curve.tag, "large updates", (first, last)),),
        signs=trouble,
        vetoes=_tiny_range(features) if shares else (),
        facts=Facts(level, first, last, shares),
    )


def _trouble(features: RunFeatures) -> tuple[Sign, ...]:
    """Return a sign where the leading reward falls, or never rose."""
    lead = features.rewards.lead()
    at = features.rewards.standing(lead) if lead is not None else None
    if lead is None or at is None or at.at_ceiling:
        return ()
    if at.gain_errors < STANDING.clear:
        return (Sign("reward-stalls", lead.tag, {"start": at.start, "end": at.end}),)
    if at.lost > PARAMS.lost * at.gain and at.lost_errors >= STANDING.clear:
        return (Sign("reward-falls", lead.tag, {"best": at.best, "end": at.end}),)
    return ()


def _tiny_range(features: RunFeatures) -> tuple[Veto, ...]:
    """Return a veto where the logged clip range is so small that clipping is the rule."""
    ranges = [c for t, c in features.curves.items() if t.endswith("clip_range") and c.n]
    return tuple(Veto("tiny-clip-range", c.tag) for c in ranges[:1] if float(np.max(c.raw)) < PARAMS.tiny)


SENTENCES = {
    "reward-stalls": "{tag} shows no clear gain: {start} at first, {end} at the end",
    "reward-falls": "{tag} falls from {best} to {end}",
}


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    facts: Facts = evidence.facts
    where = f"between steps {step(facts.first)} and {step(facts.last)}"
    summary = f"an update moves the policy by {number(facts.level)} nats ({evidence.tags[0]}) {where}; usual is 0.02"
    if facts.shares:
        summary = f"{percent(facts.level)} of the ratios are clipped {where} ({evidence.tags[0]}); usual are 5 to 20 %"
    return Words(
        summary,
        "a learning rate that is too high, or too many passes over the same batch",
        tuple(filled(SENTENCES[sign.id], sign.tag, sign.numbers) for sign in evidence.signs),
        (
            "Lower the learning rate, or let it decay.",
            "Take fewer passes over each batch, or stop a batch early at a target KL.",
            "Clip the gradient norm.",
        ),
    )


def _run(divergence: float, gain: float, lost: float = 0.0) -> Run:
    climb = np.minimum(np.arange(200) / 80, 1.0)
    reward = 20 + gain * climb - lost * (np.arange(200) >= 150) + noise(200, 3.0, 4)
    return made_run({"rollout/ep_rew_mean": reward, "train/approx_kl": divergence * np.exp(noise(200, 0.3, 5))})


DETECTOR = Detector(
    "policy-update-too-large",
    __doc__,
    measure,
    Limits(),
    (
        Case("divergences of one nat, and nothing learnt", "fires", lambda: _run(1.0, 0.0)),
        Case("usual updates", "quiet", lambda: _run(0.01, 100.0)),
        Case("large updates of a policy that learns", "almost", lambda: _run(0.2, 100.0)),
        Case(
            "large updates at first",
            "almost",
            lambda: made_run(
                {
                    "rollout/ep_rew_mean": 20 + np.minimum(np.arange(200), 100) + noise(200, 3.0, 4),
                    "train/clip_fraction": np.where(np.arange(200) < 8, 0.6, 0.1),
                }
            ),
        ),
    ),
    yields_to=("reward-collapse", "non-finite"),
    describe=describe,
)
