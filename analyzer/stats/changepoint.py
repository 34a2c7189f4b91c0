"""Where a curve changes its level: optimal partitioning with a penalty that knows the curve's own noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analyzer.stats.robust import difference_sigma, median

Array = NDArray[np.float64]

PENALTY = 12.0  # squared standard errors that a further piece must explain: about 2 ln n for a few hundred values
RESOLUTION = 1e-9  # of the largest value: smaller noise is rounding
MOST = 1e6  # times the noise: values farther out are no farther


def levels(values: Array, *, penalty: float = PENALTY, least: int = 1, sigma: float | None = None) -> NDArray[np.int64]:
    """Return the edges int64[k+1] of the pieces of constant level that explain the values best.

    Minimises the squared error in units of the noise plus `penalty` for each piece, exactly, in O(n²) steps of
    numpy (n up to a few hundred: block medians are meant). `sigma` is the noise of one value, by default from
    first differences. Source: Jackson et al., An algorithm for optimal partitioning of data on an interval,
    IEEE Signal Processing Letters 12 (2005); the penalty as in Killick, Fearnhead and Eckley, JASA 107 (2012).
    """
    n = values.size
    if n < 2 * least:
        return np.array([0, n], dtype=np.int64)
    noise = difference_sigma(values) if sigma is None else sigma
    noise = max(noise, RESOLUTION * float(np.max(np.abs(values))), np.finfo(float).tiny)
    scaled = np.clip((values - median(values)) / noise, -MOST, MOST)
    total, squares = np.concatenate([[0.0], np.cumsum(scaled)]), np.concatenate([[0.0], np.cumsum(scaled**2)])
    best = np.full(n + 1, np.inf)
    best[0] = -penalty
    origin = np.zeros(n + 1, dtype=np.int64)
    for end in range(least, n + 1):
        start = np.arange(0, end - least + 1)
        width = end - start
        error = squares[end] - squares[start] - (total[end] - total[start]) ** 2 / width
        cost = best[start] + error + penalty
        at = int(np.argmin(cost))
        best[end], origin[end] = cost[at], start[at]
    edges = [n]
    while edges[-1] > 0:
        edges.append(int(origin[edges[-1]]))
    return np.array(edges[::-1], dtype=np.int64)
