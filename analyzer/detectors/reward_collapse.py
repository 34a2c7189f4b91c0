"""The reward had been learnt and is lost again.

Why it matters
--------------
A policy that has collapsed seldom recovers by itself: it collects the poor data that it now learns from. The last
checkpoint is worse than one from the middle of the run.

How it is measured
------------------
Reinforcement learning only. The best level of a reward (the highest mean over a fifteenth of the run) is compared with
its end (both of the last two tenths), in standard errors from residuals around a smooth trend. More than half of what
had been gained since the first points must be lost, and no earlier fall that was as deep may have been made good. A
reward that ends far below where it began has collapsed whether it had gained or not. The evaluated reward is judged
before the collected one, which counts where no evaluation holds. A cause is named only where another curve moved before
the reward: the step from the old policy, its entropy, the value function, the distance from the reference, the rate.

When it is wrong
----------------
A task that gets harder on purpose (curriculum, self-play) lowers the reward of a better policy: where the log shows
one, it is reported as information. Rewards of a few noisy
episodes swing for themselves. A restart from an older checkpoint is an event of its own and explains the fall.

What to do
----------
Keep the checkpoint of the best evaluation. Lower the learning rate or let it decay, limit the change of the policy per
update (clip range, target KL), and keep some entropy.

References
----------
Schulman et al., Proximal policy optimization algorithms (2017). Henderson et al., Deep reinforcement learning that
matters (2018).

"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzer.detectors import Detector
from analyzer.features import Curve, RunFeatures
from analyzer.features.leading_indicators import moved_before
from analyzer.features.reward_level import PARAMS as STANDING
from analyzer.features.reward_level import RewardLevels, wander
from analyzer.model.case import Case, made_run, noise
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Sign, Unfit, Veto, Words
from analyzer.model.formatting import filled, number, percent, step
from analyzer.model.run import Run
from analyzer.stats.robust import median


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    lost: float = field(default=0.5, metadata={"why": "share of what had been gained that is lost again"})
    below: float = field(default=0.2, metadata={"why": "end below the start, as a share of level or range"})
    noise: float = field(default=5.0, metadata={"why": "fall of the reward, in standard errors"})
    worth: float = field(default=0.05, metadata={"why": "what had been gained, as a share of level or range"})
    stays: float = field(default=0.25, metadata={"why": "the same share in the last tenth but one: it lasts"})
    usual: float = field(default=0.75, metadata={"why": "largest earlier fall that was made good, over this one"})


@dataclass(frozen=True)
class Params:
    """What shapes the measures."""

    least: int = field(default=20, metadata={"unit": "values", "why": "two tenths of fewer are no level"})
    long: int = field(default=40, metadata={"unit": "values", "why": "fewer do not show how neighbours wander"})
    holds: float = field(default=3.0, metadata={"unit": "standard errors", "why": "a fall within the noise is none"})
    part: float = field(default=0.25, metadata={"unit": "of the gain", "why": "a smaller loss counts as held"})
    raised: float = field(default=0.2, metadata={"unit": "exploration", "why": "more random actions than before"})
    same: float = field(default=0.1, metadata={"unit": "ratio", "why": "reward per step of an episode is unchanged"})
    near: float = field(default=0.03, metadata={"unit": "of the run", "why": "between a restart and what it causes"})


PARAMS = Params()


@dataclass(frozen=True, slots=True)
class Facts:
    """What the sentences need besides."""

    before: float
    after: float
    onset: int
    lost: float | None


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield two readings for each reward that may lead: the gain that is lost, and an end below the start."""
    if features.family != "rl":
        yield Unfit("no reinforcement learning: no reward with a policy or episodes")
        return
    goals = [c for c in features.rewards.goals if c.role.goal != "net"] or list(features.rewards.goals)
    long = [c for c in goals if c.n >= PARAMS.least]
    if not long:
        yield Unfit(f"fewer than {PARAMS.least} values of a reward" if goals else "no reward is logged")
        return
    for curve in long:
        at = features.rewards.standing(curve)
        if at is not None:
            holding = [c for c in long[: long.index(curve)] if _holds(features, c)]
            yield from _readings(features, curve, at, long, holding)


def _holds(features: RunFeatures, curve: Curve) -> bool:
    """Whether a reward has lost nothing that matters."""
    at = features.rewards.standing(curve)
    return at is not None and at.gain_errors > 0 and (at.lost_errors < PARAMS.holds or at.lost < PARAMS.part * at.gain)


