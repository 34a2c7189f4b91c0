"""Which model goes with which data set, at which learning rate; and the draw of a log's style.

The parts are disjoint in data set *and* in family: what a detector is tuned on is not what it is tested on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.truth import data, nets
from benchmarks.truth.data import Task
from benchmarks.truth.logged import Style
from benchmarks.truth.loop import Plan

Build = Callable[..., nets.Net]


@dataclass(frozen=True)
class Match:
    """A data set with a family that can learn it, and a good learning rate per optimiser."""

    data: str
    family: str
    build: Build
    rates: Mapping[str, float]
    loss: str = "cross-entropy"
    traits: frozenset[str] = field(default_factory=frozenset)


def _flat(family: str, hidden: tuple[int, ...], activation: str, *, batch_norm: bool = False) -> Build:
    def build(rng: np.random.Generator, task: Task, *, width: int = 1, outputs: int = 0, **given: Any) -> nets.Net:
        sizes = (task.inputs, *(h * width for h in hidden), outputs or task.outputs)
        return nets.mlp(rng, sizes, activation, family=family, batch_norm=batch_norm, **{"gain": 1.2, **given})

    return build


def _residual(rng: np.random.Generator, task: Task, *, width: int = 1, outputs: int = 0) -> nets.Net:
    return nets.residual(rng, task.inputs, outputs or task.outputs, 24 * width)


def _conv(rng: np.random.Generator, task: Task, *, width: int = 1, outputs: int = 0) -> nets.Net:
    return nets.conv(rng, 8, outputs or task.outputs, 6 * width)


def _rnn(rng: np.random.Generator, task: Task, *, width: int = 1, outputs: int = 0, radius: float = 0.9) -> nets.Net:
    return nets.rnn(rng, task.inputs, outputs or task.outputs, 16 * width, radius)


def _bag(rng: np.random.Generator, task: Task, *, width: int = 1, outputs: int = 0) -> nets.Net:
    return nets.bag_of_words(rng, task.inputs, outputs or task.outputs, 12 * width)


def _factors(rng: np.random.Generator, _task: Task, *, width: int = 1) -> nets.Net:
    return nets.factors(rng, 60, 40, 4 * width)


SOFTMAX = _flat("softmax", (), "relu")
LINEAR = _flat("linear", (), "relu")
RELU = _flat("relu-mlp", (32,), "relu")
TANH = _flat("tanh-mlp", (32,), "tanh")
NORMED = _flat("bn-mlp", (24, 24), "leaky", batch_norm=True)

_SOFT = {"sgd": 0.3, "momentum": 0.03, "adam": 0.01}
_LINE = {"sgd": 0.02, "momentum": 0.003, "adam": 0.01}
_DEEP = {"sgd": 0.1, "momentum": 0.02, "adam": 0.003}
_GENTLE = {"sgd": 0.03, "momentum": 0.005, "adam": 0.003}
_TABLE = {"momentum": 0.5, "adam": 0.01}


def down_to_zero(top: float, last: int) -> Callable[[int], float]:
    """Return a learning rate that falls on a line from `top` to 0 at the step `last`, and stays there."""
    return lambda step: top * max(0.0, 1 - step / last)


def warmed_up(top: float, last: int) -> Callable[[int], float]:
    """Return a learning rate that rises as a parabola to `top` at the step `last`, and stays there."""
    return lambda step: top * min(1.0, step / last) ** 2


def two_rates(first: float, then: float, change: int) -> Callable[[int], float]:
    """Return a learning rate that changes once."""
    return lambda step: first if step < change else then


def _match(name: str, build: Build, family: str, rates: Mapping[str, float], *traits: str) -> Match:
    values = name in data.REGRESSION
    kind = "values" if values else "classes"
    return Match(name, family, build, rates, "squared" if values else "cross-entropy", frozenset({kind, *traits}))


MATCHES: Mapping[str, tuple[Match, ...]] = {
    "tune": (
        _match("cancer", SOFTMAX, "softmax", _SOFT, "binary", "straight"),
        _match("wine", SOFTMAX, "softmax", _SOFT, "straight"),
        _match("clusters", SOFTMAX, "softmax", _SOFT, "straight"),
        _match("lines", LINEAR, "linear", _LINE, "straight"),
        _match("friedman1", LINEAR, "linear", _LINE, "straight"),
        _match("cancer", RELU, "relu-mlp", _DEEP, "binary", "deep", "wide"),
        _match("wine", RELU, "relu-mlp", _DEEP, "deep", "wide"),
        _match("moons", RELU, "relu-mlp", _DEEP, "binary", "deep"),
        _match("clusters", RELU, "relu-mlp", _DEEP, "deep", "wide"),
        _match("friedman1", RELU, "relu-mlp", _GENTLE, "deep", "wide"),
        _match("lines", RELU, "relu-mlp", _GENTLE, "deep", "wide"),
        _match("ratings", _factors, "factors", _TABLE, "table"),
    ),
    "test": (
        _match("digits", TANH, "tanh-mlp", _DEEP, "deep", "wide"),
        _match("rings", TANH, "tanh-mlp", _DEEP, "deep"),
        _match("hastie", TANH, "tanh-mlp", _DEEP, "deep", "binary", "wide"),
        _match("diabetes", TANH, "tanh-mlp", _GENTLE, "deep", "wide"),
        _match("friedman2", TANH, "tanh-mlp", _GENTLE, "deep"),
        _match("waves", TANH, "tanh-mlp", _GENTLE, "deep"),
        _match("digits", NORMED, "bn-mlp", _DEEP, "wide", "norm"),
        _match("hastie", NORMED, "bn-mlp", _DEEP, "binary", "wide", "norm"),
        _match("friedman2", NORMED, "bn-mlp", _GENTLE, "norm"),
        _match("rings", _residual, "residual", _DEEP, "norm"),
        _match("waves", _residual, "residual", _GENTLE, "norm"),
        _match("digits", _conv, "conv", _DEEP, "image"),
        _match("memory", _rnn, "rnn", _DEEP, "binary", "sequence"),
        _match("echo", _rnn, "rnn", _DEEP, "sequence"),
        _match("words", _bag, "bag-of-words", {"momentum": 0.05, "adam": 0.01}, "straight", "wide"),
        _match("planes", _flat("tanh-mlp", (16,), "tanh"), "tanh-mlp", _GENTLE, "deep", "wide"),
    ),
}


def pick(rng: np.random.Generator, split: str, *need: str, avoid: tuple[str, ...] = ()) -> Match:
    """Draw a match that has all the traits needed and none to avoid; a family's name counts as a trait."""
    fit = [
        m
        for m in MATCHES[split]
        if all(t in m.traits or t == m.family for t in need) and not any(t in m.traits or t == m.family for t in avoid)
    ]
    return fit[int(rng.integers(len(fit)))]


