"""Charts as geometry: panels, curves, marks and labels, ready for the template that draws them as SVG."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analyzer.model.evidence import Mark
from analyzer.model.formatting import number
from analyzer.model.result import SeriesRow
from analyzer.model.run import Series
from analyzer.model.thinning import thin
from analyzer.writers.axis import Axis, step_axis
from analyzer.writers.curve import strokes
from analyzer.writers.embed import SpillFile
from analyzer.writers.panel import Curve, Panel, panel
from analyzer.writers.scale import calm_axis

LOOKS = 6
"""Curves are distinguished by so many colours and dash patterns."""

SPLIT_LOOKS = {"train": 0, "validation": 1, "test": 2}

MOST_CURVES = 8
MOST_PANELS = 4
THIN, THIN_POINTS = 64, 200
"""Pixels of a panel below the others, and the points of its curve."""
APART = 100.0
"""Curves whose sizes differ by more than this factor do not share a panel."""

UNLIKE = 20
"""Series whose steps span more than this factor count different things (batches, epochs): no common axis."""

CLOSE_UP_FROM, CLOSE_UP_BELOW = 200, 0.08
"""A series of so many points gets a close-up when its marks fill less than this part of the run."""

TOP, BETWEEN, BOTTOM = 22, 34, 30
"""Pixels above the first panel, between two, and below the last."""


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
        return any(len(one.curves) > 1 for one in self.panels)

    @property
    def curves(self) -> tuple[Curve, ...]:
        """All curves, top panel first."""
        return tuple(curve for one in self.panels for curve in one.curves)


def chart(
    key: str,
    rows: Sequence[SeriesRow],
    shelf: SpillFile,
    marks: Sequence[Mark] = (),
    *,
    points: int = 600,
    height: int = 210,
    below: Sequence[SeriesRow] = (),
) -> Chart | None:
    """Return the picture of some series with marks drawn in, or None when no curve of them was kept.

    Each curve is drawn with at most `points` points. The panels share `height` pixels and a little more; those of
    `below` have THIN pixels and one curve each, on the axis of the first panel.
    """
    curves = [(row, thin(row.curve, points)) for row in rows if row.curve is not None and row.curve.points]
    groups = _groups(curves[:MOST_CURVES])[:MOST_PANELS]
    if not groups:
        return None
    under = [[(row, thin(row.curve, min(points, THIN_POINTS)))] for row in below if row.curve is not None]
    shown = [*groups, *under[: MOST_PANELS - len(groups)]]
    heights = [*_heights(len(groups), height), *[THIN] * (len(shown) - len(groups))]
    looks = _looks([row for group in shown for row, _ in group])
    axes = _axes(shown)
    between = BETWEEN if len(set(axes)) == 1 else BETWEEN + BOTTOM - 10
    panels = [
        panel(
            group, across, marks, looks,
            shelf=shelf, points=points, top=TOP + sum(heights[:i]) + i * between, height=heights[i],
        )
        for i, (group, across) in enumerate(zip(shown, axes, strict=True))
    ]  # fmt: skip
    in_it = {curve.tag for one in panels for curve in one.curves}
    left_out = tuple(row.tag for row in rows if row.tag not in in_it)
    return Chart(key, tuple(panels), panels[-1].top + heights[-1] + BOTTOM, _words(panels), left_out)


def _heights(panels: int, height: int) -> list[int]:
    """Return the height in pixels of each panel of those that share it."""
    return [height if panels == 1 else max(96, round(height * 1.35 / panels))] * panels


def close_up(key: str, rows: Sequence[SeriesRow], shelf: SpillFile, marks: Sequence[Mark]) -> Chart | None:
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
    return strokes(thinned, across, calm_axis(values), trend=False).path


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


def same_steps(one: SeriesRow, other: SeriesRow) -> bool:
    """Whether two series count the same steps, so that one axis fits both."""
    if one.curve is None or other.curve is None:
        return False
    spans = sorted(max(1, int(c.steps.max()) - int(c.steps.min())) for c in (one.curve, other.curve))
    return spans[1] <= UNLIKE * spans[0]


def varies(row: SeriesRow) -> bool:
    """Whether a series has finite values that differ."""
    finite = row.curve.values[np.isfinite(row.curve.values)] if row.curve is not None else np.empty(0)
    return finite.size > 1 and float(finite.max()) > float(finite.min())


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


def _words(panels: Sequence[Panel]) -> str:
    """Say what the picture shows, for those who do not see it."""
    sentences = []
    for one in panels:
        names = ", ".join(curve.tag for curve in one.curves)
        scale = "logarithmic" if one.up.log else "linear"
        first, last = number(one.across.low, 6), number(one.across.high, 6)
        marks = "; ".join(mark.label for mark in one.marks if mark.label)
        marked = f"; marked: {marks}" if marks else ""
        sentences.append(f"{names} over steps {first} to {last}, {scale} scale{marked}")
    return ". ".join(sentences) + "."
