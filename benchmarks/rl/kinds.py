"""The kinds of trainings: how each is made, by which libraries it is logged, and what must be said of it.

Whether a fault has done its harm, or a healthy run has learnt, is seen on the log and on the oracle. Runs in which it
has not count for nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from benchmarks.rl import adversaries, control, tables, texts
from benchmarks.rl.adversaries import Duel
from benchmarks.rl.control import Agent
from benchmarks.rl.logs import (
    CLEANRL,
    DCGAN,
    OPENRLHF,
    RLLIB,
    SB3,
    STYLEGAN,
    TIANSHOU,
    TRL_GRPO,
    TRL_RLOO,
    UNITY,
    VERL,
    Library,
    Log,
)  # fmt: skip
from benchmarks.rl.nets import Rng
from benchmarks.rl.tables import Learner
from benchmarks.rl.texts import Lesson


@dataclass(frozen=True)
class Kind:
    """One kind of training. `named`: one of these must be told, with a severity of `least` or above; none: healthy.

    `beside` may be told as well. `bites` says of a log whether the outcome is as meant.
    """

    family: str
    make: Callable[[Rng], Log]
    libraries: tuple[Library, ...]
    bites: Callable[[Log], bool]
    named: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    least: str = "warning"


def _acts(**how: object) -> Callable[[Rng], Log]:
    return partial(_made, control.train, Agent(**how))  # type: ignore[arg-type]


def _table(width: int = 1, every: int = 1, **how: object) -> Callable[[Rng], Log]:
    learner = Learner(**how)  # type: ignore[arg-type]
    return lambda rng: tables.smoothed(tables.train(rng, learner), width, every)


def _writes(**how: object) -> Callable[[Rng], Log]:
    return partial(_made, texts.train, Lesson(**how))  # type: ignore[arg-type]


def _duels(**how: object) -> Callable[[Rng], Log]:
    return partial(_made, adversaries.train, Duel(**how))  # type: ignore[arg-type]


def _made(train: Callable[..., Log], what: object, rng: Rng) -> Log:
    return train(rng, what)


def learnt(log: Log) -> bool:
    """Whether the reward has clearly risen and stayed near its best."""
    first, best, last = log.values("reward")[:3].mean(), log.best("reward"), log.level("reward", 1.0)
    return bool(best - first > 0.2 * abs(best) and last > best - 0.2 * (best - first))


def lost(log: Log) -> bool:
    """Whether most of what the reward had gained is gone, both in the last tenth and in the one before."""
    first, best = log.values("reward")[:3].mean(), log.best("reward")
    ends = max(log.level("reward", 1.0), log.level("reward", 0.85))
    return bool(best - first > 0.3 * abs(best) and ends < first + 0.4 * (best - first))


def flat(log: Log) -> bool:
    """Whether the reward has gained nothing."""
    first = log.level("reward", 0.0)
    return abs(log.best("reward") - first) <= 0.2 * abs(first) and abs(log.level("reward", 1.0) - first) <= 0.2 * abs(
        first
    )


PPO = (SB3, CLEANRL, RLLIB, UNITY)
Q = (CLEANRL, TIANSHOU)
LLM = (TRL_GRPO, VERL, OPENRLHF, TRL_RLOO)
GANS = (STYLEGAN, DCGAN)
ABOUT_REWARD = ("reward-collapse", "reward-instability", "reward-plateau")
WITNESSES = ("entropy-collapse", "policy-update-too-large", "value-divergence", "kl-blow-up", "no-learning-signal",
             "gradient-spike")  # fmt: skip
BESIDE = ABOUT_REWARD + WITNESSES
ON_TEXTS = (*BESIDE, "truncated-completions", "lopsided-reward", "reward-hacking")

KINDS: dict[str, Kind] = {
    "ppo": Kind("rl", _acts(rate=0.003), PPO, learnt),
    "ppo-annealed": Kind("rl", _acts(rate=0.004, anneals=True), PPO, learnt),
    "ppo-large-rewards": Kind("rl", _acts(rate=0.003, scale=50.0, critic_rate=0.1), PPO, learnt),
    "ppo-small-rewards": Kind("rl", _acts(rate=0.003, scale=0.01), PPO, learnt),
    "reinforce": Kind("rl", _acts(rate=0.02, critic=False, updates=300), PPO, learnt),
    "ppo-mirror-relearnt": Kind("rl", _acts(rate=0.01, bonus=0.2, mirrored=0.3, updates=240), PPO, learnt,
                                beside=("reward-instability",)),
    "ppo-rate-jump": Kind("rl", _acts(rate=0.003, late=(0.6, 100.0), clip=None, norm=None), PPO, lost,
                          ("reward-collapse",), BESIDE),
    "ppo-mirrored": Kind("rl", _acts(rate=0.004, mirrored=0.6, sticks=0.6), PPO, lost, ("reward-collapse",), BESIDE),
    "ppo-reward-dies": Kind("rl", _acts(rate=0.004, dead=0.5), PPO, lost, ("reward-collapse",), BESIDE),
    "ppo-no-reward": Kind("rl", _acts(dead=0.0), PPO, flat, ("reward-plateau", "no-learning-signal"), BESIDE),
    "ppo-frozen": Kind("rl", _acts(frozen=True), PPO, flat, ("reward-plateau", "no-learning-signal"), BESIDE, "info"),
    "ppo-rate-too-high": Kind(
        "rl", _acts(rate=0.3, clip=None, norm=None, passes=10), (SB3, CLEANRL),
        lambda log: log.level("reward", 1.0) < 20 and float(log.values("step_kl")[:30].mean()) > 0.3,
        ("policy-update-too-large", "entropy-collapse", "reward-plateau"), BESIDE),
    "ppo-decided": Kind("rl", _acts(rate=0.0005, bonus=0.0, decided=400.0, passes=1), PPO,
                        lambda log: flat(log) and log.level("entropy", 1.0) < 0.1,
                        ("entropy-collapse", "reward-plateau"), BESIDE, "info"),
    "ppo-wrong-sign": Kind("rl", _acts(wrong_sign=True, rate=0.003), PPO,
                           lambda log: log.level("reward", 1.0) < 0.3 * float(log.values("reward")[:3].mean()),
                           ABOUT_REWARD, BESIDE),
    "ppo-reward-scaled": Kind("rl", _acts(scale=1000.0, rate=0.003), (SB3, CLEANRL, RLLIB),
                              lambda log: log.level("explained", 0.75, 0.5) < 0, ("value-divergence",), BESIDE, "info"),
    "table": Kind("rl", _table(20, 4), Q, learnt),
    "table-slippery": Kind("rl", _table(20, 4, slip=0.4), Q, learnt),
    "table-single-episodes": Kind("rl", _table(slip=0.3), Q, learnt),
    "table-target-copied": Kind("rl", _table(20, 4, period=10), Q, learnt),
    "table-no-exploration": Kind("rl", _table(20, 4, explore=0.0, floor=0.0, slip=0.0), Q, flat,
                                 ("reward-plateau", "no-learning-signal"), BESIDE),
    "table-goal-moved": Kind("rl", _table(20, 4, moved=0.6, stops=0.6, floor=0.0, slip=0.0), Q, lost,
                             ("reward-collapse",), BESIDE),
    "q-diverges": Kind("rl", _table(20, 4, bootstrap=1.3), Q, lambda log: not log.values("q")[-1] < 1e3,
                       ("value-divergence", "non-finite"), BESIDE),
    "q-target-never-copied": Kind("rl", _table(20, 4, period=None, slip=0.0, explore=0.1, floor=0.1), Q,
                                  flat, ("reward-plateau",), BESIDE, "info"),
    "texts": Kind("rl", _writes(rate=0.4, ease=-0.5), LLM, learnt, beside=("truncated-completions",)),
    "texts-solved": Kind("rl", _writes(rate=2.0), LLM, learnt),
    "texts-slow": Kind("rl", _writes(rate=0.1, updates=250), LLM, learnt),
    "texts-noisy-judge": Kind("rl", _writes(rate=0.2, noise=0.3, updates=250), LLM, learnt),
    "texts-too-hard": Kind("rl", _writes(exact=True, ease=-4.0), LLM, flat, ("no-learning-signal", "reward-plateau"),
                           ON_TEXTS),
    "texts-too-easy": Kind("rl", _writes(ease=8.0), (TRL_GRPO, OPENRLHF), flat,
                           ("no-learning-signal", "reward-plateau"), ON_TEXTS, "info"),
    "texts-hacked": Kind("rl", _writes(right=0.3, charm=0.15, beta=0.001, rate=1.0), LLM,
                         lambda log: log.level("held", 1.0) < 0.5 * log.best("held"), ("reward-hacking",), ON_TEXTS),
    "texts-paid-by-length": Kind("rl", _writes(long=2.0, beta=0.001, right=0.5), (TRL_GRPO, VERL, OPENRLHF),
                                 lambda log: log.level("cut", 1.0) > 0.6 and log.level("cut", 0.0, 0.02) < 0.4,
                                 ("truncated-completions", "reward-hacking"), ON_TEXTS, "info"),
    "texts-unbounded-kl": Kind("rl", _writes(noise=5.0, right=0.0, rate=3.0, beta=0.0, whiten=False), LLM,
                               lambda log: log.level("kl", 1.0) > 1.5 and log.level("entropy", 1.0) < 0.1,
                               ("kl-blow-up", "entropy-collapse", "reward-plateau"), ON_TEXTS, "info"),
    "texts-rate-jump": Kind("rl", _writes(rate=0.2, noise=0.3, late=(0.6, -20.0), updates=200), LLM, lost,
                            ("reward-collapse", "reward-hacking"), ON_TEXTS),
    "gan": Kind("gan", _duels(), GANS, lambda log: abs(log.level("real", 1.0) - log.level("fake", 1.0)) < 0.1),
    "gan-far": Kind("gan", _duels(far=2.0, critic=1e-3), GANS,
                    lambda log: log.level("real", 1.0) - log.level("fake", 1.0) < 0.15),
    "gan-beaten": Kind("gan", _duels(rate=1e-5, critic=1e-2, far=3.0), GANS,
                       lambda log: log.level("discriminator", 0.85, 0.3) < 0.15, ("discriminator-wins",)),
}  # fmt: skip
"""By name. A factor of -20 makes an update climb down."""
