"""Fewer points for a picture of the same curve: every spike, gap and restart stays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analyzer.model.run import Series


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
    edges = np.linspace(0, n, buckets + 1).astype(np.int64)[:-1]
    finite = np.isfinite(values)
    keep = {0, n - 1}
    keep.update(_extreme(np.where(finite, values, np.inf), edges, np.minimum))
    keep.update(_extreme(np.where(finite, values, -np.inf), edges, np.maximum))
    holes = np.flatnonzero(~finite)
    keep.update(holes[np.unique(np.searchsorted(edges, holes, side="right"), return_index=True)[1]].tolist())
    backs = np.flatnonzero(np.diff(series.steps) < 0)
    for back in backs[: at_most // 8]:
        keep.update((int(back), int(back) + 1))
    chosen = np.array(sorted(keep), dtype=np.int64)
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


def _extreme(filled: NDArray[np.float64], edges: NDArray[np.int64], extreme: np.ufunc) -> list[int]:
    """Index of the first point in each bucket that has the bucket's extreme value."""
    best = extreme.reduceat(filled, edges)
    counts = np.diff(np.append(edges, filled.size))
    hits = np.flatnonzero(filled == np.repeat(best, counts))
    bucket = np.searchsorted(edges, hits, side="right")
    first = np.unique(bucket, return_index=True)[1]
    return [int(i) for i in hits[first]]


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
