"""Trainings with other losses than most: likelihoods below 0, adversaries, rewards, trees, several heads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache

import numpy as np

from benchmarks.truth import autograd as ag
from benchmarks.truth import data, losses, nets, special
from benchmarks.truth.autograd import Array, Var
from benchmarks.truth.data import Part, Task
from benchmarks.truth.logged import Style
from benchmarks.truth.loop import History, Plan, train
from benchmarks.truth.recipe import Attempt, Recipe, attempt, params
from benchmarks.truth.zoo import any_style, between, constant, draw, pick, plan, stepped, warmed_up

Rng = np.random.Generator
TREES = {"tune": "boosted regression trees", "test": "boosted classification trees"}
ODD = frozenset({"progress", "metrics", "validation", "jumps"})


def _gaussian(rng: Rng, split: str) -> Iterator[Attempt]:
    """Gaussian likelihood with a learnt variance: the loss crosses 0 and goes on down."""
    match = pick(rng, split, "values", avoid=("table",))
    base = plan(rng, match, optimiser="adam", clip=5.0, steps=int(between(rng, 1000, 2500)), loss="gaussian")
    clearer = data.each_part(base.task, lambda p: p)
    if match.data in {"lines", "planes"} or rng.random() < 0.5:
        law = np.random.default_rng(base.seed).standard_normal((base.task.inputs, 1)).astype(np.float32) / 3
        noise = np.random.default_rng(base.seed + 1)
        clearer = data.each_part(base.task, lambda p: Part(p.x, _law(p.x, law, noise)))
    net = match.build(np.random.default_rng(base.seed), clearer, outputs=2)
    likely = replace(base, task=clearer, net=net)
    made = attempt(likely, any_style(rng, likely))
    history = cache(made.history)
    train_loss = history().evals["train"]
    if np.isfinite(train_loss).all() and train_loss[-1] < train_loss[0] - 0.3:
        yield replace(made, history=history, allow=frozenset({"progress"}), guess=None)


def _law(x: Array, law: Array, noise: Rng) -> Array:
    flat = x.reshape(len(x), -1)[:, : len(law)]
    return (flat @ law + 0.05 * noise.standard_normal((len(x), 1))).astype(np.float32)


def _elbo(rng: Rng, split: str) -> Iterator[Attempt]:
    """Variational autoencoder with the KL term warmed up or cycled: negative ELBO, also below 0."""
    name = draw(rng, *(("clusters", "friedman1") if split == "tune" else ("digits", "hastie")))
    task = data.load(name, int(rng.integers(1 << 20)))
    empty = data.each_part(task, lambda p: Part(p.x, np.zeros((len(p.x), 1), dtype=np.float32)))
    task = replace(empty, classes=0)
    steps, form = int(between(rng, 800, 2000)), draw(rng, "none", "warm-up", "cyclic")
    period = steps // 4
    weight = {
        "none": lambda _s: 1.0,
        "warm-up": lambda s: min(1.0, s / (0.3 * steps)),
        "cyclic": lambda s: min(1.0, 2 * (s % period) / period) if s < steps else 1.0,
    }[form]
    loss = losses.Parted({"recon": _recon, "kl": _divergence}, lambda part, step: weight(step) if part == "kl" else 1.0)
    net = _encoder_decoder(np.random.default_rng(int(rng.integers(1 << 20))), task.inputs, 24 if split == "test" else 0)
    made = Plan(
        task, net, loss, steps, 64, constant(2e-3), seed=int(rng.integers(1 << 20)), optimiser="adam", clip=10.0
    )
    made = replace(made, evaluate_every=max(made.epoch, steps // 60))

    @cache
    def history() -> History:
        seen = train(made)
        parts = {k: np.array(v[: len(seen.loss)]) for k, v in loss.seen.items()}
        return replace(seen, parts={**parts, "beta": np.array([weight(int(s)) for s in seen.steps])}, family="vae")

    values = history().evals["val"]
    if values[-1] < values[0] - 0.2 * abs(values[0]) and values[-1] < values.min() + 0.05 * np.ptp(values):
        style = Style("elbo", draw(rng, 1, 5, 10), int(rng.integers(2)))
        allow = ODD - {"validation"} if form == "none" else ODD
        yield Attempt(history, style, allow=allow, data=name, family=net.family, params=params(made))


def _encoder_decoder(rng: Rng, width: int, hidden: int, code: int = 4) -> nets.Net:
    """Answer rows of [squared miss and log scale terms summed | KL]; linear when `hidden` is 0."""
    family = "vae" if hidden else "linear-vae"
    layers = (hidden,) if hidden else ()
    inner = nets.mlp(rng, (width, *layers, 2 * code), "tanh", family=family, gain=0.7)
    outer = nets.mlp(rng, (code, *layers, width), "tanh", family=family, gain=0.7)
    start = {f"e{k}": v for k, v in inner.start.items()} | {f"d{k}": v for k, v in outer.start.items()}
    start["scale"] = np.zeros((1, 1), dtype=np.float32)

    def forward(p: nets.Params, x: Array, noise: np.random.Generator | None) -> Var:
        both = inner.forward({k[1:]: v for k, v in p.items() if k[0] == "e"}, x, None)
        middle, log_var = ag.columns(both, 0, code), ag.columns(both, code, 2 * code)
        z = middle
        if noise is not None:
            z = z + ag.exp(log_var * 0.5) * Var(noise.standard_normal(middle.value.shape).astype(np.float32))
        miss = outer.forward({k[1:]: v for k, v in p.items() if k[0] == "d"}, z, None) - Var(x)  # type: ignore[arg-type]
        terms = miss * miss / ag.exp(p["scale"]) + p["scale"]
        recon = ag.reshape(ag.total(terms) * 0.5, (len(x), 1))
        kl = ag.reshape(ag.total(middle * middle + ag.exp(log_var) - log_var - 1.0) * 0.5, (len(x), 1))
        return recon * Var(np.array([[1, 0]], dtype=np.float32)) + kl * Var(np.array([[0, 1]], dtype=np.float32))

    return nets.Net(family, start, forward)


def _recon(out: Var, _y: Array, _smoothing: float) -> Var:
    return ag.mean(ag.columns(out, 0, 1))


def _divergence(out: Var, _y: Array, _smoothing: float) -> Var:
    return ag.mean(ag.columns(out, 1, 2))


def _gan(rng: Rng, split: str) -> Iterator[Attempt]:
    """Train a generator and a discriminator in balance: two flat losses, and samples that come to match the data."""
    name = "moons" if split == "tune" else "rings"
    form = "non-saturating" if split == "tune" else "least-squares"
    seed, steps = int(rng.integers(1 << 20)), int(between(rng, 1200, 3000))
    history = cache(lambda: special.adversarial(data.load(name, seed).train.x, steps, seed, form))
    distance = history().evals["train"]
    if distance[-5:].mean() < 0.45 * distance[0]:
        style = Style("gan", draw(rng, 1, 5, 10), int(rng.integers(3)))
        yield Attempt(history, style, allow=ODD, data=name, family=f"{form} gan", params={"learning_rate": 1e-3})


def _policy(rng: Rng, split: str) -> Iterator[Attempt]:
    """Reward rises while the losses do whatever they like."""
    states = 1 if split == "tune" else draw(rng, 4, 5, 6)
    seed, iterations = int(rng.integers(1 << 20)), int(between(rng, 150, 800))
    history = cache(lambda: special.policy(states, iterations, seed))
    reward = history().parts["ep_rew_mean"]
    gain = reward[-20:].mean() - reward[0]
    if gain > 1.0 and reward[-20:].mean() > reward.max() - 0.15 * gain:
        style = Style("sb3", 1)
        name = "bandit" if states == 1 else "corridor"
        yield Attempt(
            history, style, allow=ODD, data=name, family=f"{name} policy", params={"n_steps": 512, "gamma": 0.98}
        )


def _boosted(rng: Rng, split: str) -> Iterator[Attempt]:
    """Boosted trees, stopped in time: validation flattens out."""
    history, name = _trees(rng, split, 0.0, depth=2, rate=draw(rng, 0.05, 0.1))
    yield Attempt(
        history,
        Style("mlflow-xgboost", 1, int(split == "tune") + 2 * int(rng.integers(3))),
        data=name,
        family=TREES[split],
    )


def _overgrown(rng: Rng, split: str) -> Iterator[Attempt]:
    """Deep trees at a high rate on partly wrong answers: validation turns and rises."""
    for rate, depth in ((0.3, 4), (0.5, 5), (0.8, 6)):
        history, name = _trees(rng, split, 0.2, depth=depth, rate=rate)
        style = Style("mlflow-xgboost", 1, int(split == "tune") + 2 * int(rng.integers(3)))
        yield Attempt(history, style, data=name, family=TREES[split])


def _trees(rng: Rng, split: str, wrong: float, *, depth: int, rate: float) -> tuple[Callable[[], History], str]:
    name = draw(rng, *(("friedman1", "lines") if split == "tune" else ("hastie", "memory", "rings")))
    seed = int(rng.integers(1 << 20))
    task = data.wrong_labels(data.load(name, seed), wrong, seed)
    task = data.each_part(task, lambda p: Part(p.x.reshape(len(p.x), -1), p.y))
    task = data.smaller(task, 500)
    rounds = draw(rng, 60, 100, 160)
    grow = cache(lambda: special.boosted(task, rounds, seed, max_depth=depth, learning_rate=rate, subsample=0.7))
    return grow, name


def _two_heads(rng: Rng, split: str) -> Iterator[Attempt]:
    """Class and place from one trunk, three losses and no total: a detector in small."""
    match = pick(rng, split, "classes", "wide", avoid=("binary", "straight"))
    base = plan(rng, match, optimiser="adam", steps=1)
    task = _placed(base.task)
    parts = {"box_loss": _place_loss, "cls_loss": _class_loss(task), "dfl_loss": _sharp_loss}
    loss = losses.Parted(parts)
    net = match.build(np.random.default_rng(base.seed), task, outputs=-task.classes + 3)
    epochs = draw(rng, 40, 60, 90)
    made = replace(base, task=task, net=net, loss=loss, steps=epochs * base.epoch, evaluate_every=base.epoch)

    @cache
    def history() -> History:
        seen = train(made)
        parts = {k: np.array(v[: len(seen.loss)]) for k, v in loss.seen.items()}
        looked = {f"val/{k}": np.array(v[1::3]) for k, v in loss.looked.items()}  # looked at: train, val, hold in turn
        return replace(seen, parts=parts, evals={**seen.evals, **looked})

    if rng.random() < 0.6:
        style = Style("yolo", 0)
    else:
        style = replace(stepped(rng, made), layout="detectron", every=draw(rng, 5, 10, 20), val=True)
    yield attempt(made, style, history=history, guess=None)


def _placed(task: Task) -> Task:
    """Return the task with a place to find besides the class: three smooth functions of the inputs."""
    mix = np.random.default_rng(3).standard_normal((task.inputs, 3)) / np.sqrt(task.inputs)

    def with_place(p: Part) -> Part:
        return Part(p.x, np.concatenate([p.y[:, None], np.tanh(p.x @ mix)], axis=1).astype(np.float32))

    return replace(data.each_part(task, with_place), classes=-task.classes)


def _place_loss(out: Var, y: Array, _smoothing: float) -> Var:
    wide = out.value.shape[1]
    miss = ag.columns(out, wide - 3, wide) - Var(y[:, 1:])
    return ag.mean(miss * Var(np.sign(miss.value)))


def _sharp_loss(out: Var, y: Array, _smoothing: float) -> Var:
    wide = out.value.shape[1]
    miss = ag.columns(out, wide - 3, wide) - Var(y[:, 1:])
    return ag.mean(ag.sqrt(miss * miss + 0.01))


def _class_loss(task: Task) -> losses.Loss:
    k = -task.classes
    return lambda out, y, smoothing: ag.softmax_cross_entropy(
        ag.columns(out, 0, k), y[:, 0].astype(np.int64), smoothing
    )


def _recurrent(rng: Rng, split: str) -> Iterator[Attempt]:
    """Recurrent weights beyond 1 and no clipping: gradients explode through time."""
    match = pick(rng, split, "sequence")
    base = plan(rng, match, optimiser="sgd", steps=500)
    style = stepped(rng, base, points=100)
    for radius, factor in ((1.5, 5), (2.0, 10), (2.0, 30), (3.0, 60)):
        net = match.build(np.random.default_rng(base.seed), base.task, radius=radius)
        yield attempt(replace(base, net=net, rate=warmed_up(base.rate(0) * factor, 250)), style, twin=base)


RECIPES = (
    Recipe("healthy", "Gaussian likelihood", _gaussian, 5, 9),
    Recipe("healthy", "ELBO", _elbo, 6, 11),
    Recipe("healthy", "GAN", _gan, 4, 7),
    Recipe("healthy", "reinforcement", _policy, 5, 9),
    Recipe("healthy", "boosting", _boosted, 4, 7),
    Recipe("healthy", "several heads", _two_heads, 5, 9),
    Recipe("overfitting", "trees too deep", _overgrown, 3, 6),
    Recipe("exploding-loss", "recurrent gradients", _recurrent, 0, 6),
)
