"""Records whose headers are good: checksums verified and points taken, many at once where they are alike."""

from __future__ import annotations

import threading
from itertools import pairwise

import google_crc32c
import numpy as np

from analyzer.readers.tensorboard import crc32c
from analyzer.readers.tensorboard.decode import Decoder
from analyzer.readers.tensorboard.files import Bytes
from analyzer.readers.tensorboard.framing import FOOTER, HEADER
from analyzer.readers.tensorboard.gaps import Gaps
from analyzer.readers.tensorboard.glance import holds_no_scalar
from analyzer.readers.tensorboard.templates import Indices, Rows, Template, gathered, template_of
from analyzer.readers.tensorboard.wire import MalformedError

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
    """Takes in the records of one file. `intact` counts those whose checksum is right and that are events."""

    def __init__(self, decoder: Decoder, gaps: Gaps) -> None:
        self._decoder, self._gaps = decoder, gaps
        self.intact = 0

    def take(self, buffer: Bytes, starts: Indices, lengths: Indices, offsets: Indices) -> None:
        """Take in the payloads at `starts` of the buffer, each followed by its checksum.

        `offsets` say where they lie in the file. The buffer has 8 bytes to spare behind the last checksum.
        """
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

    def _take_each(self, buffer: Bytes, starts: Indices, lengths: Indices, offsets: Indices) -> None:
        """Take in records one by one, each checksum over its whole payload."""
        stops = starts + lengths
        spans = list(zip(starts.tolist(), stops.tolist(), offsets.tolist(), strict=True))
        value = google_crc32c.value
        crcs = np.array([value(buffer[start:stop]) for start, stop, _ in spans], np.uint32)
        stored = np.ndarray((buffer.size - FOOTER + 1,), "<u4", buffer.data, 0, (1,))[stops]
        view = buffer.data
        for right, (start, stop, offset) in zip((crc32c.masked_array(crcs) == stored).tolist(), spans, strict=True):
            if not right:
                self._bad(offset, stop - start)
            elif holds_no_scalar(view, start, stop):
                self.intact += 1
            else:
                self._decode(bytes(view[start:stop]), offset)

    def _decode(self, payload: bytes, offset: int) -> bool:
        """Take in a payload whose checksum is right; return whether it is an event."""
        try:
            self._decoder.add(payload, 0, len(payload), offset)
        except MalformedError:
            self._bad(offset, len(payload))
            return False
        self.intact += 1
        return True

    def _bad(self, offset: int, length: int) -> None:
        self._gaps.add(offset - HEADER, offset + length + FOOTER)

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
