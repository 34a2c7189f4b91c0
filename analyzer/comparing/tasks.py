"""Several tasks at once (five games, three seeds each): differences in units of their noise, and their IQM.

Each task's difference is standardised by the pooled scatter of its two groups; the interquartile mean over tasks gets a
percentile interval by a bootstrap of the runs within each task and side (Agarwal et al., NeurIPS 2021: rliable).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analyzer.comparing.difference import Difference, unpaired

Array = NDArray[np.float64]

DRAWS = 2000  # of the bootstrap: its ends are then right to about 5 % of the width
TRIMMED = 0.25  # of the tasks at either end that an interquartile mean leaves out
LEAST_TASKS = 5  # tasks: fewer are told one by one, without a verdict over all of them
SEED = 20220101  # of the draws: the same runs give the same interval
NAMES = ("task", "env", "env_id", "environment", "game", "dataset", "env_name", "task_name", "dataset_name")
"""Params that name a task."""


@dataclass(frozen=True, slots=True)
class Tasks:
    """Tasks compared: `each` (task, difference, standardised), `iqm` of the standardised ones with its interval."""

    by: str
    each: tuple[tuple[str, Difference, float | None], ...]
    iqm: float | None
    interval: tuple[float, float] | None


def compared_tasks(by: str, groups: Mapping[str, tuple[Array, Array]], level: float) -> Tasks:
    """Return the tasks, each with the outcomes of base and candidate (float64[n]), compared."""
    names = sorted(groups)
    found = [unpaired(*groups[name]) for name in names]
    scaled = [d.difference / d.sd if d.sd else None for d in found]
    each = tuple(zip(names, found, scaled, strict=True))
    usable = [groups[name] for name, one in zip(names, scaled, strict=True) if one is not None]
    if not usable:
        return Tasks(by, each, None, None)
    sds = [d.sd for d in found if d.sd]
    centre = interquartile_mean(np.array([one for one in scaled if one is not None]))
    draws = _bootstrapped(usable, np.array(sds))
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return Tasks(by, each, centre, (float(low), float(high)))


def interquartile_mean(values: Array) -> float:
    """Return the mean of the middle half, the tasks at its edges counted in part."""
    return float(_iqm(np.sort(values)[None, :])[0])


def _iqm(ordered: Array) -> Array:
    """Return the interquartile mean of each row of sorted values."""
    n = ordered.shape[1]
    edges = np.arange(n + 1) / n
    weights = np.clip(np.minimum(edges[1:], 1 - TRIMMED) - np.maximum(edges[:-1], TRIMMED), 0, None)
    return np.asarray(ordered @ (weights / weights.sum()))


def _bootstrapped(groups: Sequence[tuple[Array, Array]], sds: Array) -> Array:
    """Return the interquartile means of draws: runs within each task and side, with replacement."""
    rng = np.random.default_rng(SEED)
    columns = []
    for (base, candidate), sd in zip(groups, sds, strict=True):
        means = [_drawn_means(np.sort(side), rng) for side in (base, candidate)]
        columns.append((means[1] - means[0]) / sd)
    return _iqm(np.sort(np.stack(columns, axis=1), axis=1))


def _drawn_means(values: Array, rng: np.random.Generator) -> Array:
    """Return means of draws, widened by sqrt(n / (n - 1)): a bootstrap of few runs is too narrow by that factor."""
    n = values.size
    means = values[rng.integers(0, n, size=(DRAWS, n))].mean(axis=1)
    return np.asarray(values.mean() + (means - values.mean()) * np.sqrt(n / max(1, n - 1)))
