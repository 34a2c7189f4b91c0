"""Reverse-mode differentiation on numpy arrays, as much as small nets need: a tape of closures, single precision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Tape = list[tuple["Var", Callable[[Array], None]]]


class Var:
    """An array with a gradient. Without a tape it is a constant and nothing is recorded."""

    __slots__ = ("grad", "tape", "value")

    def __init__(self, value: Array, tape: Tape | None = None) -> None:
        self.value = value
        self.tape = tape
        self.grad: Array | None = None

    def collect(self, grad: Array) -> None:
        """Add to the gradient what one use of this variable contributes, summed over broadcast axes."""
        if self.tape is None:
            return
        if grad.shape != self.value.shape:
            grad = _unbroadcast(grad, self.value.shape)
        self.grad = grad if self.grad is None else self.grad + grad

    def __add__(self, other: Var | float) -> Var:
        b = _var(other)

        def back(g: Array) -> None:
            self.collect(g)
            b.collect(g)

        return _record(self.value + b.value, back, self, b)

    def __sub__(self, other: Var | float) -> Var:
        b = _var(other)

        def back(g: Array) -> None:
            self.collect(g)
            b.collect(-g)

        return _record(self.value - b.value, back, self, b)

    def __mul__(self, other: Var | float) -> Var:
        b = _var(other)

        def back(g: Array) -> None:
            self.collect(g * b.value)
            b.collect(g * self.value)

        return _record(self.value * b.value, back, self, b)

    def __truediv__(self, other: Var | float) -> Var:
        b = _var(other)

        def back(g: Array) -> None:
            self.collect(g / b.value)
            b.collect(-g * self.value / b.value**2)

        return _record(self.value / b.value, back, self, b)

    def __matmul__(self, other: Var) -> Var:
        def back(g: Array) -> None:
            if self.tape is not None:
                self.collect(g @ other.value.T)
            rows = self.value.reshape(-1, self.value.shape[-1])
            other.collect(rows.T @ g.reshape(-1, g.shape[-1]))

        return _record(self.value @ other.value, back, self, other)


def _var(value: Var | float) -> Var:
    return value if isinstance(value, Var) else Var(np.float32(value))  # type: ignore[arg-type]  # a scalar will do


def _unbroadcast(grad: Array, shape: tuple[int, ...]) -> Array:
    while grad.ndim > len(shape):
        grad = grad.sum(axis=0)
    narrow = tuple(i for i, n in enumerate(shape) if n == 1 and grad.shape[i] != 1)
    return grad.sum(axis=narrow, keepdims=True) if narrow else grad


def _record(value: Array, back: Callable[[Array], None], *parents: Var) -> Var:
    tape = None
    for parent in parents:
        if parent.tape is not None:
            tape = parent.tape
            break
    out = Var(value, tape)
    if tape is not None:
        tape.append((out, back))
    return out


def backward(loss: Var) -> None:
    """Fill the gradients of everything on the loss's tape."""
    loss.grad = np.ones_like(loss.value)
    for out, back in reversed(loss.tape or []):
        if out.grad is not None:
            back(out.grad)


def elementwise(x: Var, value: Array, slope: Callable[[], Array]) -> Var:
    """Return a variable of `value` = f(x) whose derivative is slope()."""
    return _record(value, lambda g: x.collect(g * slope()), x)


def tanh(x: Var) -> Var:
    """Hyperbolic tangent."""
    y = np.tanh(x.value)
    return elementwise(x, y, lambda: 1 - y * y)


def relu(x: Var, leak: float = 0.0) -> Var:
    """Rectifier, leaky where `leak` > 0."""
    slope = np.where(x.value > 0, np.float32(1), np.float32(leak))
    return elementwise(x, x.value * slope, lambda: slope)


def sigmoid(x: Var) -> Var:
    """Logistic function."""
    y = 1 / (1 + np.exp(-x.value))
    return elementwise(x, y, lambda: y * (1 - y))


def swish(x: Var) -> Var:
    """X · sigmoid(x)."""
    s = 1 / (1 + np.exp(-x.value))
    return elementwise(x, x.value * s, lambda: s * (1 + x.value * (1 - s)))


