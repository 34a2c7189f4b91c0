"""How a history reaches the log: names, axes and cadence of the frameworks and habits people have."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from benchmarks.truth.events import Curve
from benchmarks.truth.layouts_parts import PARTED
from benchmarks.truth.logged import (
    Style,
    epoch_means,
    evaluated,
    grad_curve,
    instant,
    metric_curves,
    named,
    per_epoch,
    rate_curve,
    running,
    steps_every,
    windowed,
)
from benchmarks.truth.loop import History

Layout = Callable[[History, Style], list[Curve]]


def _add_scalar(h: History, s: Style) -> list[Curve]:
    """Hand-written loop: steps for the loss, or epochs for everything."""
    train, val, metric, rate, grad = (
        ("Loss/train", "Loss/val", "{}/val", "lr", "grad_norm"),
        ("train/loss", "val/loss", "val/{}", "train/lr", "train/grad_norm"),
        ("train_loss", "val_loss", "val_{}", "learning_rate", "grad_norm"),
        ("training_loss", "validation_loss", "validation_{}", "LR", "gradient_norm"),
        ("loss/train", "loss/valid", "{}/valid", "Learning Rate", "grad/norm"),
        ("Train/Loss", "Test/Loss", "Test/{}", "Train/lr", "Train/grad_norm"),
    )[s.names % 6]
    axis = "step" if s.every else "epoch"
    made = [named(instant(h, s.every) if s.every else epoch_means(h), train)]
    if s.val:
        made.append(evaluated(h, s, "val", val, axis))
    made += metric_curves(h, s, metric, axis)
    if s.rate:
        made.append(rate_curve(h, rate, steps_every(h, s)) if s.every else per_epoch(h, rate, h.rate, "rate"))
    if s.grad:
        made.append(grad_curve(h, grad, steps_every(h, s)) if s.every else per_epoch(h, grad, h.grad, "grad"))
    return made


def _add_scalars(h: History, s: Style) -> list[Curve]:
    """SummaryWriter.add_scalars: a folder per line of the chart, one tag in all of them."""
    main = ("Loss", "loss", "losses")[s.names % 3]
    one, two = (("train", "val"), ("train", "valid"), ("training", "validation"))[s.names % 3]
    axis = "step" if s.every else "epoch"
    made = [named(instant(h, s.every) if s.every else epoch_means(h), main, f"{main}_{one}")]
    if s.val:
        made.append(evaluated(h, s, "val", main, axis, f"{main}_{two}"))
    made += metric_curves(h, s, f"{{}}/{two}", axis)
    if s.rate:
        made.append(rate_curve(h, "lr", steps_every(h, s)) if s.every else per_epoch(h, "lr", h.rate, "rate"))
    return made


def _keras(h: History, s: Style) -> list[Curve]:
    """Keras' TensorBoard callback: epochs, and batches as running means where update_freq asks for them."""
    made = [named(epoch_means(h), "epoch_loss", "train")]
    if s.every:
        made.append(named(running(h, s.every), "batch_loss", "train"))
    made += metric_curves(h, s, "epoch_{}", "epoch", "train", "train")
    if s.rate:
        made.append(per_epoch(h, "epoch_learning_rate", h.rate, "rate", "train"))
    if s.val:
        made.append(evaluated(h, s, "val", "epoch_loss", "epoch", "validation"))
        made.append(evaluated(h, s, "val", "evaluation_loss_vs_iterations", "step", "validation", "other"))
    return made + metric_curves(h, s, "epoch_{}", "epoch", "validation")


def _lightning(h: History, s: Style) -> list[Curve]:
    every = steps_every(h, s)
    means = epoch_means(h)
    made = [Curve("train_loss_epoch", means.at, means.values, means.at, "loss:train")]
    if s.every:
        made.append(named(instant(h, every), "train_loss_step"))
    if s.val:
        made.append(evaluated(h, s, "val", "val_loss"))
    made += metric_curves(h, s, "val_{}")
    epochs = Curve("epoch", h.steps[every - 1 :: every], h.epochs[every - 1 :: every], h.steps[every - 1 :: every])
    made.append(epochs)
    if s.rate:
        made.append(rate_curve(h, f"lr-{h.optimiser}", every))
    if s.grad:
        made.append(grad_curve(h, "grad_2.0_norm_total", every))
    return [*made, Curve("hp_metric", np.array([0]), np.array([-1.0]), np.array([0]))]


def _hf(h: History, s: Style) -> list[Curve]:
    every = steps_every(h, s)
    loss = named(windowed(h, every), "train/loss")
    at = loss.at
    made = [loss, Curve("train/epoch", at + 1, (at + 1) / h.epoch, at)]
    made.append(Curve("train/learning_rate", at + 1, h.rate[loss.at - h.steps[0]], at, "rate"))
    if s.grad:
        made.append(Curve("train/grad_norm", at + 1, h.grad[loss.at - h.steps[0]], at, "grad"))
    if s.val:
        made.append(evaluated(h, s, "val", "eval/loss"))
        timing = evaluated(h, s, "val", "eval/runtime", role="other")
        took = 1.5 + 0.05 * np.sin(np.arange(len(timing.steps)) * 1.7)
        made.append(Curve("eval/runtime", timing.steps, took, timing.at))
        made.append(Curve("eval/samples_per_second", timing.steps, 300 / took, timing.at))
    made += metric_curves(h, s, "eval/{}")
    last = h.steps[-1:]
    for tag, value in (
        ("train/train_loss", h.loss.mean()),
        ("train/total_flos", 3.1e14),
        ("train/train_runtime", 411.0),
    ):
        made.append(Curve(tag, last + 1, np.array([value]), last))
    return made