def _readings(
    features: RunFeatures, curve: Curve, at: RewardLevels, rewards: list[Curve], holding: list[Curve]
) -> Iterator[Evidence]:
    earlier, end = at.last_blocks
    last = int(curve.at[-1])
    for way, high, floor in (("lost", at.best, at.start), ("below", at.start, at.start)):
        onset = int(curve.at[_onset(at, high, end)])
        share = _share(high - end, at.gain) if way == "lost" else (high - end) / at.scale
        errors = _certain(at, high, end, way)
        found = [m.sign for m in moved_before(features, curve, onset)]
        notes = _notes(features, curve, onset)
        beside = [
            Sign("collected-holds", c.tag) for c in rewards if c.role.split != curve.role.split and _holds(features, c)
        ]
        event = features.event_near(onset, PARAMS.near * float(last - curve.at[0]), ("restart",))
        measures = [Measure("share of the gain that is lost", share, "lost", unit="ratio")]
        measures.append(Measure("gain before it", at.gain / at.scale, "worth", unit="of level or range"))
        if way == "below":
            measures = [Measure("end below the start", share, "below", unit="of level or range")]
        lasts = _share(high - earlier, at.gain if way == "lost" else high - end)
        measures.append(Measure("the same in the last tenth but one", lasts, "stays", unit="ratio"))
        yield Evidence(
            (curve.tag,),
            (
                *measures,
                Measure("fall of the reward", errors, "noise", unit="standard errors"),
                Measure(
                    "largest earlier fall that was made good", _usual(at, high - end), "usual", "below", "of this one"
                ),
            ),
            "info" if notes else "warning",
            first_step=onset,
            last_step=last,
            cause=found[0].id if found else None,
            signs=(*found, *notes, *beside[:1]),
            vetoes=(
                *_explores(features, onset),
                *(Veto("evaluation-holds", c.tag) for c in holding),
                # an evaluation that never gained while training did is a contradiction, and no collapse
                *(Veto("collected-holds", sign.tag) for sign in beside[:1] if way == "below"),
            ),
            facts=Facts(high, at.end, onset, min(1.0, share) if way == "lost" and at.end >= floor else None),
            marks=(
                Mark("region", curve.tag, "collapsed", (onset, last)),
                Mark("level", curve.tag, "had been reached", values=(high,)),
            ),
            explained_by=f"event:restart@{event.step}" if event else None,
        )


def _share(lost: float, gain: float) -> float:
    return lost / gain if gain > 0 else 0.0


def _onset(at: RewardLevels, high: float, low: float) -> int:
    """Return the index of the first point of the fall."""
    return at.onset(high, low) if high > low else at.n - 1


def _certain(at: RewardLevels, high: float, low: float, way: str) -> float:
    """Return a fall in standard errors when neighbours wander together: larger errors, from fewer independent values.

    Wandering is measured on both sides of the fall, which is no noise itself; the calmer side counts, because the other
    may hold the climb.
    """
    counts = (at.window if way == "lost" else at.head, at.tail)
    errors = at.errors(high - low, *counts)
    onset, gone = _onset(at, high, low), high - (1 - STANDING.begun) * (high - low)
    lower = np.flatnonzero(at.values[onset:] <= gone)
    over = onset + (int(lower[0]) if lower.size else 0)
    sides = [wander(side) for side in (at.values[:onset], at.values[over:]) if side.size >= PARAMS.long]
    if not sides or errors <= 0:
        return errors
    calmer = min(sides, key=lambda side: side.correlation)
    return calmer.by_student(errors / math.sqrt(calmer.correlation))


def _usual(at: RewardLevels, fall: float) -> float:
    """Return the deepest fall of the calmed reward that was made good before its best, over this one."""
    calm = at.calm[: int(np.argmax(at.calm)) + 1]
    deepest = float(np.max(np.maximum.accumulate(calm) - calm))
    return deepest / fall if fall > 0 else 0.0


def _notes(features: RunFeatures, curve: Curve, onset: int) -> list[Sign]:
    """Return what makes a lower reward no worse policy: a task that got harder, an episode that was made shorter."""
    notes = [
        Sign("harder-task", c.tag) for c in features.measuring("difficulty") if c is not curve and np.ptp(c.raw) > 0
    ]
    for length in features.measuring("episode-length"):
        before, after = length.raw[length.at < onset], length.raw[length.at >= onset]
        paid, now = curve.raw[curve.at < onset], curve.raw[curve.at >= onset]
        if min(before.size, after.size, paid.size, now.size) < PARAMS.least // 2 or median(before) <= 0:
            continue
        ends = float(np.max(after))
        limited = float(np.mean(after == ends)) > 1 - PARAMS.part and ends < float(np.max(before))
        ratio = median(now) / max(median(after), 1.0) - median(paid[-now.size :]) / median(before[-after.size :])
        if limited and abs(ratio) <= PARAMS.same * abs(median(now) / max(median(after), 1.0)):
            notes.append(Sign("shorter-episodes", length.tag, {"steps": ends}))
    return notes[:1]


