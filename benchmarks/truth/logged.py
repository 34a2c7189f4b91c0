"""One curve of a log, as a logger makes it of a history: steps, windows, running and epoch means, evaluations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.truth.autograd import Array
from benchmarks.truth.events import Curve
from benchmarks.truth.loop import History


@dataclass(frozen=True)
class Style:
    """What of a history is logged. `every` steps between training losses (0: epoch means alone); `names` picks a
    spelling; `thin` keeps each n-th evaluation; `metrics` None means all.
    """

    layout: str
    every: int = 1
    names: int = 0
    rate: bool = True
    grad: bool = False
    val: bool = True
    metrics: tuple[str, ...] | None = None
    thin: int = 1


def instant(h: History, every: int) -> Curve:
    """Batch's own loss at every n-th step."""
    pick = slice(max(1, every) - 1, None, max(1, every))
    return Curve("", h.steps[pick], h.loss[pick], h.steps[pick], "loss:train")


def windowed(h: History, every: int) -> Curve:
    """Mean loss since the last point, every n steps."""
    n = len(h.loss) // every * every
    means = h.loss[:n].reshape(-1, every).mean(axis=1)
    at = h.steps[every - 1 : n : every]
    return Curve("", at + 1, means, at, "loss:train")


def epoch_means(h: History) -> Curve:
    """Mean loss of each complete epoch over the epoch's number."""
    full = len(h.loss) // h.epoch
    means = h.loss[: full * h.epoch].reshape(full, h.epoch).mean(axis=1)
    return Curve("", np.arange(full), means, h.steps[h.epoch - 1 : full * h.epoch : h.epoch], "loss:train")


def running(h: History, every: int) -> Curve:
    """Mean since the epoch began, as Keras logs batches."""
    sums = np.concatenate([[0.0], np.cumsum(h.loss)])
    begin = h.steps - h.steps % h.epoch - h.steps[0]
    if not np.isfinite(h.loss).all():  # a NaN must not leak into later epochs, as it would through one long sum
        means = np.array([h.loss[b : i + 1].mean() for i, b in enumerate(begin)])
    else:
        means = (sums[1:] - sums[begin]) / (np.arange(len(h.loss)) - begin + 1)
    pick = slice(every - 1, None, every)
    return Curve("", h.steps[pick], means[pick], h.steps[pick], "loss:train")


def named(curve: Curve, tag: str, folder: str = "") -> Curve:
    """The curve under a tag, in a folder."""
    return Curve(tag, curve.steps, curve.values, curve.at, curve.role, folder)


def rate_curve(h: History, tag: str, every: int, folder: str = "") -> Curve:
    """The learning rate at every n-th step."""
    pick = slice(max(1, every) - 1, None, max(1, every))
    return Curve(tag, h.steps[pick], h.rate[pick], h.steps[pick], "rate", folder)


def grad_curve(h: History, tag: str, every: int) -> Curve:
    """The gradient norm at every n-th step."""
    pick = slice(max(1, every) - 1, None, max(1, every))
    return Curve(tag, h.steps[pick], h.grad[pick], h.steps[pick], "grad")


def looked(h: History, s: Style) -> Array:
    """Which evaluations are logged: not the one before training, every n-th, and the last."""
    picked = np.arange(1, len(h.evals["step"]))
    return picked[(np.arange(len(picked)) + 1) % s.thin == 0]


def evaluated(h: History, s: Style, key: str, tag: str, axis: str = "step", folder: str = "", role: str = "") -> Curve:
    """An evaluation: the history's series `key` at the evaluations that the style keeps, over steps or epochs."""
    picked = looked(h, s)
    done = h.evals["step"][picked].astype(np.int64)
    x = done if axis == "step" else np.ceil(done / h.epoch).astype(np.int64) - 1
    return Curve(tag, x, h.evals[key][picked], done - 1, role or f"loss:{key}", folder)


def metric_names(h: History, s: Style) -> list[str]:
    """Metrics of the validation set that the style logs."""
    known = [key.split(".", 1)[1] for key in h.evals if key.startswith("val.")]
    return [m for m in known if s.metrics is None or m in s.metrics]


def metric_curves(
    h: History, s: Style, form: str, axis: str = "step", folder: str = "", part: str = "val"
) -> list[Curve]:
    """Curves of all metrics of a part; `form` has {} where the metric's name goes."""
    return [
        evaluated(h, s, f"{part}.{m}", form.format(m), axis, folder, f"metric:{m}:{part}") for m in metric_names(h, s)
    ]


def steps_every(h: History, s: Style) -> int:
    """Steps between training losses; an epoch where the style logs epoch means."""
    return s.every or h.epoch


def per_epoch(h: History, tag: str, values: Array, role: str, folder: str = "") -> Curve:
    """Last value of each epoch over the epoch's number."""
    at = h.steps[h.epoch - 1 :: h.epoch]
    return Curve(tag, np.arange(len(at)), values[h.epoch - 1 :: h.epoch], at, role, folder)
