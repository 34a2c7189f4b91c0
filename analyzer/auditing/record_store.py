"""The rows of a night on disk, and its results as they are looked at: memory does not grow with what logs hold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import overload

from analyzer.auditing.record import RunRecord
from analyzer.model.codec import text_of
from analyzer.model.result import Result
from analyzer.writers.spill_file import SpillFile


class RecordStore:
    """The rows of runs by their numbers, in whatever order they come in."""

    def __init__(self, folder: Path) -> None:
        """Keep them on the disk of a folder. OutputError when nothing can be written there."""
        self._shelf = SpillFile(folder)

    def __len__(self) -> int:
        return len(self._shelf)

    def __contains__(self, number: int) -> bool:
        return number in self._shelf

    def __getitem__(self, number: int) -> RunRecord:
        return RunRecord.parsed(self._shelf[number])

    def put(self, number: int, text: str) -> None:
        """Keep a row's text, in the place of what was there."""
        self._shelf.put(number, text)


class Results(Sequence[Result]):
    """The results of a night in order, each read from disk when it is looked at; equal to a tuple of the same."""

    def __init__(self, rows: RecordStore, numbers: Sequence[int]) -> None:
        """Read those of these numbers."""
        self._rows, self._numbers = rows, numbers

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, at: int) -> Result: ...

    @overload
    def __getitem__(self, at: slice) -> tuple[Result, ...]: ...

    def __getitem__(self, at: int | slice) -> Result | tuple[Result, ...]:
        if isinstance(at, slice):
            return tuple(self._rows[number].result for number in self._numbers[at])
        return self._rows[self._numbers[at]].result

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, (tuple, Results)):
            return NotImplemented
        pairs = zip(self, other, strict=False)
        return len(self) == len(other) and all(own == theirs or _plain(own) == _plain(theirs) for own, theirs in pairs)

    __hash__ = None  # type: ignore[assignment]  # as of a list: results hold mappings

    def __repr__(self) -> str:
        return f"<Results of {len(self)} runs, read from disk as they are looked at>"

    def __reduce__(self) -> tuple[type[tuple[Result, ...]], tuple[tuple[Result, ...]]]:
        """Be pickled and copied as a plain tuple: the file behind them belongs to this process."""
        return tuple, (tuple(self),)


def _plain(result: Result) -> str:
    """Return all that a result holds as text, in which NaN equals NaN; a result read again is another object."""
    return text_of(result.without_curves())
