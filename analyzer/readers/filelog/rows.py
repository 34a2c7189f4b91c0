"""Rows of a log as columns of numbers, the axis they stand on, and their wall times.

A blank cell gives no point; NaN and ±inf are points.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from analyzer.model.run import Note, Series
from analyzer.readers.display_names import shown_bytes
from analyzer.readers.sanitize import distinct, encodable

AXES = (
    *("step", "global_step", "trainer/global_step", "train/global_step", "_step", "iteration", "iter", "iters"),
    *("steps", "time/total_timesteps", "total_timesteps", "timesteps_total", "timesteps", "num_timesteps"),
    *("training_iteration", "num_iters", "update", "epoch", "epochs"),
)
"""Names of columns that count, the finest first."""

INDEXES = ("column 1", "unnamed: 0", "index")
"""Names of columns in which pandas counts rows; they are asked last, and make no table one of a training."""

CLOCKS = ("_timestamp", "timestamp", "wall_time", "walltime", "wall time", "created_at", "time", "datetime", "date")
_YEAR_2000, _YEAR_2100 = 946_684_800.0, 4_102_444_800.0  # Unix seconds: other numbers are not wall times
_MILLI = 1000.0
_LARGEST_STEP = float(1 << 62)
_LEAST_RESETS = 2  # one return to the beginning may be a resumed training


@dataclass(frozen=True, slots=True)
class Column:
    """The numbers of one name: `at` int64[n] are the rows that have one, `values` float64[n]."""

    at: NDArray[np.int64]
    values: NDArray[np.float64]


@dataclass
class Table:
    """`size` rows, the columns of numbers by name, and what had to be mended to read them."""

    size: int = 0
    columns: dict[str, Column] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    preamble: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    """Names of columns that hold text, lists or booleans."""
    labels: dict[str, list[str]] = field(default_factory=dict)
    """The words of columns that say what a row is about, one a row."""
    start: float = float("nan")
    """Unix seconds from which the rows count their time, where the file says so."""


@dataclass(frozen=True)
class Axis:
    """Where rows stand: `steps` int64[rows], the columns that say it, and how it was chosen ("" where it is plain)."""

    steps: NDArray[np.int64]
    columns: frozenset[str] = frozenset()
    note: str = ""


class Gathered:
    """Rows that come one by one, each a mapping of the names that it has."""

    def __init__(self) -> None:
        self.size = 0
        self._columns: dict[str, tuple[list[int], list[float]]] = {}

    def add(self, row: Mapping[str, float]) -> None:
        """Take in one row."""
        for name, value in row.items():
            column = self._columns.get(name)
            if column is None:
                column = self._columns[name] = ([], [])
            column[0].append(self.size)
            column[1].append(value)
        self.size += 1

    def columns(self) -> dict[str, Column]:
        """Return what has come, in the order of first appearance."""
        return {
            name: Column(np.array(at, np.int64), np.array(values, np.float64))
            for name, (at, values) in self._columns.items()
        }


class Stacked:
    """Rows that come many at a time; their columns are put together once, so that work stays linear in the rows.

    `texts` and `labels` are those of Table, `texts` as a set in the order of first appearance.
    """

    def __init__(self) -> None:
        self.size = 0
        self.texts: dict[str, None] = {}
        self.labels: dict[str, list[str]] = {}
        self._pieces: dict[str, list[Column]] = {}

    def add(self, columns: Mapping[str, Column], words: Mapping[str, Sequence[str]], size: int) -> None:
        """Take in so many rows: columns of numbers, and words of labels, one a row."""
        for name, column in columns.items():
            self._pieces.setdefault(name, []).append(Column(column.at + self.size, column.values))
        for name, said in words.items():
            own = self.labels.setdefault(name, [])
            own += [*[""] * (self.size - len(own)), *said]
        self.size += size

    def into(self, table: Table) -> None:
        """Give a table what has come."""
        for words in self.labels.values():
            words.extend([""] * (self.size - len(words)))
        table.size, table.labels, table.texts = self.size, self.labels, list(self.texts)
        for name, pieces in self._pieces.items():
            at, values = [piece.at for piece in pieces], [piece.values for piece in pieces]
            table.columns[name] = pieces[0] if len(pieces) == 1 else Column(np.concatenate(at), np.concatenate(values))


def chosen_axis(table: Table, names: Sequence[str] = AXES) -> Axis:
    """Return the axis of the first column in `names` that counts in every row, else the one that counts in most.

    A row without a count stands where the one before it does. Where no column counts, rows do.
    """
    found = {name.lower(): name for name in reversed(table.columns)}
    asked = (*names, *INDEXES)
    counting = [found[name] for name in asked if name in found and counts(table.columns[found[name]])]
    whole = [name for name in counting if table.columns[name].at.size == table.size]
    most = max(counting, key=lambda name: table.columns[name].at.size, default=None)
    chosen = next(iter(whole), most)
    if chosen is None:
        return Axis(np.arange(table.size, dtype=np.int64), note="no column counts steps: its rows are counted")
    if restarts_each_epoch(table, chosen):
        why = f"“{chosen}” starts again with each epoch: its rows are counted"
        return Axis(np.arange(table.size, dtype=np.int64), frozenset([chosen]), why)
    column = table.columns[chosen]
    note = ""
    if column.at.size < table.size:
        note = f"{table.size - column.at.size} row(s) without “{chosen}” stand at the step of the row before them"
    counters = (name for name in table.columns if name.lower() in INDEXES and _counts_rows(table, name))
    return Axis(steps_at(column, np.arange(table.size)), frozenset([chosen, *counters]), note)


def _counts_rows(table: Table, name: str) -> bool:
    return np.array_equal(table.columns[name].values, np.arange(table.size))


def steps_at(column: Column, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the whole numbers of a column in these rows, int64 like them, each without one as the row before it."""
    place = np.searchsorted(column.at, rows, side="right") - 1
    return column.values.astype(np.int64)[np.maximum(place, 0)]


