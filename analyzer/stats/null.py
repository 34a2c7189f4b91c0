"""What chance alone does to a curve that has settled: the null of "it rose again after its minimum"."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from analyzer.stats.robust import difference_sigma, mad_sigma
from analyzer.stats.trend import centred_mean

Array = NDArray[np.float64]

MOST = 400  # values; a longer curve is tested by the means of so many blocks


def turned(raw: Array, window: int, *, draws: int = 400, seed: int = 11) -> tuple[float, float]:
    """Return the noise of one value (or block mean) and the chance of the curve's rise under a flat null.

    The statistic is the median of the last tenth over the minimum of the centred mean; a slow rise among wide noise
    shows better in the last quarter over a mean of a seventh, so both are tried and the smaller chance doubled. The
    null is a flat curve, of all curves that never rise the one that seems to rise most, with noise of the curve's own
    colour: its residuals, made independent by an AR(1) fit, drawn anew and coloured again; the same search for a
    minimum is made in every draw. The p-value is (1 + draws that rise as far) / (1 + draws), continued by a Gaussian
    tail where no draw does.
    The steep start is left out: it is no noise.
    Source: Efron and Tibshirani, An introduction to the bootstrap (1993), chapter 8.5 (bootstrap of an AR model);
    bias of the fitted correlation: Kendall, Note on bias in the estimation of autocorrelation, Biometrika 41 (1954).
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
    # what no smoother follows (the steep turn of a smooth curve) is no noise of the curve's own either
    most = 6 * mad_sigma(residual) or np.inf
    residual = np.clip(residual, -most, most)
    width = float(np.sqrt(wide / max(1.0, wide - 1.0)))
    sigma = max(mad_sigma(residual) * width, difference_sigma(raw), 1e-6 * float(np.max(np.abs(raw))), 1e-300)
    rng = np.random.default_rng(seed)
    signs = rng.choice([-1.0, 1.0], size=(draws, 1))
    drawn = signs * width * _coloured(residual, _correlation(residual, wide), rng, draws)
    scales = {(window, max(3, n // 10)), (max(window, n // 7), max(3, n // 4))}
    chances = [_chance(_rise(raw[None, :], *scale)[0], _rise(drawn, *scale)) for scale in scales]
    return sigma, min(1.0, len(chances) * min(chances))


def _chance(observed: float, rises: Array) -> float:
    """Return the share of draws that rise as far, continued by a Gaussian tail where none does."""
    beyond = int(np.count_nonzero(rises >= observed))
    p_value = (1 + beyond) / (1 + rises.size)
    spread = float(np.std(rises))
    if beyond == 0 and spread > 0:
        z = (observed - float(np.mean(rises))) / spread
        p_value = min(p_value, max(float(np.exp(-0.5 * min(z, 30.0) ** 2)), 1e-6))
    return p_value


def _correlation(residual: Array, wide: int) -> float:
    """Lag-1 correlation of the noise, 0 to 0.9, made up for what the smoother and so few values take from it."""
    held = residual - float(np.mean(residual))
    scale = mad_sigma(held)
    held = np.clip(held, -4 * scale, 4 * scale) if scale > 0 else held
    power = float(np.dot(held, held))
    seen = float(np.dot(held[1:], held[:-1])) / power if power > 0 else 0.0
    seen += 1 / wide
    return min(max(seen + (1 + 3 * max(seen, 0.0)) / residual.size, 0.0), 0.9)


def _coloured(residual: Array, rho: float, rng: np.random.Generator, draws: int) -> Array:
    """Draw noise like the residual, float64[draws, n], each draw an AR(1) walk over its resampled innovations."""
    innovations = residual[1:] - rho * residual[:-1]
    innovations = innovations - np.mean(innovations)
    burn = 0 if rho < 0.05 else min(60, math.ceil(math.log(0.05) / math.log(rho)))
    drawn = innovations[rng.integers(0, innovations.size, size=(residual.size + burn, draws))]
    if burn:
        for i in range(1, drawn.shape[0]):
            drawn[i] += rho * drawn[i - 1]
    return drawn[burn:].T


def _settled(raw: Array, window: int) -> int:
    """First point from which the curve is as low as it is anywhere after its minimum: its steep start is no noise."""
    smoothed = centred_mean(raw, window)
    best = int(np.argmin(smoothed))
    first = int(np.flatnonzero(raw <= np.max(raw[best:]))[0])
    return min(first, max(0, raw.size - 5), best)


def _rise(curves: Array, window: int, last: int) -> Array:
    smoothed = centred_mean(curves, window)
    return np.asarray(np.median(curves[:, -last:], axis=1) - smoothed.min(axis=1))
