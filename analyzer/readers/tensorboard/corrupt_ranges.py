"""Places of a file that could not be read: the first ones one by one, the others summed up."""

from __future__ import annotations

from analyzer.model.run import Note

NAMED = 50  # places of one file that are named one by one
_KEPT = 1000


class Gaps:
    """Gathers gaps (start, stop), in any order, and keeps little of a file that is damaged everywhere."""

    def __init__(self) -> None:
        self._gaps: list[tuple[int, int]] = []
        self._torn: tuple[int, int] | None = None
        self._more = self._more_bytes = 0

    def __bool__(self) -> bool:
        return bool(self._gaps or self._torn)

    @property
    def damaged(self) -> bool:
        """Whether there is any gap but a torn tail."""
        return bool(self._gaps)

    def clean_end(self, size: int) -> int:
        """Return up to where a file of that size is read for good: a gap at its end may change when it grows."""
        ends = [start for start, stop in (*self._gaps, *([self._torn] if self._torn else [])) if stop >= size]
        return min(ends, default=size)

    def add(self, start: int, stop: int, *, torn: bool = False) -> None:
        """Add the bytes [start, stop); `torn` when they are the beginning of a record at the end."""
        if torn:
            self._torn = (start, stop)
            return
        self._gaps.append((start, stop))
        if len(self._gaps) > _KEPT:
            self._shorten()

    def _shorten(self) -> None:
        self._gaps.sort()
        self._more += len(self._gaps) - NAMED
        self._more_bytes += sum(stop - start for start, stop in self._gaps[NAMED:])
        del self._gaps[NAMED:]

    def notes(self, shown: str) -> list[Note]:
        """Return the notes that name the gaps of the file called `shown`, in file order."""
        self._gaps.sort()
        if len(self._gaps) > NAMED:
            self._shorten()
        notes = [_damage(start, stop, shown) for start, stop in self._gaps]
        if self._more:
            text = f"{shown}: {self._more} more damaged places, {self._more_bytes} bytes skipped there"
            notes.append(Note("damage", text, file=shown, size=self._more_bytes))
        if self._torn:
            start, stop = self._torn
            text = f"{shown}: the last record, at offset {start}, is not complete ({stop - start} bytes so far)"
            notes.append(Note("torn-tail", text, file=shown, offset=start, size=stop - start))
        return notes


def _damage(start: int, stop: int, shown: str) -> Note:
    text = f"{shown}: damaged at offset {start}, {stop - start} bytes skipped"
    return Note("damage", text, file=shown, offset=start, size=stop - start)