def draw(rng: np.random.Generator, *options: Any) -> Any:
    """One of the options."""
    return options[int(rng.integers(len(options)))]


def between(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw a number between the two, evenly on the logarithmic scale."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def constant(rate: float) -> Callable[[int], float]:
    """Return a learning rate that stays."""
    return lambda _step: rate


def plan(rng: np.random.Generator, match: Match, task: Task | None = None, **given: Any) -> Plan:
    """Return a sound plan for a match, a few hundred to a few thousand steps; `given` overrules its fields.

    `rate` may be a number; `factor` multiplies the match's own rate.
    """
    seed = int(rng.integers(1 << 20))
    task = task or data.load(match.data, seed)
    optimiser = given.pop("optimiser", None) or draw(rng, *match.rates)
    rate = given.pop("rate", match.rates[optimiser] * given.pop("factor", 1.0))
    net = given.pop("net", None) or match.build(np.random.default_rng([seed, 9]), task)
    slow = "sequence" in match.traits or "image" in match.traits
    fields = {
        "steps": int(between(rng, 500, 900) if slow else between(rng, 600, 2500)),
        "batch": draw(rng, 16, 32, 64),
        "loss": match.loss,
        **given,
    }
    epoch = max(1, -(-len(task.train.x) // fields["batch"]))
    fields.setdefault("evaluate_every", max(epoch, -(-fields["steps"] // (100 * epoch)) * epoch))
    return Plan(task, net, rate=rate if callable(rate) else constant(rate), seed=seed, optimiser=optimiser, **fields)


STEPPED = ("add_scalar", "add_scalars", "lightning", "hf", "fastai", "detectron", "megatron", "clu", "keras", "mlflow")
EPOCHED = ("add_scalar", "add_scalars", "keras", "mlflow-autolog", "nanogpt", "lightning")


def stepped(
    rng: np.random.Generator, given: Plan, *, points: int = 60, avoid: tuple[str, ...] = (), **fixed: Any
) -> Style:
    """Draw a style that logs the steps themselves, at least about `points` of them."""
    layout = draw(rng, *(name for name in STEPPED if name not in avoid))
    most = max(1, given.steps // points)
    every = int(draw(rng, *(k for k in (1, 1, 2, 5, 10, 20, 50) if k <= most)))
    return _style(rng, layout, every, **fixed)


def epoched(rng: np.random.Generator, *, avoid: tuple[str, ...] = (), **fixed: Any) -> Style:
    """Draw a style that logs epochs alone."""
    return _style(rng, draw(rng, *(name for name in EPOCHED if name not in avoid)), 0, **fixed)


def _style(rng: np.random.Generator, layout: str, every: int, **fixed: Any) -> Style:
    drawn: dict[str, Any] = {
        "names": int(rng.integers(6)),
        "rate": bool(rng.random() < 0.6),
        "grad": bool(rng.random() < 0.4),
        "val": bool(rng.random() < 0.8),
        "metrics": draw(rng, None, None, (), ("accuracy", "r2"), ("accuracy", "mae", "auc")),
    }
    return Style(layout, every, **{**drawn, **fixed})


def any_style(rng: np.random.Generator, given: Plan, **fixed: Any) -> Style:
    """Draw steps or epochs; epochs only where there are at least 25 of them and they fit the evaluations."""
    epochs = given.steps // given.epoch
    if epochs >= 25 and (given.evaluate_every or given.epoch) % given.epoch == 0 and rng.random() < 0.35:
        return epoched(rng, **fixed)
    return stepped(rng, given, **fixed)
