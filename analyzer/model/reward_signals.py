"""What the series beside a reward measure: entropy, divergence, clipping, values, lengths, spread within groups.

Each rule names a signal and the words that a tag must have for it. The tags are those of Stable-Baselines3, CleanRL,
RLlib, ML-Agents, Tianshou, Dopamine, Acme, Spinning Up, Sample Factory, skrl, TRL, verl, OpenRLHF and LLaMA-Factory,
and of common GAN code; tests/model/test_reward_signals.py lists them one by one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from analyzer.model.roles import is_monitored, words_of

Branch = Literal["classic", "language", "gan", ""]
"""Environments, language models, adversarial training; a tag may mean different things in each."""

Signal = Literal[
    "zero-spread", "reward-spread", "truncated", "step-kl", "reference-kl", "clip-share", "explained-variance",
    "coefficient", "entropy", "value-loss", "value-estimate", "policy-loss", "advantage", "exploration",
    "response-length",
    "episode-length", "difficulty", "generator-loss", "discriminator-loss", "real-output", "fake-output", "",
]  # fmt: skip

EXTREMES = frozenset({"max", "min", "maximum", "minimum", "std", "stddev", "var"})
"""Words of a statistic that is not the level."""

LOSSES = frozenset({"loss", "losses"})
COEFFICIENTS = frozenset({"coef", "coefficient", "coeff", "coeffs", "weight", "ctl", "target"})
VALUES = frozenset({"value", "vf", "critic", "q", "qf", "td", "v", "huber", "qfunc"})
ESTIMATES = frozenset({"values", "vals", "estimate", "estimates"})
GENERATOR = frozenset({"generator", "gen", "g", "netg"})
DISCRIMINATOR = frozenset({"discriminator", "disc", "d", "netd"})


@dataclass(frozen=True, slots=True)
class Rule:
    """The words of a signal: one of `phrases` in a row, a word of each of `sets`, and none of `without`.

    Words lose a number at their end (`qf1`) before they are compared with the sets. `branch` "" holds everywhere.
    """

    signal: Signal
    phrases: tuple[str, ...] = ()
    sets: tuple[frozenset[str], ...] = ()
    without: frozenset[str] = frozenset()
    branch: Branch = ""

    def holds(self, words: tuple[str, ...], branch: Branch) -> bool:
        """Whether a tag with these words carries the signal in a run of the branch."""
        if self.branch not in ("", branch) or self.without & set(words):
            return False
        bare = {w.rstrip("0123456789") or w for w in words}
        if self.phrases and not any(has_phrase(words, phrase) for phrase in self.phrases):
            return False
        return all(words_ & bare for words_ in self.sets)


RULES: tuple[Rule, ...] = (
    Rule("zero-spread", ("zero std", "zero variance")),
    Rule("reward-spread", ("reward std", "rewards std", "score std"), without=frozenset({"eval", "evaluation"})),
    Rule(
        "truncated",
        ("completions clipped ratio", "response length clip ratio", "truncated", "truncation", "clipped ratio"),
        without=frozenset({"prompt"}),
        branch="language",
    ),
    Rule("coefficient", sets=(COEFFICIENTS,), without=LOSSES),
    Rule("coefficient", ("losses alpha",), without=frozenset({"value"})),
    Rule("coefficient", ("policy beta", "ent coef", "coef loss")),
    Rule(
        "step-kl",
        ("approx kl", "approxkl", "ppo kl", "approximate kullback leibler", "mean kl loss", "kl divergence",
         "policy kl"),
        without=frozenset({"old", "early", "max", "ref", "reference"}),
        branch="classic",
    ),
    Rule(
        "step-kl",
        ("approx kl", "approxkl", "ppo kl", "approximate kullback leibler", "policy kl"),
        without=frozenset({"old", "early", "max", "ref", "reference"}),
        branch="language",
    ),
    Rule("step-kl", ("kl",), without=frozenset({"loss", "max", "min", "old"}), branch="classic"),
    Rule("reference-kl", ("kl",), without=frozenset({"max", "min", "std", "old"}), branch="language"),
    Rule(
        "clip-share",
        ("clip fraction", "clipfrac", "clip frac", "clip factor", "fraction clipped", "clip ratio"),
        without=frozenset({"vf", "value", "val", "length", "prompt", "max", "min", "lower", "critic"}),
    ),
    Rule(
        "explained-variance", ("explained variance", "explained var", "var explained", "explainedvariance")
    ),
    Rule("entropy", sets=(frozenset({"entropy", "ent"}),), without=frozenset({"cross", "max", "min"})),
    Rule("value-estimate", sets=(VALUES, ESTIMATES), without=EXTREMES),
    Rule("value-estimate", ("mean q", "max q", "q mean", "q1 mean", "q2 mean", "q value"), without=frozenset({"loss"})),
    Rule("value-loss", sets=(VALUES, LOSSES), without=ESTIMATES | {"policy", "actor", "delta"}),
    Rule("value-loss", ("td error",), without=EXTREMES),
    Rule("value-loss", ("vf loss",), without=EXTREMES),
    Rule("policy-loss", sets=(frozenset({"policy", "actor", "pg", "pi"}), LOSSES), without=frozenset({"delta"})),
    Rule("advantage", sets=(frozenset({"advantage", "advantages"}), frozenset({"max", "min", "std", "abs"}))),
    Rule("exploration", sets=(frozenset({"exploration", "epsilon"}),), branch="classic"),
    Rule(
        "response-length",
        ("completions mean length", "completion length", "completion len", "response length", "response len",
         "responses len", "responses length", "gen len", "generation length", "output length"),
        without=frozenset({"clip", "ratio", "std", "max", "min", "terminated"}),
        branch="language",
    ),
    Rule(
        "episode-length",
        ("ep len", "ep length", "episode len", "episode length", "episodic length", "len len", "lens stat",
         "total timesteps mean"),
        without=frozenset({"max", "min", "std"}),
    ),
    Rule("difficulty", sets=(frozenset({"lesson", "curriculum", "difficulty", "elo"}),)),
    Rule("real-output", ("d x", "d real", "d out real"), branch="gan"),
    Rule("fake-output", ("d g z", "d g z1", "d g z2", "d fake", "d out fake"), branch="gan"),
    Rule("discriminator-loss", ("err d", "loss d"), branch="gan"),
    Rule("generator-loss", ("err g", "loss g"), branch="gan"),
    Rule("discriminator-loss", sets=(DISCRIMINATOR, LOSSES), without=GENERATOR, branch="gan"),
    Rule("generator-loss", sets=(GENERATOR, LOSSES), without=DISCRIMINATOR, branch="gan"),
)  # fmt: skip


@lru_cache(maxsize=16384)
def signal_of(tag: str, branch: Branch) -> Signal:
    """Return what a series measures in a run of this branch, "" where no rule knows its words."""
    words = words_of(tag)
    return next((rule.signal for rule in RULES if rule.holds(words, branch)), "")


def has_phrase(words: tuple[str, ...], phrase: str) -> bool:
    """Whether the words of a phrase stand in a row among the words of a tag."""
    return f" {phrase} " in f" {' '.join(words)} "  # words hold no blanks: a search in a string takes a tenth of a loop


Goal = Literal["independent", "evaluated", "episode", "score", "reward", "net", "component", ""]
"""What a reward is worth as a goal, the best first; "" is none (a spread, an extreme, a baseline)."""

GOALS: tuple[Goal, ...] = ("independent", "evaluated", "episode", "score", "reward", "net", "component")
REWARD_WORDS = frozenset({"reward", "rewards", "return", "returns", "rew", "ret", "score", "scores", "elo", "winrate"})
INDEPENDENT = frozenset({"gold", "oracle", "success", "winrate", "solved", "true"})
PASSES = ("pass 1", "pass 8", "pass 16")  # as shares of tasks solved in so many tries are written
HELD_OUT = ("val core", "test score", "accuracy", "acc", "exact match")
PASS = re.compile(r"pass\d+")  # the share of tasks solved in so many tries
EPISODE = (
    "ep rew", "episodic return", "episode reward", "episode return", "cumulative reward", "average returns", "ep ret",
    "total reward", "returns stat", "episode rewards",
)  # fmt: skip
NOT_FROM_THE_TASK = {"instantaneous", "curiosity", "intrinsic", "policy"}  # a step, the agent itself, one of several
NO_GOAL = EXTREMES | {"loss", "losses", "baseline", "target", "chosen", "rejected", "margins", "margin", "kl", "zero"}
NO_GOAL |= {
    "accuracies",
    "penalty",
    "coef",
    "best",
    "stop",
    "scale",
    "normalized",
    "running",
    "time",
    "non",
    "lower",
    "higher",
}


@lru_cache(maxsize=16384)
def goal_of(tag: str, branch: Branch, *, held_out: bool) -> Goal:
    """Return what a series is worth as the goal of reinforcement learning; `held_out`: its split is no training."""
    words = words_of(tag)
    own = set(words)
    if own & NO_GOAL:
        return ""
    sure = own & INDEPENDENT or any(has_phrase(words, phrase) for phrase in ("win rate", *PASSES))
    if sure or any(PASS.fullmatch(word) for word in words) or (held_out and _solves(words)):
        return "independent"
    if is_monitored(words):
        return "episode"
    if not own & REWARD_WORDS:
        return ""
    if held_out or "elo" in own:  # a rating among agents that learn together is the goal of self-play
        return "evaluated"
    return _language_goal(tag, words) if branch == "language" else _environment_goal(words)


def _solves(words: tuple[str, ...]) -> bool:
    """Whether a held-out series is the share of tasks that are solved, which no reward model can be deceived about."""
    return any(has_phrase(words, phrase) for phrase in HELD_OUT)


def _environment_goal(words: tuple[str, ...]) -> Goal:
    """Return the worth of a reward that an agent collects: of a whole episode before of a step."""
    if any(has_phrase(words, phrase) for phrase in EPISODE):
        return "episode"
    return "" if NOT_FROM_THE_TASK & set(words) else "reward"


def _language_goal(tag: str, words: tuple[str, ...]) -> Goal:
    """Return the worth of a reward that a language model collects: a raw score before what KL is subtracted from."""
    own = set(words)
    if own & {"rlhf", "return", "returns"} or has_phrase(words, "critic rewards"):
        return "net"
    if own & {"score", "scores"}:
        return "score"
    return "component" if "rewards" in tag.split("/")[:-1] else "reward"
