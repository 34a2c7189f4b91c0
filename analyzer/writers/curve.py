"""One curve as SVG paths: broken at restarts and at what is not finite, with a trend where it is noisy."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analyzer.model.run import Series
from analyzer.writers.axis import Axis, middle

UNITS = 1000
"""Width and height of the space in which paths are written; the page stretches it."""

SPARSE = 40
"""Curves of at most so many points show each point as a dot."""

NOISY = 0.035
"""A trend is drawn where neighbouring points typically differ by more than this part of the axis."""

LEAVES = 3.0
"""Standard errors by which the first points of a noisy curve leave the line of those that follow."""

MOST_GAPS = 12


@dataclass(frozen=True, slots=True)
class Gap:
    """Where the curve is not finite: from `start` to `end` (0 to 1 over the axis), what is there, how high it was."""

    start: float
    end: float
    what: str
    height: float | None
    step: int


@dataclass(frozen=True, slots=True)
class Strokes:
    """The paths of one curve; `old` is what a restart has overtaken.

    `end` is the height (0 to 1) of its last finite point, None when it has none.
    """

    path: str
    old: str
    dots: str
    trend: str
    gaps: tuple[Gap, ...]
    seams: tuple[float, ...]
    end: float | None


def strokes(series: Series, across: Axis, up: Axis, *, trend: bool = True) -> Strokes:
    """Return the curve over the two axes; an empty series has empty paths."""
    x, y = across.place(series.steps), up.place(series.values)
    seams = np.flatnonzero(series.steps[1:] < series.steps[:-1]) + 1  # a difference may overflow
    parts, overtaken = _pieces(series.steps, y, seams)
    kept = [part for part in parts if not overtaken[part.start]]
    held = np.flatnonzero(np.isfinite(y))
    sparse = held.size <= SPARSE
    return Strokes(
        path="".join(_path(x[part], y[part]) for part in kept),
        old="".join(_path(x[part], y[part]) for part in parts if overtaken[part.start]),
        dots="".join(_dots(x[part], y[part]) for part in parts if sparse or part.stop - part.start == 1),
        trend=_trend(x, y, kept) if trend else "",
        gaps=tuple(_gaps(series, x, y))[:MOST_GAPS],
        seams=tuple(float(x[i]) for i in seams[:MOST_GAPS]),
        end=float(y[held[-1]]) if held.size else None,
    )


def _pieces(
    steps: NDArray[np.int64], y: NDArray[np.float64], seams: NDArray[np.int64]
) -> tuple[list[slice], NDArray[np.bool_]]:
    """Return the stretches that are drawn as one line each, and which points a restart has overtaken."""
    overtaken = np.zeros(y.size, dtype=bool)
    if not seams.size and np.isfinite(y).all():  # as nearly always
        return [slice(0, y.size)] if y.size else [], overtaken
    if seams.size:
        overtaken[:-1] = steps[:-1] >= np.minimum.accumulate(steps[::-1])[::-1][1:]
    return list(_parts(y, np.union1d(seams, np.flatnonzero(np.diff(overtaken)) + 1))), overtaken


def _parts(y: NDArray[np.float64], seams: NDArray[np.int64]) -> Iterator[slice]:
    """Stretches of finite points between restarts."""
    finite = np.isfinite(y)
    cuts = np.unique(np.concatenate(([0], seams, np.flatnonzero(np.diff(finite)) + 1, [y.size])))
    for start, stop in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
        if stop > start and finite[start]:
            yield slice(start, stop)


def _units(x: NDArray[np.float64], y: NDArray[np.float64]) -> list[tuple[int, int]]:
    across, down = _whole_units(x, y)
    return list(zip(across.tolist(), down.tolist(), strict=True))


def _whole_units(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the places across and down, int64[2, n]."""
    return np.rint(np.stack((x, 1 - y)) * UNITS).clip(-UNITS, 2 * UNITS).astype(np.int64)


def _path(x: NDArray[np.float64], y: NDArray[np.float64]) -> str:
    """Relative lines in whole units: about six bytes a point."""
    if not x.size:
        return ""
    places = _whole_units(x, y)
    moves = places[:, 1:] - places[:, :-1]
    moves = moves[:, moves.any(axis=0)]  # points that fall on the one before are left out
    written = " ".join(map(str, moves.T.ravel().tolist())).replace(" -", "-")
    return f"M{places[0, 0]} {places[1, 0]}" + (f"l{written}" if written else "h0")


def outline(x: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]) -> str:
    """Return the closed path around a stripe: along its lower edge, and back along its upper one."""
    return _path(np.concatenate((x, x[::-1])), np.concatenate((low, high[::-1]))) + "z"


def _dots(x: NDArray[np.float64], y: NDArray[np.float64]) -> str:
    return "".join(f"M{across} {down}h0" for across, down in _units(x, y))


def _trend(x: NDArray[np.float64], y: NDArray[np.float64], parts: list[slice]) -> str:
    """Draw the running median of each long stretch, if the curve as a whole is noisy."""
    steps = np.concatenate([np.abs(np.diff(y[part])) for part in parts]) if parts else np.empty(0)
    if steps.size < SPARSE or middle(steps) < NOISY:
        return ""
    return "".join(_running_median(x[part], y[part]) for part in parts if part.stop - part.start >= SPARSE)


def _running_median(x: NDArray[np.float64], y: NDArray[np.float64]) -> str:
    window = max(7, y.size // 16) | 1
    half = window // 2
    before = 2 * _anchor(y[:window]) - y[half:0:-1]  # mirrored through the end, so that a slope stays a slope
    after = 2 * _anchor(y[: -window - 1 : -1]) - y[-2 : -half - 2 : -1]
    padded = np.concatenate((before, y, after))
    chosen = np.append(np.arange(0, y.size - 1, max(1, window // 4)), y.size - 1)
    windows = np.lib.stride_tricks.sliding_window_view(padded, window)[chosen]
    return _path(x[chosen], np.sort(windows, axis=1)[:, half])


def _anchor(y: NDArray[np.float64]) -> float:
    """Return where a curve begins, from its first points: on their line, unless the very first clearly leave it."""
    at = np.arange(y.size) - (y.size - 1) / 2
    slope = float(at @ y) / float(at @ at)
    level = float(y.mean()) + slope * float(at[0])
    few = middle(y[:5])
    spread = middle(np.abs(y - (level + slope * (at - at[0])))) * 1.48
    steep = abs(few - (level + slope * 2)) > LEAVES * spread / math.sqrt(y[:5].size)
    return few if steep else level


def _gaps(series: Series, x: NDArray[np.float64], y: NDArray[np.float64]) -> Iterator[Gap]:
    """Stretches of values that are not finite; what has merely no place on the axis is none."""
    holes = ~np.isfinite(series.values)
    if not holes.any():
        return
    edges = np.flatnonzero(np.diff(np.concatenate(([False], holes, [False])).astype(np.int8)))
    for start, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        before = np.flatnonzero(np.isfinite(y[:start]))
        last = float(x[stop]) if stop < x.size and x[stop] >= x[start] else float(x[stop - 1])
        height = float(y[before[-1]]) if before.size else None
        yield Gap(float(x[start]), last, _what(series.values[start:stop]), height, int(series.steps[start]))


def _what(values: NDArray[np.float64]) -> str:
    names = (("NaN", np.isnan(values)), ("+∞", values == np.inf), ("−∞", values == -np.inf))
    return ", ".join(name for name, hit in names if bool(hit.any()))
