"""Records of an event file: u64 length, u32 checksum of the length, payload, u32 checksum of the payload.

What is damaged is dropped and stepped over:
* length good, payload bad: jump by the length, for a payload may itself contain bytes that look like records. Those
  count only if they follow each other to that very place (the record was torn and others were written behind it), or
  beyond it when no record begins there.
* length bad: if the payload's checksum is right at that length, only the length's checksum is hurt: jump. Else
  search for the next offset at which both checksums are right.
* a length that leads beyond the end of the file: a torn tail when what follows is the beginning of an event of that
  length, else damage.
The search is vectorised, and the bytes it may check in vain are limited, so that a hostile file costs linear time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from analyzer.readers.tensorboard import crc32c, wire
from analyzer.readers.tensorboard.files import EventFile

HEADER, FOOTER = 12, 4
OVERHEAD = HEADER + FOOTER
_PIECE = 1 << 17  # bytes checked at once: what fits into the processor's cache
_SEARCHED = 1 << 20
_VAIN_BYTES = 16  # bytes that searches may check in vain, in sizes of the file


@dataclass(frozen=True, slots=True)
class Record:
    """An intact record: where its payload lies in the file."""

    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Bytes [start, stop) of the file that hold no intact record. `torn`: the beginning of a record at the end."""

    start: int
    stop: int
    torn: bool = False


class Records:
    """Walks over the records of one file, one by one."""

    def __init__(self, file: EventFile) -> None:
        self.file = file
        self._vain = _VAIN_BYTES * file.size + _SEARCHED

    def walk(self, at: int = 0) -> Iterator[Record | Gap]:
        """Yield records and gaps in file order; together they cover the file from `at` to its end."""
        while at < self.file.size:
            found = self.step(at)
            yield found
            at = found.stop + FOOTER if isinstance(found, Record) else found.stop

    def step(self, at: int) -> Record | Gap:
        """Return what begins at `at`: a record, or the gap up to the next place worth looking at."""
        size = self.file.size
        if size - at < HEADER:
            return Gap(at, size, torn=True)
        length, good = self._length(at)
        start, stop = at + HEADER, at + HEADER + length
        inside = stop + FOOTER <= size
        if inside and self._payload_good(start, stop):
            return Record(start, stop) if good else Gap(at, stop + FOOTER)
        if not good:
            return Gap(at, self._next(at + 1))
        if inside:
            return Gap(at, self._behind(at, stop + FOOTER))
        if wire.begins_event(self._prefix(start, length), length):
            return Gap(at, size, torn=True)
        return Gap(at, self._next(at + HEADER))

    def _prefix(self, start: int, length: int) -> bytes:
        return self.file.read(start, min(length, self.file.size - start, _SEARCHED)).tobytes()

    def _length(self, at: int) -> tuple[int, bool]:
        header = self.file.near(at, HEADER)
        return int.from_bytes(header[:8], "little"), crc32c.checksum(header[:8]) == int.from_bytes(header[8:], "little")

    def _payload_good(self, start: int, stop: int) -> bool:
        stored = int.from_bytes(self.file.near(stop, FOOTER), "little") if stop - start > _PIECE else None
        if stored is None:
            both = self.file.near(start, stop - start + FOOTER)
            return crc32c.checksum(both[:-FOOTER]) == int.from_bytes(both[-FOOTER:], "little")
        crc = 0
        for at in range(start, stop, _PIECE):
            crc = crc32c.extended(crc, self.file.read(at, min(_PIECE, stop - at)))
        return crc32c.masked(crc) == stored

    def _behind(self, at: int, landing: int) -> int:
        """Return where to go on after a bad payload whose record ends at `landing`."""
        lands_well = landing == self.file.size or self._record_begins(landing)
        found = self._next(at + HEADER, landing)
        while found < landing:
            end = self._end_of_chain(found, landing)
            if end == landing or (end > landing and not lands_well):
                return found
            found = self._next(found + 1, landing)
        return landing if lands_well else self._next(landing)

    def _record_begins(self, at: int) -> bool:
        if self.file.size - at < HEADER:
            return True
        return self._length(at)[1]

    def _end_of_chain(self, at: int, landing: int) -> int:
        """Return where records that follow each other from `at` on end, at `landing` or beyond it, or break off."""
        while at < landing and self.file.size - at >= HEADER:
            length, good = self._length(at)
            if not good:
                return at
            at += length + OVERHEAD
        return at

    def _next(self, at: int, until: int | None = None) -> int:
        """Return the next offset from `at` on with two right checksums; `until` (default: the file's size) for none."""
        base, end = at, self.file.size if until is None else until
        while base < end and base <= self.file.size - OVERHEAD:
            data = self.file.next_data(base)
            if data - base > HEADER:  # in a hole no length has a right checksum; one may begin in its last bytes
                base = data - HEADER
                continue
            window = self.file.read(base, min(min(_SEARCHED, end - base) + HEADER - 1, self.file.size - base))
            for offset in crc32c.header_offsets(window):
                length, stop = int(window[offset : offset + 8].view("<u8")[0]), self.file.size
                if base + int(offset) + OVERHEAD + length > stop:
                    continue
                self._vain -= length + OVERHEAD
                if self._vain < 0:
                    return end
                start = base + int(offset) + HEADER
                if self._payload_good(start, start + length):
                    return start - HEADER
            base += _SEARCHED
        return end
