"""Ways to a loss that bounces, explodes, spikes or stops being a number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from benchmarks.truth import data
from benchmarks.truth.data import Part
from benchmarks.truth.loop import Fault, Plan
from benchmarks.truth.recipe import Attempt, Recipe, attempt
from benchmarks.truth.zoo import any_style, between, constant, draw, pick, plan, stepped

Rng = np.random.Generator


def _sound(p: Plan, rate: float, **changes: object) -> Plan:
    return replace(p, rate=constant(rate), faults=(), **changes)  # type: ignore[arg-type]


# --- not-converging ------------------------------------------------------------------------------------------


def _rate_too_high(rng: Rng, split: str) -> Iterator[Attempt]:
    """Learning rate far too high, in nets that do not die of it."""
    match = pick(rng, split, avoid=("relu-mlp", "table", "values", "sequence", "image"))
    optimiser = draw(rng, *match.rates)
    base = plan(rng, match, optimiser=optimiser)
    style = any_style(rng, base)
    for factor in (300, 1000, 100) if "norm" in match.traits else (30, 100, 300, 1000):
        hot = replace(base, rate=constant(match.rates[optimiser] * factor))
        yield attempt(hot, style, twin=base)


def _clipped_bounce(rng: Rng, split: str) -> Iterator[Attempt]:
    """Rate too high under gradient clipping: the steps stay long, the loss stays up."""
    match = pick(rng, split, "values")
    base = plan(rng, match, optimiser="momentum" if "table" in match.traits else "sgd")
    style = any_style(rng, base)
    for rate in (0.5, 1.0, 2.0, 0.2, 4.0):
        yield attempt(replace(base, rate=constant(rate), clip=1.0), style, twin=base)


def _unscaled(rng: Rng, split: str) -> Iterator[Attempt]:
    """Features left in their own units, some a hundred times larger."""
    match = pick(rng, split, "classes", avoid=("image", "sequence", "norm"))
    base = plan(rng, match)
    style = any_style(rng, base)
    for size in (30.0, 100.0, 300.0):
        task = data.scaled_inputs(base.task, size, only=max(2, base.task.inputs // 3))
        yield attempt(replace(base, task=task), style, twin=base)


def _nothing_to_learn(rng: Rng, split: str) -> Iterator[Attempt]:
    """Features that know nothing of the labels, in batches of a few rows."""
    match = pick(rng, split, avoid=("table", "image", "sequence", "norm"))
    base = plan(rng, match, batch=draw(rng, 2, 4), steps=int(between(rng, 1200, 4000)))
    style = stepped(rng, base, avoid=("fastai", "keras", "megatron", "hf"))
    for scale in (1.0, 3.0):
        task = data.noise_inputs(base.task, base.seed)
        yield attempt(replace(base, task=task, rate=constant(base.rate(0) * scale)), style, twin=base)


def _bad_examples(rng: Rng, split: str) -> Iterator[Attempt]:
    """Tenth of the rows broken (values of another unit), labels half wrong: every other batch throws it off."""
    match = pick(rng, split, avoid=("table", "sequence", "norm"))
    base = plan(rng, match, batch=draw(rng, 8, 16), optimiser="sgd" if "sgd" in match.rates else "adam")
    style = any_style(rng, base)
    for share, size in ((0.1, 20.0), (0.2, 50.0), (0.1, 100.0)):
        task = data.wrong_labels(base.task, 0.5, base.seed)
        bad = np.random.default_rng(base.seed).random(len(task.train.x)) < share
        x = task.train.x.copy()
        x[bad] *= np.float32(size)
        broken = replace(task, train=Part(x, task.train.y))
        yield attempt(replace(base, task=broken), style, twin=base)


# --- exploding-loss ------------------------------------------------------------------------------------------


def _beyond_stability(rng: Rng, split: str) -> Iterator[Attempt]:
    """Rate just beyond the edge of stability: a climb that ends far up, or in infinity."""
    match = pick(rng, split, "values", avoid=("norm",))
    base = plan(rng, match, optimiser="momentum" if "table" in match.traits else "sgd")
    short = replace(base, steps=int(between(rng, 60, 700)), evaluate_every=max(1, base.steps // 60))
    style = stepped(rng, short, val=False)
    for factor in (3, 5, 8, 12, 20, 40, 80):
        hot = replace(short, rate=constant(base.rate(0) * factor))
        yield attempt(hot, style)


def _late(rng: Rng, split: str) -> Iterator[Attempt]:
    """Warm-up towards a rate that is too high: it trains at first, then leaves for good."""
    match = pick(rng, split, avoid=("norm",))
    base = plan(rng, match, optimiser=draw(rng, *match.rates), steps=int(between(rng, 800, 2500)))
    style = any_style(rng, base)
    rise, good = base.steps * between(rng, 0.3, 0.7), base.rate(0)
    for factor in (30, 100, 300, 1000):
        yield attempt(replace(base, rate=lambda s, f=factor: good * f ** min(1.0, s / rise)), style)


def _poisoned_for_good(rng: Rng, split: str) -> Iterator[Attempt]:
    """One batch of absurd values from which the weights do not come back."""
    match = pick(rng, split, avoid=("norm", "sequence", "image"))
    base = plan(rng, match, optimiser="momentum", steps=1200)
    at = int(base.steps * between(rng, 0.3, 0.75))
    style = stepped(rng, base, avoid=("fastai", "keras"))
    for size in (100.0, 1000.0, 10000.0):
        fault = Fault(at, _absurd(match.traits, size), length=draw(rng, 1, 3))
        yield attempt(replace(base, faults=(fault,)), style, onset=at)


def _absurd(traits: frozenset[str], size: float) -> Callable[[Part, Rng], Part]:
    """Batch in another unit: inputs, or answers where the inputs are indices or recurrent."""
    if "values" in traits:
        return lambda part, _rng: Part(part.x, part.y * np.float32(size))
    return lambda part, rng: Part(part.x * np.float32(size), rng.permutation(part.y))


def _shard_of_other_units(rng: Rng, split: str) -> Iterator[Attempt]:
    """From some step on the data comes in other units: the loss rises and stays."""
    match = pick(rng, split, "values", avoid=("norm",))
    base = plan(rng, match, optimiser="adam", steps=int(between(rng, 600, 1500)))
    at = int(base.steps * between(rng, 0.4, 0.7))
    style = stepped(rng, base, avoid=("fastai", "keras"))
    for size in (20.0, 60.0):
        fault = Fault(at, lambda part, _rng, s=size: Part(part.x, part.y * np.float32(s)), length=None)
        yield attempt(replace(base, faults=(fault,)), style, onset=at)


# --- non-finite ----------------------------------------------------------------------------------------------


def _nan_rows(rng: Rng, split: str) -> Iterator[Attempt]:
    """Missing value in some rows: NaN from the batch that meets the first of them."""
    match = pick(rng, split, avoid=("table",))
    base = plan(rng, match)
    task, rows = base.task, draw(rng, 1, 1, 3)
    x = task.train.x.copy()
    x[np.random.default_rng(base.seed).permutation(len(x))[:rows], ..., 0] = np.nan
    bad = replace(base, task=replace(task, train=Part(x, task.train.y)))
    yield attempt(bad, stepped(rng, base))


def _nan_at_once(rng: Rng, split: str) -> Iterator[Attempt]:
    """Column of NaN: no finite loss at all."""
    match = pick(rng, split, avoid=("table",))
    base = plan(rng, match, steps=int(between(rng, 60, 900)))
    bad = Fault(0, _nan_column, length=None)
    yield attempt(replace(base, faults=(bad,)), stepped(rng, base, points=40), onset=0)


def _nan_column(part: Part, _rng: Rng) -> Part:
    x = part.x.copy()
    x[..., 0] = np.nan
    return Part(x, part.y)


def _nan_later(rng: Rng, split: str) -> Iterator[Attempt]:
    """Damaged shard late in the run, out of the blue; logged by step or hidden in an epoch's mean."""
    match = pick(rng, split, avoid=("table",))
    base = plan(rng, match, steps=int(between(rng, 900, 3500)))
    at = int(base.steps * between(rng, 0.2, 0.85))
    yield attempt(replace(base, faults=(Fault(at, _nan_column),)), any_style(rng, base), onset=at)


