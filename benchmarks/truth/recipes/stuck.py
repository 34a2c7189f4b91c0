"""Ways to a loss that stands still or repeats, to metrics that contradict it, and to overfitting."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from benchmarks.truth import data, nets
from benchmarks.truth.data import Part
from benchmarks.truth.events import Curve
from benchmarks.truth.logged import Style
from benchmarks.truth.nets import Net
from benchmarks.truth.recipe import Attempt, Recipe, attempt
from benchmarks.truth.zoo import (
    any_style,
    between,
    constant,
    down_to_zero,
    draw,
    epoched,
    pick,
    plan,
    stepped,
    two_rates,
)

Rng = np.random.Generator

# --- plateau -------------------------------------------------------------------------------------------------


def _rate_too_low(rng: Rng, split: str) -> Iterator[Attempt]:
    """Learning rate ten thousand times too low, or 0."""
    match = pick(rng, split)
    base = plan(rng, match, batch=draw(rng, 64, 128))
    cold = replace(base, rate=constant(draw(rng, 0.0, 1e-5, 1e-7) * base.rate(0)))
    yield attempt(cold, any_style(rng, base), twin=base)


def _dead(rng: Rng, split: str) -> Iterator[Attempt]:
    """Hidden units that answer nothing: rectifiers switched off, or saturated, from the start."""
    match = pick(rng, split, "deep")
    base = plan(rng, match, batch=draw(rng, 64, 128))
    net = base.net
    start = {**net.start, "0.b": net.start["0.b"] - 30, "1.w": net.start["1.w"] * 0.05}
    if "relu-mlp" not in match.traits | {match.family}:
        start = {**net.start, "0.b": net.start["0.b"] + 30, "1.w": net.start["1.w"] * 0.05}
    yield attempt(replace(base, net=Net(net.family, start, net.forward)), any_style(rng, base), twin=base)


def _killed_by_rate(rng: Rng, split: str) -> Iterator[Attempt]:
    """Rate so high that all rectifiers die in the first steps: a flat line at the best constant guess."""
    match = pick(rng, split, "deep")
    base = plan(rng, match, batch=draw(rng, 64, 128), optimiser=draw(rng, "sgd", "momentum", "adam"))
    style = any_style(rng, base)
    for factor in (100, 1000):
        hot = base.rate(0) * factor
        burnt = replace(base, rate=two_rates(hot, base.rate(0), int(0.02 * base.steps)))
        yield attempt(burnt, style, twin=base, onset=int(0.03 * base.steps))


def _vanishing(rng: Rng, split: str) -> Iterator[Attempt]:
    """Deep net of saturating units with tiny first weights: no gradient reaches the bottom."""
    match = pick(rng, split, "deep")
    base = plan(rng, match, batch=draw(rng, 64, 128), optimiser="sgd", evaluate_every=None)
    task, kind = base.task, draw(rng, "tanh", "sigmoid") if match.family == "tanh-mlp" else "relu"
    sizes = (task.inputs, *([16] * draw(rng, 6, 8)), task.outputs)
    deep = nets.mlp(np.random.default_rng(base.seed), sizes, kind, family=match.family, gain=0.1)
    yield attempt(replace(base, net=deep), any_style(rng, base), twin=base)


def _guessing(rng: Rng, split: str) -> Iterator[Attempt]:
    """Labels that have nothing to do with the features, in large batches: the loss of guessing, ln k."""
    match = pick(rng, split, "classes", avoid=("image", "norm"))
    base = plan(rng, match, batch=128, factor=0.3)
    hopeless = replace(base, task=data.noise_inputs(base.task, base.seed), decay=0.02)
    yield attempt(hopeless, any_style(rng, base), twin=base)


def _frozen_early(rng: Rng, split: str) -> Iterator[Attempt]:
    """Schedule takes the rate to 0 long before the model is trained."""
    match = pick(rng, split)
    base = plan(rng, match, batch=draw(rng, 64, 128), steps=int(between(rng, 900, 2500)))
    style = any_style(rng, base)
    for factor, end in ((0.1, 0.1), (0.05, 0.1), (0.02, 0.15), (0.01, 0.1)):
        stop = int(end * base.steps)
        frozen = replace(base, rate=down_to_zero(factor * base.rate(0), stop))
        yield attempt(frozen, style, twin=base, onset=stop)


# --- contradictory-metrics -----------------------------------------------------------------------------------


def _imbalanced(rng: Rng, split: str) -> Iterator[Attempt]:
    """Rare positive class, a weak signal and the threshold ½: recall, precision and F1 stay at 0."""
    match = pick(rng, split, "classes", avoid=("norm", "image", "sequence"))
    whole = data.load(match.data, int(rng.integers(1 << 20)))
    ranked = draw(rng, None, ("recall",), ("recall", "auc"), ("precision", "recall", "f1", "accuracy"), ("f1", "auc"))
    for share, decay in ((0.05, 0.02), (0.04, 0.05), (0.06, 0.01), (0.03, 0.1)):
        task = data.rare(whole, share, 1)
        base = plan(rng, match, task, decay=decay, factor=0.3, steps=int(between(rng, 800, 3000)))
        weights = list(base.net.start)[-2]
        undecided = {**base.net.start, weights: base.net.start[weights] * 0.1}
        base = replace(base, net=Net(base.net.family, undecided, base.net.forward))
        yield attempt(base, any_style(rng, base, metrics=ranked, val=bool(rng.random() < 0.7)))


def _not_wired(rng: Rng, split: str) -> Iterator[Attempt]:
    """Metric that is computed from the wrong thing and never moves."""
    match = pick(rng, split)
    base = plan(rng, match)
    shown = (
        ("r2",) if "values" in match.traits else ("accuracy", "recall", "f1")[: 3 if "binary" in match.traits else 1]
    )
    style = stepped(rng, base, metrics=(draw(rng, *shown),), avoid=("keras",))
    value = draw(rng, 0.0, 0.0, round(float(rng.uniform(0.1, 0.6)), 4))

    def tampered(curves: list[Curve]) -> list[Curve]:
        return [replace(c, values=np.full(len(c.values), value)) if c.role.startswith("metric") else c for c in curves]

    yield attempt(base, style, tampered=tampered)


# --- overfitting ---------------------------------------------------------------------------------------------


def _memorising(rng: Rng, split: str) -> Iterator[Attempt]:
    """Few rows, many weights, long training."""
    match = pick(rng, split, "wide")
    base = plan(rng, match, optimiser=draw(rng, "adam", "momentum"))
    rows = draw(rng, 60, 100, 160)
    for extra, wrong in ((20, 0.05), (40, 0.15), (60, 0.3)):
        small = data.smaller(base.task, rows)
        if "image" not in match.traits:
            small = data.widened(small, extra, base.seed)
        small = data.wrong_labels(small, wrong, base.seed)
        net = match.build(np.random.default_rng(base.seed), small, width=draw(rng, 1, 2))
        steps = int(between(rng, 600, 2500))
        epoch = -(-rows // 16)
        grown = replace(
            base, task=small, net=net, batch=16, steps=steps, evaluate_every=epoch * max(1, steps // epoch // 80)
        )
        yield attempt(grown, _watched(rng, grown, int(steps / epoch)))


def _watched(rng: Rng, given: object, epochs: int, **fixed: object) -> Style:
    """Style with validation, by epoch or by step."""
    if epochs <= 80 and rng.random() < 0.6:
        return epoched(rng, val=True, **fixed)
    return stepped(rng, given, val=True, **fixed)  # type: ignore[arg-type]  # a plan


def _few_ratings(rng: Rng, split: str) -> Iterator[Attempt]:
    """Too many factors (or words) for the rows there are."""
    match = pick(rng, split, *(("table",) if split == "tune" else ("sequence",)))
    base = plan(rng, match, optimiser="adam", batch=32)
    for rows, width in ((500, 4), (300, 4), (200, 3)):
        small = data.smaller(base.task, rows if split == "tune" else rows // 4)
        net = match.build(np.random.default_rng(base.seed), small, width=width)
        epoch = -(-len(small.train.x) // 32)
        grown = replace(base, task=small, net=net, steps=epoch * 60, evaluate_every=epoch)
        grown = replace(grown, rate=down_to_zero(base.rate(0), int(0.8 * grown.steps)))
        yield attempt(grown, stepped(rng, grown, val=True))


def _splits_differ(rng: Rng, split: str) -> Iterator[Attempt]:
    """Shifted validation: it comes from elsewhere: a gap from the first evaluation on."""
    match = pick(rng, split, avoid=("table", "sequence", "norm"))
    base = plan(rng, match)
    style = stepped(rng, base, val=True) if rng.random() < 0.6 else _watched(rng, base, base.steps // base.epoch)
    for size in (1.0, 1.5, 2.5, 4.0):
        yield attempt(replace(base, task=data.shifted_val(base.task, base.seed, size)), style)


def _settles_high(rng: Rng, split: str) -> Iterator[Attempt]:
    """Many features of noise and few rows, held by weight decay: training goes to 0, validation settles far above."""
    match = pick(rng, split, "wide")
    base = plan(rng, match, optimiser="sgd" if "sgd" in match.rates else "momentum")
    for rows, extra, decay in ((80, 80, 0.003), (60, 120, 0.005), (50, 160, 0.01)):
        small = data.widened(data.smaller(base.task, rows), 0 if "image" in match.traits else extra, base.seed)
        small = data.wrong_labels(small, 0.1, base.seed)
        net = match.build(np.random.default_rng(base.seed), small)
        grown = replace(base, task=small, net=net, batch=16, decay=decay, steps=1000, evaluate_every=-(-rows // 16) * 2)
        yield attempt(grown, stepped(rng, grown, val=True))


# --- repetitive-loss -----------------------------------------------------------------------------------------


def _unshuffled(rng: Rng, split: str) -> Iterator[Attempt]:
    """Read data in the order of its answers, epoch after epoch, or through a shuffle buffer that is too small."""
    match = pick(rng, split, avoid=("table",))
    batch = draw(rng, 8, 16, 32)
    rows = draw(rng, 240, 400, 600, 900)
    task = data.smaller(data.load(match.data, int(rng.integers(1 << 20))), rows)
    epoch = max(1, -(-len(task.train.x) // batch))
    base = plan(rng, match, task, batch=batch, steps=epoch * draw(rng, 6, 12, 25, 60), evaluate_every=None)
    style = stepped(rng, base, avoid=("fastai", "keras"))
    style = replace(style, every=max(1, min(style.every, epoch // 8)))
    buffer = draw(rng, 0, 0, len(task.train.x) // 8)
    order = {"order": "buffer", "buffer": buffer} if buffer else {"order": "sorted"}
    for factor in (1.0, 0.3, 0.1):
        slow = replace(base, rate=constant(base.rate(0) * factor), evaluate_every=max(1, epoch // 2))
        yield attempt(replace(slow, **order), style, twin=slow)


def _ordered_blocks(rng: Rng, split: str) -> Iterator[Attempt]:
    """Read, unshuffled, data written in the order of one feature where easy and hard parts alternate."""
    match = pick(rng, split, avoid=("table", "sequence"))
    batch = draw(rng, 8, 16, 32)
    task = data.load(match.data, int(rng.integers(1 << 20)))
    rng_rows = np.random.default_rng(1)
    rows = np.argsort(task.train.x[:, 0] + 0.2 * rng_rows.standard_normal(len(task.train.x)))
    noisy = np.linspace(0, 1, len(rows)) > 0.6
    y = task.train.y[rows].copy()
    spoilt = np.flatnonzero(noisy & (rng_rows.random(len(rows)) < 0.4))
    y[spoilt] = y[rng_rows.permutation(spoilt)]
    ordered = replace(task, train=Part(task.train.x[rows], y))
    epoch = -(-len(rows) // batch)
    base = plan(rng, match, ordered, batch=batch, steps=epoch * draw(rng, 6, 10, 20), evaluate_every=max(1, epoch // 2))
    style = stepped(rng, base, avoid=("fastai", "keras"))
    style = replace(style, every=max(1, min(style.every, epoch // 8)))
    yield attempt(replace(base, order="fixed"), style, twin=base)


RECIPES = (
    Recipe("plateau", "learning rate too low", _rate_too_low, 5, 9),
    Recipe("plateau", "dead or saturated units", _dead, 5, 8),
    Recipe("plateau", "killed by a high rate", _killed_by_rate, 4, 4),
    Recipe("plateau", "vanishing gradient", _vanishing, 4, 7),
    Recipe("plateau", "constant guess", _guessing, 4, 6),
    Recipe("plateau", "rate decayed too early", _frozen_early, 5, 8),
    Recipe("contradictory-metrics", "class imbalance, threshold ½", _imbalanced, 12, 32),
    Recipe("contradictory-metrics", "metric not wired up", _not_wired, 5, 9),
    Recipe("overfitting", "memorising", _memorising, 7, 12),
    Recipe("overfitting", "too many weights", _few_ratings, 3, 5),
    Recipe("overfitting", "splits differ", _splits_differ, 4, 7),
    Recipe("overfitting", "settles high", _settles_high, 4, 6),
    Recipe("repetitive-loss", "not shuffled", _unshuffled, 11, 22),
    Recipe("repetitive-loss", "ordered blocks", _ordered_blocks, 6, 10),
)
