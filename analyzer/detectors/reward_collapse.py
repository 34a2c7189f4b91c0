"""The reward had been learnt and is lost again.

Why it matters
--------------
A policy that has collapsed seldom recovers by itself: it collects the poor data that it now learns from. The last
checkpoint is worse than one from the middle of the run.

How it is measured
------------------
Reinforcement learning only. The level at the end of the reward (evaluated before collected) is compared with the best
level that was held for a tenth of the run, in standard errors that know trend, curvature and autocorrelation. More than
half of what had been gained since the first points must be lost, and the reward must not have fallen as far before and
come back. What happened shortly before the fall is read from the other curves: the policy's entropy, the value loss,
the divergence from the old policy.

When it is wrong
----------------
A task that gets harder on purpose (curriculum, self-play) lowers the reward of a better policy: where the log shows
one, it is told without alarm. Rewards of a few noisy
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

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzer.anatomy import Anatomy, Curve
from analyzer.anatomy.course import Rise
from analyzer.detectors import Detector
from analyzer.model.case import Case, made_run, noise
from analyzer.model.roles import words_of
from analyzer.model.run import Run
from analyzer.model.verdict import Evidence, Mark, Measure, Reading, Sign, Unfit, Words
from analyzer.model.wording import filled, number, percent, step
from analyzer.stats.robust import median

HARDER = {"lesson", "curriculum", "difficulty", "elo"}  # words of a task that changes while it is learnt


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    lost: float = field(default=0.5, metadata={"why": "share of what had been gained that is lost again"})
    noise: float = field(default=5.0, metadata={"why": "fall from the best level, in standard errors"})
    usual: float = field(default=0.6, metadata={"why": "largest earlier fall that was made good, over this one"})


@dataclass(frozen=True)
class Params:
    """What shapes the measures."""

    least: int = field(default=12, metadata={"unit": "points", "why": "of a reward that was learnt and lost"})
    stopped: float = field(default=0.35, metadata={"unit": "×", "why": "entropy at the fall, over that before it"})
    apart: float = field(default=3.0, metadata={"unit": "×", "why": "divergence of the policy at the fall"})
    wild: float = field(default=4.0, metadata={"unit": "×", "why": "value loss at the fall"})
    reach: float = field(default=0.1, metadata={"unit": "of the run", "why": "before the fall, where a cause shows"})
    few: int = field(default=5, metadata={"unit": "points", "why": "of another curve before the fall"})
    half: float = field(default=0.5, metadata={"unit": "standard deviations", "why": "fall of one that holds"})


PARAMS = Params()


@dataclass(frozen=True, slots=True)
class Facts:
    """What the sentences need besides."""

    before: float
    after: float
    onset: int
    lost: float


def measure(anatomy: Anatomy) -> Iterator[Reading]:
    """Yield one reading for the evaluated reward, or for the collected one where there is no other."""
    if anatomy.family != "rl":
        yield Unfit("no reinforcement learning: no reward with a policy or episodes")
        return
    rewards = [c for c in anatomy.having("metric") if c.role.kind == "reward" and "std" not in words_of(c.tag)]
    long = [c for c in rewards if c.n >= PARAMS.least and np.ptp(c.raw) > 0]
    if not long:
        yield Unfit(f"fewer than {PARAMS.least} values of a reward that changes" if rewards else "no reward is logged")
        return
    # evaluated without exploration before collected while exploring
    first = min(long, key=lambda c: (c.role.split not in ("validation", "test"), -c.n))
    relapse = first.course.relapse
    if relapse is not None:
        yield _reading(anatomy, first, relapse, [c for c in long if c is not first])


def _reading(anatomy: Anatomy, curve: Curve, fall: Rise, rewards: list[Curve]) -> Evidence:
    onset, last = int(curve.at[fall.onset]), int(curve.at[-1])
    found = _causes(anatomy, onset, last)
    event = anatomy.event_near(onset, 0.03 * float(last - curve.at[0]), ("restart",))
    harder = next((t for t in anatomy.curves if HARDER & set(words_of(t))), None)
    against = [Sign("harder-task", harder)] if harder is not None else []
    holding = _holding(curve, rewards, onset)
    against += [Sign("collected-holds", holding.tag)] if holding is not None else []
    lost = min(fall.of_progress, 1.0) if fall.errors > 0 else 0.0
    return Evidence(
        (curve.tag,),
        (
            Measure("share of the gain that is lost", lost, "lost", unit="ratio"),
            Measure("fall from the best level", curve.course.by_student(fall.errors), "noise", unit="standard errors"),
            Measure("largest earlier fall that was made good", fall.usual, "usual", "below", "of this one"),
        ),
        "warning" if harder is None else "info",
        first_step=onset,
        last_step=last,
        cause=found[0].id if found else None,
        signs=(*found, *against),
        facts=Facts(fall.before, fall.after, onset, lost),
        marks=(
            Mark("region", curve.tag, "collapsed", (onset, last)),
            Mark("level", curve.tag, "had been reached", values=(fall.before,)),
        ),
        explained_by=f"event:restart@{event.step}" if event else None,
    )


def _causes(anatomy: Anatomy, onset: int, last: int) -> list[Sign]:
    """Return a sign for each other curve that moved shortly before the fall."""
    found: list[Sign] = []
    for curve in anatomy.curves.values():
        words = set(words_of(curve.tag))
        moved = _moved(curve, onset, PARAMS.reach * last)
        if moved is None:
            continue
        before, around = moved
        numbers = {"from": before, "to": around}
        if "entropy" in words and not words & {"coef", "coefficient"} and abs(around) < PARAMS.stopped * abs(before):
            found.append(Sign("entropy-collapsed", curve.tag, numbers))
        elif "kl" in words and around > PARAMS.apart * before > 0:
            found.append(Sign("update-too-large", curve.tag, numbers))
        elif words & {"value", "critic", "qf"} and "loss" in words and around > PARAMS.wild * before > 0:
            found.append(Sign("value-diverged", curve.tag, numbers))
    return found


def _moved(curve: Curve, onset: int, reach: float) -> tuple[float, float] | None:
    """Return the usual level of a curve before the fall and its level at it; None with too few points for either."""
    before = curve.raw[curve.at < onset - reach]
    around = curve.raw[(curve.at >= onset - 0.3 * reach) & (curve.at <= onset + 0.2 * reach)]
    if before.size < PARAMS.few or around.size < 2:
        return None
    return median(before[-max(PARAMS.few, before.size // 2) :]), median(around)


def _holding(curve: Curve, rewards: list[Curve], onset: int) -> Curve | None:
    """Return the collected reward that holds while the evaluated one falls, None where there is none."""
    for other in rewards:
        before, after = other.raw[other.at <= onset], other.raw[other.at > onset]
        if other.role.split == curve.role.split or min(before.size, after.size) < PARAMS.few:
            continue
        held = before[-max(PARAMS.few, before.size // 5) :]
        if median(after[-max(PARAMS.few, after.size // 2) :]) >= median(held) - PARAMS.half * float(np.std(held)):
            return other
    return None


CAUSES = {
    "entropy-collapsed": "the policy's entropy collapsed: it stopped exploring",
    "update-too-large": "updates of the policy that were too large",
    "value-diverged": "the value function diverged",
}
SENTENCES = dict.fromkeys(CAUSES, "{tag} goes from {from} to {to} before the fall") | {
    "harder-task": "{tag} is logged: the task may have got harder on purpose (lessons, self-play)",
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
    advice = {
        "entropy-collapsed": (keep, rate),
        "update-too-large": (clip, rate),
        "value-diverged": (critic, rate),
    }.get(evidence.cause or "", (rate, clip, keep))
    return Words(
        f"{evidence.tags[0]} had reached {number(facts.before)} and falls from step {onset} to {number(facts.after)}: "
        f"{percent(facts.lost)} of the gain is lost",
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
    yields_to=("non-finite",),
)
