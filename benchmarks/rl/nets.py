"""A small network with one hidden layer, its gradient by hand, and Adam."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Rng = np.random.Generator


class Net:
    """`inputs` → tanh × `width` → `outputs`, trained by Adam; `gain` scales the last layer's first weights."""

    def __init__(self, rng: Rng, inputs: int, outputs: int, *, width: int = 24, gain: float = 0.1) -> None:
        first = rng.standard_normal((inputs, width)) / np.sqrt(inputs)
        last = gain * rng.standard_normal((width, outputs)) / np.sqrt(width)
        self.weights: list[Array] = [first, np.zeros(width), last, np.zeros(outputs)]
        self._mean = [np.zeros_like(w) for w in self.weights]
        self._square = [np.zeros_like(w) for w in self.weights]
        self._updates = 0

    def __call__(self, x: Array) -> Array:
        """Return the outputs (rows, outputs) for inputs (rows, inputs)."""
        return np.tanh(x @ self.weights[0] + self.weights[1]) @ self.weights[2] + self.weights[3]

    def gradient(self, x: Array, slope: Array) -> tuple[list[Array], Array]:
        """Return the gradient by the weights and by `x`, for the loss's `slope` by the outputs."""
        hidden = np.tanh(x @ self.weights[0] + self.weights[1])
        back = (slope @ self.weights[2].T) * (1 - hidden**2)
        by_weight = [x.T @ back, back.sum(0), hidden.T @ slope, slope.sum(0)]
        return by_weight, back @ self.weights[0].T

    def descend(self, gradient: list[Array], rate: float, norm: float | None = None) -> float:
        """Take one step of Adam, clipped at `norm`; return the norm of the gradient before."""
        size = float(np.sqrt(sum(float((g**2).sum()) for g in gradient)))
        factor = min(1.0, norm / size) if norm and size > 0 else 1.0
        self._updates += 1
        for i, raw in enumerate(gradient):
            g = raw * factor
            self._mean[i] = 0.9 * self._mean[i] + 0.1 * g
            self._square[i] = 0.999 * self._square[i] + 0.001 * g**2
            mean = self._mean[i] / (1 - 0.9**self._updates)
            square = self._square[i] / (1 - 0.999**self._updates)
            self.weights[i] = self.weights[i] - rate * mean / (np.sqrt(square) + 1e-8)
        return size


def log_softmax(logits: Array) -> Array:
    """Return log probabilities over the last axis."""
    top = logits - logits.max(-1, keepdims=True)
    return np.asarray(top - np.log(np.exp(top).sum(-1, keepdims=True)))


def sample(rng: Rng, logp: Array) -> NDArray[np.int64]:
    """Draw an index of the last axis for every other one."""
    below = np.cumsum(np.exp(logp), -1)
    drawn = rng.random((*logp.shape[:-1], 1)) * below[..., -1:]
    return np.asarray((drawn > below).sum(-1), dtype=np.int64)
