"""From MLflow's columns to a Series: its order, its clock and its way to store infinities."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from analyzer.model.run import Series
from analyzer.readers.sanitize import distinct

LARGEST = float(np.finfo(np.float64).max)  # what MLflow's databases hold for infinity
FLAGS = (0, 1, None)

Row = Sequence[object]
"""One logged value as the databases give it: key, timestamp, value, step, is_nan."""


def series_of(tag: str, stamps: NDArray[np.int64], values: NDArray[np.float64], steps: NDArray[np.int64]) -> Series:
    """Return the points by timestamp, ties by step: by step alone a resumed run would be interleaved."""
    order = np.lexsort((steps, stamps))
    return Series(tag, steps[order], values[order], stamps[order] / 1000.0)


def unstored(values: NDArray[np.float64], is_nan: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return a database's values as they were logged: its rows for NaN hold 0, those for ±inf the largest float."""
    logged = np.where(np.abs(values) >= LARGEST, np.copysign(np.inf, values), values)
    return np.where(is_nan, np.nan, logged)


Numbers = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64], NDArray[np.bool_]]
"""Timestamps, values, steps, and which of the values are NaN."""


class Columns:
    """Rows of one run gathered batch by batch as columns, so that no more than a batch of them is held as rows.

    `lost` counts, by key, rows that are not points: a database takes any type in any column.
    """

    def __init__(self) -> None:
        self.lost: dict[object, int] = {}
        self._codes: dict[object, int] = {}
        self._parts: list[tuple[NDArray[np.generic], ...]] = []

    def __bool__(self) -> bool:
        return bool(self._parts)

    def add(self, rows: Sequence[Row]) -> None:
        """Take a batch of rows."""
        keys, *columns = zip(*rows, strict=True)
        numbers = _numbers(columns)
        if numbers is None:
            points = self._points(rows)
            if not points:
                return
            keys, stamps, values, steps, nans = zip(*points, strict=True)
            whole = np.array(stamps, np.int64), np.array(steps, np.int64)
            numbers = whole[0], np.array(values, np.float64), whole[1], np.array(nans, np.bool_)
        for key in dict.fromkeys(keys):
            self._codes.setdefault(key, len(self._codes))
        codes = np.fromiter(map(self._codes.__getitem__, keys), np.int64, len(keys))
        self._parts.append((codes, *numbers))

    def add_numbers(self, numbers: Numbers) -> None:
        """Take points whose names follow."""
        self._parts.append((np.empty(0, np.int64), *numbers))

    def name(self, counts: Sequence[tuple[object, int]]) -> bool:
        """Give all points their names, as many to each as it counts, in order; whether that comes out even."""
        codes = [self._codes.setdefault(key, len(self._codes)) for key, _ in counts]
        named = np.repeat(np.array(codes, np.int64), [count for _, count in counts])
        if named.size != sum(part[1].size for part in self._parts):
            return False
        begin = 0
        for at, (_, *numbers) in enumerate(self._parts):
            end = begin + numbers[0].size
            self._parts[at] = (named[begin:end], *numbers)
            begin = end
        return True

    def series(self, shown: Callable[[object], str]) -> dict[str, Series]:
        """Return all series, by name; each in the order of time, ties by step, further ties as they came."""
        if not self._parts:
            return {}
        codes, stamps, values, steps, nans = (np.concatenate(part) for part in zip(*self._parts, strict=True))
        order = np.lexsort((steps, stamps, codes))
        ends = np.cumsum(np.bincount(codes, minlength=len(self._codes)))
        logged, times, steps = unstored(values, nans)[order], stamps[order] / 1000.0, steps[order]
        found: dict[str, Series] = {}
        for code, key in sorted(enumerate(self._codes), key=lambda one: shown(one[1])):
            part = slice(ends[code - 1] if code else 0, ends[code])
            tag = distinct(shown(key), found)
            found[tag] = Series(tag, steps[part], logged[part], times[part])
        return found

    def _points(self, rows: Sequence[Row]) -> list[Row]:
        """Return the rows that are points, NULL where the value does not matter as 0, and count the others."""
        points: list[Row] = []
        for key, stamp, value, step, nan in rows:
            if _is_point(stamp, value, step, nan):
                points.append((key, stamp, value if isinstance(value, (int, float)) else 0.0, step, bool(nan)))
            else:
                self.lost[key] = self.lost.get(key, 0) + 1
        return points


def plain_numbers(rows: Sequence[Row]) -> Numbers | None:
    """Return rows of (timestamp, value, step), none of them NaN, as columns; None when one is no point."""
    return _numbers([*zip(*rows, strict=True), b"\x00" * len(rows)])


def _numbers(columns: Sequence[Sequence[object]]) -> Numbers | None:
    """Return timestamps, values, steps and flags, or None when they are not all what MLflow writes.

    `array` takes numbers of the right kind and nothing else, which spares looking at each of them.
    """
    try:
        made: list[array[float]] = [array(kind, column) for kind, column in zip("qdqb", columns, strict=True)]  # type: ignore[arg-type]
    except (TypeError, OverflowError):
        return None
    stamps, values, steps, nans = made
    flags = np.frombuffer(nans, np.int8)
    if flags.min(initial=0) < 0 or flags.max(initial=0) > 1:
        return None
    whole = np.frombuffer(stamps, np.int64), np.frombuffer(steps, np.int64)
    return whole[0], np.frombuffer(values, np.float64), whole[1], flags.astype(np.bool_)


def _is_point(stamp: object, value: object, step: object, nan: object) -> bool:
    flag = nan in FLAGS and not isinstance(nan, bytes)
    return isinstance(stamp, int) and isinstance(step, int) and flag and (isinstance(value, (int, float)) or nan == 1)
