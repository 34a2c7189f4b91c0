"""One metric's nights divided into levels: robust to single bad nights, to correlated noise and to a slow trend."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from analyzer.histories.noise import correlation, rounding, scatter
from analyzer.histories.partitioning import fitted, partition

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Params:
    """Numbers of the account."""

    least: int = 3
    """Nights that a level has at least: one or two bad nights are outliers."""
    around: int = 2
    """Nights on either side of the running median (of five), which two bad nights in a row do not move."""
    reach: float = 2.5
    """Standard deviations to which a night that stands alone is pulled; 1 % of normal nights are touched."""
    lone: float = 4.0
    """Standard deviations from the running median from which a night is called an outlier."""
    steep: float = 0.1
    """Standard deviations a night from which a slope is a drift and no trend within a regime."""
    slope_price: float = 2.0
    """Weight of log n s^2 that a slope must save: it is one more number of the model, as in BIC, with room."""
    repeats: float = 0.8
    """Share of the nights that repeat the one before to the digit from which the seed is fixed and nothing scatters."""
    passes: int = 2
    """How often scatter and correlation are estimated: from differences, then from what the levels leave."""
    settled: float = 0.02
    """Share by which the price of a level may still move without the levels being sought again."""


PARAMS = Params()


@dataclass(frozen=True, slots=True)
class Account:
    """The levels of n values: `cuts` are where new ones begin, `shown` the values with outliers pulled in.

    `sd` is the night-to-night standard deviation, `correlation` that of neighbouring nights, `slope` the trend within
    levels a night, `outliers` the nights that stand alone, `fixed` whether values repeat to the digit.
    """

    cuts: tuple[int, ...]
    shown: Array
    sd: float
    correlation: float
    slope: float
    outliers: tuple[int, ...]
    fixed: bool = False

    @property
    def flat(self) -> Array:
        """The shown values without the trend."""
        return self.shown - self.slope * np.arange(self.shown.size)


def account(values: Array, weight: float, count: float) -> Account:
    """Return the best account of finite values; `weight` times log `count` is the price of a level in squares of sd.

    `count` is the number of chances that a level has to be false: nights times metrics.
    """
    if is_fixed(values):
        return _of_fixed(values)
    sd = max(scatter(values), rounding(values))
    if sd == 0:
        return _of_fixed(values)
    price, r = weight * np.log(max(count, 2)), 0.0
    shown, cuts, paid = values, list[int](), 0.0
    for _ in range(PARAMS.passes):
        shown, paid = pulled(values, sd), price * sd**2 * _inflation(r)
        cuts = partition(shown, paid, PARAMS.least)
        left = shown - fitted(shown, cuts)
        r = correlation(left, len(cuts) + 1)
        sd = max(_spread(left, len(cuts) + 1), rounding(values), np.finfo(np.float64).tiny)
        if not cuts:
            break
    last = price * sd**2 * _inflation(r)
    if cuts and abs(last - paid) > PARAMS.settled * paid:
        cuts = partition(shown, last, PARAMS.least)
    slope, cuts = _with_trend(shown, last, sd, cuts)
    return Account(tuple(cuts), shown, sd, r, slope, _lone(values, sd))


def is_fixed(values: Array) -> bool:
    """Whether values repeat to the digit from night to night, so that any other value means something."""
    return bool(values.size > 1 and np.mean(np.diff(values) == 0) >= PARAMS.repeats)


def _of_fixed(values: Array) -> Account:
    """Return the levels of values without noise: each value that stays three nights and is not the one before."""
    starts = np.concatenate(([0], np.flatnonzero(np.diff(values)) + 1))
    lengths = np.diff(np.concatenate((starts, [values.size])))
    level, cuts, alone = None, list[int](), list[int]()
    for start, length in zip(starts.tolist(), lengths.tolist(), strict=True):
        if length < PARAMS.least:
            alone += range(start, start + length)
            continue
        if level is not None and values[start] != level:
            cuts.append(start)
        level = values[start]
    shown = values.copy()
    standing = np.flatnonzero(~np.isin(np.arange(values.size), alone))
    if standing.size:
        shown[alone] = values[standing[np.clip(np.searchsorted(standing, alone) - 1, 0, None)]]
    ended = [i for i in alone if i < values.size - PARAMS.least + 1]
    return Account(tuple(cuts), shown, 0.0, 0.0, 0.0, tuple(ended), fixed=True)


def pulled(values: Array, sd: float) -> Array:
    """Return values with those that stand alone pulled towards the running median of five.

    Up to 2.5 sd around it where they lie within 4 sd, to the median itself where they are outliers.
    """
    middle = running_median(values)
    near = np.clip(values, middle - PARAMS.reach * sd, middle + PARAMS.reach * sd)
    return np.where(np.abs(values - middle) > PARAMS.lone * sd, middle, near)


def running_median(values: Array) -> Array:
    """Return the median of five around each value, at the ends of the first or last five: two never move it."""
    n, k = values.size, PARAMS.around
    if n <= 2 * k:
        return np.full(n, np.median(values))
    middle = np.empty(n)
    middle[k : n - k] = np.median(sliding_window_view(values, 2 * k + 1), axis=1)
    middle[:k], middle[n - k :] = middle[k], middle[n - k - 1]
    return middle


def _inflation(r: float) -> float:
    """Return the variance of a mean of correlated nights over that of independent ones."""
    return (1 + r) / (1 - r)


def _spread(left: Array, levels: int) -> float:
    return float(np.sqrt(left @ left / max(1, left.size - levels)))


def _left(shown: Array, slope: float, cuts: list[int]) -> Array:
    flat = shown - slope * np.arange(shown.size)
    return flat - fitted(flat, cuts)


def _with_trend(shown: Array, price: float, sd: float, plain: list[int]) -> tuple[float, list[int]]:
    """Return slope and cuts of the cheaper account: levels alone, or levels along one slow line."""
    if not plain:
        return 0.0, plain
    extra = PARAMS.slope_price * np.log(shown.size) * sd**2
    best, chosen = _cost(shown, 0.0, plain) + price * len(plain), (0.0, plain)
    for kept in _fewer(plain):
        slope = _slope(shown, kept)
        whole = _cost(shown, slope, kept) + price * len(kept) + extra
        if whole < best and 0 < abs(slope) < PARAMS.steep * sd:
            best, chosen = whole, (slope, kept)
    slope, kept = chosen
    if not slope:
        return chosen
    again = partition(shown - slope * np.arange(shown.size), price, PARAMS.least)
    return (slope, again) if len(again) < len(plain) else chosen


def _cost(shown: Array, slope: float, cuts: list[int]) -> float:
    left = _left(shown, slope, cuts)
    return float(left @ left)


def _fewer(cuts: list[int]) -> list[list[int]]:
    """Return choices of the cuts that a slope may leave: none, or one of them; a staircase of more is cut again."""
    return [[], *([cut] for cut in cuts if len(cuts) > 1)]


def _slope(shown: Array, cuts: list[int]) -> float:
    """Return the common slope of levels, by least squares."""
    times = np.arange(shown.size, dtype=np.float64)
    own = times - fitted(times, cuts)
    return float(own @ shown / (own @ own))


def _lone(values: Array, sd: float) -> tuple[int, ...]:
    far = np.abs(values - running_median(values)) > PARAMS.lone * sd
    return tuple(int(i) for i in np.flatnonzero(far))