def counts(column: Column) -> bool:
    """Whether the numbers of a column can be steps: whole, and not too large."""
    values = column.values
    if not values.size or not np.isfinite(values).all():
        return False
    return bool((np.abs(values) < _LARGEST_STEP).all() and (values == np.floor(values)).all())


def restarts_each_epoch(table: Table, name: str) -> bool:
    """Whether a column counts inside each epoch: it goes back more than once, and only where the epoch goes on."""
    epochs = next((column for other, column in table.columns.items() if other.lower() in ("epoch", "epochs")), None)
    if epochs is None or name.lower() in ("epoch", "epochs") or not counts(epochs):
        return False
    column = table.columns[name]
    back = column.at[1:][np.diff(column.values) < 0]
    return back.size >= _LEAST_RESETS and bool((steps_at(epochs, back) > steps_at(epochs, back - 1)).all())


def clock_of(table: Table, names: Sequence[str] = CLOCKS) -> tuple[NDArray[np.float64], frozenset[str]]:
    """Return the wall time of each row in Unix seconds, NaN where none is known, and the column that says it."""
    found = {name.lower(): name for name in reversed(table.columns)}
    walls = np.full(table.size, np.nan)
    for name in (found[name] for name in names if name in found):
        column = table.columns[name]
        for unit in (1.0, _MILLI):
            seconds = column.values / unit
            if seconds.size and ((seconds > _YEAR_2000) & (seconds < _YEAR_2100)).all():
                walls[column.at] = seconds
                return walls, frozenset([name])
    return walls, frozenset()


def series_of(
    table: Table, axis: Axis, walls: NDArray[np.float64], *, prefix: str = "", without: Collection[str] = ()
) -> dict[str, Series]:
    """Return the series of all columns but those of the axis and those `without`."""
    found: dict[str, Series] = {}
    for name, column in table.columns.items():
        if name not in axis.columns and name not in without and column.at.size:
            tag = distinct(prefix + shown_name(name), found)
            found[tag] = Series(tag, axis.steps[column.at], column.values, walls[column.at])
    return found


def shown_name(name: str) -> str:
    """Return the name of a column as any output can hold it."""
    if encodable(name) == name:
        return name
    try:
        return shown_bytes(name.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError:  # a surrogate that stands for no byte, as JSON can hold it
        return encodable(name)


def joined(parts: Iterable[Mapping[str, Series]]) -> dict[str, Series]:
    """Return series of several files one behind the other."""
    found: dict[str, list[Series]] = {}
    for part in parts:
        for tag, one in part.items():
            found.setdefault(tag, []).append(one)
    return {tag: pieces[0] if len(pieces) == 1 else _behind(tag, pieces) for tag, pieces in found.items()}


def _behind(tag: str, pieces: Sequence[Series]) -> Series:
    return Series(
        tag,
        np.concatenate([piece.steps for piece in pieces]),
        np.concatenate([piece.values for piece in pieces]),
        np.concatenate([piece.wall_times for piece in pieces]),
    )
