"""The training loop: a plan in, a history out; what a plan may do wrong is part of the plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from benchmarks.truth import losses
from benchmarks.truth.autograd import Array, Tape, Var, backward
from benchmarks.truth.data import Part, Task
from benchmarks.truth.nets import Net

Schedule = Callable[[int], float]
EVALUATED = 600  # rows of a part that are looked at in an evaluation, so that watching stays cheap


@dataclass(frozen=True)
class Fault:
    """Something done to the batches from `step` on, `length` steps long (None: to the end)."""

    step: int
    change: Callable[[Part, np.random.Generator], Part]
    length: int | None = 1

    def at(self, step: int) -> bool:
        """Whether the fault touches this step."""
        return step >= self.step and (self.length is None or step < self.step + self.length)


@dataclass(frozen=True)
class Plan:
    """Everything that decides a training. `rate` maps the update's number to the learning rate."""

    task: Task
    net: Net
    loss: str | losses.Loss
    steps: int
    batch: int
    rate: Schedule
    seed: int = 0
    optimiser: str = "sgd"
    clip: float | None = None
    decay: float = 0.0
    order: str = "shuffled"
    buffer: int = 0
    smoothing: float = 0.0
    mix: bool = False
    accumulate: int = 1
    evaluate_every: int | None = None
    patience: int | None = None
    faults: tuple[Fault, ...] = ()

    @property
    def epoch(self) -> int:
        """Steps in one pass over the training data."""
        return max(1, -(-len(self.task.train.x) // self.batch))


@dataclass
class History:
    """What happened: per step (arrays of one length), per evaluation (lists by name), and what only the oracle sees.

    `evals` has `step` (steps done), the silent `train`, `val`, `hold` losses and `<part>.<metric>`.
    """

    steps: Array
    loss: Array
    rate: Array
    grad: Array
    epoch: int
    evals: dict[str, Array]
    parts: dict[str, Array] = field(default_factory=dict)
    family: str = "supervised"
    optimiser: str = "SGD"

    @property
    def epochs(self) -> Array:
        """Number of the epoch each step belongs to."""
        return (self.steps // self.epoch).astype(np.int64)


def sgd(momentum: float = 0.0) -> Callable[[Array, Array, float], None]:
    """Return an update rule: gradient descent with momentum."""
    velocity: list[Array] = []

    def update(theta: Array, grad: Array, rate: float) -> None:
        if momentum:
            velocity[:] = [velocity[0] * np.float32(momentum) + grad] if velocity else [grad]
            grad = velocity[0]
        theta -= np.float32(rate) * grad

    return update


def adam(beta1: float = 0.9, beta2: float = 0.999) -> Callable[[Array, Array, float], None]:
    """Return an update rule: Adam (Kingma and Ba, 2015)."""
    state: dict[str, Array] = {}
    count = [0]

    def update(theta: Array, grad: Array, rate: float) -> None:
        count[0] += 1
        state["m"] = np.float32(beta1) * state.get("m", np.float32(0)) + np.float32(1 - beta1) * grad
        state["v"] = np.float32(beta2) * state.get("v", np.float32(0)) + np.float32(1 - beta2) * grad * grad
        scale = rate * np.sqrt(1 - beta2 ** count[0]) / (1 - beta1 ** count[0])
        theta -= np.float32(scale) * state["m"] / (np.sqrt(state["v"]) + np.float32(1e-8))

    return update


OPTIMISERS: Mapping[str, Callable[[], Callable[[Array, Array, float], None]]] = {
    "sgd": sgd,
    "momentum": lambda: sgd(0.9),
    "adam": adam,
}


def batches(plan: Plan, rng: np.random.Generator) -> Iterator[Array]:
    """Yield row numbers for ever, in the plan's order: shuffled, sorted (by answer), fixed, or a short buffer."""
    n = len(plan.task.train.x)
    answer = plan.task.train.y if plan.task.train.y.ndim == 1 else plan.task.train.y[:, 0]
    by_answer = np.argsort(answer, kind="stable")
    while True:
        if plan.order == "shuffled":
            rows = rng.permutation(n)
        elif plan.order == "sorted":
            rows = by_answer
        elif plan.order == "buffer":
            rows = _buffered(by_answer, plan.buffer, rng)
        else:
            rows = np.arange(n)
        for i in range(0, n, plan.batch):
            yield rows[i : i + plan.batch]


def _buffered(rows: Array, size: int, rng: np.random.Generator) -> Array:
    """Draw as a shuffle buffer does: fill it, then replace what is drawn by the next row."""
    held = list(rows[:size])
    out = []
    for row in rows[size:]:
        i = int(rng.integers(len(held)))
        out.append(held[i])
        held[i] = row
    return np.array(out + [held[i] for i in rng.permutation(len(held))])


class Trainer:
    """One training under way; `theta` is the flat vector of all parameters and `views` look into it by name."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.rng = np.random.default_rng([plan.seed, 1])
        self.theta = np.concatenate([v.ravel() for v in plan.net.start.values()]).astype(np.float32)
        self.views: dict[str, Array] = {}
        at = 0
        for name, value in plan.net.start.items():
            self.views[name] = self.theta[at : at + value.size].reshape(value.shape)
            at += value.size
        self.update = OPTIMISERS[plan.optimiser]()

    def gradient(self, part: Part) -> tuple[float, Array]:
        """Loss and flat gradient of a batch."""
        tape: Tape = []
        params = {name: Var(view, tape) for name, view in self.views.items()}
        out = self.plan.net.forward(params, part.x, self.rng)
        loss = losses.named(self.plan.loss)(out, part.y, self.plan.smoothing)
        backward(loss)
        flat = [(p.grad if p.grad is not None else np.zeros_like(p.value)).ravel() for p in params.values()]
        return float(loss.value), np.concatenate(flat).astype(np.float32, copy=False)

    def answer(self, x: Array) -> Array:
        """Return the model's output without noise."""
        return self.plan.net.forward({name: Var(view) for name, view in self.views.items()}, x, None).value

    def step(self, part: Part, rate: float) -> tuple[float, float]:
        """One update; returns the batch's loss and the gradient's norm before clipping."""
        loss, grad = self.gradient(part)
        norm = float(np.sqrt(np.dot(grad.astype(np.float64), grad)))
        if self.plan.clip is not None and norm > self.plan.clip:
            grad *= np.float32(self.plan.clip / norm)
        if self.plan.decay:
            grad += np.float32(self.plan.decay) * self.theta
        self.update(self.theta, grad, rate)
        return loss, norm

    def look(self) -> dict[str, float]:
        """Silent losses and metrics on clean data."""
        seen = {}
        for name in ("train", "val", "hold"):
            part = getattr(self.plan.task, name)
            part = Part(part.x[:EVALUATED], part.y[:EVALUATED])
            out = self.answer(part.x)
            seen[name] = float(losses.named(self.plan.loss)(Var(out), part.y, self.plan.smoothing).value)
            if name != "hold":
                seen |= {f"{name}.{k}": v for k, v in losses.metrics(out, part.y, self.plan.task.classes).items()}
        return seen


def train(plan: Plan) -> History:
    """Carry out the plan. Overflow and NaN go their way, as they do in a real training."""
    with np.errstate(all="ignore"):
        return _train(plan)


def _train(plan: Plan) -> History:
    trainer = Trainer(plan)
    every = plan.evaluate_every or plan.epoch
    seen: list[dict[str, float]] = [{"step": 0, **trainer.look()}]
    rows: list[tuple[float, float, float]] = []
    source = batches(plan, np.random.default_rng([plan.seed, 2]))
    lost = False  # once a weight is NaN nothing but NaN can follow
    upset = np.random.default_rng([plan.seed, 3])
    for step in range(plan.steps):
        part = plan.task.train.rows(next(source))
        if plan.mix:
            part = _mixed(part, plan.task.classes, upset)
        for fault in plan.faults:
            if fault.at(step):
                part = fault.change(part, upset)
        rate = plan.rate(step)
        loss, norm = trainer.step(part, rate) if not lost else (np.nan, np.nan)
        lost = lost or bool(not np.isfinite(loss + norm) and np.isnan(trainer.theta).any())
        rows.append((loss, rate, norm))
        if (step + 1) % every == 0 or step + 1 == plan.steps:
            looked = trainer.look() if not lost else dict.fromkeys(seen[0], np.nan)
            seen.append({**looked, "step": step + 1})
            if plan.patience and _stale(seen, plan.patience):
                break
    table = np.array(rows, dtype=np.float64)
    evals = {name: np.array([s[name] for s in seen], dtype=np.float64) for name in seen[0]}
    name = {"sgd": "SGD", "momentum": "SGD", "adam": "Adam"}[plan.optimiser]
    return History(np.arange(len(table)), table[:, 0], table[:, 1], table[:, 2], plan.epoch, evals, optimiser=name)


def _stale(seen: list[dict[str, float]], patience: int) -> bool:
    values = np.array([s["val"] for s in seen])
    return len(values) - 1 - int(np.nanargmin(values)) >= patience


def _mixed(part: Part, classes: int, rng: np.random.Generator) -> Part:
    """Mix-up (Zhang et al., 2018) of the batch with itself in another order; labels become shares."""
    share = np.float32(rng.beta(0.4, 0.4))
    other = rng.permutation(len(part.x))
    y = np.eye(classes, dtype=np.float32)[part.y]
    return Part(share * part.x + (1 - share) * part.x[other], share * y + (1 - share) * y[other])


def without_fault(plan: Plan, **changes: object) -> Plan:
    """Return the twin: the same plan without its faults, with the given fields put right."""
    return replace(plan, faults=(), **changes)  # type: ignore[arg-type]  # names are checked by replace itself
