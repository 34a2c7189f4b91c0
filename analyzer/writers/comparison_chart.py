"""The pictures of a comparison as geometry in percent or thousandths, for the template that draws them as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analyzer.model.comparison import ComparedMetric, ComparedRun, Comparison, Side
from analyzer.model.formatting import number, step
from analyzer.writers.axis import Axis, Tick, value_axis

Array = NDArray[np.float64]

UNITS = 1000
AIR = 0.08  # of the span that an interval leaves free at either end of its line
START = 0.15  # of the axis: values before it may leave the picture, so that the end can be seen
GRID = 160  # points of a median curve
MOST_SEEDS = 40  # thin curves of a side
MOST_RIVALS = 30
MOST_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Bar:
    """An interval on a line: places 0 to 1; `low` and `high` are None without an interval."""

    label: str
    tone: str
    at: float
    low: float | None
    high: float | None
    words: str


@dataclass(frozen=True, slots=True)
class Line:
    """Intervals of one metric over one axis, with the place of 0 and of ±worth."""

    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    zero: float
    worth: tuple[float, ...]
    good: str


@dataclass(frozen=True, slots=True)
class Stroke:
    """A path in a space of 1000 x 1000 with its side (0 base, 1 candidate) and the run's name."""

    path: str
    side: int
    label: str
    faint: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """Curves over the axis, and beneath the difference with its band; `budget` is where the common budget lies."""

    title: str
    by: str
    steps: tuple[Tick, ...]
    up: tuple[Tick, ...]
    seeds: tuple[Stroke, ...]
    medians: tuple[Stroke, ...]
    budget: float
    budget_words: str
    band: str
    line: str
    zero: float
    gaps: tuple[Tick, ...]
    crossing: float | None
    log: bool


