"""The reward had been learnt and is lost again.

Why it matters
--------------
A policy that has collapsed seldom recovers by itself: it collects the poor data that it now learns from. The last
checkpoint is worse than one from the middle of the run.

How it is measured
------------------
Reinforcement learning only. The reward (evaluated before collected) is averaged over tenths of its points. From the
best tenth to the last more than half of what had been gained since the first must be lost, beyond the spread of
neighbouring tenths, and the two last tenths must both be low. What happened shortly before the fall is read from the
other curves: the policy's entropy, the value loss, the divergence from the old policy, the length of episodes.

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
from analyzer.detectors import Detector
from analyzer.model.case import Case, made_run, noise
from analyzer.model.roles import words_of
from analyzer.model.run import Run
from analyzer.model.verdict import Evidence, Mark, Measure, Reading, Unfit
from analyzer.model.wording import number, percent, step
from analyzer.stats.robust import median
from analyzer.stats.trend import centred_mean

LEAST = 20  # points
TENTHS = 10
HARDER = {"lesson", "curriculum", "difficulty", "elo"}  # words of a task that changes while it is learnt


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    lost: float = field(default=0.5, metadata={"why": "share of what had been gained that is lost again"})
    noise: float = field(default=5.0, metadata={"why": "fall from the best tenth, in units of its own noise"})
    gained: float = field(default=4.0, metadata={"why": "what had been gained, in units of its own noise"})


def measure(anatomy: Anatomy) -> Iterator[Reading]:
    """Yield one reading for the evaluated reward, or for the collected one where there is no other."""
    if anatomy.family != "rl":
        yield Unfit("no reinforcement learning: no reward with a policy or episodes beside it")
        return
    rewards = [c for c in anatomy.having("metric") if c.role.kind == "reward" and "std" not in words_of(c.tag)]
    long = [c for c in rewards if c.n >= LEAST and np.ptp(c.raw) > 0]
    if not long:
        yield Unfit(f"fewer than {LEAST} values of a reward that changes" if rewards else "no reward is logged")
        return
    # evaluated without exploration before collected while exploring
    first = min(long, key=lambda c: (c.role.split not in ("validation", "test"), -c.n))
    yield _reading(anatomy, first.coarse, [c for c in long if c is not first])


def _reading(anatomy: Anatomy, curve: Curve, rewards: list[Curve]) -> Evidence:
    levels = np.array([float(np.mean(part)) for part in np.array_split(curve.raw, TENTHS)])
    best = int(np.argmax(levels))
    end = float(max(levels[-2:])) if best < TENTHS - 2 else float(levels[best])
    gained, fallen = float(levels[best] - levels[0]), float(levels[best] - end)
    # a collapse is one leap between two tenths, learning a few: what the others do is noise, however slow
    spread = max(1.4826 * median(np.abs(np.diff(levels))) / 1.4142, _error(curve))
    onset = _onset(curve, levels[best], end)
    last = int(curve.at[-1])
    cause, speaks, advice = _cause(anatomy, onset, last)
    event = anatomy.event_near(onset, 0.03 * float(last - curve.at[0]), ("restart",))
    against = _against(curve, rewards, onset)
    harder = next((t for t in anatomy.curves if HARDER & set(words_of(t))), None)
    if harder is not None:
        against = (f"{harder} is logged: the task may have got harder on purpose (lessons, self-play)", *against)
    lost = fallen / gained if gained > 0 else 0.0
    return Evidence(
        (curve.tag,),
        (
            Measure("share of the gain that is lost", lost, "lost", unit="ratio"),
            Measure("fall from the best tenth", fallen / spread, "noise", unit="× noise"),
            Measure("gain to the best tenth", gained / spread, "gained", unit="× noise"),
        ),
        "warning" if harder is None else "info",
        f"{curve.tag} had reached {number(float(levels[best]))} and falls from step {step(onset)} to "
        f"{number(float(levels[-1]))}: {percent(min(1.0, lost))} of the gain is lost",
        onset,
        last,
        cause,
        (*speaks, *against),
        (f"Keep the checkpoint from before step {step(onset)}.", *advice),
        marks=(
            Mark("region", curve.tag, "collapsed", (onset, last)),
            Mark("level", curve.tag, "had been reached", values=(float(levels[best]),)),
        ),
        explained_by=f"event:restart@{event.step}" if event else None,
    )


def _error(curve: Curve) -> float:
    """Standard error of a tenth's mean, by the spread of points and their correlation with the next."""
    rho = min(max(curve.rho, 0.0), 0.95)
    return max(curve.sigma * float(np.sqrt(TENTHS / curve.n * (1 + rho) / (1 - rho))), 1e-9 * float(np.ptp(curve.raw)))


def _onset(curve: Curve, high: float, low: float) -> int:
    """Return the last step at which the calmed reward was still above the middle of its fall by a half."""
    calm = centred_mean(curve.raw, max(3, curve.n // 20))
    near = np.flatnonzero(calm >= low + 0.75 * (high - low))
    return int(curve.at[near[-1]]) if near.size else int(curve.at[0])


def _cause(anatomy: Anatomy, onset: int, last: int) -> tuple[str | None, tuple[str, ...], tuple[str, ...]]:
    rate = "Lower the learning rate, or let it decay."
    clip = "Limit the change of the policy per update (clip range, target KL)."
    keep = "Keep some entropy: a larger entropy coefficient, or a target entropy."
    critic = "Clip the gradient and the value loss, and check the scale of rewards and targets."
    found: list[tuple[str, str, tuple[str, ...]]] = []
    for curve in anatomy.curves.values():
        words = set(words_of(curve.tag))
        moved = _moved(curve, onset, 0.1 * last)
        if moved is None:
            continue
        before, around = moved
        said = f"{curve.tag} goes from {number(before)} to {number(around)} before the fall"
        if "entropy" in words and not words & {"coef", "coefficient"} and abs(around) < 0.35 * abs(before):
            found.append(("the policy's entropy collapsed: it stopped exploring", said, (keep, rate)))
        elif "kl" in words and around > 3 * before > 0:
            found.append(("updates of the policy that were too large", said, (clip, rate)))
        elif words & {"value", "critic", "qf"} and "loss" in words and around > 4 * before > 0:
            found.append(("the value function diverged", said, (critic, rate)))
    if found:
        return found[0][0], tuple(f[1] for f in found), found[0][2]
    return None, (), (rate, clip, keep)


def _moved(curve: Curve, onset: int, reach: float) -> tuple[float, float] | None:
    """Return the usual level of a curve before the fall and its level at it; None with too few points for either."""
    before = curve.raw[curve.at < onset - reach]
    around = curve.raw[(curve.at >= onset - 0.3 * reach) & (curve.at <= onset + 0.2 * reach)]
    if before.size < 5 or around.size < 2:
        return None
    return median(before[-max(5, before.size // 2) :]), median(around)


def _against(curve: Curve, rewards: list[Curve], onset: int) -> tuple[str, ...]:
    """Return a sentence when the collected reward holds while the evaluated one falls."""
    for other in rewards:
        before, after = other.raw[other.at <= onset], other.raw[other.at > onset]
        if other.role.split == curve.role.split or min(before.size, after.size) < 5:
            continue
        held = before[-max(5, before.size // 5) :]
        if median(after[-max(5, after.size // 2) :]) >= median(held) - 0.5 * float(np.std(held)):
            return (
                f"{other.tag} does not fall with it: evaluation differs from training (exploration, seeds, wrappers)",
            )
    return ()


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
    yields_to=("non-finite",),
    course=False,
)
