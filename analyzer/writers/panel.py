"""A panel of a chart: curves that share both axes, what a detector saw in them, and the words beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analyzer.model.evidence import Mark
from analyzer.model.formatting import number
from analyzer.model.result import SeriesRow
from analyzer.model.run import Series
from analyzer.writers.annotations import Drawn, drawn
from analyzer.writers.axis import Axis, Tick
from analyzer.writers.curve import Strokes, strokes
from analyzer.writers.embed import SpillFile
from analyzer.writers.label_placement import Label, words
from analyzer.writers.scale import upright

LABEL_HEIGHT = 15


@dataclass(frozen=True, slots=True)
class Curve:
    """One series in a panel: its paths, its look (colour and dashes), where its label stands in pixels."""

    tag: str
    label: str
    look: int
    shelf: int
    strokes: Strokes
    label_at: float | None


@dataclass(frozen=True, slots=True)
class Panel:
    """Curves that share both axes; `top` and `height` in pixels, `beyond` says what lies outside of the picture."""

    title: str
    beyond: str
    across: Axis
    up: Axis
    ticks: tuple[Tick, ...]
    steps: tuple[Tick, ...]
    curves: tuple[Curve, ...]
    marks: tuple[Drawn, ...]
    words: tuple[Label, ...]
    top: int
    height: int
    positive: bool


def panel(
    group: Sequence[tuple[SeriesRow, Series]],
    across: Axis,
    marks: Sequence[Mark],
    looks: Mapping[str, int],
    *,
    shelf: SpillFile,
    points: int,
    top: int,
    height: int,
) -> Panel:
    """Return the panel of some series, as thinned for it, with those of the marks that are theirs."""
    tags = {row.tag for row, _ in group}
    own = [mark for mark in marks if mark.tag in tags]
    up = upright([series for _, series in group], own)
    trended = {mark.tag for mark in own if mark.kind == "line"}
    names = labels([row for row, _ in group])
    curves = tuple(
        Curve(
            row.tag, name, looks[row.tag], shelf.number(row, series, points),
            strokes(series, across, up, trend=row.tag not in trended), None,
        )
        for (row, series), name in zip(group, names, strict=True)
    )  # fmt: skip
    placed = drawn(own, across, up)
    lines = [(across.place(series.steps), up.place(series.values)) for _, series in group]
    gaps = [gap for curve in curves for gap in curve.strokes.gaps]
    title = group[0][0].tag if len(group) == 1 else {"loss": "loss", "metric": "metrics"}.get(group[0][0].role, "")
    finite = np.concatenate([series.values[np.isfinite(series.values)] for _, series in group])
    return Panel(
        title=title,
        beyond=_beyond(finite, up),
        across=across,
        up=up,
        ticks=up.ticks(max(2, height // 42)),
        steps=across.ticks(6, steps=True),
        curves=_apart(curves, height),
        marks=placed,
        words=words(height, lines, placed, gaps),
        top=top,
        height=height,
        positive=bool(finite.size) and float(finite.min()) > 0,
    )


def _beyond(finite: NDArray[np.float64], up: Axis) -> str:
    """Say what lies outside of a picture that shows a part of the values only."""
    if not finite.size:
        return ""
    told = [("above", float(finite.max()))] if finite.max() > up.high else []
    told += [("below", float(finite.min()))] if finite.min() < up.low else []
    return ", ".join(f"more {where} the picture (to {number(value)})" for where, value in told)


def _apart(curves: Sequence[Curve], height: int) -> tuple[Curve, ...]:
    """Return the curves with the labels at their ends kept apart."""
    ends = [(c.strokes.end, i) for i, c in enumerate(curves) if c.strokes.end is not None]
    places, at = {}, -LABEL_HEIGHT + 4.0
    for end, i in sorted(ends, reverse=True):
        at = max(at + LABEL_HEIGHT, (1 - end) * height + 4)
        places[i] = at
    over = max(0.0, at - height)
    return tuple(
        replace(curve, label_at=max(4.0, places[i] - over) if i in places else None) for i, curve in enumerate(curves)
    )


def labels(rows: Sequence[SeriesRow]) -> list[str]:
    """Return short names that tell these series apart: the split where it does, else what differs in the tags."""
    splits = [row.split for row in rows]
    if len(rows) > 1 and None not in splits and len(set(splits)) == len(rows):
        return [str(split) for split in splits]
    tags = [row.tag for row in rows]
    if len(rows) < 2:
        return tags
    parts = [tag.split("/") for tag in tags]
    while all(len(p) > 1 for p in parts) and len({p[0] for p in parts}) == 1:
        parts = [p[1:] for p in parts]
    while all(len(p) > 1 for p in parts) and len({p[-1] for p in parts}) == 1:
        parts = [p[:-1] for p in parts]
    return ["/".join(p) for p in parts]
