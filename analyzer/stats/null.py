"""What chance alone does to a curve that has settled: the null of "it rose again after its minimum"."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analyzer.stats.robust import difference_sigma, mad_sigma
from analyzer.stats.trend import centred_mean

Array = NDArray[np.float64]

MOST = 400  # values; a longer curve is tested by the means of so many blocks


def turned(raw: Array, window: int, *, draws: int = 400, seed: int = 11) -> tuple[float, float]:
    """Return the noise of one value (or block mean) and the chance of the curve's rise under a flat null.

    The statistic is the median of the last tenth over the minimum of the centred mean. The null is a flat curve, of
    all curves that never rise the one that seems to rise most, with the curve's own residuals, drawn in blocks of
    three (six) so that neighbours stay neighbours; the same search for a minimum is made in every draw. The p-value is
    (1 + draws that rise as far) / (1 + draws), continued by a Gaussian tail where no draw does. The steep start is
    left out: it is no noise.
    Source: Davison and Hinkley, Bootstrap methods and their application (1997), chapters 4 and 8.
    """
    if raw.size < 5:
        return difference_sigma(raw), 1.0
    if raw.size > MOST:
        edges = np.linspace(0, raw.size, MOST + 1).astype(np.int64)[:-1]
        raw = np.add.reduceat(raw, edges) / np.diff(np.append(edges, raw.size))
        window = max(3, MOST // 20)
    raw = raw[_settled(raw, window) :]
    n = raw.size
    # a narrow mean would take the slow part of the noise away with the curve, and the point's own share in it
    wide = min(max(9, 3 * window, n // 3), n)
    residual = raw - centred_mean(raw, wide)
    width = float(np.sqrt(wide / max(1.0, wide - 1.0)))
    sigma = max(mad_sigma(residual) * width, difference_sigma(raw), 1e-6 * float(np.max(np.abs(raw))), 1e-300)
    observed = _rise(raw[None, :], window)[0]
    rng = np.random.default_rng(seed)
    length = 3 if n < 30 else 6
    starts = rng.integers(0, max(1, n - length + 1), size=(draws, -(-n // length)))
    index = (starts[:, :, None] + np.arange(length)).reshape(draws, -1)[:, :n]
    signs = rng.choice([-1.0, 1.0], size=(draws, 1))
    rises = _rise(signs * width * residual[np.minimum(index, n - 1)], window)
    beyond = int(np.count_nonzero(rises >= observed))
    p_value = (1 + beyond) / (1 + draws)
    spread = float(np.std(rises))
    if beyond == 0 and spread > 0:
        z = (observed - float(np.mean(rises))) / spread
        p_value = min(p_value, max(float(np.exp(-0.5 * min(z, 30.0) ** 2)), 1e-6))
    return sigma, p_value


def _settled(raw: Array, window: int) -> int:
    """First point from which the curve is as low as it is anywhere after its minimum: its steep start is no noise."""
    smoothed = centred_mean(raw, window)
    best = int(np.argmin(smoothed))
    first = int(np.flatnonzero(raw <= np.max(raw[best:]))[0])
    return min(first, max(0, raw.size - 5), best)


def _rise(curves: Array, window: int) -> Array:
    n = curves.shape[1]
    smoothed = centred_mean(curves, window)
    return np.asarray(np.median(curves[:, -max(3, n // 10) :], axis=1) - smoothed.min(axis=1))