def _nan_answers(rng: Rng, split: str) -> Iterator[Attempt]:
    """Target that is not a number."""
    match = pick(rng, split, "values")
    base = plan(rng, match, steps=int(between(rng, 600, 2500)))
    at = int(base.steps * between(rng, 0.05, 0.7))

    def broken(part: Part, _rng: Rng) -> Part:
        y = part.y.copy()
        y[0] = np.nan
        return Part(part.x, y)

    yield attempt(replace(base, faults=(Fault(at, broken),)), any_style(rng, base), onset=at)


def _log_of_zero(rng: Rng, split: str) -> Iterator[Attempt]:
    """Cross entropy as log(softmax) without a guard: infinite once a probability underflows."""
    match = pick(rng, split, "classes", avoid=("sequence",))
    base = plan(rng, match, factor=draw(rng, 1.0, 2.0, 3.0))
    style = stepped(rng, base)
    for size in (4.0, 8.0, 15.0, 30.0):
        task = data.scaled_inputs(base.task, size)
        task = data.wrong_labels(task, 0.03, base.seed)
        yield attempt(replace(base, task=task, loss="naive-cross-entropy"), style)


def _division_by_zero(rng: Rng, split: str) -> Iterator[Attempt]:
    """Relative error, and then an answer that is exactly 0."""
    match = pick(rng, split, "values", avoid=("table",))
    start = plan(rng, match, optimiser="adam", steps=int(between(rng, 500, 2000)))
    task = data.scaled_targets(start.task, 0.1, shift=1.0)
    base = replace(start, task=task, loss="relative")
    at = int(base.steps * between(rng, 0.1, 0.8))

    def zero(part: Part, _rng: Rng) -> Part:
        y = part.y.copy()
        y[:2] = 0
        return Part(part.x, y)

    yield attempt(replace(base, faults=(Fault(at, zero),)), any_style(rng, base), onset=at)


