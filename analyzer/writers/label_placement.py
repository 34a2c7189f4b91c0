"""Where words stand in a panel: beside what they name, off the curves, and not over each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analyzer.writers.annotations import Drawn
from analyzer.writers.curve import Gap

WIDTH = 640
"""The width that a panel is taken to have, in pixels."""

NARROW = 280
"""Its width on a phone: there a word should not reach over the panel's edge either."""

LETTER, LINE = 6.6, 14
"""A letter's width and a line's height in pixels."""

AIR = 5
LONGEST = 48
RIGHT = 0.6
"""Words stand right of a place in this part of the panel, left of one beyond."""

GAPS, TOGETHER = 4, 0.08
"""So many gaps of a panel are named; curves that break off this close to each other do so together."""


@dataclass(frozen=True, slots=True)
class Label:
    """A text in a panel: `at` and `up` are 0 to 1 over its axes (None: `y` pixels from the top say where it stands).

    `dx` and `dy` are pixels beside that place, `anchor` is SVG's; `mark` tells a detector's words from the log's.
    """

    text: str
    at: float
    dx: int
    anchor: str
    up: float | None
    y: int
    mark: bool


Box = tuple[float, float, float, float]
_Place = tuple[Label, Box]


class Panelled:
    """A panel of some height with its curves, into which words are set one by one."""

    def __init__(self, height: int, lines: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]]) -> None:
        """Take curves as places 0 to 1 over the axes, in the order written; NaN breaks them."""
        self._height = height
        filled = [_filled(x, y) for x, y in lines]
        self._x = np.concatenate([x for x, _ in filled]) * WIDTH if filled else np.empty(0)
        self._y = (1 - np.concatenate([y for _, y in filled])) * height if filled else np.empty(0)
        self._taken: list[Box] = []

    def set(self, places: Iterator[_Place]) -> Label:
        """Return the word at the best of its possible places, those named first being the better ones."""
        word, box = min(((self._cost(word, box) + 2 * i, i, word, box) for i, (word, box) in enumerate(places)))[2:]
        self._taken.append(box)
        return word

    def _cost(self, word: Label, box: Box) -> float:
        left, top, right, bottom = box
        under = (self._x > left) & (self._x < right) & (self._y > top) & (self._y < bottom)
        over = sum(left < b[2] and b[0] < right and top < b[3] and b[1] < bottom for b in self._taken)
        outside = left < -AIR or right > WIDTH + AIR or top < 0 or bottom > self._height
        narrow = NARROW * (1 - word.at if word.anchor == "start" else word.at) < right - left
        return float(np.count_nonzero(under)) + 200 * over + 400 * outside + 40 * narrow


def words(
    height: int,
    lines: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]],
    marks: Sequence[Drawn],
    gaps: Sequence[Gap],
) -> tuple[Label, ...]:
    """Return the labels of marks and the names of gaps, each text once at a place, where they cover least."""
    panel = Panelled(height, lines)
    placed = [panel.set(_upright(mark.label, mark.start, height, mark=True)) for mark in marks if _beside(mark)]
    placed += [panel.set(_level(mark, height)) for mark in marks if mark.kind == "level" and mark.label]
    told: list[Gap] = []
    for gap in gaps:
        together = any(gap.what == other.what and abs(gap.start - other.start) < TOGETHER for other in told)
        if not together and len(told) < GAPS:
            told.append(gap)
            placed.append(panel.set(_upright(gap.what, gap.start, height, mark=False)))
    return tuple(placed)


def _beside(mark: Drawn) -> bool:
    return mark.kind in {"region", "step"} and bool(mark.label)


def _upright(text: str, at: float, height: int, *, mark: bool) -> Iterator[_Place]:
    """Beside an upright line: at the top for marks, at the bottom for gaps, then wherever there is room."""
    text = _cut(text)
    rows = [13 + LINE * i for i in range(3)] + [height - 6 - LINE * i for i in range(3)]
    rows = rows if mark else rows[3:] + rows[:3]
    right_first = at < RIGHT if mark else at < 0.94
    for y in rows:
        for rightwards in (right_first, not right_first):
            dx, anchor = (AIR, "start") if rightwards else (-AIR, "end")
            yield Label(text, at, dx, anchor, None, y, mark), _box(text, at * WIDTH + dx, y, rightwards)


def _level(mark: Drawn, height: int) -> Iterator[_Place]:
    """Over or under a level line, at either end or in the middle."""
    text = _cut(mark.label)
    own = (1 - mark.start) * height
    for at, dx, anchor in ((1.0, -4, "end"), (0.0, 4, "start"), (0.5, 0, "start")):
        for dy in (-5, LINE):
            box = _box(text, at * WIDTH + dx, own + dy, anchor == "start")
            yield Label(text, at, dx, anchor, mark.start, dy, True), box


def _box(text: str, x: float, y: float, rightwards: bool) -> Box:
    wide = LETTER * len(text)
    return (x, y - 11, x + wide, y + 3) if rightwards else (x - wide, y - 11, x, y + 3)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _filled(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a curve with points in between, so that a long stroke counts where it runs."""
    held = np.isfinite(y) & np.isfinite(x)
    x, y = x[held], y[held]
    if not 1 < x.size < WIDTH // 2:
        return x, y
    many = np.linspace(0, x.size - 1, WIDTH)
    return np.interp(many, np.arange(x.size), x), np.interp(many, np.arange(x.size), y)
