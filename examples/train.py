"""Trains the examples again: `python -m examples.train [DIR]` writes the logs (default: examples/logs).

Every run is a real training of a small model on data that comes with scikit-learn. What goes wrong is done to it the
way it happens to people, and the oracle of benchmarks/truth must agree that it shows. Same seed, same bytes.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.truth import data, nets
from benchmarks.truth.data import Part, Task
from benchmarks.truth.events import write_events, write_hparams, write_mlflow, write_yaml
from benchmarks.truth.exhibit import Exhibit, Label
from benchmarks.truth.layouts import Style, lay_out
from benchmarks.truth.loop import Fault, Plan, train
from benchmarks.truth.losses import guess
from benchmarks.truth.oracle import confirm
from benchmarks.truth.zoo import constant, warmed_up

HERE = Path(__file__).parent / "logs"
START = 1.767e9  # January 2026; the clock is made up so that the same seed gives the same bytes


@dataclass(frozen=True)
class Example:
    """A run to train: where it goes, what shows (a symptom's id, or healthy), and how. `sound` undoes the fault."""

    place: str
    shows: str
    plan: Plan
    style: Style
    model: str
    sound: Callable[[Plan], Plan] | None = None
    onset: int | None = None


def _net(task: Task, *hidden: int, activation: str = "tanh", gain: float = 1.2) -> nets.Net:
    sizes = (task.inputs, *hidden, task.outputs)
    return nets.mlp(np.random.default_rng(7), sizes, activation, family="mlp", gain=gain)


def _plan(task: Task, net: nets.Net, steps: int, rate: float, **given: object) -> Plan:
    fields: dict[str, object] = {
        "batch": 32,
        "seed": 11,
        "loss": "cross-entropy" if task.classes else "squared",
        **given,
    }
    return Plan(task=task, net=net, steps=steps, rate=constant(rate), **fields)  # type: ignore[arg-type]


def bouncing() -> Example:
    """Train at a learning rate a hundred times too high: the loss jumps about and gets nowhere."""
    digits = data.load("digits")
    plan = _plan(digits, _net(digits, 32), 1500, 0.3, optimiser="adam")
    style = Style("add_scalar", every=2, names=0, metrics=("accuracy",))
    return Example(
        "tensorboard/unicorn_bouncing",
        "not-converging",
        plan,
        style,
        "tanh MLP 32",
        sound=lambda p: replace(p, rate=constant(0.003)),
    )


def exploding() -> Example:
    """Warm the learning rate of a linear regression up beyond what it bears: in the end the loss takes off."""
    patients = data.load("diabetes")
    plan = replace(_plan(patients, _net(patients), 580, 0.0), rate=warmed_up(0.35, 640))
    style = Style("add_scalar", every=1, names=1, grad=True, metrics=())
    return Example("tensorboard/unicorn_exploding", "exploding-loss", plan, style, "linear regression")


def bad_batch() -> Example:
    """One batch in which a broken camera multiplied all pixels: a spike, and the model comes back."""
    digits = data.load("digits")
    broken = Fault(700, lambda part, rng: Part(part.x * np.float32(8), rng.permutation(part.y)), length=4)
    plan = _plan(digits, _net(digits, 32), 1600, 0.1, faults=(broken,))
    style = Style("add_scalar", every=2, names=1, grad=True, metrics=("accuracy",))
    return Example("tensorboard/unicorn_one_bad_batch", "loss-spike", plan, style, "tanh MLP 32", onset=700)


def sorted_data() -> Example:
    """Digits read in the order of their classes, epoch after epoch."""
    digits = data.smaller(data.load("digits"), 640)
    plan = _plan(digits, _net(digits), 1000, 0.02, order="sorted", batch=16)
    style = Style("add_scalar", every=1, names=1, metrics=("accuracy",))
    shuffled = replace(plan, order="shuffled")
    return Example(
        "tensorboard/unicorn_sorted", "repetitive-loss", plan, style, "softmax regression", lambda _p: shuffled
    )


def never_found() -> Example:
    """Look for the one picture in twenty that shows an 8, in noise: no probability ever passes ½, so recall stays 0."""
    noise = np.random.default_rng(5)
    blurred = data.each_part(
        data.load("digits"), lambda p: Part((p.x + noise.standard_normal(p.x.shape)).astype(np.float32), p.y)
    )
    eights = data.rare(blurred, 0.05, 1, positive=8)
    plan = _plan(eights, _net(eights, 16, gain=0.1), 1500, 0.005, decay=0.03)
    plan = replace(plan, evaluate_every=plan.epoch)
    style = Style("keras", every=0, metrics=("recall", "precision", "auc"))
    return Example("keras/unicorn_never_found", "contradictory-metrics", plan, style, "tanh MLP 16")


def by_heart() -> Example:
    """Learn by heart: a wide model and 120 examples, some of them labelled wrongly."""
    few = data.wrong_labels(data.smaller(data.load("digits"), 120), 0.15, 3)
    net = nets.mlp(np.random.default_rng(7), (64, 96, 10), "tanh", family="mlp", gain=1.2)
    plan = _plan(few, net, 8 * 120, 0.003, optimiser="adam", batch=16)
    style = Style("keras", every=0, metrics=("accuracy",))
    return Example("keras/unicorn_by_heart", "overfitting", plan, style, "tanh MLP 96")


def not_a_number() -> Example:
    """Meet a row with a missing value after 640 steps: NaN from there on."""
    digits = data.load("digits")

    def missing(part: Part, _rng: np.random.Generator) -> Part:
        x = part.x.copy()
        x[0, 5] = np.nan
        return Part(x, part.y)

    plan = _plan(digits, _net(digits, 32), 900, 0.1, faults=(Fault(640, missing),))
    style = Style("lightning", every=2, metrics=("accuracy",))
    return Example("lightning/unicorn_not_a_number", "non-finite", plan, style, "tanh MLP 32")


def working() -> Example:
    """Train the same model on clean data with a rate that is taken down: as it should be."""
    digits = data.load("digits")
    plan = _plan(digits, _net(digits, 32), 1200, 0.05, decay=0.003)
    plan = replace(plan, rate=lambda s: 0.05 * (0.05 + 0.475 * (1 + np.cos(np.pi * s / 1200))))
    style = Style("lightning", every=2, metrics=("accuracy",))
    return Example("lightning/unicorn_working", "healthy", plan, style, "tanh MLP 32")


def stuck() -> Example:
    """Rectifiers that were started so far below 0 that none of them ever answers: the loss of guessing, ln 10."""
    digits = data.load("digits")
    net = _net(digits, 32, activation="relu")
    dead = nets.Net(net.family, {**net.start, "0.b": net.start["0.b"] - 40}, net.forward)
    plan = _plan(digits, dead, 900, 0.1)
    style = Style("mlflow", every=2, metrics=("accuracy",))
    return Example("mlflow/unicorn_stuck", "plateau", plan, style, "ReLU MLP 32", lambda p: replace(p, net=net))


def also_working() -> Example:
    """Another sound one, with noisy small batches: bouncing, and yet it learns."""
    cancer = data.load("cancer", 2)
    plan = _plan(cancer, _net(cancer, 16), 1500, 0.01, batch=8, decay=0.01)
    plan = replace(plan, evaluate_every=plan.epoch)
    style = Style("mlflow", every=2, metrics=("accuracy", "recall", "auc"))
    return Example("mlflow/unicorn_also_working", "healthy", plan, style, "tanh MLP 16")


EXAMPLES = (
    bouncing,
    exploding,
    bad_batch,
    sorted_data,
    never_found,
    by_heart,
    not_a_number,
    working,
    stuck,
    also_working,
)


def write(example: Example, where: Path, number: int) -> Label:
    """Train, let the oracle confirm what shows, and write the log; NotShownError when it does not show."""
    plan = example.plan
    history = train(plan)
    curves = lay_out(history, example.style)
    floor = guess(plan.task.train.y, plan.task.classes, str(plan.loss))
    twin = (lambda: train(example.sound(plan))) if example.sound else None  # type: ignore[misc]  # it is not None here
    label = confirm(example.shows, Exhibit(history, curves, twin, example.onset, floor))
    folder, start, given = where / example.place, START + 3600.0 * number, _params(example)
    if example.style.layout == "mlflow":
        run_id = hashlib.sha256(folder.name.encode()).hexdigest()[:32]
        tags = {"mlflow.source.name": "train.py", "mlflow.source.type": "LOCAL"}
        write_mlflow(
            where / "mlflow" / "mlruns",
            run_id,
            curves,
            name=folder.name,
            params=given,
            tags=tags,
            start=start,
            pace=0.05,
            experiment=("1", "unicorns"),
        )
        return label
    if example.style.layout == "lightning":
        folder = folder / "lightning_logs" / "version_0"
        write_yaml(folder / "hparams.yaml", given)
    else:
        folder.mkdir(parents=True)
        write_hparams(folder, given, start=start)
    keras = example.style.layout == "keras"
    write_events(folder, curves, start=start, pace=0.05, as_tensors=keras, suffix=".v2" if keras else "")
    return label


def _params(example: Example) -> dict[str, object]:
    plan = example.plan
    return {
        "model": example.model,
        "data": plan.task.name,
        "optimizer": plan.optimiser,
        "learning_rate": float(f"{max(plan.rate(s) for s in range(plan.steps)):.4g}"),
        "batch_size": plan.batch,
        "weight_decay": plan.decay,
    }


def main() -> None:
    """Train all examples anew."""
    where = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    shutil.rmtree(where, ignore_errors=True)
    for number, make in enumerate(EXAMPLES, start=1):
        example = make()
        with threadpool_limits(1):  # sums come in one order, and small nets lose by threads
            label = write(example, where, number)
        print(f"{example.place:36} {example.shows:22} {label.numbers}")


if __name__ == "__main__":
    main()
