"""Where a noisy curve goes: block medians that follow a steep start, a smooth line through them, and its slope."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from analyzer.stats.robust import block_levels, even_edges, median

Array = NDArray[np.float64]

GROWTH = 1.5  # times: how much wider each block at the steep start is than the one before it
BOUND = 1.96  # standard errors on either side of a 95 % interval
LEAST = 4  # values: fewer have no slope and no trend other than their median


@dataclass(frozen=True)
class Blocks:
    """Consecutive blocks of points: `edges` int[b+1], and by block `centre` (mean index), `level`, `spread`."""

    edges: NDArray[np.int64]
    centre: Array
    level: Array
    spread: Array


@lru_cache(maxsize=1024)  # the curves of a run have the same few lengths
def block_edges(points: int, blocks: int, *, least: int = 3) -> NDArray[np.int64]:
    """Return edges of about `blocks` blocks, narrow at the start (training is fastest there), `least` points each."""
    width = max(least, points // max(1, blocks))
    sizes = []
    size, left = float(least), points
    while left >= 2 * least and int(size) < width:
        take = min(int(size), left - least)
        sizes.append(take)
        left -= take
        size *= GROWTH
    whole = max(1, round(left / width)) if left else 0
    rest = np.diff(even_edges(left, whole)) if left else np.empty(0, np.int64)
    edges = np.concatenate([[0], np.cumsum(np.concatenate([np.array(sizes, np.int64), rest]))]).astype(np.int64)
    edges.flags.writeable = False
    return edges


def blocked(values: Array, blocks: int = 40, *, least: int = 3) -> Blocks:
    """Return medians and robust spreads of consecutive blocks; one block for a handful of points."""
    edges = block_edges(values.size, blocks, least=least)
    level, spread = block_levels(values, edges)
    return Blocks(edges, (edges[:-1] + edges[1:] - 1) / 2, level, spread)


def smooth(values: Array, blocks: int = 40, *, least: int = 5) -> Array:
    """Return a robust trend, float64[n]: linear through block medians that a three-point median has calmed.

    Excursions shorter than half a block leave no trace; the first and last block keep their own medians.
    """
    if values.size < 2 * least:
        return np.full(values.size, median(values)) if values.size < LEAST else _median3(values)
    found = blocked(values, blocks, least=least)
    level = found.level
    if level.size < 2:
        return np.full(values.size, level[0])
    return _through(found.centre, level, values.size)


def _median3(values: Array) -> Array:
    held = np.concatenate([values[:1], values, values[-1:]])
    return np.asarray(np.median(np.stack([held[:-2], held[1:-1], held[2:]]), axis=0))


def _through(at: Array, level: Array, points: int) -> Array:
    # beyond the outermost block centres the line goes on with the outermost slope: a falling start stays falling
    index = np.arange(points, dtype=np.float64)
    line = np.interp(index, at, level)
    first, last = index < at[0], index > at[-1]
    line[first] = level[0] + (index[first] - at[0]) * (level[1] - level[0]) / (at[1] - at[0])
    line[last] = level[-1] + (index[last] - at[-1]) * (level[-1] - level[-2]) / (at[-1] - at[-2])
    return line


def slope(at: Array, values: Array) -> tuple[float, float, float]:
    """Return the Theil-Sen slope and its 95 % bounds: the median of all pairwise slopes.

    Needs at least four values, else (0, -inf, inf). At most a few hundred values are meant (n² pairs).
    Source: Sen, Estimates of the regression coefficient based on Kendall's tau, JASA 63 (1968).
    """
    n = values.size
    if n < LEAST:
        return 0.0, -np.inf, np.inf
    i, j = np.triu_indices(n, 1)
    gap = at[j] - at[i]
    pairs = np.sort((values[j] - values[i])[gap != 0] / gap[gap != 0])
    if not pairs.size:
        return 0.0, -np.inf, np.inf
    half = BOUND * np.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    low = max(0, int(np.floor((pairs.size - half) / 2)))
    high = min(pairs.size - 1, int(np.ceil((pairs.size + half) / 2)))
    return median(pairs), float(pairs[low]), float(pairs[high])


def climbs(level: Array, least: float) -> int:
    """Return how often a line rises by `least` or more from a low to the next high, lows and highs apart by as much."""
    count, low, high, rising = 0, float(level[0]), float(level[0]), False
    for value in level[1:].tolist():
        low, high = min(low, value), max(high, value)
        if not rising and value - low >= least:
            rising, high, count = True, value, count + 1
        elif rising and high - value >= least:
            rising, low = False, value
    return count


def centred_mean(values: Array, window: int) -> Array:
    """Return the centred moving mean along the last axis; at the ends over the part of the window that is there."""
    n = values.shape[-1]
    half = max(0, (window - 1) // 2)
    total = np.concatenate([np.zeros((*values.shape[:-1], 1)), np.cumsum(values, axis=-1)], axis=-1)
    first = np.maximum(np.arange(n) - half, 0)
    last = np.minimum(np.arange(n) + half + 1, n)
    return np.asarray((total[..., last] - total[..., first]) / (last - first))
