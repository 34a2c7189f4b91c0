"""Fewer points for a picture of the same curve: every spike, gap and restart stays."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from analyzer.model.run import Series

KEPT = 16_384  # points: the buckets of longer series are not kept, sixteen of them would take memory


def thin(series: Series, at_most: int) -> Series:
    """Return at most about `at_most` of the series' own points, in the order written.

    The points are cut into equal buckets and each bucket keeps its smallest and largest finite value, its
    first non-finite point (a mark for the gap) and the last point before a step that goes back. First and
    last points always stay. A series that is short enough is returned as it is.
    """
    n = series.points
    if n <= at_most:
        return series
    values = series.values
    buckets = max(1, at_most // 2 - 2)
    edges, bucket = (_buckets if n <= KEPT else _buckets.__wrapped__)(n, buckets)
    finite = np.isfinite(values)
    keep = np.zeros(n, dtype=np.bool_)
    keep[[0, -1]] = True
    whole = bool(finite.all())
    keep[_first_extremes(values if whole else np.where(finite, values, np.inf), edges, bucket, np.minimum)] = True
    keep[_first_extremes(values if whole else np.where(finite, values, -np.inf), edges, bucket, np.maximum)] = True
    if not whole:
        keep[_firsts(np.flatnonzero(~finite), bucket)] = True
    backs = np.flatnonzero(np.diff(series.steps) < 0)[: at_most // 8]
    keep[backs] = keep[backs + 1] = True
    chosen = np.flatnonzero(keep)
    return Series(series.tag, series.steps[chosen], values[chosen], series.wall_times[chosen])


def course(series: Series, at_most: int) -> Series:
    """Return how a noisy series runs: its first point, and of equal stretches the median of what is finite.

    Each stands at its stretch's last step. Spikes are lost: where they matter, thin() keeps them. A series that is
    short, or has a stretch without any finite value, is returned as it is.
    """
    if series.points <= 2 * at_most:
        return series
    stretches = np.array_split(np.arange(series.points), at_most - 1)
    finite = [series.values[some][np.isfinite(series.values[some])] for some in stretches]
    if not all(values.size for values in finite):
        return series
    with np.errstate(over="ignore"):  # half of two huge values, added first
        medians = [float(np.median(values)) for values in finite]
    at = np.array([0, *(some[-1] for some in stretches)])
    return Series(series.tag, series.steps[at], np.array([series.values[0], *medians]), series.wall_times[at])


@lru_cache(maxsize=16)  # the series of a run have the same few lengths
def _buckets(points: int, buckets: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first index of each of the equal buckets, and the bucket of each point."""
    edges = np.linspace(0, points, buckets + 1).astype(np.int64)
    return edges[:-1], np.repeat(np.arange(buckets), np.diff(edges))


def _first_extremes(
    filled: NDArray[np.float64], edges: NDArray[np.int64], bucket: NDArray[np.int64], extreme: np.ufunc
) -> NDArray[np.int64]:
    """Index of the first point in each bucket that has the bucket's extreme value."""
    return _firsts(np.flatnonzero(filled == extreme.reduceat(filled, edges)[bucket]), bucket)


def _firsts(index: NDArray[np.int64], bucket: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return those of the rising indices that are the first ones of their buckets."""
    return index[np.flatnonzero(np.diff(bucket[index], prepend=-1))]


STRETCHES = 5
"""Stretches a wanted point: medians of so many are short enough to show a turn and long enough to hide noise."""

DECADES = 100.0
"""A curve whose largest value is so many times its smallest is seen on a logarithmic scale, as people draw it."""


def informative(series: Series, at_most: int) -> Series:
    """Return the `at_most` points (4 or more) that say most about a curve, in the order written.

    The first, the last, the smallest, the largest and the first non-finite point are the series' own. The others are
    medians of short stretches, chosen one after the other where straight lines between the points chosen so far miss
    the curve most (Douglas and Peucker 1973, as a greedy choice). A series that is short enough is returned as it is.
    """
    if series.points <= at_most:
        return series
    fixed = _landmarks(series.values)
    rough = course(series, STRETCHES * at_most)
    steps = np.concatenate([series.steps[fixed], rough.steps])
    values = np.concatenate([series.values[fixed], rough.values])
    times = np.concatenate([series.wall_times[fixed], rough.wall_times])
    written = np.concatenate([fixed, _places(series, rough)])
    order = np.argsort(written, kind="stable")
    own = np.flatnonzero(order < fixed.size)
    chosen = order[_greedy(_drawn(values[order]), written[order].astype(np.float64), own.tolist(), at_most)]
    return Series(series.tag, steps[chosen], values[chosen], times[chosen])


def _landmarks(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Index of the first, last, smallest, largest and first non-finite value."""
    finite = np.isfinite(values)
    found = {0, values.size - 1}
    if finite.any():
        found |= {int(np.argmin(np.where(finite, values, np.inf))), int(np.argmax(np.where(finite, values, -np.inf)))}
    if not finite.all():
        found.add(int(np.argmin(finite)))
    return np.array(sorted(found), dtype=np.int64)


def _places(series: Series, rough: Series) -> NDArray[np.int64]:
    """Index in the series of each point of its course()."""
    if rough.points == series.points:
        return np.arange(series.points, dtype=np.int64)
    stretches = np.array_split(np.arange(series.points), rough.points - 1)
    return np.array([0, *(int(some[-1]) for some in stretches)], dtype=np.int64)


def _drawn(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the heights at which values are drawn; NaN where nothing is."""
    heights = np.where(np.isfinite(values), values, np.nan)
    finite = heights[np.isfinite(heights)]
    if finite.size and finite.min() > 0 and finite.max() / finite.min() > DECADES:
        return np.log10(heights)
    largest = np.abs(finite).max() if finite.size else 0.0
    return heights / largest if largest else heights  # differences of huge values stay finite


def _greedy(heights: NDArray[np.float64], x: NDArray[np.float64], chosen: list[int], at_most: int) -> NDArray[np.int64]:
    """Return the chosen indices with those of the worst misses added, sorted."""
    there = np.isfinite(heights)
    while len(chosen) < at_most:
        ends = [i for i in sorted(chosen) if there[i]]
        if len(ends) < 2:
            break
        missed = np.where(there, np.abs(heights - np.interp(x, x[ends], heights[ends])), 0.0)
        missed[chosen] = 0.0
        worst = int(np.argmax(missed))
        if not missed[worst] > 0:
            break
        chosen.append(worst)
    return np.array(sorted(chosen), dtype=np.int64)
