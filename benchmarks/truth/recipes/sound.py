"""Sound trainings that look odd: the supervised kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache

import numpy as np

from benchmarks.truth import data, nets
from benchmarks.truth.data import Part
from benchmarks.truth.loop import Fault, History, Plan, Trainer, batches, train
from benchmarks.truth.nets import Net
from benchmarks.truth.recipe import Attempt, Recipe, attempt
from benchmarks.truth.zoo import any_style, between, constant, draw, epoched, pick, plan, stepped

Rng = np.random.Generator


def _plain(rng: Rng, split: str) -> Iterator[Attempt]:
    """Nothing special, in whatever layout."""
    base = plan(rng, pick(rng, split))
    yield attempt(base, any_style(rng, base))


def _epochs(rng: Rng, split: str) -> Iterator[Attempt]:
    """Thirty to a few hundred epochs, means only."""
    match = pick(rng, split)
    task = data.load(match.data, int(rng.integers(1 << 20)))
    batch = draw(rng, 32, 64)
    epoch = -(-len(task.train.x) // batch)
    base = plan(
        rng, match, task, batch=batch, steps=epoch * draw(rng, 30, 45, 80, 120), evaluate_every=epoch, factor=0.5
    )
    yield attempt(base, epoched(rng, val=True))


def _single_rows(rng: Rng, split: str) -> Iterator[Attempt]:
    """Batches of one or two rows: the loss spans decades, the model is fine."""
    match = pick(rng, split, avoid=("norm", "sequence", "image"))
    base = plan(rng, match, batch=draw(rng, 1, 1, 2), factor=0.1, steps=int(between(rng, 2000, 12000)))
    yield attempt(base, stepped(rng, base, avoid=("keras",)))


def _late_recall(rng: Rng, split: str) -> Iterator[Attempt]:
    """Rare class that is found late: recall 0 for the first quarter, then good."""
    match = pick(rng, split, "classes", avoid=("norm", "image", "sequence"))
    whole = data.load(match.data, int(rng.integers(1 << 20)))
    ranked = draw(rng, ("recall",), ("recall", "precision"), ("f1", "auc"), None)
    for factor in (0.3, 0.1, 1.0):
        task = data.rare(whole, draw(rng, 0.1, 0.15, 0.2), 1)
        base = plan(rng, match, task, factor=factor, steps=int(between(rng, 1200, 3000)))
        weights, bias = list(base.net.start)[-2:]
        cautious = {weights: base.net.start[weights] * 0.3, bias: np.array([1.5, -1.5], dtype=np.float32)}
        net = Net(base.net.family, {**base.net.start, **cautious}, base.net.forward)
        base = replace(base, net=net, evaluate_every=base.steps // 60)
        made = attempt(base, stepped(rng, base, metrics=ranked))
        history = made.history()
        found = np.flatnonzero(history.evals["val.recall"] > 0)
        if found.size and found[0] >= 5 and history.evals["val.recall"][-1] > 0.5:
            yield replace(made, history=lambda h=history: h)


def _fine_tuned(rng: Rng, split: str) -> Iterator[Attempt]:
    """Fine-tuning from trained weights: low and nearly flat from the first step, small gains."""
    match = pick(rng, split)
    base = plan(rng, match)
    weights = _trained(base)
    if weights is None:
        return
    tuned = replace(
        base, net=Net(base.net.family, weights, base.net.forward), rate=constant(base.rate(0) * 0.1), seed=base.seed + 1
    )
    yield attempt(tuned, any_style(rng, tuned), allow=("progress", "gap"))


def _trained(base: Plan) -> dict[str, np.ndarray] | None:
    """Weights after the base plan, of the same names."""
    trainer = Trainer(base)
    source = batches(base, np.random.default_rng(base.seed))
    for step in range(base.steps):
        trainer.step(base.task.train.rows(next(source)), base.rate(step))
    return {k: v.copy() for k, v in trainer.views.items()} if np.isfinite(trainer.theta).all() else None


def _exact_fit(rng: Rng, split: str) -> Iterator[Attempt]:
    """Noiseless linear law fitted exactly: the loss falls by six decades and more and rests at rounding."""
    match = pick(rng, split, "values", avoid=("table", "sequence", "norm"))
    base = plan(rng, match, optimiser="sgd", steps=int(between(rng, 800, 4000)), factor=2.0)
    law = np.random.default_rng(base.seed).standard_normal((base.task.inputs, 1)).astype(np.float32) / 3
    task = data.each_part(base.task, lambda p: Part(p.x, p.x @ law))
    net = nets.mlp(np.random.default_rng(base.seed), (task.inputs, 1), family=match.family)
    exact = replace(base, task=task, net=net)
    yield attempt(exact, any_style(rng, exact), allow=("metrics",))


def _units(size: float) -> Callable[[Rng, str], Iterator[Attempt]]:
    def attempts(rng: Rng, split: str) -> Iterator[Attempt]:
        match = pick(rng, split, "values", avoid=("table",))
        base = plan(rng, match, optimiser="adam", decay=0.0)
        unit = size * between(rng, 0.3, 3.0)
        inner = base.net
        net = Net(inner.family, inner.start, lambda p, x, noise: inner.forward(p, x, noise) * unit)
        scaled = replace(base, task=data.scaled_targets(base.task, unit), net=net)
        yield attempt(scaled, any_style(rng, scaled))

    return attempts


def _irreducible(rng: Rng, split: str) -> Iterator[Attempt]:
    """Most of the answer is noise: R² of about 0.3 is all there is to learn, and it is learnt."""
    match = pick(rng, split, "values", avoid=("table",))
    base = plan(rng, match, batch=draw(rng, 32, 64), factor=0.3)
    rng_noise = np.random.default_rng(base.seed)

    def blurred(p: Part) -> Part:
        noise = 1.4 * rng_noise.standard_normal(p.y.shape).astype(np.float32)
        return Part(p.x, (p.y + noise) / np.float32(1.7))

    yield attempt(replace(base, task=data.each_part(base.task, blurred)), any_style(rng, base), allow=("progress",))


def _smoothed_labels(rng: Rng, split: str) -> Iterator[Attempt]:
    """Label smoothing: a floor well above 0."""
    match = pick(rng, split, "classes")
    base = plan(rng, match, smoothing=draw(rng, 0.1, 0.2))
    yield attempt(base, any_style(rng, base))


def _mixed(rng: Rng, split: str) -> Iterator[Attempt]:
    """Mix-up: two bands of training loss, and validation below them."""
    match = pick(rng, split, "classes", avoid=("norm",))
    base = plan(rng, match, mix=True, steps=int(between(rng, 1200, 4000)))
    yield attempt(base, stepped(rng, base, val=True))


def _dropped_out(rng: Rng, split: str) -> Iterator[Attempt]:
    """Dropout: validation lies below training all the way."""
    match = pick(rng, split, "deep")
    base = plan(rng, match)
    net = match.build(np.random.default_rng(base.seed), base.task, width=2, dropout=draw(rng, 0.3, 0.5))
    yield attempt(replace(base, net=net), any_style(rng, base, val=True))


def _near_zero(rng: Rng, split: str) -> Iterator[Attempt]:
    """Training loss near 0, validation flat at many times that and perfectly good."""
    match = pick(rng, split, "classes")
    base = plan(rng, match, steps=int(between(rng, 1500, 4000)))
    made = attempt(base, any_style(rng, base, val=True))
    history = made.history()
    ratio = history.evals["val"][-1] / max(history.evals["train"][-1], 1e-12)
    if ratio > 3:
        yield replace(made, history=lambda: history)


def _steady_gap(rng: Rng, split: str) -> Iterator[Attempt]:
    """Small gap that opens early and stays, as every finite training set has one."""
    match = pick(rng, split, avoid=("sequence",))
    base = plan(rng, match, decay=draw(rng, 0.001, 0.003), factor=0.5)
    small = replace(base, task=data.smaller(base.task, draw(rng, 300, 500)))
    yield attempt(small, any_style(rng, small, val=True))


def _tiny_validation(rng: Rng, split: str) -> Iterator[Attempt]:
    """Few rows to validate on, looked at through other rows each time: noisy and flat at the end."""
    match = pick(rng, split, avoid=("sequence",))
    base = plan(rng, match, factor=0.5, decay=0.001)
    size = draw(rng, 8, 16, 30)

    @cache
    def noisy() -> History:
        history = train(base)
        val = history.evals["val"]
        wobble = np.random.default_rng(base.seed).gamma(size / 4, 4 / size, len(val))
        return replace(history, evals={**history.evals, "val": val * wobble, "true val": val})

    yield attempt(base, any_style(rng, base, val=True), history=noisy, allow=("validation",))


def _benign_bump(rng: Rng, split: str) -> Iterator[Attempt]:
    """Batch that is somewhat harder than the others: a bump, nothing more."""
    match = pick(rng, split, avoid=("table", "norm"))
    base = plan(rng, match, steps=int(between(rng, 1200, 3000)))
    at = tuple(int(base.steps * between(rng, 0.2, 0.9)) for _ in range(draw(rng, 1, 2, 3)))
    faults = tuple(Fault(a, lambda part, _rng: Part(part.x * np.float32(1.3), part.y)) for a in at)
    yield attempt(replace(base, faults=faults), stepped(rng, base))


def _heavy_tails(rng: Rng, split: str) -> Iterator[Attempt]:
    """Answers with Student's t noise: now and then a huge batch loss, in a model that learns."""
    match = pick(rng, split, "values", avoid=("table",))
    base = plan(rng, match, batch=draw(rng, 4, 8), clip=1.0, factor=0.3, steps=int(between(rng, 1500, 6000)))
    noise = np.random.default_rng(base.seed)

    def tailed(p: Part) -> Part:
        return Part(p.x, p.y + 0.15 * noise.standard_t(2.2, p.y.shape).astype(np.float32))

    loss = draw(rng, "huber", "absolute", "squared")
    heavy = replace(base, task=data.each_part(base.task, tailed), loss=loss)
    yield attempt(heavy, stepped(rng, heavy, avoid=("keras",)))


