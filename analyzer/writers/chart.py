"""Charts as geometry: panels, curves, marks and labels, ready for the template that draws them as SVG."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analyzer.model.result import SeriesRow
from analyzer.model.run import Series
from analyzer.model.thinning import thin
from analyzer.model.verdict import Mark
from analyzer.model.wording import number
from analyzer.writers.axis import Axis, Tick, step_axis, value_axis
from analyzer.writers.curve import Strokes, strokes
from analyzer.writers.embed import Shelf
from analyzer.writers.marks import Drawn, drawn

LOOKS = 6
"""Curves are told apart by so many colours and dash patterns."""

SPLIT_LOOKS = {"train": 0, "validation": 1, "test": 2}

MOST_CURVES = 8
MOST_PANELS = 4
APART = 100.0
"""Curves whose sizes differ by more than this factor do not share a panel."""

UNLIKE = 20
"""Series whose steps span more than this factor count different things (batches, epochs): no common axis."""

CLOSE_UP_FROM, CLOSE_UP_BELOW = 200, 0.08
"""A series of so many points gets a close-up when its marks fill less than this part of the run."""

LABEL_HEIGHT = 15
TOP, BETWEEN, BOTTOM = 22, 34, 30
"""Pixels above the first panel, between two, and below the last."""


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
    """Curves that share both axes; `top` and `height` in pixels."""

    title: str
    across: Axis
    up: Axis
    ticks: tuple[Tick, ...]
    steps: tuple[Tick, ...]
    curves: tuple[Curve, ...]
    marks: tuple[Drawn, ...]
    top: int
    height: int
    positive: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture: panels above each other; `key` is unique in its page, `words` say what is to be seen."""

    key: str
    panels: tuple[Panel, ...]
    height: int
    words: str
    left_out: tuple[str, ...] = ()

    @property
    def direct(self) -> bool:
        """Whether curves carry labels at their ends."""
        return any(len(panel.curves) > 1 for panel in self.panels)

    @property
    def curves(self) -> tuple[Curve, ...]:
        """All curves, top panel first."""
        return tuple(curve for panel in self.panels for curve in panel.curves)


def chart(
    key: str,
    rows: Sequence[SeriesRow],
    shelf: Shelf,
    marks: Sequence[Mark] = (),
    *,
    points: int = 600,
    height: int = 210,
) -> Chart | None:
    """Return the picture of some series with marks drawn in, or None when no curve of them was kept.

    Each curve is drawn with at most `points` points; the panels share `height` pixels and a little more.
    """
    curves = [(row, thin(row.curve, points)) for row in rows if row.curve is not None and row.curve.points]
    groups = _groups(curves[:MOST_CURVES])
    shown = groups[:MOST_PANELS]
    if not shown:
        return None
    panel_height = height if len(shown) == 1 else max(96, round(height * 1.35 / len(shown)))
    looks = _looks([row for group in shown for row, _ in group])
    axes = _axes(shown)
    between = BETWEEN if len(set(axes)) == 1 else BETWEEN + BOTTOM - 10
    panels, top = [], TOP
    for group, across in zip(shown, axes, strict=True):
        panel = _panel(group, across, marks, looks, shelf=shelf, points=points)
        panels.append(_placed(panel, top, panel_height))
        top += panel_height + between
    in_it = {curve.tag for panel in panels for curve in panel.curves}
    left_out = tuple(row.tag for row in rows if row.tag not in in_it)
    return Chart(key, tuple(panels), top - between + BOTTOM, _words(panels), left_out)


def close_up(key: str, rows: Sequence[SeriesRow], shelf: Shelf, marks: Sequence[Mark]) -> Chart | None:
    """Return the part of the first marked series where its marks are, when they fill so little of it that they hide."""
    row = next((r for r in rows if r.curve is not None and any(m.tag == r.tag for m in marks)), None)
    if row is None or row.curve is None:
        return None
    own = [mark for mark in marks if mark.tag == row.tag]
    window = _window(row.curve, [step for mark in own for step in mark.steps if mark.kind in {"region", "step"}])
    if window is None:
        return None
    inside = (row.curve.steps >= window[0]) & (row.curve.steps <= window[1])
    arrays = (row.curve.steps[inside], row.curve.values[inside], row.curve.wall_times[inside])
    near = [mark for mark in own if mark.kind == "level" or (mark.steps and window[0] <= mark.steps[0] <= window[1])]
    return chart(key, [replace(row, curve=Series(row.tag, *arrays))], shelf, near, points=240, height=170)


def _window(curve: Series, steps: Sequence[int]) -> tuple[float, float] | None:
    """Steps around the marks, or None when the marks fill enough of the run, or too few points lie there."""
    if not steps or curve.points < CLOSE_UP_FROM:
        return None
    run = int(curve.steps.max()) - int(curve.steps.min())
    first, last = min(steps), max(steps)
    air = max((last - first) * 0.15, run / 40)
    inside = (curve.steps >= first - air) & (curve.steps <= last + air)
    if last - first > CLOSE_UP_BELOW * run or int(np.count_nonzero(inside & np.isfinite(curve.values))) < 8:
        return None
    return first - air, last + air


