"""Whether a change is a step or a drift: a level, then a line, then a level, against a single step (BIC)."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Params:
    """Numbers of the shapes."""

    near: int = 25
    """Nights within which cuts of one sign are one drift."""
    lengths: tuple[int, ...] = (6, 8, 10, 13, 16, 20, 25, 30, 40, 60)
    """Nights that a drift may last, as tried."""
    stretch: int = 80
    """Nights on either side of the cuts that are looked at."""
    numbers: float = 1.0
    """Numbers that a drift has besides those of a step: its length."""


PARAMS = Params()


@dataclass(frozen=True, slots=True)
class Drift:
    """A line between two levels: from index `start` to `end`, in the values given."""

    start: int
    end: int
    before: float
    after: float


def grouped(cuts: list[int], values: Array) -> list[list[int]]:
    """Return the cuts in groups: those of one sign within 25 nights of each other are one change."""
    edges = [0, *cuts, values.size]
    means = [float(values[a:b].mean()) for a, b in itertools.pairwise(edges)]
    groups: list[list[int]] = []
    for i, cut in enumerate(cuts):
        same = i > 0 and (means[i + 1] > means[i]) == (means[i] > means[i - 1])
        if same and cut - cuts[i - 1] <= PARAMS.near:
            groups[-1].append(cut)
        else:
            groups.append([cut])
    return groups


def drift(values: Array, low: int, group: list[int], high: int, *, noise: float) -> Drift | None:
    """Return the drift in values[low:high] that its cuts stand for; None where a step tells it as well.

    `noise` is the variance from night to night, correlation included.
    """
    start, stop = max(low, group[0] - PARAMS.stretch), min(high, group[-1] + PARAMS.stretch)
    part = values[start:stop]
    found = _best_ramp(part, group[0] - start, group[-1] - start)
    if found is None:
        return None
    cost, begin, length, before, after = found
    if len(group) == 1:
        left, right = part[: group[0] - start], part[group[0] - start :]
        stepped = float(((left - left.mean()) ** 2).sum() + ((right - right.mean()) ** 2).sum())
        if stepped - cost <= (PARAMS.numbers + 1) * np.log(part.size) * noise:
            return None
    return Drift(start + begin, min(stop - 1, start + begin + length - 1), before, after)


def _best_ramp(part: Array, first: int, last: int) -> tuple[float, int, int, float, float] | None:
    """Return squares, first night, length and both levels of the ramp of the least squares around some cuts."""
    at = np.arange(part.size)
    best: tuple[float, int, int, float, float] | None = None
    for length in PARAMS.lengths:
        begins = np.arange(max(1, first - length), min(part.size - 2, last) + 1)
        if not begins.size or length < last - first:
            continue
        ramp = np.clip((at[None, :] - begins[:, None] + 1) / length, 0.0, 1.0)
        own = ramp - ramp.mean(axis=1, keepdims=True)
        power = (own**2).sum(axis=1)
        power[power == 0] = np.inf
        size = own @ part / power
        costs = ((part - part.mean()) ** 2).sum() - size**2 * power
        i = int(np.argmin(costs))
        if best is None or costs[i] < best[0]:
            base = float(part.mean() - size[i] * ramp[i].mean())
            best = (float(costs[i]), int(begins[i]), length, base, base + float(size[i]) * float(ramp[i].max()))
    return best
