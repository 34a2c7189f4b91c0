"""What a detector saw, placed on the axes of a panel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from analyzer.model.evidence import Mark
from analyzer.model.result import SeriesRow
from analyzer.model.run import Series
from analyzer.model.thinning import thin
from analyzer.writers.axis import Axis
from analyzer.writers.curve import outline, strokes

MOST_LABELS = 4
BAND, BAND_POINTS = 15, 60
"""A band follows the median over one such part of a curve, and has at most so many corners on either side."""
CROWDED = 0.006
"""Upright lines that stand closer than this part of the axis are drawn as one region."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A mark in a panel: `start` and `end` are 0 to 1 over the axis it belongs to."""

    kind: str
    label: str
    start: float
    end: float
    path: str = ""


def drawn(marks: Sequence[Mark], across: Axis, up: Axis) -> tuple[Drawn, ...]:
    """Place the marks on the axes: those alike for several tags once, each label once, crowded lines as a region."""
    placed = {(m.kind, m.label, m.steps, m.values): made for m in marks if (made := _one(m, across, up)) is not None}
    told: list[str] = []
    labelled = []
    for mark in _uncrowded(sorted(placed.values(), key=lambda mark: mark.kind == "level")):
        known = any(label.startswith(mark.label) for label in told) or len(told) >= MOST_LABELS
        named = mark.kind == "line" or not known
        told += [mark.label] if named and mark.label and mark.kind != "line" else []
        labelled.append(mark if named else replace(mark, label=""))
    return tuple(labelled)


def noise_band(row: SeriesRow, half: float) -> Iterator[Mark]:
    """Yield the band of `half` to either side of a curve's running median, where its steps rise throughout."""
    if row.curve is None:
        return
    finite = np.isfinite(row.curve.values)
    steps, values = row.curve.steps[finite], row.curve.values[finite]
    width = max(5, values.size // BAND) | 1
    if values.size < 2 * width or np.any(np.diff(steps) <= 0) or half <= 0:
        return
    chosen = np.unique(np.linspace(0, values.size - width, BAND_POINTS).round().astype(int))
    windows = np.sort(np.lib.stride_tricks.sliding_window_view(values, width)[chosen], axis=1)
    centre = windows[:, width // 2]
    edges = (*(centre - half).tolist(), *(centre + half).tolist())
    yield Mark("band", row.tag, "", tuple((steps[chosen + width // 2]).tolist()), edges)


def _uncrowded(marks: Sequence[Drawn]) -> list[Drawn]:
    lines = sorted((mark for mark in marks if mark.kind == "step"), key=lambda mark: mark.start)
    if len(lines) < 6 or float(np.median(np.diff([mark.start for mark in lines]))) >= CROWDED:
        return list(marks)
    region = Drawn("region", lines[0].label, lines[0].start, lines[-1].start)
    return [region, *(mark for mark in marks if mark.kind != "step")]


def _one(mark: Mark, across: Axis, up: Axis) -> Drawn | None:
    steps = across.place(mark.steps)
    if mark.kind == "line" and len(mark.steps) == len(mark.values) >= 2:
        line = Series(mark.tag, np.array(mark.steps), np.array(mark.values, dtype=float), np.zeros(len(mark.steps)))
        path = strokes(thin(line, 200), across, up, trend=False).path
        return Drawn("line", mark.label, float(steps[0]), float(steps[-1]), path) if path else None
    if mark.kind == "band" and 2 * len(mark.steps) == len(mark.values) > 2:
        edges = up.place(mark.values).reshape(2, -1)
        edges = np.where(np.isfinite(edges), edges, 0.0)  # what a logarithmic axis cannot hold lies at its bottom
        return Drawn("band", "", float(steps[0]), float(steps[-1]), outline(steps, edges[0], edges[1]))
    if mark.kind == "level" and mark.values:
        at = float(up.place(mark.values[:1])[0])
        return Drawn("level", mark.label, at, at) if np.isfinite(at) else None
    if mark.kind in {"region", "step"} and mark.steps:
        return Drawn(mark.kind, mark.label, float(steps.min()), float(steps.max()))
    return None
