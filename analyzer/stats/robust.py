"""Location, spread and dependence that outliers, skew and five decades of noise do not carry away."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

ONE_SIGMA = 0.8413  # share of a Gaussian below its mean and one standard deviation
MAD_TO_SIGMA = 1.4826  # the median absolute deviation of a Gaussian is 1 / 1.4826 of its standard deviation


def median(values: Array) -> float:
    """Return the median of finite values, NaN for none: an eighth of the time numpy's takes on short arrays."""
    n = values.size
    if n == 0:
        return math.nan
    k = n // 2
    if n % 2:
        return float(np.partition(values, k)[k])
    low = np.partition(values, (k - 1, k))
    return 0.5 * (float(low[k - 1]) + float(low[k]))


def mad_sigma(values: Array) -> float:
    """Standard deviation estimated by the median absolute deviation; 0.0 for fewer than two values.

    Source: Rousseeuw and Croux, Alternatives to the median absolute deviation, JASA 88 (1993).
    """
    if values.size < 2:
        return 0.0
    return MAD_TO_SIGMA * median(np.abs(values - median(values)))


def block_medians(values: Array, edges: NDArray[np.int64]) -> Array:
    """Return the median of the values between each two edges, float64[edges - 1]; NaN where there are none.

    The same as median() of each block, all blocks of one size at a time.
    """
    found = np.full(edges.size - 1, np.nan)
    for at, rows in _by_size(values, edges):
        found[at] = _row_medians(rows)
    return found


def block_sigmas(values: Array, edges: NDArray[np.int64]) -> Array:
    """Return mad_sigma() of the values between each two edges, float64[edges - 1]."""
    found = np.zeros(edges.size - 1)
    for at, rows in _by_size(values, edges):
        if rows.shape[1] > 1:
            found[at] = MAD_TO_SIGMA * _row_medians(np.abs(rows - _row_medians(rows)[:, None]))
    return found


def _by_size(values: Array, edges: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], Array]]:
    """Yield the blocks of each size as rows, with their places."""
    sizes = np.diff(edges)
    for size in set(sizes.tolist()) - {0}:
        at = np.flatnonzero(sizes == size)
        yield at, values[edges[at][:, None] + np.arange(size)]


def _row_medians(rows: Array) -> Array:
    k = rows.shape[1] // 2
    if rows.shape[1] % 2:
        return np.asarray(np.partition(rows, k, axis=1)[:, k])
    low = np.partition(rows, (k - 1, k), axis=1)
    return np.asarray(0.5 * (low[:, k - 1] + low[:, k]))


def difference_sigma(values: Array) -> float:
    """Standard deviation of the point-to-point noise, from the MAD of first differences over √2.

    A slow trend does not enter; where noise is correlated it is smaller than `mad_sigma` of the residuals.
    """
    return mad_sigma(np.diff(values)) / math.sqrt(2.0) if values.size > 2 else 0.0


def upper_sigma(values: Array) -> float:
    """Spread of the upper half alone: the distance from the median to the 84 % quantile (Gaussian: sigma).

    Training noise is skewed to the right; a symmetric scale would make its ordinary tail look like leaps.
    """
    if values.size < 2:
        return 0.0
    low, high = np.quantile(values, [0.5, ONE_SIGMA])
    return float(high - low)


def autocorrelation(values: Array, lag: int = 1) -> float:
    """Autocorrelation at one lag after clipping to the median ± 4 robust sigma; 0.0 when it is not defined."""
    if values.size <= lag + 2:
        return 0.0
    centre, scale = median(values), mad_sigma(values)
    held = np.clip(values - centre, -4 * scale, 4 * scale) if scale > 0 else values - centre
    held = held - held.mean()
    total = float(np.dot(held, held))
    return float(np.dot(held[lag:], held[:-lag]) / total) if total > 0 else 0.0
