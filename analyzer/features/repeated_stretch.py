"""A stretch of a curve that comes again, equal to the last digit: the run was set back and went the same way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SHORTEST = 3  # different values: fewer may be equal because the same model was evaluated again
BASE = 10.0  # of decimal numbers
TRIED = 8  # distances
DECIMALS = 9  # digits after the point that a logger may have rounded to; more are those of a float
SINGLE = 1.2e-7  # of the value: what float32 can tell apart
INNER = (0.1, 0.9)  # quantiles between which values count as the range in which chance would have to repeat one


@dataclass(frozen=True, slots=True)
class Repeat:
    """The longest repeated stretch of a curve: indices of its first and last point, and how far back the original lies.

    `elsewhere` is the share of the other points that repeat an earlier value; `expected` is how many stretches of this
    length chance would give.
    """

    first: int
    last: int
    back: int
    elsewhere: float
    expected: float

    @property
    def points(self) -> int:
        """How many points are repeated."""
        return self.last - self.first + 1


def longest_repeat(values: Array) -> Repeat | None:
    """Return the longest stretch of float64[n] that repeats an earlier one exactly, None where there is none.

    The distances at which values occur again most often are tried. Two values that have nothing to do with each other
    are equal with a probability p of about their resolution over their range, or as often as values repeat elsewhere.
    Of n² / 2 pairs of places n² / 2 · p^k have stretches of k equal values.
    """
    n = values.size
    back = _distance_back(values)
    distances, counts = np.unique(back[back > 0], return_counts=True)
    first = points = far = 0
    for distance in distances[np.argsort(-counts, kind="stable")[:TRIED]].tolist():
        same = np.r_[np.zeros(distance, bool), values[distance:] == values[:-distance]]
        edges = np.flatnonzero(np.diff(np.r_[False, same, False]))
        place = int(np.argmax(edges[1::2] - edges[::2]))
        start, end = int(edges[2 * place]), int(edges[2 * place + 1])
        if end - start > points and np.unique(values[start:end]).size >= SHORTEST:
            first, points, far = start, end - start, distance
    if not points:
        return None
    elsewhere = float(np.count_nonzero(back) - np.count_nonzero(back[first : first + points])) / max(1, n - points)
    low, high = np.quantile(values, INNER)
    chance = min(1.0, max(_resolution(values) / max(float(high - low), np.finfo(float).tiny), elsewhere))
    return Repeat(first, first + points - 1, far, elsewhere, n * n / 2 * chance**points)


def _distance_back(values: Array) -> NDArray[np.int64]:
    """Return how many points before each one its value last occurred, int64[n]; 0 where it never did."""
    order = np.argsort(values, kind="stable")
    same = values[order[1:]] == values[order[:-1]]
    back = np.zeros(values.size, np.int64)
    back[order[1:][same]] = (order[1:] - order[:-1])[same]
    return back


def _resolution(values: Array) -> float:
    """Return the smallest difference that the values were written with."""
    for digits in range(DECIMALS + 1):
        if np.allclose(np.round(values, digits), values, rtol=SINGLE / 2, atol=0.0):
            return BASE**-digits
    return SINGLE * float(np.max(np.abs(values)))