def _explores(features: RunFeatures, onset: int) -> list[Veto]:
    """Return a veto where exploration is raised again after the onset: random actions earn less."""
    found = []
    for curve in features.measuring("exploration"):
        before, after = curve.raw[curve.at <= onset], curve.raw[curve.at > onset]
        if before.size and after.size and float(np.max(after)) > float(before[-1]) + PARAMS.raised:
            found.append(Veto("explores-again", curve.tag))
    return found


CAUSES = {
    "rate-raised": "the learning rate was raised just before",
    "entropy-collapsed": "the policy's entropy collapsed: it stopped exploring",
    "update-too-large": "updates of the policy that were too large",
    "value-diverged": "the value function diverged",
    "left-the-reference": "the policy left the reference model",
}
MOVES = "{tag} goes from {from} to {to} by step {step:step}, before the fall"
SENTENCES = dict.fromkeys(CAUSES, MOVES) | {
    "harder-task": "{tag} changes: the task got harder on purpose (lessons, self-play)",
    "shorter-episodes": "{tag} ends at a limit of {steps} steps: episodes were made shorter, a step earns as much",
    "collected-holds": "{tag} does not fall with it: evaluation differs from training (exploration, seeds, wrappers)",
}


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    facts: Facts = evidence.facts
    onset = step(facts.onset)
    rate = "Lower the learning rate, or let it decay."
    clip = "Limit the change of the policy per update (clip range, target KL)."
    keep = "Keep some entropy: a larger entropy coefficient, or a target entropy."
    critic = "Clip the gradient and the value loss, and check the scale of rewards and targets."
    near = "Raise the weight of the KL penalty, and read samples from that step."
    log = "Log step KL, entropy, explained variance and an evaluation without exploration: nothing here moved first."
    advice = {
        "rate-raised": (rate, clip),
        "entropy-collapsed": (keep, rate),
        "update-too-large": (clip, rate),
        "value-diverged": (critic, rate),
        "left-the-reference": (near, rate),
    }.get(evidence.cause or "", (rate, clip, keep, log))
    had = f"{evidence.tags[0]} had reached {number(facts.before)} and falls from step {onset} to {number(facts.after)}"
    left = "less than before it learnt anything" if facts.lost is None else f"{percent(facts.lost)} of the gain is lost"
    return Words(
        f"{had}: {left}",
        CAUSES.get(evidence.cause or ""),
        tuple(filled(SENTENCES[sign.id], sign.tag, sign.numbers) for sign in evidence.signs),
        (f"Keep the checkpoint from before step {onset}.", *advice),
    )


def _learnt(points: int, collapse: int, level: float) -> np.ndarray:
    values = 200 * (1 - np.exp(-5 * np.arange(points) / points)) + noise(points, 12, 4)
    values[collapse:] = level + noise(points - collapse, 12, 5)
    return values


def _run(reward: np.ndarray, **more: np.ndarray) -> Run:
    return made_run({"rollout/ep_rew_mean": reward, "train/value_loss": np.abs(noise(reward.size, 1.0, 2)), **more})


DETECTOR = Detector(
    "reward-collapse",
    __doc__,
    measure,
    Limits(),
    (
        Case("learnt and lost", "fires", lambda: _run(_learnt(300, 200, 20.0))),
        Case(
            "a policy that stopped exploring",
            "fires",
            lambda: _run(_learnt(300, 200, 20.0), **{"train/entropy": np.r_[np.full(185, 1.3), np.full(115, 0.02)]}),
        ),
        Case(
            "learnt and kept",
            "quiet",
            lambda: _run(_learnt(300, 300, 0.0)),
        ),
        Case("a dip that returns", "almost", lambda: _run(np.r_[_learnt(200, 170, 60.0), 190 + noise(100, 12)])),
        Case("noise that never learnt", "almost", lambda: _run(noise(200, 30, 8))),
        Case("a small loss at the end", "almost", lambda: _run(_learnt(300, 240, 150.0))),
    ),
    describe=describe,
    retired=("gained",),
    yields_to=("non-finite", "reward-hacking"),
)
