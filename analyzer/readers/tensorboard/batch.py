"""Records whose headers are good: checksums verified and points taken, many at once where they are alike."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import pairwise

import google_crc32c
import numpy as np
from numpy.typing import NDArray

from analyzer.readers.tensorboard import crc32c
from analyzer.readers.tensorboard.corrupt_ranges import Gaps
from analyzer.readers.tensorboard.decode import Decoder
from analyzer.readers.tensorboard.files import Bytes
from analyzer.readers.tensorboard.framing import FOOTER, HEADER
from analyzer.readers.tensorboard.skim import without_scalar
from analyzer.readers.tensorboard.templates import Indices, Rows, Template, gathered, template_of
from analyzer.readers.tensorboard.wire import MalformedError

SMALL = 2048  # bytes of a payload up to which it is not looked at whether it may hold a scalar: it mostly does
LONGEST = 16384  # bytes of a payload that a template is made for
_ALIKE = 8  # records of one length that are worth a template
_STRUCTURES = 8  # templates of one length
_TRIES = 4  # damaged records in a row that are tried for a template
_LENGTHS = 4096  # lengths whose templates are remembered


class _Remembered(threading.local):
    """Templates by length, shared by all files that a thread reads: runs of one project write alike."""

    def __init__(self) -> None:
        self.templates: dict[int, list[Template]] = {}

    def of(self, length: int) -> list[Template]:
        """Return the list of templates of a length, to be used and added to."""
        if len(self.templates) >= _LENGTHS:
            self.templates.clear()
        return self.templates.setdefault(length, [])


_remembered = _Remembered()


class Batches:
    """Takes in the records of one file. `intact` counts those whose checksum is right and that are events.

    `damaged` is called with the first and the last offset of each record whose checksum is wrong.
    """

    def __init__(self, decoder: Decoder, gaps: Gaps, damaged: Callable[[int, int], object]) -> None:
        self._decoder, self._gaps, self._damaged = decoder, gaps, damaged
        self.intact = 0

    def take(self, buffer: Bytes, starts: Indices, lengths: Indices, offsets: Indices) -> None:
        """Take in the payloads at `starts` of the buffer, each followed by its checksum.

        `offsets` say where they lie in the file. The buffer has 8 bytes to spare behind the last checksum.
        """
        heavy = np.flatnonzero(lengths > SMALL)
        if heavy.size:
            silent = np.zeros(lengths.size, bool)
            silent[heavy] = without_scalar(buffer, starts[heavy], starts[heavy] + lengths[heavy])
            self._take_silent(buffer, starts[silent], lengths[silent], offsets[silent])
            starts, lengths, offsets = starts[~silent], lengths[~silent], offsets[~silent]
        if lengths.size:
            self._take_grouped(buffer, starts, lengths, offsets)

    def _take_grouped(self, buffer: Bytes, starts: Indices, lengths: Indices, offsets: Indices) -> None:
        order = np.argsort(np.minimum(lengths, 0xFFFF).astype(np.uint16), kind="stable")
        ordered = lengths[order]
        bounds = [0, *(np.flatnonzero(np.diff(ordered)) + 1).tolist(), order.size]
        single = []
        for first, last in pairwise(bounds):
            group = order[first:last]
            if last - first >= _ALIKE and ordered[first] <= LONGEST:
                length = int(ordered[first])
                self._take_alike(gathered(buffer, starts[group], length), length, offsets[group])
            else:
                single.append(group)
        if single:
            group = np.concatenate(single)
            self._take_each(buffer, starts[group], lengths[group], offsets[group])

    def _take_silent(self, buffer: Bytes, starts: Indices, lengths: Indices, offsets: Indices) -> None:
        """Take in records that hold no scalar: their checksums are all there is to them."""
        right = self._right(buffer, starts, lengths)
        self.intact += int(right.sum())
        for place in np.flatnonzero(~right).tolist():
            self._bad(int(offsets[place]), int(lengths[place]))

    def _take_each(self, buffer: Bytes, starts: Indices, lengths: Indices, offsets: Indices) -> None:
        """Take in records one by one."""
        right, view = self._right(buffer, starts, lengths).tolist(), buffer.data
        for good, start, length, offset in zip(right, starts.tolist(), lengths.tolist(), offsets.tolist(), strict=True):
            if good:
                self._decode(bytes(view[start : start + length]), offset)
            else:
                self._bad(offset, length)

    def _right(self, buffer: Bytes, starts: Indices, lengths: Indices) -> NDArray[np.bool_]:
        """Return whether each payload's checksum is right, looking at every byte of it."""
        stops, value = starts + lengths, google_crc32c.value
        spans = zip(starts.tolist(), stops.tolist(), strict=True)
        crcs = np.array([value(buffer[start:stop]) for start, stop in spans], np.uint32)
        stored = np.ndarray((buffer.size - FOOTER + 1,), "<u4", buffer.data, 0, (1,))[stops]
        right: NDArray[np.bool_] = crc32c.masked_array(crcs) == stored
        return right

    def _decode(self, payload: bytes, offset: int) -> bool:
        """Take in a payload whose checksum is right; return whether it is an event."""
        try:
            self._decoder.add(payload, 0, len(payload), offset)
        except MalformedError:
            self._gaps.add(offset - HEADER, offset + len(payload) + FOOTER)
            return False
        self.intact += 1
        return True

    def _bad(self, offset: int, length: int) -> None:
        self._damaged(offset - HEADER, offset + length + FOOTER)

    def _take_alike(self, rows: Rows, length: int, offsets: Indices) -> None:
        templates = _remembered.of(length)
        for template in templates:
            rows, offsets = self._take_with(template, rows, offsets, length)
        tries = _TRIES
        while offsets.size >= _ALIKE and len(templates) < _STRUCTURES and tries:
            made = self._made(rows[:1].view(np.uint8)[: length + FOOTER].tobytes(), int(offsets[0]))
            rows, offsets = rows[1:], offsets[1:]
            if made:
                templates.append(made)
                rows, offsets = self._take_with(made, rows, offsets, length)
            else:
                tries -= 1
        if offsets.size:
            starts = np.arange(offsets.size) * rows.itemsize
            self._take_each(rows.view(np.uint8), starts, np.full(offsets.size, length), offsets)

    def _made(self, record: bytes, offset: int) -> Template | None:
        """Take in one record, and return the template it makes; None when it is damaged or unlike any other."""
        payload = record[:-FOOTER]
        if crc32c.checksum(payload) != int.from_bytes(record[-FOOTER:], "little"):
            self._bad(offset, len(payload))
            return None
        return template_of(payload) if self._decode(payload, offset) else None

    def _take_with(self, template: Template, rows: Rows, offsets: Indices, length: int) -> tuple[Rows, Indices]:
        """Return the rows that do not fit the template."""
        if not offsets.size:
            return rows, offsets
        others, bad = template.take(rows, offsets, self._decoder.columns)
        self.intact += offsets.size - others.size - bad.size
        for offset in offsets[bad].tolist():
            self._bad(offset, length)
        return rows[others], offsets[others]
