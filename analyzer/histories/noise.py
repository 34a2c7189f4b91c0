"""How much a metric scatters from night to night, and how much a night resembles the one before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Params:
    """Numbers of the estimates."""

    normal_mad: float = 1.4826
    """Standard deviation of a normal over its median absolute deviation (a constant of the normal)."""
    trimmed: float = 0.1
    """Share of the largest differences that is left out of their mean: steps and bad nights are among them."""
    kept_mean: float = 0.829
    """Mean of the smallest 90 % of |z| over the mean of all, for a normal z: makes the trimmed mean consistent."""
    correlated_most: float = 0.8
    """Correlation above which twelve to a few hundred nights cannot tell scatter from wandering."""


PARAMS = Params()


def scatter(values: Array) -> float:
    """Return the night-to-night standard deviation: the larger of two robust readings of the first differences.

    Levels add one difference each and hardly count. 0.0 for fewer than two values.
    """
    if values.size < 2:
        return 0.0
    return _of_differences(np.abs(np.diff(values)))


def _of_differences(apart: Array) -> float:
    """Return the standard deviation of values whose absolute differences these are."""
    kept = np.sort(apart)[: max(1, apart.size - int(PARAMS.trimmed * apart.size))]
    by_median = PARAMS.normal_mad * float(np.median(apart)) / np.sqrt(2)
    by_mean = float(np.mean(kept)) * np.sqrt(np.pi) / 2 / PARAMS.kept_mean
    return float(max(by_median, by_mean))


def rounding(values: Array) -> float:
    """Return the standard deviation that rounding alone leaves: the smallest step between values over sqrt(12)."""
    apart = np.diff(np.unique(values))
    apart = apart[apart > np.abs(values).max(initial=0.0) * np.finfo(np.float32).eps]
    return float(apart.min()) / np.sqrt(12) if apart.size and 2 * apart.size < values.size else 0.0


def correlation(residuals: Array, levels: int) -> float:
    """Return the lag-1 correlation of residuals around `levels` means, 0 to 0.8, its downward bias corrected.

    A fitted mean costs about (1 + 3 r) / n a level (Kendall 1954, Marriott and Pope 1954).
    """
    n, power = residuals.size, float(residuals @ residuals)
    if n <= 2 * levels or power == 0:
        return 0.0
    raw = float(residuals[1:] @ residuals[:-1]) / power
    corrected = (raw + levels / n) / max(1 - (2 + 1) * levels / n, 0.5)
    return float(np.clip(corrected, 0.0, PARAMS.correlated_most))