@dataclass(frozen=True, slots=True)
class Dot:
    """The outcome of a run, 0 to 1 over the axis, and its name."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Dots:
    """The outcomes of both sides on one axis, with the means."""

    rows: tuple[tuple[str, int, tuple[Dot, ...], float], ...]
    ticks: tuple[Tick, ...]


def interval_line(metric: ComparedMetric) -> Line:
    """Return the interval of one metric."""
    return _line([("", "k1", metric)])


def forest(rivals: Sequence[Comparison]) -> Line | None:
    """Return the intervals of several candidates above each other, None for one."""
    tones = {"better": "healthy", "worse": "error", "no-difference": "info", "cannot-tell": "unjudged"}
    if not rivals:
        return None
    return _line([(one.candidate.name, tones[one.verdict], one.primary) for one in rivals[:MOST_RIVALS]])


def _line(rows: Sequence[tuple[str, str, ComparedMetric]]) -> Line:
    ends = [0.0]
    for _, _, metric in rows:
        ends += [metric.difference, *(metric.interval or ())]
        ends += [metric.worth, -metric.worth] if metric.worth is not None else []
    low, high = min(ends), max(ends)
    air = AIR * (high - low) or 1.0
    axis = Axis(low - air, high + air)
    bars = tuple(_bar(label, tone, metric, axis) for label, tone, metric in rows)
    first = rows[0][2]
    worth = tuple(_place(axis, end) for end in (-first.worth, first.worth)) if first.worth is not None else ()
    good = "left" if first.better == "lower" else "right"
    return Line(bars, ticks(axis, 4), _place(axis, 0.0), worth, good)


def _bar(label: str, tone: str, metric: ComparedMetric, axis: Axis) -> Bar:
    ends = metric.interval
    words = f"{number(metric.difference)}" + (
        f" ({number(ends[0])} to {number(ends[1])})" if ends else " (no interval)"
    )
    low, high = (_place(axis, ends[0]), _place(axis, ends[1])) if ends else (None, None)
    return Bar(label, tone, _place(axis, metric.difference), low, high, words)


def ticks(axis: Axis, about: int) -> tuple[Tick, ...]:
    """Return the ticks of an axis with as many digits as tell them apart: groups of seeds lie close together."""
    found = axis.ticks(about)
    if axis.log or len({tick.label for tick in found}) == len(found):
        return found
    values = [axis.low + tick.at * (axis.high - axis.low) for tick in found]
    for digits in range(5, MOST_DIGITS):
        labels = [number(value, digits) for value in values]
        if len(set(labels)) == len(labels):
            return tuple(Tick(tick.at, label) for tick, label in zip(found, labels, strict=True))
    return found


def _place(axis: Axis, value: float) -> float:
    return float(axis.place([value])[0])


def dots(found: Comparison) -> Dots | None:
    """Return the outcomes of both sides, None where there is none."""
    values = [run.outcome for side in (found.base, found.candidate) for run in side.runs if run.outcome is not None]
    if not values:
        return None
    axis = value_axis(np.array(values), linear=True)
    rows = []
    for i, side in enumerate((found.base, found.candidate)):
        own = [(run.outcome, run.label) for run in side.runs if run.outcome is not None]
        mean = _place(axis, float(np.mean([value for value, _ in own])))
        rows.append((side.name, i, tuple(Dot(_place(axis, v), f"{label}: {number(v, 6)}") for v, label in own), mean))
    return Dots(tuple(rows), ticks(axis, 4))


def course(found: Comparison) -> Picture | None:
    """Return the curves of both sides and the difference, None where the runs have no course."""
    sides = (found.base, found.candidate)
    curves = [(run.curve, i) for i, side in enumerate(sides) for run in side.runs if run.curve is not None]
    if not curves or max(c[0].size for c, _ in curves) < 2:
        return None
    first, last = min(float(c[0][0]) for c, _ in curves), max(float(c[0][-1]) for c, _ in curves)
    if not last > first:
        return None
    across = Axis(first, last)
    late = [c[1][c[0] >= first + START * (last - first)] for c, _ in curves]
    shown = np.concatenate(late)
    up = value_axis(shown if shown.size else np.concatenate([c[1] for c, _ in curves]))
    seeds = [s for i, side in enumerate(sides) for s in _seeds(side, i, across, up)]
    medians = [_median(side, i, across, up) for i, side in enumerate(sides)]
    band, line, zero, gaps = _difference(found, across)
    crossing = found.primary.crossing
    return Picture(
        found.primary.tag, found.by, across.ticks(5, steps=True), ticks(up, 5), tuple(seeds),
        tuple(m for m in medians if m is not None), _place(across, min(found.at, last)),
        f"common budget: {found.by} {step(found.at)}", band, line, zero, gaps,
        _place(across, crossing) if crossing is not None else None, up.log,
    )  # fmt: skip


def _seeds(side: Side, i: int, across: Axis, up: Axis) -> list[Stroke]:
    every: list[tuple[ComparedRun, bool]] = [(run, False) for run in side.runs[:MOST_SEEDS]]
    every += [(run, True) for run in side.excluded[:MOST_SEEDS]]
    return [
        Stroke(_path(across.place(run.curve[0]), up.place(run.curve[1])), i, run.label, out)
        for run, out in every
        if run.curve is not None
    ]


def _median(side: Side, i: int, across: Axis, up: Axis) -> Stroke | None:
    curves = [run.curve for run in side.runs if run.curve is not None and run.curve[0].size > 1]
    if not curves:
        return None
    x = np.linspace(max(c[0][0] for c in curves), min(c[0][-1] for c in curves), GRID)
    middle = np.median([np.interp(x, c[0], c[1]) for c in curves], axis=0)
    return Stroke(_path(across.place(x), up.place(middle)), i, side.name)


def _difference(found: Comparison, across: Axis) -> tuple[str, str, float, tuple[Tick, ...]]:
    """Return the band and the line of the difference, the place of 0, and the ticks."""
    band = found.band
    if band is None:
        return "", "", 0.5, ()
    late = band.x >= band.x[0] + START * (band.x[-1] - band.x[0])
    parts = [band.difference[late]] + [part[late] for part in (band.low, band.high) if part is not None]
    axis = value_axis(np.append(np.concatenate(parts), 0.0), linear=True)
    x = across.place(band.x)
    area = ""
    if band.low is not None and band.high is not None:
        there = _path(x, axis.place(band.high))
        back = _path(x[::-1], axis.place(band.low)[::-1]).replace("M", "L", 1)
        area = f"{there}{back}Z"
    return area, _path(x, axis.place(band.difference)), _place(axis, 0.0), ticks(axis, 3)


def _path(x: Array, y: Array) -> str:
    """Return a path in a space of 1000 x 1000; what lies far outside is clipped to just beyond the edge."""
    keep = np.isfinite(x) & np.isfinite(y)
    across = np.rint(x[keep] * UNITS).astype(int)
    down = np.clip(np.rint((1 - y[keep]) * UNITS), -UNITS, 2 * UNITS).astype(int)
    points = [f"{a} {d}" for a, d in zip(across.tolist(), down.tolist(), strict=True)]
    return "M" + "L".join(points) if points else ""
