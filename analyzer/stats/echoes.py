"""A period in the time domain: the lag at which a residual resembles itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analyzer.stats import trend
from analyzer.stats.robust import (
    mad_sigma,
    median,
)

Array = NDArray[np.float64]
Index = NDArray[np.int64]

LEAST_CYCLES = 4.5  # periods that must be seen: the bends of a trend that the decay does not follow have up to four
FINE_BLOCKS = 32  # blocks of the trend in the fine look; it searches shapes that repeat more often than that
CLIP = 4.0  # local sigma: one leap is no period


@dataclass(frozen=True)
class Period:
    """The period of the best echo: `length` in points, `echo` the correlation one period later, `cycles` seen."""

    length: float
    echo: float
    cycles: float


def find_period(values: Array) -> Period | None:
    """Return the period of the best echo of values without a trend, untested; None when no peak stands out.

    For curves without noise, such as a schedule: whether noise alone would echo as much is not asked.
    """
    if values.size < 24:
        return None
    best = _best_echo(values, LEAST_CYCLES)
    return None if best is None else Period(best[1], best[2], values.size / best[1])


def clipped(residual: Array) -> Array:
    """Return the residual centred and clipped at ± 4 robust sigma, so that one leap is no period."""
    centred = residual - median(residual)
    scale = mad_sigma(centred)
    return np.clip(centred, -CLIP * scale, CLIP * scale) if scale > 0 else centred


def autocorrelations(residual: Array, most: int) -> Array:
    """Return autocorrelations at lags 0 … `most`, float64[most+1], by FFT, each by its own number of pairs."""
    held = clipped(residual)
    held = held - held.mean()
    n = held.size
    power = np.abs(np.fft.rfft(held, 2 * n)) ** 2
    raw = np.fft.irfft(power)[: most + 1] / (n - np.arange(most + 1))
    return np.asarray(raw / raw[0] if raw[0] > 0 else np.zeros(most + 1))


def _best_echo(residual: Array, least_cycles: float) -> tuple[int, float, float] | None:
    """Return lag, period and height of the best echo; peaks at its multiples sharpen the period, or mislead."""
    n = residual.size
    most = int(n / least_cycles)
    if most < 3:
        return None
    echoes = autocorrelations(residual, min(n - 2, 2 * most + 2))
    inner = echoes[1:-1]
    peaks = np.flatnonzero((inner >= echoes[:-2]) & (inner > echoes[2:])) + 1
    # a decaying correlation has its ripple at small lags: a period must first have become uncorrelated
    crossed = np.flatnonzero(echoes[: most + 1] < np.maximum(0.1, 0.5 * np.max(echoes[2 : most + 1], initial=0.0)))
    peaks = peaks[(peaks >= 2) & (peaks <= most) & (peaks > (crossed[0] if crossed.size else most))]
    if not peaks.size:
        return None
    top = float(np.max(echoes[peaks]))
    if top <= 0:
        return None
    first = int(peaks[np.flatnonzero(echoes[peaks] >= 0.85 * top)[0]])
    return first, _refined(echoes, first, n), float(echoes[first])


def _refined(echoes: Array, lag: int, n: int) -> float:
    """Sharpen a period by the peaks near its multiples: the k-th fixes it k times better."""
    length = float(lag)
    for k in range(2, int((echoes.size - 2) / lag) + 1):
        centre = round(k * length)
        reach = max(1, round(0.2 * lag))
        window = echoes[max(1, centre - reach) : min(echoes.size, centre + reach + 1)]
        if window.size < 2 or np.max(window) < 0.3 * echoes[lag]:
            break
        length = (max(1, centre - reach) + int(np.argmax(window))) / k
    return length


def roughness(values: Array) -> Array:
    """Return what is left of a curve when all that is slower than a few blocks is taken away."""
    return values - trend.smooth(values, FINE_BLOCKS)
