"""Whether what some runs have goes along with a number or a level: exact tests, corrected for the search of the split.

Sources: Fisher, The logic of inductive inference, J. R. Stat. Soc. 98 (1935); for the best of all splits of an ordered
variable, whose exact null distribution is found by counting the orderings that stay within bounds: Koziol, On maximally
selected chi-square statistics, Biometrics 47 (1991); Boulesteix, Maximally selected chi-square statistics for ordinal
variables, Biometrical Journal 48 (2006).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]

SMALLEST_SIDE = 3
"""Runs on either side of a split."""

MOST_CUTS = 64
"""Splits that are tried of an ordered variable, spread evenly over the runs."""


SAME = 1e-9
"""Relative difference of two p-values that were computed in another order and are the same."""


@dataclass(frozen=True)
class Split:
    """The best split of some runs in two: `side` bool[n] has those on the side where the marked ones are more often.

    `p_value` is two-sided, exact, and corrected for the search among splits; 1.0 where the plain one of the best split
    is above what was worth a look.
    """

    side: Flags
    p_value: float


def ordered_split(values: Array, marked: Flags, worth: float) -> Split | None:
    """Return the best split of runs by a number: at or above a cut, or below it; None where no cut leaves two sides.

    `values` finite float64[n], `marked` bool[n] says which runs have what is asked about.
    """
    order = np.argsort(values, kind="stable")
    ordered, flags = values[order], marked[order]
    cuts = _cuts(ordered)
    if not cuts.size:
        return None
    total, all_marked = marked.size, int(np.count_nonzero(marked))
    tables = [_two_sided(int(cut), all_marked, total) for cut in cuts]
    below = np.cumsum(flags)[cuts - 1]
    p_values = [float(table[count]) for table, count in zip(tables, below, strict=True)]
    best = int(np.argmin(p_values))
    cut, lowest = int(cuts[best]), p_values[best]
    high = values >= ordered[cut]
    side = high if _rate(marked, high) >= _rate(marked, ~high) else ~high
    if lowest > worth:
        return Split(side, 1.0)
    bounds = {int(cut): table > lowest * (1 + SAME) for cut, table in zip(cuts, tables, strict=True)}
    return Split(side, _leaving(bounds, all_marked, total))


def level_split(levels: Whole, marked: Flags) -> Split | None:
    """Return the best split of runs into one level (int64[n]) and the others; None where no level leaves two sides.

    The chance is multiplied by the number of splits that were tried (Bonferroni).
    """
    total, all_marked = marked.size, int(np.count_nonzero(marked))
    found: list[tuple[float, Flags]] = []
    splits = 0
    names = np.unique(levels)
    for level in names[1:] if names.size == 2 else names:
        inside = levels == level
        size = int(np.count_nonzero(inside))
        if min(size, total - size) < SMALLEST_SIDE:
            continue
        splits += 1
        p_value = float(_two_sided(size, all_marked, total)[np.count_nonzero(marked & inside)])
        found.append((p_value, inside if _rate(marked, inside) >= _rate(marked, ~inside) else ~inside))
    if not found:
        return None
    lowest, side = min(found, key=lambda one: one[0])
    return Split(side, min(1.0, splits * lowest))


def _cuts(ordered: Array) -> Whole:
    """Return the numbers of runs below each cut that is tried."""
    cuts = np.flatnonzero(np.diff(ordered) > 0) + 1
    cuts = cuts[(cuts >= SMALLEST_SIDE) & (cuts <= ordered.size - SMALLEST_SIDE)]
    if cuts.size <= MOST_CUTS:
        return np.asarray(cuts, dtype=np.int64)
    return np.asarray(cuts[np.linspace(0, cuts.size - 1, MOST_CUTS).round().astype(np.int64)], dtype=np.int64)


def _two_sided(size: int, marked: int, total: int) -> Array:
    """Return Fisher's two-sided p (twice the smaller tail) for 0 … `marked` marked ones among `size` of `total`."""
    counts = np.arange(marked + 1)
    possible = (counts <= size) & (marked - counts <= total - size)
    logs = _log_factorials(total)
    chances = np.zeros(marked + 1)
    k = counts[possible]
    chances[possible] = np.exp(
        _choose(logs, size, k) + _choose(logs, total - size, marked - k) - _choose(logs, total, np.array(marked))
    )
    low, high = np.cumsum(chances), np.cumsum(chances[::-1])[::-1]
    return np.asarray(np.minimum(1.0, 2 * np.minimum(low, high)))


@lru_cache(maxsize=64)
def _log_factorials(most: int) -> Array:
    """Return the logarithms of 0! to `most`!, float64[most + 1]."""
    logs = np.concatenate(([0.0], np.cumsum(np.log(np.arange(1, most + 1)))))
    logs.flags.writeable = False
    return logs


def _choose(logs: Array, n: int, k: Whole | NDArray[np.intp]) -> Array:
    return np.asarray(logs[n] - logs[k] - logs[n - k])


def _leaving(bounds: dict[int, Flags], marked: int, total: int) -> float:
    """Return the chance that a random order has, at any cut, a number of marked ones outside of its bounds."""
    inside = np.zeros(marked + 1)
    inside[0], left = 1.0, 0.0
    rest = marked - np.arange(marked + 1)
    for drawn in range(max(bounds)):
        up = inside * np.clip(rest / (total - drawn), 0.0, 1.0)
        inside = inside - up
        inside[1:] += up[:-1]
        held = bounds.get(drawn + 1)
        if held is not None:
            left += float(inside[~held].sum())
            inside = np.where(held, inside, 0.0)
    return min(1.0, left)


def _rate(marked: Flags, side: Flags) -> float:
    return float(np.mean(marked[side])) if side.any() else 0.0
