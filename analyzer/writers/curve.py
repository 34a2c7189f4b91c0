"""One curve as SVG paths: broken at restarts and at what is not finite, with a trend where it is noisy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analyzer.model.run import Series
from analyzer.writers.axis import Axis

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
    overtaken = series.steps[:-1] >= np.minimum.accumulate(series.steps[::-1])[::-1][1:]
    overtaken = np.append(overtaken, False) if seams.size else np.zeros(y.size, dtype=bool)
    parts = list(_parts(y, np.union1d(seams, np.flatnonzero(np.diff(overtaken)) + 1)))
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


def _parts(y: NDArray[np.float64], seams: NDArray[np.int64]) -> Iterator[slice]:
    """Stretches of finite points between restarts."""
    finite = np.isfinite(y)
    cuts = np.unique(np.concatenate(([0], seams, np.flatnonzero(np.diff(finite)) + 1, [y.size])))
    for start, stop in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
        if stop > start and finite[start]:
            yield slice(start, stop)


def _units(x: NDArray[np.float64], y: NDArray[np.float64]) -> list[tuple[int, int]]:
    across = np.clip(np.rint(x * UNITS), -UNITS, 2 * UNITS).astype(int)
    down = np.clip(np.rint((1 - y) * UNITS), -UNITS, 2 * UNITS).astype(int)
    return list(zip(across.tolist(), down.tolist(), strict=True))


def _path(x: NDArray[np.float64], y: NDArray[np.float64]) -> str:
    """Relative lines in whole units: about six bytes a point."""
    points = _units(x, y)
    if not points:
        return ""
    at, written = points[0], []
    for point in points[1:]:
        if point != at:
            written.append(f"{point[0] - at[0]} {point[1] - at[1]}")
            at = point
    return f"M{points[0][0]} {points[0][1]}" + (f"l{' '.join(written)}".replace(" -", "-") if written else "h0")


def _dots(x: NDArray[np.float64], y: NDArray[np.float64]) -> str:
    return "".join(f"M{across} {down}h0" for across, down in _units(x, y))


def _trend(x: NDArray[np.float64], y: NDArray[np.float64], parts: list[slice]) -> str:
    """Draw the running median of each long stretch, if the curve as a whole is noisy."""
    steps = np.concatenate([np.abs(np.diff(y[part])) for part in parts]) if parts else np.empty(0)
    if steps.size < SPARSE or float(np.median(steps)) < NOISY:
        return ""
    return "".join(_running_median(x[part], y[part]) for part in parts if part.stop - part.start >= SPARSE)


def _running_median(x: NDArray[np.float64], y: NDArray[np.float64]) -> str:
    window = max(7, y.size // 16) | 1
    half = window // 2
    before = 2 * _anchor(y[:window]) - y[half:0:-1]  # mirrored through the end, so that a slope stays a slope
    after = 2 * _anchor(y[: -window - 1 : -1]) - y[-2 : -half - 2 : -1]
    padded = np.concatenate((before, y, after))
    middle = np.median(np.lib.stride_tricks.sliding_window_view(padded, window), axis=1)
    every = max(1, window // 4)
    chosen = np.unique(np.append(np.arange(0, y.size, every), y.size - 1))
    return _path(x[chosen], middle[chosen])


def _anchor(y: NDArray[np.float64]) -> float:
    """Return where a curve begins, from its first points: on their line, unless the very first clearly leave it."""
    at = np.arange(y.size)
    slope, level = np.polyfit(at, y, 1)
    few = y[:5]
    spread = float(np.median(np.abs(y - (level + slope * at)))) * 1.48
    steep = abs(float(np.median(few)) - (level + slope * 2)) > LEAVES * spread / np.sqrt(few.size)
    return float(np.median(few)) if steep else float(level)


def _gaps(series: Series, x: NDArray[np.float64], y: NDArray[np.float64]) -> Iterator[Gap]:
    """Stretches of values that are not finite; what has merely no place on the axis is none."""
    holes = ~np.isfinite(series.values)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], holes, [False])).astype(np.int8)))
    for start, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        before = np.flatnonzero(np.isfinite(y[:start]))
        last = float(x[stop]) if stop < x.size and x[stop] >= x[start] else float(x[stop - 1])
        height = float(y[before[-1]]) if before.size else None
        yield Gap(float(x[start]), last, _what(series.values[start:stop]), height, int(series.steps[start]))


def _what(values: NDArray[np.float64]) -> str:
    names = (("NaN", np.isnan(values)), ("+∞", values == np.inf), ("−∞", values == -np.inf))
    return ", ".join(name for name, hit in names if bool(hit.any()))
