"""Which vertical axis a panel wants, so that the picture alone shows what a finding speaks of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analyzer.model.evidence import Mark
from analyzer.model.run import Series
from analyzer.writers.axis import LOG_FROM, SQUEEZED, Axis, value_axis

ALIKE = 10.0
"""Curves whose tops differ by less than this factor tell one story, as training and validation do."""

CHANGE = 0.05
"""A change inside a marked region matters from this part of its level on."""

HIDDEN, CLEARER = 0.3, 1.6
"""It hides when it fills less than this part of the height; another axis must show it larger by this factor."""

CALM = 0.1
"""A curve without axes, or one with a marked region, spans at least this part of its level: a flat one looks flat."""

LEAST = 6  # points in a region that has a change to show


def upright(curves: Sequence[Series], marks: Sequence[Mark] = ()) -> Axis:
    """Return the vertical axis for curves that share a panel, and for what is marked in it.

    Logarithmic for a wide positive range, except beside a curve of the same height that is not wide. When one
    region is marked in which a curve changes and the axis of the whole would hide that, the axis is linear and
    holds what lies in the region; the curves then begin or end outside of the picture.
    """
    held = [series.values[np.isfinite(series.values)] for series in curves]
    levels = [v for mark in marks if mark.kind == "level" for v in mark.values if np.isfinite(v)]
    pooled = np.concatenate([*held, levels])
    regions = [mark for mark in marks if mark.kind == "region"]
    if not regions:
        return value_axis(pooled, linear=_side_by_side(held))
    whole = calm_axis(pooled, linear=_side_by_side(held))
    return _close(curves, regions, levels, whole) or whole


def calm_axis(values: NDArray[np.float64], *, linear: bool = False) -> Axis:
    """Return a vertical axis on which noise around a level does not look like mountains."""
    axis = value_axis(values, linear=linear)
    if axis.log or not values.size:
        return axis
    level = float(np.abs(np.median(values / 2))) * 2
    missing = CALM * level - (axis.high / 2 - axis.low / 2) * 2
    if not (np.isfinite(missing) and missing > 0):
        return axis
    return Axis(axis.low - missing / 2, axis.high + missing / 2)


def _side_by_side(held: Sequence[NDArray[np.float64]]) -> bool:
    """Whether curves of one height are compared of which one keeps to a narrow range: a linear axis shows both."""
    if len(held) < 2 or any(not values.size or float(values.min()) <= 0 for values in held):
        return False
    tops = sorted(float(values.max()) for values in held)
    narrow = any(float(values.max()) / float(values.min()) < LOG_FROM for values in held)
    pooled = np.concatenate(held)
    level = max(float(np.median(pooled / 2)) * 2, 5e-324)
    return narrow and tops[-1] / tops[0] < ALIKE and tops[-1] / level <= SQUEEZED


def _close(curves: Sequence[Series], marked: Sequence[Mark], levels: Sequence[float], whole: Axis) -> Axis | None:
    """Return the axis of what lies in the one marked region, or None when the whole shows its change well enough."""
    regions = {(mark.tag, mark.steps) for mark in marked if len(mark.steps) == 2}
    if len(regions) != 1:
        return None
    ((tag, (first, last)),) = regions
    inside = {series.tag: _between(series, first, last) for series in curves}
    change = _change(inside.get(tag, np.empty(0)))
    if change is None:
        return None
    near = value_axis(np.concatenate([*inside.values(), levels]), linear=True)
    seen, better = (abs(float(np.diff(axis.place(change))[0])) for axis in (whole, near))
    return near if seen < HIDDEN and better > CLEARER * seen else None


def _between(series: Series, first: int, last: int) -> NDArray[np.float64]:
    at = (series.steps >= first) & (series.steps <= last) & np.isfinite(series.values)
    return series.values[at]


def _change(values: NDArray[np.float64]) -> tuple[float, float] | None:
    """Return the level at the start and at the end, or None when they differ by no more than noise or by little."""
    if values.size < LEAST:
        return None
    part = max(2, values.size // 5)
    start, end = float(np.median(values[:part])), float(np.median(values[-part:]))
    noise = float(np.median(np.abs(np.diff(values))))
    return (start, end) if abs(end - start) > max(CHANGE * abs(start), 2 * noise) else None
