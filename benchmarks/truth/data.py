"""The data sets: scikit-learn's own and synthetic ones, each with training, validation and holdout parts.

The holdout is seen by nobody but the oracle: it tells a real rise of the validation loss from a lucky minimum.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import NamedTuple

import numpy as np
from sklearn import datasets

from benchmarks.truth.autograd import Array


class Part(NamedTuple):
    """Inputs and answers, row by row: integer classes, or float values of shape (rows, outputs)."""

    x: Array
    y: Array

    def rows(self, index: Array) -> Part:
        """Return the rows of an index or mask."""
        return Part(self.x[index], self.y[index])


@dataclass(frozen=True)
class Task:
    """A data set made ready: `classes` 0 means regression; `scale` is the unit its targets were multiplied by."""

    name: str
    train: Part
    val: Part
    hold: Part
    classes: int
    scale: float = 1.0

    @property
    def inputs(self) -> int:
        """Width of one row."""
        return int(self.train.x.shape[-1])

    @property
    def outputs(self) -> int:
        """Numbers a model must answer with."""
        return self.classes or int(self.train.y.shape[1])


def _rng(name: str, seed: int) -> np.random.Generator:
    return np.random.default_rng([seed, *name.encode()])


def _moons(rng: np.random.Generator) -> tuple[Array, Array]:
    return datasets.make_moons(1500, noise=0.22, random_state=int(rng.integers(1 << 30)))


def _clusters(rng: np.random.Generator) -> tuple[Array, Array]:
    return datasets.make_classification(
        1800, 20, n_informative=8, n_redundant=4, n_classes=5, class_sep=1.6, random_state=int(rng.integers(1 << 30))
    )


def _rings(rng: np.random.Generator) -> tuple[Array, Array]:
    return datasets.make_gaussian_quantiles(
        n_samples=1500, n_features=4, n_classes=3, random_state=int(rng.integers(1 << 30))
    )


def _hastie(rng: np.random.Generator) -> tuple[Array, Array]:
    x, y = datasets.make_hastie_10_2(2000, random_state=int(rng.integers(1 << 30)))
    return x, y > 0


def _words(rng: np.random.Generator) -> tuple[Array, Array]:
    """Texts of 30 words out of 120, drawn from six topics that share a common vocabulary."""
    topics = rng.dirichlet(np.full(120, 0.25), 6)
    common = rng.dirichlet(np.full(120, 1.0))
    y = rng.integers(0, 6, 1600)
    x = np.stack([rng.multinomial(30, 0.45 * topics[k] + 0.55 * common) for k in y]) / 30.0
    return x, y


def _memory(rng: np.random.Generator) -> tuple[Array, Array]:
    """Sequences of eight steps: which of the two marked numbers is larger?"""
    x = np.zeros((1200, 8, 2))
    x[:, :, 0] = rng.standard_normal((1200, 8))
    first = rng.integers(0, 4, 1200)
    second = rng.integers(4, 8, 1200)
    rows = np.arange(1200)
    x[rows, first, 1] = x[rows, second, 1] = 1
    return x, x[rows, first, 0] > x[rows, second, 0]


def _echo(rng: np.random.Generator) -> tuple[Array, Array]:
    """Sequences of ten numbers whose decaying sum is asked for: a regression for recurrent nets."""
    x = rng.standard_normal((1200, 10, 1))
    return x, (x[:, :, 0] * 0.85 ** np.arange(10)[::-1]).sum(axis=1)


def _waves(rng: np.random.Generator) -> tuple[Array, Array]:
    t = rng.uniform(-1, 1, (1400, 3))
    return t, np.sin(6 * t[:, 0]) + 0.5 * np.cos(5 * t[:, 1] * t[:, 2]) + 0.1 * rng.standard_normal(1400)


def _friedman1(rng: np.random.Generator) -> tuple[Array, Array]:
    return datasets.make_friedman1(1500, 10, noise=1.0, random_state=int(rng.integers(1 << 30)))


def _friedman2(rng: np.random.Generator) -> tuple[Array, Array]:
    return datasets.make_friedman2(1400, noise=60.0, random_state=int(rng.integers(1 << 30)))


def _lines(rng: np.random.Generator) -> tuple[Array, Array]:
    return datasets.make_regression(1200, 16, n_informative=10, noise=30.0, random_state=int(rng.integers(1 << 30)))


def _planes(rng: np.random.Generator) -> tuple[Array, Array]:
    x, y = datasets.make_sparse_uncorrelated(1200, 12, random_state=int(rng.integers(1 << 30)))
    return x, y


def _ratings(rng: np.random.Generator) -> tuple[Array, Array]:
    users, items = rng.standard_normal((60, 3)), rng.standard_normal((40, 3))
    pairs = np.argwhere(rng.random((60, 40)) < 0.7)
    y = (users[pairs[:, 0]] * items[pairs[:, 1]]).sum(axis=1) + 0.3 * rng.standard_normal(len(pairs))
    return pairs, y


MADE: dict[str, Callable[[np.random.Generator], tuple[Array, Array]]] = {
    "moons": _moons,
    "clusters": _clusters,
    "rings": _rings,
    "hastie": _hastie,
    "words": _words,
    "memory": _memory,
    "echo": _echo,
    "waves": _waves,
    "friedman1": _friedman1,
    "friedman2": _friedman2,
    "lines": _lines,
    "planes": _planes,
    "ratings": _ratings,
}
GIVEN = {
    "cancer": datasets.load_breast_cancer,
    "wine": datasets.load_wine,
    "digits": datasets.load_digits,
    "diabetes": datasets.load_diabetes,
}
REGRESSION = {"diabetes", "waves", "friedman1", "friedman2", "lines", "planes", "ratings", "echo"}
IMAGES = {"digits"}


@cache
def _raw(name: str, seed: int) -> tuple[Array, Array]:
    if name in GIVEN:
        return GIVEN[name](return_X_y=True)
    return MADE[name](_rng(name, seed))


def load(name: str, seed: int = 0) -> Task:
    """Return a data set shuffled and split 60 : 20 : 20; inputs standardised, regression targets too."""
    x, y = _raw(name, seed % 5)
    order = _rng(name, seed).permutation(len(x))
    x, y = x[order], y[order]
    cut = (int(0.6 * len(x)), int(0.8 * len(x)))
    if name in REGRESSION:
        y = ((y - y[: cut[0]].mean()) / y[: cut[0]].std()).astype(np.float32).reshape(len(x), -1)
    else:
        y = y.astype(np.int64)
    if name == "digits":
        x = ((x - 8.0) / 6.0).astype(np.float32)
    elif name != "ratings":
        spread = x[: cut[0]].std(axis=0) + 1e-8
        x = ((x - x[: cut[0]].mean(axis=0)) / spread).astype(np.float32)
    parts = [Part(x[a:b], y[a:b]) for a, b in ((0, cut[0]), cut, (cut[1], len(x)))]
    return Task(name, parts[0], parts[1], parts[2], 0 if name in REGRESSION else int(y.max()) + 1)


def smaller(task: Task, rows: int, val: int | None = None) -> Task:
    """Return the task with the first `rows` of training, and `val` of validation where given."""
    kept = task.val if val is None else task.val.rows(np.arange(min(val, len(task.val.x))))
    return replace(task, train=task.train.rows(np.arange(min(rows, len(task.train.x)))), val=kept)


def each_part(task: Task, change: Callable[[Part], Part]) -> Task:
    """Return the task with the same change made to all parts."""
    return replace(task, train=change(task.train), val=change(task.val), hold=change(task.hold))


def scaled_inputs(task: Task, factor: float, only: int | None = None) -> Task:
    """Return the task with its inputs in other units: all, or the first `only` features."""
    width = np.ones(task.inputs, dtype=np.float32)
    width[slice(only)] = factor
    return each_part(task, lambda part: Part(part.x * width, part.y))


def scaled_targets(task: Task, factor: float, shift: float = 0.0) -> Task:
    """Return a regression with its targets in another unit."""
    return replace(each_part(task, lambda p: Part(p.x, p.y * np.float32(factor) + np.float32(shift))), scale=factor)


def rare(task: Task, share: float, seed: int, positive: int = 1) -> Task:
    """Return a binary task in which one class is the rare positive one, thinned to `share` of each part."""

    def thinned(part: Part) -> Part:
        rng = np.random.default_rng([seed, len(part.y)])
        is_one = part.y == positive
        wanted = max(4, round(share * (~is_one).sum() / (1 - share)))
        ones = rng.permutation(np.flatnonzero(is_one))[:wanted]
        rows = rng.permutation(np.concatenate([np.flatnonzero(~is_one), ones]))
        return Part(part.x[rows], (part.y[rows] == positive).astype(np.int64))

    return replace(each_part(task, thinned), classes=2)


def wrong_labels(task: Task, share: float, seed: int) -> Task:
    """Return the task with this share of the training answers exchanged among themselves."""
    rng = np.random.default_rng([seed, 77])
    y = task.train.y.copy()
    rows = np.flatnonzero(rng.random(len(y)) < share)
    y[rows] = y[rng.permutation(rows)]
    return replace(task, train=Part(task.train.x, y))


def noise_inputs(task: Task, seed: int) -> Task:
    """Return the task with inputs that know nothing of the answers, in every part."""
    rng = np.random.default_rng([seed, 78])
    return each_part(task, lambda p: Part(rng.standard_normal(p.x.shape).astype(np.float32), p.y))


def widened(task: Task, extra: int, seed: int) -> Task:
    """Return the task with `extra` further features of pure noise, something to memorise with."""
    rng = np.random.default_rng([seed, 79])

    def wider(part: Part) -> Part:
        more = rng.standard_normal((*part.x.shape[:-1], extra)).astype(np.float32)
        return Part(np.concatenate([part.x, more], axis=-1), part.y)

    return each_part(task, wider)


def shifted_val(task: Task, seed: int, size: float) -> Task:
    """Return the task with validation and holdout measured otherwise: a shift per feature of `size` deviations."""
    rng = np.random.default_rng([seed, 80])
    by = (rng.choice([-1, 1], task.inputs) * size * task.train.x.reshape(-1, task.inputs).std(axis=0)).astype(
        np.float32
    )
    return replace(task, val=Part(task.val.x + by, task.val.y), hold=Part(task.hold.x + by, task.hold.y))