def _unfinished(rng: Rng, split: str) -> Iterator[Attempt]:
    """Still improving when it ends."""
    match = pick(rng, split)
    base = plan(rng, match, factor=0.03, steps=int(between(rng, 1000, 5000)), optimiser="adam")
    yield attempt(base, any_style(rng, base))


def _stopped_early(rng: Rng, split: str) -> Iterator[Attempt]:
    """Early stopping did its work before the rise could show."""
    match = pick(rng, split, "wide")
    base = plan(rng, match, factor=0.7)
    small = data.smaller(base.task, draw(rng, 250, 400))
    epoch = -(-len(small.train.x) // 32)
    stopping = replace(base, task=small, batch=32, steps=epoch * 150, evaluate_every=epoch, patience=draw(rng, 3, 5, 8))
    yield attempt(stopping, stepped(rng, stopping, val=True, avoid=("keras",)))


def _rarely_looked(rng: Rng, split: str) -> Iterator[Attempt]:
    """Three to eight evaluations in the whole run."""
    base = plan(rng, pick(rng, split))
    seldom = replace(base, evaluate_every=base.steps // draw(rng, 3, 5, 8))
    yield attempt(
        seldom, stepped(rng, seldom, val=True, avoid=("keras", "lightning")), allow=("validation", "few evaluations")
    )


def _long(rng: Rng, split: str) -> Iterator[Attempt]:
    """Ten to twenty thousand points."""
    match = pick(rng, split, avoid=("sequence", "image", "norm"))
    base = plan(rng, match, factor=0.2, decay=0.001, batch=32, steps=int(between(rng, 10000, 20000)))
    style = stepped(rng, base, avoid=("keras",))
    yield attempt(base, replace(style, every=1))


def _resumed(rng: Rng, split: str) -> Iterator[Attempt]:
    """Training stopped and resumed from a checkpoint some way back: steps overlap, in a second file."""
    base = plan(rng, pick(rng, split), evaluate_every=None, steps=int(between(rng, 800, 2500)))
    cut, back = int(base.steps * between(rng, 0.4, 0.7)), int(base.steps * between(rng, 0.05, 0.2))
    back -= (cut - back) % 1

    @cache
    def whole() -> History:
        return train(base)

    def part(begin: int, end: int) -> History:
        h = whole()
        inside = (h.evals["step"] > begin) & (h.evals["step"] <= end)
        evals = {k: np.concatenate([v[:1], v[inside]]) for k, v in h.evals.items()}
        take = slice(begin, end)
        return replace(h, steps=h.steps[take], loss=h.loss[take], rate=h.rate[take], grad=h.grad[take], evals=evals)

    style = stepped(rng, base, avoid=("keras", "fastai", "megatron", "hf", "mlflow", "lightning", "detectron"))
    wobble = np.random.default_rng(base.seed)

    def second() -> History:
        h = part(cut - back, base.steps)
        return replace(h, loss=h.loss * (1 + 0.02 * wobble.standard_normal(len(h.loss)).clip(-3, 3)))

    yield attempt(base, style, history=whole, resumed=second, params={"resume_at": cut - back, "stopped_at": cut})


def _accumulated(rng: Rng, split: str) -> Iterator[Attempt]:
    """Gradients over several micro-batches, each of whose losses is logged; a smaller last batch."""
    base = plan(rng, pick(rng, split, avoid=("sequence",)), batch=draw(rng, 12, 20, 28))
    yield attempt(base, stepped(rng, base, avoid=("keras",)))


RECIPES = (
    Recipe("healthy", "plain", _plain, 14, 26),
    Recipe("healthy", "epochs", _epochs, 9, 16),
    Recipe("healthy", "batches of one", _single_rows, 6, 11),
    Recipe("healthy", "late recall", _late_recall, 6, 14),
    Recipe("healthy", "fine-tuning", _fine_tuned, 5, 10),
    Recipe("healthy", "exact fit", _exact_fit, 4, 8),
    Recipe("healthy", "large units", _units(1000.0), 4, 8),
    Recipe("healthy", "tiny units", _units(0.001), 4, 8),
    Recipe("healthy", "irreducible noise", _irreducible, 5, 9),
    Recipe("healthy", "label smoothing", _smoothed_labels, 4, 8),
    Recipe("healthy", "mix-up", _mixed, 4, 8),
    Recipe("healthy", "dropout", _dropped_out, 5, 8),
    Recipe("healthy", "training loss near 0", _near_zero, 6, 11),
    Recipe("healthy", "steady gap", _steady_gap, 5, 9),
    Recipe("healthy", "tiny validation set", _tiny_validation, 6, 11),
    Recipe("healthy", "benign bump", _benign_bump, 5, 9),
    Recipe("healthy", "heavy tails", _heavy_tails, 5, 9),
    Recipe("healthy", "still improving", _unfinished, 5, 9),
    Recipe("healthy", "stopped early", _stopped_early, 5, 9),
    Recipe("healthy", "rarely evaluated", _rarely_looked, 5, 9),
    Recipe("healthy", "long", _long, 3, 5),
    Recipe("healthy", "resumed with overlap", _resumed, 5, 9),
    Recipe("healthy", "odd last batch", _accumulated, 4, 7),
)
