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