def _nanogpt(h: History, s: Style) -> list[Curve]:
    """Training and validation loss are both evaluated, at the same iterations."""
    made = [evaluated(h, s, "train", "train/loss", role="loss:train"), evaluated(h, s, "val", "val/loss")]
    at = made[0].at
    made.append(Curve("lr", made[0].steps, h.rate[at], at, "rate"))
    made.append(Curve("mfu", made[0].steps, 32.0 + np.cos(np.arange(len(at))), at))
    return [*made, Curve("iter", made[0].steps, made[0].steps.astype(np.float64), at)]


def _detectron(h: History, s: Style) -> list[Curve]:
    every = s.every or 20
    made = [named(instant(h, every), "total_loss"), rate_curve(h, "lr", every)]
    made += [Curve(t, made[0].steps, h.parts[t][made[0].at], made[0].at, f"part:{t}") for t in h.parts]
    for tag, size in (("time", 0.21), ("data_time", 0.004)):
        made.append(Curve(tag, made[0].steps, size * (1 + 0.1 * np.sin(np.arange(len(made[0].steps)))), made[0].at))
    if s.val:
        made.append(evaluated(h, s, "val", "validation_loss"))
    return made + metric_curves(h, s, "bbox/{}")


def _megatron(h: History, s: Style) -> list[Curve]:
    every = s.every or 10
    made = [
        named(windowed(h, every), "lm loss"),
        rate_curve(h, "learning-rate", every),
        grad_curve(h, "grad-norm", every),
    ]
    grid = made[0]
    for tag, value in (("loss-scale", 65536.0), ("batch-size", 32.0)):
        made.append(Curve(tag, grid.steps, np.full(len(grid.steps), value), grid.at))
    made.append(Curve("iteration-time", grid.steps, 0.4 + 0.02 * np.sin(np.arange(len(grid.steps))), grid.at))
    if s.val:
        made.append(evaluated(h, s, "val", "lm loss validation"))
        ppl = np.exp(np.minimum(made[-1].values, 20.0))
        made.append(Curve("lm loss validation ppl", made[-1].steps, ppl, made[-1].at, "other"))
    return made + [Curve(f"{c.tag} vs samples", c.steps * 32, c.values, c.at) for c in made]


def _clu(h: History, s: Style) -> list[Curve]:
    every = steps_every(h, s)
    made = [named(instant(h, every), "train/loss")]
    if s.val:
        made.append(evaluated(h, s, "val", "validation/loss"))
    made += metric_curves(h, s, "validation/{}") + metric_curves(h, s, "train/{}", part="train")
    if s.grad:
        made.append(grad_curve(h, "grad_norm", every))
    x = made[0]
    made.append(Curve("global_step", x.steps, x.steps.astype(np.float64), x.at))
    return [*made, Curve("preemption_count", x.steps, np.zeros(len(x.steps)), x.at)]


def _fastai(h: History, s: Style) -> list[Curve]:
    """Training loss is smoothed (β 0.98, corrected); the raw one stands beside it."""
    smooth, held = np.empty(len(h.loss)), 0.0
    for i, value in enumerate(h.loss):
        held = 0.98 * held + 0.02 * value
        smooth[i] = held / (1 - 0.98 ** (i + 1))
    raw = named(instant(h, max(1, s.every)), "raw_loss")
    made = [Curve("train_loss", raw.steps, smooth[raw.at], raw.at, "loss:train"), raw]
    made += [rate_curve(h, "lr_0", max(1, s.every)), Curve("wd_0", raw.steps, np.full(len(raw.steps), 0.01), raw.at)]
    if s.val:
        made.append(evaluated(h, s, "val", "valid_loss"))
    return made + metric_curves(h, s, "{}")


def _autolog(h: History, s: Style) -> list[Curve]:
    """MLflow's autologging of Keras: epochs only."""
    made = [named(epoch_means(h), "loss")]
    made += metric_curves(h, s, "{}", "epoch", part="train") + metric_curves(h, s, "val_{}", "epoch")
    if s.val:
        made.append(evaluated(h, s, "val", "val_loss", "epoch"))
    return [*made, per_epoch(h, "learning_rate", h.rate, "rate")] if s.rate else made


def _mlflow_steps(h: History, s: Style) -> list[Curve]:
    """MLflow by hand, and a system metric on its own axis."""
    made = [named(instant(h, steps_every(h, s)), "train_loss")]
    if s.val:
        made.append(evaluated(h, s, "val", "val_loss"))
    made += metric_curves(h, s, "val_{}")
    if s.rate:
        made.append(rate_curve(h, "lr", steps_every(h, s)))
    samples = np.arange(12)
    busy = Curve(
        "system/cpu_utilization_percentage", samples, 60.0 + 5 * np.sin(samples), samples * (len(h.loss) // 12)
    )
    return [*made, busy]


LAYOUTS: Mapping[str, Layout] = {
    "add_scalar": _add_scalar,
    "add_scalars": _add_scalars,
    "keras": _keras,
    "lightning": _lightning,
    "hf": _hf,
    "nanogpt": _nanogpt,
    "detectron": _detectron,
    "megatron": _megatron,
    "clu": _clu,
    "fastai": _fastai,
    "mlflow-autolog": _autolog,
    "mlflow": _mlflow_steps,
}


def lay_out(history: History, style: Style) -> list[Curve]:
    """Return the curves that a framework would have logged of this history."""
    if style.layout in PARTED:
        made = PARTED[style.layout](history, max(1, style.every), style.names)
    else:
        made = LAYOUTS[style.layout](history, style)
    return [curve for curve in made if len(curve.steps)]
