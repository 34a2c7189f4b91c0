"""The noise of a curve that also has a trend: from differences, so that neither slope nor curvature counts as noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analyzer.stats.robust import MAD_TO_SIGMA, mad_sigma, median, sliding_windows

Array = NDArray[np.float64]

UNIFORM = float(np.sqrt(12.0))  # width of a uniform distribution over its standard deviation
SECOND, THIRD = float(np.sqrt(6.0)), float(np.sqrt(20.0))  # standard deviations of differences of white noise
FEW = 2.0  # differences: a median of m of them is raised by FEW / m, because the smaller of two estimates is taken
TIED = 0.25  # share of differences that are exactly 0 from which values are taken as rounded
INNER = 0.8  # share of the differences that a mean is taken over where values are rounded
INNER_MEAN = 0.5587  # mean of |x| over the inner 80 % of a standard Gaussian
LEAST = 4  # values: fewer show no noise around a trend
CORRELATED = 8  # values: fewer show no autocorrelation
BENT = 4.0  # variance around the line of a window over that of another: chance makes it so large in one of a thousand
FLAT = 1e-12  # index²: what the spread of the indices of a window is divided by at least
DEAD = 0.05  # autocorrelation that counts as none


def trendless_sigma(values: Array, *, broken: int = 0) -> float:
    """Return the standard deviation of one value around a smooth trend; 0.0 for fewer than four values.

    `broken`: the index of the first value after a break (0: there is none). The break does not count as noise: the
    later values are moved so that the step to them is the mean of the steps on both sides.

    The smaller of the robust estimates from second and from third differences: a straight line leaves nothing in the
    second, a parabola nothing in the third, and one break spoils a few differences that a median does not see.
    Rounded values (many differences are exactly 0) are measured by the mean of their inner differences instead,
    because their median is 0. Source: von Neumann et al., The mean square successive difference, Annals of
    Mathematical Statistics 12 (1941), with the median of Hampel, JASA 69 (1974).
    """
    if values.size < LEAST:
        return 0.0
    values = _joined(values, broken)
    second = np.diff(values, 2)
    found = []
    for order, scale, differences in ((2, SECOND, second), (3, THIRD, second[1:] - second[:-1])):
        change = np.abs(differences)
        if broken in (1, values.size - 1) or (broken and order > 2):  # the moved values made this one 0
            change = np.delete(change, [k for k in (max(0, broken - 2),) if k < change.size])
        if change.size < 2:
            continue
        size = median(change) * MAD_TO_SIGMA
        if np.count_nonzero(change == 0) >= TIED * change.size:
            inner = np.sort(change)[: max(1, int(np.ceil(INNER * change.size)))]
            size = max(size, float(inner.sum()) / inner.size / INNER_MEAN)
        found.append((size / scale, change.size))
    size, count = min(found, default=(0.0, 1))
    return size * (1.0 + FEW / count)


def rounding_sigma(values: Array) -> float:
    """Return the standard deviation of the error that rounding makes, 0.0 where all values are the same.

    Values are rounded to multiples of the smallest difference between two of them, whose error is uniform. Between
    values that were not rounded that difference is next to nothing. Source: Sheppard (1898), correction for grouping.
    """
    steps = np.diff(np.unique(values))
    return float(steps.min()) / UNIFORM if steps.size else 0.0


def _joined(values: Array, k: int) -> Array:
    """Return the values with those from index `k` on moved by the height of the break before it."""
    if not 0 < k < values.size:
        return values
    steps = np.diff(values)
    around = [steps[i] for i in (k - 2, k) if 0 <= i < steps.size]
    moved = values.copy()
    moved[k:] -= steps[k - 1] - (float(np.mean(around)) if around else 0.0)
    return moved


def correlation_time(residual: Array, most: int) -> float:
    """Return how many neighbouring values carry the information of one, at least 1: 1 + 2 Σ autocorrelation.

    The sum ends at the first lag that shows no correlation, `most` lags at the latest. Source: Sokal, Monte Carlo
    methods in statistical mechanics (1989), section 3.
    """
    if residual.size < CORRELATED:
        return 1.0
    centred = residual - median(residual)
    scale = mad_sigma(centred)
    if scale <= 0:
        return 1.0
    held = np.clip(centred, -4 * scale, 4 * scale)
    held = held - held.mean()
    power = np.abs(np.fft.rfft(held, 2 * held.size)) ** 2
    echo = np.fft.irfft(power)[: max(2, most)]
    if echo[0] <= 0:
        return 1.0
    echo = echo / echo[0]
    dead = np.flatnonzero(echo <= DEAD)
    last = int(dead[0]) if dead.size else echo.size
    return max(1.0, 1.0 + 2.0 * float(np.sum(echo[1:last])))


def around_lines(values: Array, half: int) -> Array:
    """Return each value less a straight line through its 2 × `half` + 1 neighbours (fewer at the ends), float64[n]."""
    n = values.size
    at = np.arange(n)
    first, end = np.maximum(at - half, 0), np.minimum(at + half + 1, n)
    x = at.astype(np.float64)
    sums = [np.concatenate([[0.0], np.cumsum(part)]) for part in (x, x * x, values, x * values)]
    sx, sxx, sy, sxy = (part[end] - part[first] for part in sums)
    count = end - first
    spread = sxx - sx * sx / count
    slope = np.where(spread > 0, (sxy - sx * sy / count) / np.maximum(spread, FLAT), 0.0)
    return np.asarray(values - (sy / count + slope * (x - sx / count)))


def beside_breaks(values: Array, half: int) -> Array:
    """Return each value less a straight line through a window around it that crosses no break, float64[n].

    A window holds 2 × `half` + 1 values. Where the window before a value or the one after it is far calmer than the
    one around it, a break bends the line, and the calmer window is taken. Residuals are widened by the leverage of
    their place in the window. Fewer values than a window and a half give `around_lines`.
    Source: Kuwahara et al., Processing of RI-angiocardiographic images (1976), for lines instead of means.
    """
    width, n = 2 * half + 1, values.size
    if n < width + half:
        return around_lines(values, half)
    place = np.arange(width) - half
    leverage = 1 / width + np.outer(place, place) / float(np.sum(place**2))
    scale = max(float(np.max(np.abs(values))), FLAT)
    windows = sliding_windows(values / scale, width)
    rest = windows - windows @ leverage
    calm = np.sum(rest**2, axis=1)
    at = np.arange(n)
    starts = np.clip(np.stack([at - half, at - width + 1, at]), 0, n - width)
    chosen = np.argmin(calm[starts], axis=0)
    best = np.where(BENT * calm[starts[chosen, at]] < calm[starts[0]], starts[chosen, at], starts[0])
    return np.asarray(scale * rest[best, at - best] / np.sqrt(1 - np.diag(leverage))[at - best])
