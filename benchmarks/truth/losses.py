"""Losses to train by and metrics to watch."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from scipy.stats import rankdata

from benchmarks.truth import autograd as ag
from benchmarks.truth.autograd import Array, Var


def _cross_entropy(out: Var, y: Array, smoothing: float) -> Var:
    return ag.softmax_cross_entropy(out, y, smoothing)


def _naive_cross_entropy(out: Var, y: Array, _smoothing: float) -> Var:
    """−log of the softmax without a guard, as beginners write it: infinite once a probability underflows."""
    e = ag.exp(out)
    p = e / ag.reshape(ag.total(e), (len(y), 1))
    picked = ag.total(p * Var(np.eye(out.value.shape[1], dtype=np.float32)[y]))
    return ag.mean(ag.log(picked)) * -1.0


def _squared(out: Var, y: Array, _smoothing: float) -> Var:
    miss = out - Var(y)
    return ag.mean(miss * miss)


def _absolute(out: Var, y: Array, _smoothing: float) -> Var:
    miss = out - Var(y)
    return ag.mean(miss * Var(np.sign(miss.value)))


def _huber(out: Var, y: Array, _smoothing: float) -> Var:
    miss = out - Var(y)
    return ag.mean(ag.sqrt(miss * miss + 1.0)) - 1.0


def _relative(out: Var, y: Array, _smoothing: float) -> Var:
    """Squared relative error without a guard: divides by zero when an answer is 0."""
    miss = (out - Var(y)) / Var(y)
    return ag.mean(miss * miss)


def _gaussian(out: Var, y: Array, _smoothing: float) -> Var:
    """Negative log likelihood of a Gaussian whose mean and log variance are both answers (constant left out)."""
    miss = ag.columns(out, 0, 1) - Var(y)
    log_var = ag.columns(out, 1, 2)
    return ag.mean(log_var + miss * miss / ag.exp(log_var)) * 0.5


def _hinge(out: Var, y: Array, _smoothing: float) -> Var:
    """One-against-all hinge loss."""
    sign = Var(2 * np.eye(out.value.shape[1], dtype=np.float32)[y] - 1)
    return ag.mean(ag.relu(out * sign * -1.0 + 1.0))


Loss = Callable[[Var, Array, float], Var]
LOSSES: Mapping[str, Loss] = {
    "cross-entropy": _cross_entropy,
    "naive-cross-entropy": _naive_cross_entropy,
    "squared": _squared,
    "absolute": _absolute,
    "huber": _huber,
    "relative": _relative,
    "gaussian": _gaussian,
    "hinge": _hinge,
}


def metrics(out: Array, y: Array, classes: int) -> dict[str, float]:
    """Accuracy (and for two classes precision, recall, F1 at threshold ½, AUC), or R² and mean absolute error."""
    if classes < 0:
        return _detected(out, y, -classes)
    if not classes:
        miss = out[:, : y.shape[1]] - y
        return {"r2": float(1 - (miss**2).mean() / y.var()), "mae": float(np.abs(miss).mean())}
    said = out.argmax(axis=1)
    seen = {"accuracy": float((said == y).mean())}
    if classes == 2:
        hits = float(((said == 1) & (y == 1)).sum())
        precision = hits / max(1.0, float((said == 1).sum()))
        recall = hits / max(1.0, float((y == 1).sum()))
        f1 = 2 * precision * recall / (precision + recall) if hits else 0.0
        seen |= {"precision": precision, "recall": recall, "f1": f1, "auc": auc(out[:, 1] - out[:, 0], y)}
    return seen


def named(loss: str | Loss) -> Loss:
    """Return the loss of this name; one that is a function already is returned as it is."""
    return LOSSES[loss] if isinstance(loss, str) else loss


class Parted:
    """A loss that is a weighted sum of named parts and remembers each.

    `seen` holds those of training batches, `looked` those of evaluations, in the order they came.
    """

    def __init__(
        self, parts: Mapping[str, Loss], weights: Callable[[str, int], float] = lambda _name, _step: 1.0
    ) -> None:
        self.parts, self.weights = parts, weights
        self.seen: dict[str, list[float]] = {name: [] for name in parts}
        self.looked: dict[str, list[float]] = {name: [] for name in parts}

    def __call__(self, out: Var, y: Array, smoothing: float) -> Var:
        """Return the sum; weights are those of the step in training, of the last step in an evaluation."""
        training = out.tape is not None
        step = len(next(iter(self.seen.values()))) if training else 1 << 30
        made = {name: loss(out, y, smoothing) for name, loss in self.parts.items()}
        for name, value in made.items():
            (self.seen if training else self.looked)[name].append(float(value.value))
        whole = Var(np.float32(0), None)  # type: ignore[arg-type]  # a scalar will do
        for name, value in made.items():
            whole = value * self.weights(name, step) + whole
        return whole


def _detected(out: Array, y: Array, classes: int) -> dict[str, float]:
    """Share of rows whose class is right and whose place is right to 0.5 (and more sharply); as detectors report."""
    right = out[:, :classes].argmax(axis=1) == y[:, 0]
    miss = np.abs(out[:, classes:] - y[:, 1:]).mean(axis=1)
    strict = [float((right & (miss < limit)).mean()) for limit in np.linspace(0.1, 0.6, 6)]
    return {
        "precision": float(right.mean()),
        "recall": strict[-1],
        "mAP50": strict[-2],
        "mAP50-95": float(np.mean(strict)),
    }


def auc(score: Array, y: Array) -> float:
    """Area under the ROC curve by ranks; ½ when a class is absent or a score is not a number."""
    ones = int((y == 1).sum())
    zeros = len(y) - ones
    if not ones or not zeros or not np.isfinite(score).all():
        return 0.5
    return float((rankdata(score)[y == 1].sum() - ones * (ones + 1) / 2) / (ones * zeros))


def guess(y: Array, classes: int, loss: str) -> float:
    """Loss of the best constant answer (for cross entropy, squared and absolute error; NaN for the others)."""
    if loss in {"cross-entropy", "naive-cross-entropy"}:
        p = np.bincount(y, minlength=classes) / len(y)
        return float(-(p[p > 0] * np.log(p[p > 0])).sum())
    if loss == "squared":
        return float(y.var())
    return float(np.abs(y - np.median(y)).mean()) if loss == "absolute" else float("nan")