# --- loss-spike ----------------------------------------------------------------------------------------------


def _outlier_batch(rng: Rng, split: str) -> Iterator[Attempt]:
    """Batch of outliers; the weights are thrown off and come back."""
    match = pick(rng, split)
    base = plan(rng, match, optimiser=draw(rng, *match.rates), steps=int(between(rng, 1200, 4000)))
    at = int(base.steps * between(rng, 0.25, 0.6))
    style = stepped(rng, base, points=200, avoid=("fastai", "keras", "hf", "megatron"))
    style = replace(style, every=min(style.every, 5))
    for size in (10.0, 30.0, 4.0, 100.0):
        fault = Fault(at, _absurd(match.traits, size), length=style.every + draw(rng, 0, 2, 6))
        yield attempt(replace(base, faults=(fault,)), style, onset=at)


def _rate_bump(rng: Rng, split: str) -> Iterator[Attempt]:
    """For some steps the rate is far too high (a schedule's bug); the loss leaps and recovers."""
    match = pick(rng, split, avoid=("relu-mlp", "norm", "image", "sequence"))
    base = plan(rng, match, optimiser=draw(rng, *match.rates), steps=int(between(rng, 1500, 4000)))
    at, good = int(base.steps * between(rng, 0.25, 0.55)), base.rate(0)
    style = stepped(rng, base, points=200, rate=False, avoid=("fastai", "keras", "hf", "megatron", "detectron"))
    for factor in (50, 200, 20, 1000):
        length = draw(rng, 3, 8, 20)
        bumped = replace(base, rate=lambda s, f=factor, n=length: good * (f if at <= s < at + n else 1))
        yield attempt(bumped, style, onset=at)


RECIPES = (
    Recipe("not-converging", "learning rate too high", _rate_too_high, 7, 12),
    Recipe("not-converging", "rate too high under clipping", _clipped_bounce, 6, 14),
    Recipe("not-converging", "unscaled features", _unscaled, 5, 8),
    Recipe("not-converging", "features that cannot predict", _nothing_to_learn, 5, 9),
    Recipe("not-converging", "bad examples", _bad_examples, 5, 7),
    Recipe("exploding-loss", "rate beyond stability", _beyond_stability, 6, 10),
    Recipe("exploding-loss", "end of warm-up", _late, 6, 11),
    Recipe("exploding-loss", "poisoned batch", _poisoned_for_good, 5, 8),
    Recipe("exploding-loss", "data in other units", _shard_of_other_units, 4, 6),
    Recipe("non-finite", "missing values in rows", _nan_rows, 4, 7),
    Recipe("non-finite", "NaN from the first step", _nan_at_once, 3, 5),
    Recipe("non-finite", "damaged shard", _nan_later, 5, 8),
    Recipe("non-finite", "NaN target", _nan_answers, 3, 6),
    Recipe("non-finite", "log of zero", _log_of_zero, 3, 6),
    Recipe("non-finite", "division by zero", _division_by_zero, 3, 6),
    Recipe("loss-spike", "outlier batch", _outlier_batch, 12, 24),
    Recipe("loss-spike", "burst of a high rate", _rate_bump, 5, 9),
)
