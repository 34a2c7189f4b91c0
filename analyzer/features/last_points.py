"""Whether the last points of a curve leap out of what was seen before: they are too few to be a level of its course."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from analyzer.features.curve import Curve
from analyzer.features.rises import Rise
from analyzer.stats import robust


@dataclass(frozen=True)
class Params:
    """What makes a leap of the last points."""

    least: int = field(default=5, metadata={"unit": "points", "why": "fewer have no noise to compare with"})
    few: float = field(default=0.05, metadata={"unit": "of the points", "why": "at the end: too few for a level"})
    noise: float = field(default=8.0, metadata={"unit": "× noise", "why": "a leap out of all that was seen before"})
    near: int = field(default=5, metadata={"unit": "points", "why": "that make the level before the leap"})
    settled: int = field(default=4, metadata={"unit": "th part", "why": "the steep start leaps by itself"})
    usual: float = field(default=2.0, metadata={"unit": "× the largest step up", "why": "one not seen before"})
    evaluations: int = field(default=8, metadata={"unit": "points", "why": "fewer do not show which steps are usual"})


PARAMS = Params()


def leap_out_of_all(curve: Curve) -> Rise | None:
    """Return the leap of the last points above what came before them, None where there is none.

    They lie above every point, or several of them above every point since the steep start. Of k points the lowest has
    to lie less far above the highest before it: the noise of all of them would have to conspire.
    """
    y, most = curve.y, max(2, round(PARAMS.few * curve.n))
    if y.size < PARAMS.least:
        return None
    return _above(curve, 0, most) or _above(curve, y.size // PARAMS.settled, most)


def _above(curve: Curve, first: int, most: int) -> Rise | None:
    """Return the leap of at most so many last points above all points from index `first` on."""
    y = curve.y
    highest = np.maximum.accumulate(y[first:])[:-1]
    lowest_after = np.minimum.accumulate(y[first:][::-1])[::-1][1:]
    records = np.flatnonzero(lowest_after > highest) + 1 + first
    records = records[records >= max(2, y.size - most)]
    if not records.size:
        return None
    onset = int(records[0])
    before, last = y[first:onset], y[onset:]
    far = np.sqrt(last.size) * (np.min(last) - np.max(before)) if first else float(y[-1]) - np.max(before)
    errors = float(far) / _noise(curve, before)
    if errors < PARAMS.noise or (first and last.size == 1):
        return None
    level, start, end = robust.median(before[-PARAMS.near :]), float(y[0]), float(y[-1])
    lost = (end - level) / (start - level) if start > end else np.inf
    return _rise(curve, errors, level, end, onset, lost=lost, setback=1.0)


def last_evaluation(curve: Curve) -> Rise | None:
    """Return how far the last evaluation is worse than those just before it, None where the run leapt so far before.

    One evaluation more would tell whether the rise lasts; the model that the run ends with is the one it was made of.
    """
    y = -curve.y if curve.role.direction == "higher" else curve.y
    settled = y[y.size // PARAMS.settled : -1]
    if y.size < PARAMS.evaluations or settled.size < PARAMS.near:
        return None
    level, jump = robust.median(settled[-PARAMS.near :]), float(y[-1] - y[-2])
    usual = float(np.max(np.diff(settled)))
    errors = min(jump, float(y[-1]) - float(np.max(settled[-PARAMS.near :]))) / _noise(curve, settled)
    if errors < PARAMS.noise or jump < PARAMS.usual * usual:
        return None
    start, end = float(y[0]), float(y[-1])
    reached = int(np.flatnonzero(y <= end)[0])
    lost = (end - level) / (start - level) if start > level else np.inf
    setback = float(curve.at[-2] - curve.at[reached]) / max(1.0, float(curve.at[-1] - curve.at[0]))
    sign = -1.0 if curve.role.direction == "higher" else 1.0
    return _rise(curve, errors, sign * level, sign * end, y.size - 1, lost=lost, setback=max(0.0, setback))


def _noise(curve: Curve, before: np.ndarray) -> float:
    smallest = 1e-3 * (1.0 if curve.log else float(np.max(np.abs(before))))
    return max(robust.difference_sigma(before), smallest, np.finfo(float).tiny)


def _rise(curve: Curve, errors: float, low: float, high: float, onset: int, *, lost: float, setback: float) -> Rise:
    gap = abs(high - low)
    size = float(np.expm1(min(gap, 700.0))) if curve.log else gap / max(abs(low), 1e-300)
    return Rise(errors, size, lost, setback, onset, curve.back(low), curve.back(high), reached=onset)
