"""The model families: parameters by name and a forward pass written in plain formulas."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from benchmarks.truth import autograd as ag
from benchmarks.truth.autograd import Array, Var

Params = Mapping[str, Var]
Activation = Callable[[Var], Var]
ACTIVATIONS: Mapping[str, Activation] = {
    "relu": ag.relu,
    "tanh": ag.tanh,
    "sigmoid": ag.sigmoid,
    "swish": ag.swish,
    "leaky": lambda x: ag.relu(x, 0.1),
}


@dataclass(frozen=True)
class Net:
    """A model: its family, its first parameters, and its answer to a batch.

    `forward(params, x, noise)`: `noise` is a generator while training (dropout, sampling) and None else.
    """

    family: str
    start: Mapping[str, Array]
    forward: Callable[[Params, Array, np.random.Generator | None], Var]


def _weight(rng: np.random.Generator, rows: int, columns: int, gain: float) -> Array:
    return (rng.standard_normal((rows, columns)) * gain / np.sqrt(rows)).astype(np.float32)


def _dense(p: Params, name: str, x: Var) -> Var:
    return ag.dense(x, p[f"{name}.w"], p[f"{name}.b"])


def _layers(rng: np.random.Generator, sizes: tuple[int, ...], gain: float) -> dict[str, Array]:
    start = {}
    for i, (rows, cols) in enumerate(pairwise(sizes)):
        start[f"{i}.w"] = _weight(rng, rows, cols, gain)
        start[f"{i}.b"] = np.zeros(cols, dtype=np.float32)
    return start


def _dropped(x: Var, rate: float, noise: np.random.Generator | None) -> Var:
    if not rate or noise is None:
        return x
    kept = (noise.random(x.value.shape) >= rate) / (1 - rate)
    return x * Var(kept.astype(np.float32))


def mlp(
    rng: np.random.Generator,
    sizes: tuple[int, ...],
    activation: str = "relu",
    *,
    family: str,
    gain: float = 1.4,
    dropout: float = 0.0,
    batch_norm: bool = False,
) -> Net:
    """Fully connected layers; two sizes alone are linear or softmax regression.

    Batch normalisation uses the batch's own statistics in training and evaluation alike.
    """
    start = _layers(rng, sizes, gain)
    last = len(sizes) - 2

    def forward(p: Params, x: Array | Var, noise: np.random.Generator | None) -> Var:
        h = x if isinstance(x, Var) else Var(x)
        for i in range(last):
            h = _dense(p, str(i), h)
            if batch_norm:
                h = ag.normalised(h, 0)
            h = _dropped(ACTIVATIONS[activation](h), dropout, noise)
        return _dense(p, str(last), h)

    return Net(family, start, forward)


def residual(rng: np.random.Generator, inputs: int, outputs: int, width: int = 24, blocks: int = 2) -> Net:
    """Layer-normalised residual blocks with swish."""
    start = {"in.w": _weight(rng, inputs, width, 1.0), "in.b": np.zeros(width, dtype=np.float32)}
    for i in range(blocks):
        start |= {f"{i}a.w": _weight(rng, width, width, 1.4), f"{i}a.b": np.zeros(width, dtype=np.float32)}
        start |= {f"{i}b.w": _weight(rng, width, width, 0.5), f"{i}b.b": np.zeros(width, dtype=np.float32)}
    start |= {"out.w": _weight(rng, width, outputs, 1.0), "out.b": np.zeros(outputs, dtype=np.float32)}

    def forward(p: Params, x: Array, _noise: np.random.Generator | None) -> Var:
        h = _dense(p, "in", Var(x))
        for i in range(blocks):
            h = h + _dense(p, f"{i}b", ag.swish(_dense(p, f"{i}a", ag.normalised(h, -1))))
        return _dense(p, "out", ag.normalised(h, -1))

    return Net("residual", start, forward)


def conv(rng: np.random.Generator, side: int, outputs: int, channels: int = 8) -> Net:
    """3 × 3 convolution, leaky rectifier, 2 × 2 mean pooling, dense; x holds flat square images."""
    inner = side - 2
    pooled = inner // 2
    start = {
        "conv.w": _weight(rng, 9, channels, 1.4),
        "conv.b": np.zeros(channels, dtype=np.float32),
        "out.w": _weight(rng, pooled * pooled * channels, outputs, 1.0),
        "out.b": np.zeros(outputs, dtype=np.float32),
    }

    def forward(p: Params, x: Array, _noise: np.random.Generator | None) -> Var:
        n = len(x)
        windows = np.lib.stride_tricks.sliding_window_view(x.reshape(n, side, side), (3, 3), axis=(1, 2))
        patches = windows[:, : 2 * pooled, : 2 * pooled].reshape(n, pooled, 2, pooled, 2, 9)
        h = ag.relu(_dense(p, "conv", Var(np.ascontiguousarray(patches))), 0.1)
        h = ag.mean(ag.mean(h, 2), 4)
        return _dense(p, "out", ag.reshape(h, (n, pooled * pooled * channels)))

    return Net("conv", start, forward)


def rnn(rng: np.random.Generator, inputs: int, outputs: int, width: int = 16, radius: float = 0.9) -> Net:
    """Plain recurrent net with tanh; x is (batch, time, inputs). `radius` scales the recurrent weights."""
    recurrent = np.linalg.qr(rng.standard_normal((width, width)))[0] * radius
    start = {
        "in.w": _weight(rng, inputs, width, 1.0),
        "in.b": np.zeros(width, dtype=np.float32),
        "again.w": recurrent.astype(np.float32),
        "out.w": _weight(rng, width, outputs, 1.0),
        "out.b": np.zeros(outputs, dtype=np.float32),
    }

    def forward(p: Params, x: Array, _noise: np.random.Generator | None) -> Var:
        h = Var(np.zeros((len(x), width), dtype=np.float32))
        for t in range(x.shape[1]):
            h = ag.tanh(_dense(p, "in", Var(x[:, t])) + h @ p["again.w"])
        return _dense(p, "out", h)

    return Net("rnn", start, forward)


def bag_of_words(rng: np.random.Generator, words: int, outputs: int, width: int = 16) -> Net:
    """Mean of word vectors, then a dense layer; x holds word shares."""
    start = {
        "table": _weight(rng, words, width, np.sqrt(words) * 0.5),
        "out.w": _weight(rng, width, outputs, 1.0),
        "out.b": np.zeros(outputs, dtype=np.float32),
    }

    def forward(p: Params, x: Array, _noise: np.random.Generator | None) -> Var:
        return _dense(p, "out", Var(x) @ p["table"])

    return Net("bag-of-words", start, forward)


def factors(rng: np.random.Generator, users: int, items: int, width: int = 6) -> Net:
    """Matrix factorisation: rating = user vector · item vector + both biases; x holds (user, item)."""
    start = {
        "user": (rng.standard_normal((users, width)) * 0.3).astype(np.float32),
        "item": (rng.standard_normal((items, width)) * 0.3).astype(np.float32),
        "user.b": np.zeros((users, 1), dtype=np.float32),
        "item.b": np.zeros((items, 1), dtype=np.float32),
    }

    def forward(p: Params, x: Array, _noise: np.random.Generator | None) -> Var:
        product = ag.take(p["user"], x[:, 0]) * ag.take(p["item"], x[:, 1])
        biases = ag.take(p["user.b"], x[:, 0]) + ag.take(p["item.b"], x[:, 1])
        return ag.reshape(ag.total(product), (len(x), 1)) + biases

    return Net("factors", start, forward)
