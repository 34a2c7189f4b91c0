"""The reference: the same reading, written as plainly as possible over the bytes of a whole file, at no speed.

It frames by itself, byte by byte, and parses every record by the plain parser; no window, no guess, no template.
"""

from __future__ import annotations

import struct

import numpy as np

from analyzer.readers.tensorboard import wire
from analyzer.readers.tensorboard.decode import Decoder
from analyzer.readers.tensorboard.points import Columns, Curve
from tests.readers.tensorboard.records import masked_crc


class PlainReading:
    """Points by tag and gaps (start, stop, torn) of the bytes of an event file."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.gaps: list[tuple[int, int, bool]] = []
        columns = Columns()
        decoder = Decoder(columns)
        at = 0
        while at < len(data):
            at = self._step(at, decoder)
        self.points: dict[bytes, Curve] = columns.curves()
        self.hparams = decoder.hparams

    def _step(self, at: int, decoder: Decoder) -> int:
        end, size = self._whole(at), len(self.data)
        if end:
            try:
                decoder.add(self.data, at + 12, end - 4, 0)
            except wire.MalformedError:
                self._gap(at, end)
            return end
        if size - at < 12:
            return self._gap(at, size, torn=True)
        length = self._length(at)
        landing = at + 16 + length
        if not self._good_header(at):
            return self._gap(at, landing if self._good_payload(at) else self._next(at + 1))
        if landing <= size:
            begins = landing == size or size - landing < 12 or self._good_header(landing)
            inside = (place for place in range(at + 12, landing) if self._whole(place))
            for found in inside:
                end = self._end_of_chain(found, landing)
                if end == landing or (end > landing and not begins):
                    return self._gap(at, found)
            return self._gap(at, landing if begins else self._next(landing))
        if wire.begins_event(self.data[at + 12 : at + 12 + length], length):
            return self._gap(at, size, torn=True)
        return self._gap(at, self._next(at + 12))

    def _gap(self, start: int, stop: int, *, torn: bool = False) -> int:
        self.gaps.append((start, stop, torn))
        return stop

    def _length(self, at: int) -> int:
        return int(struct.unpack_from("<Q", self.data, at)[0])

    def _good_header(self, at: int) -> bool:
        stored = self.data[at + 8 : at + 12]
        return len(stored) == 4 and struct.unpack("<I", stored)[0] == masked_crc(self.data[at : at + 8])

    def _good_payload(self, at: int) -> bool:
        length = self._length(at)
        stop = at + 12 + length
        if stop + 4 > len(self.data):
            return False
        return struct.unpack_from("<I", self.data, stop)[0] == masked_crc(self.data[at + 12 : stop])

    def _whole(self, at: int) -> int:
        """Return the end of the intact record at `at`; 0 when there is none."""
        if self._good_header(at) and self._good_payload(at):
            return at + 16 + self._length(at)
        return 0

    def _next(self, at: int) -> int:
        return next((place for place in range(at, len(self.data) - 15) if self._whole(place)), len(self.data))

    def _end_of_chain(self, at: int, landing: int) -> int:
        while at < landing and self._good_header(at):
            at += 16 + self._length(at)
        return at


def same(one: dict[bytes, Curve], other: dict[bytes, Curve]) -> bool:
    """Whether two readings have the same points, bit by bit."""
    return list(one) == list(other) and all(
        np.array_equal(getattr(one[tag], name).view(np.uint64), getattr(other[tag], name).view(np.uint64))
        for tag in one
        for name in ("steps", "values", "wall_times")
    )
