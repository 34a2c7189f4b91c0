"""Whether values rise or fall with an ordered variable, several groups of runs together."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def trend_chance(groups: Iterable[tuple[Array, Array]]) -> float:
    """Return the two-sided chance of the agreement of two orders, each group being looked at by itself.

    Groups are pairs (float64[n], float64[n]). Kendall's sum of concordant less discordant pairs, added over the groups,
    with its variance under ties and a correction for continuity; 1.0 where nothing varies.
    Source: Kendall, Rank correlation methods (1948), chapters 4 and 5; for several groups Hirsch, Slack and Smith,
    Techniques of trend analysis, Water Resources Research 18 (1982).
    """
    score, variance = 0.0, 0.0
    for one, other in groups:
        score += _agreement(one, other)
        variance += _variance(one, other)
    if variance <= 0:
        return 1.0
    z = max(0.0, abs(score) - 1.0) / math.sqrt(variance)
    return math.erfc(z / math.sqrt(2))


def _agreement(one: Array, other: Array) -> float:
    """Return the concordant pairs less the discordant ones; `one` has few different values."""
    levels = [np.sort(other[one == level]) for level in np.unique(one)]
    total = 0
    for i, high in enumerate(levels):
        for low in levels[:i]:
            below = np.searchsorted(low, high, "left")
            above = low.size - np.searchsorted(low, high, "right")
            total += int(np.sum(below - above))
    return float(total)


def _variance(one: Array, other: Array) -> float:
    n = one.size
    if n <= 2:
        return 1.0 if n == 2 and one[0] != one[1] and other[0] != other[1] else 0.0
    t, u = _ties(one), _ties(other)
    whole = n * (n - 1) * (2 * n + 5) - _sum(t, 5) - _sum(u, 5)
    thirds = float(np.sum(t * (t - 1) * (t - 2)) * np.sum(u * (u - 1) * (u - 2))) / (9 * n * (n - 1) * (n - 2))
    pairs = float(np.sum(t * (t - 1)) * np.sum(u * (u - 1))) / (2 * n * (n - 1))
    return whole / 18 + thirds + pairs


def _ties(values: Array) -> Array:
    return np.unique(values, return_counts=True)[1].astype(np.float64)


def _sum(ties: Array, more: int) -> float:
    return float(np.sum(ties * (ties - 1) * (2 * ties + more)))
