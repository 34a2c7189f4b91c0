"""Records whose headers are good: checksums verified and points taken, many at once where they are alike."""

from __future__ import annotations

from itertools import pairwise

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

_templates: dict[int, list[Template]] = {}
"""Templates by length, shared by all files that this process reads: runs of one project write alike."""


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
        for first, last in pairwise(bounds):
            group = order[first:last]
            length = int(ordered[first]) if group.size else 0
            if group.size >= _ALIKE and length <= LONGEST:
                self._take_alike(gathered(buffer, starts[group], length), length, offsets[group])
            else:
                for one in group.tolist():
                    start = int(starts[one])
                    self.take_one(buffer[start : start + int(lengths[one]) + FOOTER], int(offsets[one]))

    def take_one(self, record: Bytes, offset: int) -> bool:
        """Take in one payload followed by its checksum; return whether it is intact."""
        payload = record[:-FOOTER]
        intact = crc32c.checksum(payload) == int.from_bytes(record[-FOOTER:].data, "little")
        if intact and not holds_no_scalar(payload.data):
            try:
                self._decoder.add(payload.tobytes(), 0, payload.size, offset)
            except MalformedError:
                intact = False
        if intact:
            self.intact += 1
        else:
            self._bad(offset, payload.size)
        return intact

    def _bad(self, offset: int, length: int) -> None:
        self._gaps.add(offset - HEADER, offset + length + FOOTER)

    def _take_alike(self, rows: Rows, length: int, offsets: Indices) -> None:
        if len(_templates) >= _LENGTHS:
            _templates.clear()
        templates = _templates.setdefault(length, [])
        for template in templates:
            rows, offsets = self._take_with(template, rows, offsets, length)
        tries = _TRIES
        while offsets.size >= _ALIKE and len(templates) < _STRUCTURES and tries:
            record = rows[:1].view(np.uint8)[: length + FOOTER]
            made = template_of(record[:length].tobytes()) if self.take_one(record, int(offsets[0])) else None
            rows, offsets = rows[1:], offsets[1:]
            if made:
                templates.append(made)
                rows, offsets = self._take_with(made, rows, offsets, length)
            else:
                tries -= 1
        for row, offset in zip(rows.view(np.uint8).reshape(rows.size, rows.itemsize), offsets.tolist(), strict=True):
            self.take_one(row[: length + FOOTER], offset)

    def _take_with(self, template: Template, rows: Rows, offsets: Indices, length: int) -> tuple[Rows, Indices]:
        """Return the rows that do not fit the template."""
        if not offsets.size:
            return rows, offsets
        others, bad = template.take(rows, offsets, self._decoder.columns)
        self.intact += offsets.size - others.size - bad.size
        for offset in offsets[bad].tolist():
            self._bad(offset, length)
        return rows[others], offsets[others]
