"""Periods: whether a curve repeats itself more than its own red noise would, and after how many points."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from analyzer.stats.robust import mad_sigma, median

Array = NDArray[np.float64]

FINEST = 64  # bins of a folded shape
FINE = 24  # points in a period that show its shape: more are averaged, which leaves less noise
LEAST_CYCLES = 4.0  # periods that must be seen
WORTH_A_TEST = 0.15  # echoes below are no period whatever the noise: the surrogates are saved


@dataclass(frozen=True)
class Period:
    """A period, `length` in points.

    `echo` is the correlation of the curve with itself one period later, `share` the part of the variance that
    the folded shape explains (0 to 1, adjusted), `cycles` how many were seen, and `p_value` the chance of such
    an echo in noise of the same colour, None when the echo is too weak to be worth the test.
    """

    length: float
    echo: float
    share: float
    cycles: float
    p_value: float | None


def spectrum(residual: Array) -> Array:
    """Return the power by frequency of the clipped residual, float64[n//2+1], by FFT; frequency k is k cycles."""
    held = clipped(residual)
    return np.asarray(np.abs(np.fft.rfft(held * np.hanning(held.size))) ** 2)


def power_share(residual: Array, length: float) -> float:
    """Return the share of the spectrum's power at a period (in points) and its first four harmonics, 0 to 1."""
    power = spectrum(residual)[1:]
    total = float(power.sum())
    if total <= 0:
        return 0.0
    near = {round(k * residual.size / length) + d for k in range(1, 6) for d in (-1, 0, 1)}
    return float(sum(power[i - 1] for i in near if 1 <= i <= power.size)) / total


def clipped(residual: Array) -> Array:
    """Return the residual centred and clipped at ± 4 robust sigma, so that one leap is no period."""
    centred = residual - median(residual)
    scale = mad_sigma(centred)
    return np.clip(centred, -4 * scale, 4 * scale) if scale > 0 else centred


def autocorrelations(residual: Array, most: int) -> Array:
    """Return autocorrelations at lags 0 … `most`, float64[most+1], by FFT, each by its own number of pairs."""
    held = clipped(residual)
    held = held - held.mean()
    n = held.size
    power = np.abs(np.fft.rfft(held, 2 * n)) ** 2
    raw = np.fft.irfft(power)[: most + 1] / (n - np.arange(most + 1))
    return np.asarray(raw / raw[0] if raw[0] > 0 else np.zeros(most + 1))


def find_long_period(residual: Array, *, surrogates: int = 200) -> Period | None:
    """Return the period of a detrended curve, of its means over stretches where a long one stands out more clearly.

    The noise of single points hides a long period from the correlation of points; their means must repeat themselves
    after the same time. As two searches are made, the chance of an echo is doubled.
    """
    period = _candidate(residual, LEAST_CYCLES)
    if period is None or period.length < 2 * FINE:
        return _tested(residual, period, surrogates)
    size = int(period.length // FINE)
    means = residual[: residual.size // size * size].reshape(-1, size).mean(axis=1)
    clear = _candidate(means, LEAST_CYCLES)
    if clear is None or clear.echo <= period.echo or abs(clear.length * size / period.length - 1) > 0.03:
        return _tested(residual, period, surrogates)
    if not _recurs(means, clear.length):  # a few leaps at even distances, and nothing before or after them
        return _tested(residual, period, surrogates)
    p_value = cast(Period, _tested(means, clear, surrogates)).p_value
    return replace(clear, length=clear.length * size, p_value=None if p_value is None else min(1.0, 2 * p_value))


def _recurs(values: Array, length: float) -> bool:
    """Whether four of five periods follow the median shape of all."""
    whole = int(values.size / length)
    points = int(length)
    starts = (np.arange(whole) * length).astype(np.int64)
    cycles = np.stack([values[a : a + points] for a in starts.tolist() if a + points <= values.size])
    centred = cycles - cycles.mean(axis=1, keepdims=True)
    shape = np.median(centred, axis=0)
    size = np.sqrt(np.sum(centred**2, axis=1) * np.sum(shape**2))
    alike = np.divide(centred @ shape, size, out=np.zeros(size.size), where=size > 0)
    return bool(np.mean(alike > 0.3) >= 0.8)


def find_period(residual: Array, *, surrogates: int = 200, least_cycles: float = LEAST_CYCLES) -> Period | None:
    """Return the fundamental period of a detrended curve, or None when no peak stands out at all.

    The fundamental comes from the autocorrelation (computed by FFT), because the spectrum's strongest band is often
    a harmonic. `p_value` compares the best echo with that of AR(1) surrogates fitted to
    the same residual and searched in the same way: white-noise tests call every correlated noise periodic.
    Needs 24 points or more. Source: Allen and Smith, Monte Carlo SSA: detecting irregular oscillations in the
    presence of colored noise, J. Climate 9 (1996).
    """
    return _tested(residual, _candidate(residual, least_cycles), surrogates, least_cycles)


def _candidate(residual: Array, least_cycles: float) -> Period | None:
    """Return the period of the best echo, untested; None when no peak stands out at all."""
    if residual.size < 24:
        return None
    best = _best_echo(residual, least_cycles)
    if best is None:
        return None
    lag, length, echo = best
    share, length = max((folded_share(residual, one), one) for one in (length, float(lag)))
    return Period(length, echo, share, residual.size / length, None)


def _tested(
    residual: Array, period: Period | None, surrogates: int, least_cycles: float = LEAST_CYCLES
) -> Period | None:
    """Return a candidate with its chance, if its echo is worth the test."""
    if period is None or period.echo < WORTH_A_TEST:
        return period
    n = residual.size
    rho, sigma = _red(residual, period.length)
    rng = np.random.default_rng(7)
    beaten = 1
    for _ in range(surrogates):
        other = _best_echo(_ar1(rng, n, rho, sigma), least_cycles)
        beaten += other is not None and other[2] >= period.echo
    p_value = beaten / (surrogates + 1)
    if beaten == 1:
        p_value = min(p_value, _tail(period.echo, period.cycles, n))
    return replace(period, p_value=p_value)


def folded_share(residual: Array, length: float) -> float:
    """Return the share of variance that the mean shape over one period explains, adjusted for its bins."""
    held = clipped(residual)
    bins = int(max(4, min(length, FINEST, max(16, held.size // 8))))  # each class of sorted data has its own tooth
    phase = ((np.arange(held.size) % length) / length * bins).astype(np.int64)
    counts = np.bincount(phase, minlength=bins)
    means = np.bincount(phase, held, minlength=bins) / np.maximum(counts, 1)
    total = float(np.sum((held - held.mean()) ** 2))
    inside = float(np.sum((held - means[phase]) ** 2))
    if total <= 0 or held.size <= bins + 1:
        return 0.0
    return max(0.0, 1.0 - (inside / (held.size - bins)) / (total / (held.size - 1)))


def fold(residual: Array, length: float, bins: int = 32) -> tuple[Array, Array]:
    """Return phases in [0, 1) and the median shape over one period, for pictures and for its causes."""
    phase = (np.arange(residual.size) % length) / length
    index = np.minimum((phase * bins).astype(np.int64), bins - 1)
    shape = np.array([median(residual[index == b]) if np.any(index == b) else np.nan for b in range(bins)])
    held = np.isfinite(shape)
    return (np.arange(bins) + 0.5)[held] / bins, shape[held]


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


def _red(residual: Array, length: float) -> tuple[float, float]:
    """Fit AR(1) to what is left when the folded shape is taken away: the period must not count as its own noise."""
    held = clipped(residual)
    phases, shape = fold(held, length, bins=int(min(32, max(4, length))))
    if shape.size > 1:
        held = held - np.interp((np.arange(held.size) % length) / length, phases, shape, period=1.0)
    held = held - held.mean()
    power = float(np.dot(held, held))
    rho = float(np.dot(held[1:], held[:-1])) / power if power > 0 else 0.0
    rho = min(max(rho + 1.0 / residual.size, 0.0), 0.98)
    return rho, float(np.std(held)) or 1.0


def _ar1(rng: np.random.Generator, n: int, rho: float, sigma: float) -> Array:
    from scipy.signal import lfilter  # noqa: PLC0415 - 0.6 s of import that only a candidate period pays

    drive = rng.standard_normal(n + 64) * sigma * np.sqrt(1 - rho**2)
    return np.asarray(lfilter([1.0], [1.0, -rho], drive))[64:]


def _tail(echo: float, cycles: float, n: int) -> float:
    """Chance of an echo beyond all surrogates: Fisher's z of a correlation over the cycles, times the lags tried."""
    z = np.arctanh(min(echo, 0.999999)) * np.sqrt(max(1.0, cycles * 4 - 3))
    return float(min(1.0, max(1e-6, n * 0.5 * math.erfc(z / math.sqrt(2.0)))))