def softplus(x: Var) -> Var:
    """log(1 + eˣ), guarded."""
    return elementwise(x, np.logaddexp(np.float32(0), x.value), lambda: 1 / (1 + np.exp(-x.value)))


def exp(x: Var) -> Var:
    """Exponential, unguarded."""
    y = np.exp(x.value)
    return elementwise(x, y, lambda: y)


def log(x: Var) -> Var:
    """Natural logarithm, unguarded: log 0 is −inf as in every framework."""
    return elementwise(x, np.log(x.value), lambda: 1 / x.value)


def sqrt(x: Var) -> Var:
    """Square root."""
    y = np.sqrt(x.value)
    return elementwise(x, y, lambda: np.float32(0.5) / y)


def mean(x: Var, axis: int | None = None) -> Var:
    """Mean over all, or over one axis that is kept with length 1."""
    y = x.value.mean(axis=axis, keepdims=axis is not None)
    size = np.float32(x.value.size / y.size)
    return _record(y, lambda g: x.collect(np.broadcast_to(g / size, x.value.shape)), x)


def dense(x: Var, weight: Var, bias: Var) -> Var:
    """Return x · weight + bias in one step."""

    def back(g: Array) -> None:
        rows = g.reshape(-1, g.shape[-1])
        if x.tape is not None:
            x.collect(g @ weight.value.T)
        if weight.tape is not None:
            weight.collect(x.value.reshape(-1, x.value.shape[-1]).T @ rows)
            bias.collect(np.add.reduce(rows))

    return _record(x.value @ weight.value + bias.value, back, weight, x)


def normalised(x: Var, axis: int) -> Var:
    """Return x with mean 0 and variance 1 along one axis (batch normalisation: 0, layer normalisation: −1)."""
    n = np.float32(x.value.shape[axis])
    centred = x.value - np.add.reduce(x.value, axis, keepdims=True) / n
    scale = 1 / np.sqrt(np.add.reduce(centred * centred, axis, keepdims=True) / n + np.float32(1e-5))
    y = centred * scale

    def back(g: Array) -> None:
        mean_g = np.add.reduce(g, axis, keepdims=True) / n
        x.collect(scale * (g - mean_g - y * (np.add.reduce(g * y, axis, keepdims=True) / n)))

    return _record(y, back, x)


def total(x: Var, axis: int = -1) -> Var:
    """Sum over one axis, which goes."""
    y = x.value.sum(axis=axis)
    return _record(y, lambda g: x.collect(np.broadcast_to(np.expand_dims(g, axis), x.value.shape)), x)


def reshape(x: Var, shape: tuple[int, ...]) -> Var:
    """Return the same values in another shape."""
    return _record(x.value.reshape(shape), lambda g: x.collect(g.reshape(x.value.shape)), x)


def take(x: Var, rows: Array) -> Var:
    """Rows of a table (an embedding)."""

    def back(g: Array) -> None:
        full = np.zeros_like(x.value)
        np.add.at(full, rows, g)
        x.collect(full)

    return _record(x.value[rows], back, x)


def columns(x: Var, start: int, stop: int) -> Var:
    """Columns start … stop − 1 of the last axis."""

    def back(g: Array) -> None:
        full = np.zeros_like(x.value)
        full[..., start:stop] = g
        x.collect(full)

    return _record(x.value[..., start:stop], back, x)


def softmax_cross_entropy(logits: Var, labels: Array, smoothing: float = 0.0) -> Var:
    """Mean cross entropy of integer labels, or of rows of probabilities; guarded against overflow."""
    k = logits.value.shape[-1]
    if labels.ndim == 2:
        target = labels
    else:
        target = np.zeros(logits.value.shape, dtype=np.float32)
        target[np.arange(len(labels)), labels] = 1
    if smoothing:
        target = (1 - smoothing) * target + smoothing / k
    shifted = logits.value - logits.value.max(axis=-1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    value = -(target * log_p).sum(axis=-1).mean()
    n = np.float32(len(labels))
    return _record(np.asarray(value), lambda g: logits.collect(g * (np.exp(log_p) - target) / n), logits)