def spark(curve: Series | None, at_most: int = 40) -> str:
    """Return the path of a curve without axes, empty when there is nothing to draw."""
    if curve is None or curve.points < 2:
        return ""
    thinned = thin(curve, at_most)
    values = thinned.values[np.isfinite(thinned.values)]
    if not values.size:
        return ""
    across = step_axis(int(thinned.steps.min()), int(thinned.steps.max()))
    return strokes(thinned, across, value_axis(values), trend=False).path


def _looks(rows: Sequence[SeriesRow]) -> dict[str, int]:
    """Give training, validation and test the same colours in every chart, and others what is free."""
    looks: dict[str, int] = {}
    for row in rows:
        own = SPLIT_LOOKS.get(row.split or "")
        if own is not None and own not in looks.values():
            looks[row.tag] = own
    for i, row in enumerate(rows):
        free = (n for n in range(LOOKS) if n not in looks.values())
        looks.setdefault(row.tag, next(free, i % LOOKS))
    return looks


_Pair = tuple[SeriesRow, Series]


def _groups(pairs: Iterable[_Pair]) -> list[list[_Pair]]:
    """Series that can share a panel: same role and direction, values and steps of comparable size."""
    groups: list[list[_Pair]] = []
    for pair in pairs:
        home = next((g for g in groups if _alike(g[0], pair)), None)
        if home is None:
            groups.append([pair])
        else:
            home.append(pair)
    return groups


def _alike(one: _Pair, other: _Pair) -> bool:
    (a, first), (b, second) = one, other
    if (a.role, a.direction) != (b.role, b.direction) or a.role == "unknown":
        return False
    spans = sorted(max(1, int(s.steps.max()) - int(s.steps.min())) for s in (first, second))
    sizes = sorted(_size(s.values) for s in (first, second))
    return spans[1] <= UNLIKE * spans[0] and sizes[1] <= APART * max(sizes[0], 1e-300)


def share_a_panel(one: SeriesRow, other: SeriesRow) -> bool:
    """Whether two series are comparable enough to be drawn over each other."""
    return one.curve is not None and other.curve is not None and _alike((one, one.curve), (other, other.curve))


def _size(values: NDArray[np.float64]) -> float:
    finite = np.abs(values[np.isfinite(values)])
    return float(np.max(finite)) if finite.size else 0.0


def _axes(groups: Sequence[list[_Pair]]) -> list[Axis]:
    """Give all panels one axis of steps, unless their series count steps differently."""
    ends = [(min(int(s.steps.min()) for _, s in g), max(int(s.steps.max()) for _, s in g)) for g in groups]
    spans = [last - first for first, last in ends]
    if max(spans) <= UNLIKE * max(1, min(spans)):
        ends = [(min(first for first, _ in ends), max(last for _, last in ends))] * len(ends)
    return [step_axis(*end) for end in ends]


def _panel(
    group: list[_Pair],
    across: Axis,
    marks: Sequence[Mark],
    looks: Mapping[str, int],
    *,
    shelf: Shelf,
    points: int,
) -> Panel:
    tags = {row.tag for row, _ in group}
    own = [mark for mark in marks if mark.tag in tags]
    values = np.concatenate([series.values for _, series in group])
    finite = values[np.isfinite(values)]
    levels = [v for mark in own if mark.kind == "level" for v in mark.values if np.isfinite(v)]
    up = value_axis(np.append(finite, levels))
    trended = {mark.tag for mark in own if mark.kind == "line"}
    names = labels([row for row, _ in group])
    curves = tuple(
        Curve(
            row.tag, name, looks[row.tag], shelf.number(row, series, points),
            strokes(series, across, up, trend=row.tag not in trended), None,
        )
        for (row, series), name in zip(group, names, strict=True)
    )  # fmt: skip
    title = group[0][0].tag if len(group) == 1 else {"loss": "loss", "metric": "metrics"}.get(group[0][0].role, "")
    positive = bool(finite.size) and float(finite.min()) > 0
    return Panel(title, across, up, (), across.ticks(6, steps=True), curves, drawn(own, across, up), 0, 0, positive)


def _placed(panel: Panel, top: int, height: int) -> Panel:
    """Return the panel at its place, with ticks for its height and its curves' labels kept apart."""
    ticks = panel.up.ticks(max(2, height // 42))
    ends = [(c.strokes.end, i) for i, c in enumerate(panel.curves) if c.strokes.end is not None]
    places, at = {}, -LABEL_HEIGHT + 4.0
    for end, i in sorted(ends, reverse=True):
        at = max(at + LABEL_HEIGHT, (1 - end) * height + 4)
        places[i] = at
    over = max(0.0, at - height)
    curves = tuple(
        replace(curve, label_at=max(4.0, places[i] - over) if i in places else None)
        for i, curve in enumerate(panel.curves)
    )
    return replace(panel, ticks=ticks, curves=curves, top=top, height=height)


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


def _words(panels: Sequence[Panel]) -> str:
    """Say what the picture shows, for those who do not see it."""
    sentences = []
    for panel in panels:
        names = ", ".join(curve.tag for curve in panel.curves)
        scale = "logarithmic" if panel.up.log else "linear"
        first, last = number(panel.across.low, 6), number(panel.across.high, 6)
        marks = "; ".join(mark.label for mark in panel.marks)
        marked = f"; marked: {marks}" if marks else ""
        sentences.append(f"{names} over steps {first} to {last}, {scale} scale{marked}")
    return ". ".join(sentences) + "."
