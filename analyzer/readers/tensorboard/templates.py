"""Many records of one length decoded at once: those that differ from a known one only where points differ.

A template is made from one record that the plain parser has parsed. It knows which bytes may differ without changing
what the parser would do: wall time, the step's digits, the values, the tag, the contents of histograms and images. All
other bytes of a record must be the same; then its fields lie where the template's lie.

Checksums are verified in the same pass. CRC-32C is affine over GF(2): the checksum of a record is the template's,
changed by each differing byte by itself, one look into a table of 256 entries per byte. A tag counts as one change,
worked out once per tag.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import google_crc32c
import numpy as np
from numpy.typing import NDArray

from analyzer.readers.tensorboard import crc32c, tensors
from analyzer.readers.tensorboard.files import Bytes
from analyzer.readers.tensorboard.framing import FOOTER
from analyzer.readers.tensorboard.points import Columns, Points
from analyzer.readers.tensorboard.shared_templates import MOST, Differences, TagList, Words, masks
from analyzer.readers.tensorboard.structure import Cell, Structure, structure

_MANY = 256  # bytes that may differ, beyond which a checksum over the whole record is cheaper than tables

Rows = NDArray[np.void]
Indices = NDArray[np.int64]


def gathered(buffer: Bytes, starts: Indices, length: int) -> Rows:
    """Return the payloads of `length` bytes at the starts, each with its checksum, in rows of whole 8-byte words.

    The buffer must have 8 bytes to spare behind the last checksum.
    """
    width = -(-(length + FOOTER) // 8) * 8
    gap = int(starts[1] - starts[0]) if starts.size > 1 else width
    if np.array_equal(starts, np.arange(starts.size) * gap + starts[0]):
        return np.ndarray((starts.size,), f"V{width}", buffer.data, int(starts[0]), (gap,)).copy()
    every = np.ndarray((buffer.size - width + 1,), f"V{width}", buffer.data, 0, (1,))
    return every[starts]


class Template:
    """One structure of records of one length."""

    def __init__(self, payload: bytes, known: Structure) -> None:
        self._length = len(payload)
        self._crc = google_crc32c.value(payload)
        self._known = known
        padded = -(-len(payload) // 8) * 8
        self._words = np.frombuffer(payload.ljust(padded, b"\0"), "<u8")
        self._last, self._inside = self._words.size - 1, np.uint64((1 << 8 * (8 - padded + len(payload))) - 1)
        self._fixed: list[int] = np.frombuffer(known.fixed.ljust(padded, b"\0"), "<u8").tolist()
        self._by_hand = len(payload) - sum(byte == 0xFF for byte in known.fixed) > _MANY
        self._looked_at = [place for place, bits in enumerate(self._fixed) if bits or not self._by_hand]
        self._tags = TagList(payload, known.tag) if known.tag else None
        self._tag_masks = masks(known.tag) if known.tag else {}

    def take(self, rows: Rows, offsets: Indices, columns: Columns) -> tuple[Indices, Indices]:
        """Put the points of rows that fit into the columns; return indices of rows that do not fit, and of bad ones.

        `rows` are as gathered() returns them, `offsets` say where their payloads lie in the file. A bad row fits but
        has a wrong checksum.
        """
        words = rows.view("<u8").reshape(rows.size, -1)
        differences = self._differences(words)
        wrong = self._wrong(differences)
        ids = None
        if wrong is None and self._tags:
            ids = self._tags.ids(words, differences)
            wrong = ids < 0 if ids is not None and (ids < 0).any() else None
        if wrong is not None:
            return self._take_some(rows, offsets, columns, wrong)
        bad = np.flatnonzero(~self._verified(rows, differences, ids))
        if bad.size:
            keep = np.delete(np.arange(rows.size), bad)
            rows, offsets, ids = rows[keep], offsets[keep], None if ids is None else ids[keep]
        if rows.size:
            self._add(rows, offsets, ids, columns)
        return np.empty(0, np.int64), bad

    def _take_some(
        self, rows: Rows, offsets: Indices, columns: Columns, wrong: NDArray[np.bool_]
    ) -> tuple[Indices, Indices]:
        fits = np.flatnonzero(~wrong)
        if not fits.size:
            return np.arange(rows.size), fits
        others, bad = self.take(rows[fits], offsets[fits], columns)
        return np.sort(np.concatenate((np.flatnonzero(wrong), fits[others]))), fits[bad]

    def _differences(self, words: Words) -> Differences:
        """Return what differs from the template's own record."""
        differences = {}
        for place in self._looked_at:
            difference = words[:, place] ^ self._words[place]
            if place == self._last:
                difference &= self._inside
            seen = int(np.bitwise_or.reduce(difference))
            if seen:
                differences[place] = (difference, seen)
        return differences

    def _wrong(self, differences: Differences) -> NDArray[np.bool_] | None:
        """Return which rows differ where they must not; None when none does."""
        wrong = None
        for place, (difference, seen) in differences.items():
            if seen & self._fixed[place]:
                hurt = (difference & np.uint64(self._fixed[place])) != 0
                wrong = hurt if wrong is None else wrong | hurt
        return wrong

    def _verified(self, rows: Rows, differences: Differences, ids: Indices | None) -> NDArray[np.bool_]:
        """Return whether each row's checksum is right."""
        raw = rows.view(np.uint8).reshape(rows.size, -1)
        if self._by_hand:
            crcs = np.array([google_crc32c.value(row) for row in raw[:, : self._length]], np.uint32)
        else:
            crcs = np.full(rows.size, self._crc, np.uint32)
            for place, (difference, seen) in differences.items():
                self._change(crcs, place, difference, seen & ~self._tag_masks.get(place, 0))
            if ids is not None and self._tags:
                crcs ^= self._tags.changes[ids]
        stored = np.ndarray((rows.size,), "<u4", raw.data, self._length, raw.strides[:1])
        verified: NDArray[np.bool_] = crc32c.masked_array(crcs) == stored
        return verified

    def _change(self, crcs: NDArray[np.uint32], place: int, difference: Words, seen: int) -> None:
        """Let the bytes of one word that have a bit in `seen` change the checksums."""
        each = difference.view(np.uint8)
        for byte in range(8):
            if seen >> 8 * byte & 0xFF:
                table = crc32c.change_table(self._length - 1 - 8 * place - byte)
                crcs ^= table.take(each[byte::8].astype(np.intp))

    def _add(self, rows: Rows, offsets: Indices, ids: Indices | None, columns: Columns) -> None:
        walls, steps = self._wall_times(rows), self._steps(rows)
        if ids is not None:
            order = np.argsort(ids.astype(np.uint16) if len(self._known_tags()) <= MOST else ids, kind="stable")
            rows, offsets, ids, walls, steps = rows[order], offsets[order], ids[order], walls[order], steps[order]
        for cell in self._known.cells:
            values = _numbers(rows, cell) if cell.kind == "number" else None
            for tag, part in self._parts(cell, ids, rows.size):
                if cell.metadata is not None:
                    columns.add_metadata(tag, int(offsets[part.start]), cell.metadata)
                if values is not None:
                    points = Points(offsets[part] + cell.at, steps[part], values[part], walls[part])
                    columns.add_batch(tag, cell.dtype != 0, points)
                elif cell.kind == "odd":
                    columns.add_odd(tag, int(offsets[part.start]), cell.why, part.stop - part.start)

    def _known_tags(self) -> list[bytes]:
        return self._tags.tags if self._tags else []

    def _parts(self, cell: Cell, ids: Indices | None, count: int) -> Iterator[tuple[bytes, slice]]:
        """Yield tags and where their rows lie, in rows that are sorted by id."""
        if ids is None:
            yield cell.tag, slice(0, count)
            return
        bounds = [0, *(np.flatnonzero(np.diff(ids)) + 1).tolist(), count]
        tags = self._known_tags()
        for start, stop in pairwise(bounds):
            yield tags[ids[start]], slice(start, stop)

    def _wall_times(self, rows: Rows) -> NDArray[np.float64]:
        place = self._known.wall_time
        return np.zeros(rows.size) if place is None else _field(rows, place, "<f8").astype(np.float64)

    def _steps(self, rows: Rows) -> NDArray[np.int64]:
        """Return the steps, whose 7-bit digits lie least first."""
        steps = np.zeros(rows.size, np.uint64)
        for digit, place in enumerate(range(*self._known.step) if self._known.step else ()):
            bits = _field(rows, place, "|u1").astype(np.uint64) & np.uint64(0x7F)
            steps |= bits << np.uint64(7 * digit)
        return steps.view(np.int64)


def _field(rows: Rows, start: int, layout: str) -> NDArray[np.generic]:
    raw = rows.view(np.uint8)
    return np.ndarray((rows.size,), layout, raw.data, start, (rows.itemsize,))


def _numbers(rows: Rows, cell: Cell) -> NDArray[np.float64]:
    stored = _field(rows, cell.start, cell.layout)
    return tensors.decoded(cell.dtype, stored)


def template_of(payload: bytes) -> Template | None:
    """Return the template that an intact record makes; None when records like it must be parsed one by one.

    MalformedError when it is no event.
    """
    known = structure(payload)
    return Template(payload, known) if known else None
