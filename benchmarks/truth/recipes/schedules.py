"""Sound trainings under learning-rate schedules, with and without the rate in the log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from benchmarks.truth.loop import Plan
from benchmarks.truth.recipe import Attempt, Recipe, attempt
from benchmarks.truth.zoo import between, draw, pick, plan, stepped

Rng = np.random.Generator
Schedule = Callable[[int], float]


def _scheduled(schedule: Callable[[Rng, Plan], Schedule], **style: object) -> Callable[[Rng, str], Iterator[Attempt]]:
    def attempts(rng: Rng, split: str) -> Iterator[Attempt]:
        base = plan(rng, pick(rng, split), steps=int(between(rng, 1200, 4000)))
        base = replace(base, evaluate_every=max(1, base.steps // 80))
        drawn = {k: draw(rng, *v) if isinstance(v, tuple) else v for k, v in style.items()}
        shaped = replace(base, rate=schedule(rng, base))
        yield attempt(shaped, stepped(rng, shaped, **drawn), allow=("jumps",))

    return attempts


def _restarts(rng: Rng, p: Plan) -> Schedule:
    """Cosine annealing with warm restarts (Loshchilov and Hutter, 2017)."""
    top, period = p.rate(0) * 2, p.steps // draw(rng, 4, 6, 8)
    return lambda s: top * (0.01 + 0.5 * 0.99 * (1 + np.cos(np.pi * (s % period) / period)))


def _cyclical(rng: Rng, p: Plan) -> Schedule:
    top, period = p.rate(0) * 2, p.steps // draw(rng, 5, 8)
    return lambda s: top * (0.1 + 0.9 * (1 - abs(2 * (s % period) / period - 1)))


def _step_decay(rng: Rng, p: Plan) -> Schedule:
    every, top = p.steps // draw(rng, 2, 3, 4), p.rate(0) * draw(rng, 1, 2)
    return lambda s: top * 0.2 ** (s // every)


def _warm_up(rng: Rng, p: Plan) -> Schedule:
    rise, top = int(p.steps * between(rng, 0.03, 0.15)), p.rate(0) * draw(rng, 1, 2, 3)
    return lambda s: top * min(1.0, (s + 1) / rise) * (0.5 * (1 + np.cos(np.pi * max(0, s - rise) / (p.steps - rise))))


def _one_cycle(_rng: Rng, p: Plan) -> Schedule:
    top = p.rate(0) * 3
    return lambda s: top * (min(1.0, s / (0.3 * p.steps)) if s < 0.3 * p.steps else 1.43 * (1 - s / p.steps)) + 1e-6


RECIPES = (
    Recipe("healthy", "warm restarts, rate logged", _scheduled(_restarts, rate=True, avoid=(("keras",),)), 4, 8),
    Recipe(
        "healthy",
        "warm restarts, rate not logged",
        _scheduled(_restarts, rate=False, avoid=(("hf", "fastai", "detectron", "megatron", "keras"),)),
        4,
        8,
    ),
    Recipe("healthy", "cyclical rate", _scheduled(_cyclical, rate=True), 3, 6),
    Recipe("healthy", "step decay", _scheduled(_step_decay), 5, 9),
    Recipe("healthy", "warm-up", _scheduled(_warm_up), 5, 9),
    Recipe("healthy", "one cycle", _scheduled(_one_cycle), 3, 6),
)
