"""What a recipe is: a named way to a fault (or to health) that offers attempts until one shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np

from benchmarks.truth.events import Curve
from benchmarks.truth.logged import Style
from benchmarks.truth.loop import History, Plan, train
from benchmarks.truth.losses import guess


@dataclass(frozen=True)
class Attempt:
    """One training to try: how to get its history, its twin's, and how it is logged.

    `allow` and `tolerated` go to the oracle and the label; `tampered` changes what was logged (a metric that is
    not wired up); `interrupted` is a second history that goes on in a second event file.
    """

    history: Callable[[], History]
    style: Style
    twin: Callable[[], History] | None = None
    onset: int | None = None
    guess: float | None = None
    allow: frozenset[str] = frozenset()
    tolerated: tuple[str, ...] = ()
    params: Mapping[str, object] = field(default_factory=dict)
    tampered: Callable[[list[Curve]], list[Curve]] | None = None
    resumed: Callable[[], History] | None = None
    data: str = ""
    family: str = ""


Attempts = Callable[[np.random.Generator, str], Iterator[Attempt]]


@dataclass(frozen=True)
class Recipe:
    """`claim` is a symptom's id or healthy; `cause` names the way; `tune` and `test` are how many runs to make."""

    claim: str
    cause: str
    attempts: Attempts
    tune: int
    test: int


def attempt(
    plan: Plan, style: Style, twin: Plan | None = None, allow: tuple[str, ...] = (), **given: object
) -> Attempt:
    """Return the attempt of a plan; its parameters and the loss of guessing are worked out from the plan."""
    known = {
        "history": lambda: train(plan),
        "twin": cache(lambda: train(replace(twin, evaluate_every=max(1, twin.steps // 10)))) if twin else None,
        "guess": guess(plan.task.train.y, plan.task.classes, plan.loss) if not plan.smoothing else None,
        "params": params(plan),
        "data": plan.task.name,
        "family": plan.net.family,
        "allow": frozenset(allow),
    }
    return Attempt(style=style, **{**known, **given})  # type: ignore[arg-type]  # names are checked by Attempt


def params(plan: Plan) -> dict[str, object]:
    """Return the hyper-parameters a person would have logged."""
    return {
        "learning_rate": float(f"{plan.rate(plan.steps // 3):.6g}"),
        "batch_size": plan.batch,
        "optimizer": plan.optimiser,
        "epochs": -(-plan.steps // plan.epoch),
        "weight_decay": plan.decay,
    }
