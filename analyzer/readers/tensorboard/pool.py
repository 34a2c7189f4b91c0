"""Small records that lie scattered among large ones, gathered until they are worth being decoded together."""

from __future__ import annotations

import numpy as np

from analyzer.readers.tensorboard.batch import Batches
from analyzer.readers.tensorboard.files import SPARE, Bytes
from analyzer.readers.tensorboard.framing import FOOTER
from analyzer.readers.tensorboard.templates import Indices

_SMALL = 2048  # bytes of a payload that is copied rather than decoded where it lies
_DENSE = 8  # small records are decoded where they lie when they fill this part of what lies there
_FULL = 1 << 20


class Pool:
    """Hands records on to the batches: at once where small ones lie close together, else when enough have come."""

    def __init__(self, batches: Batches) -> None:
        self._batches = batches
        self._pieces: list[bytes] = []
        self._lengths: list[int] = []
        self._offsets: list[int] = []
        self._size = 0

    def take(self, buffer: Bytes, starts: Indices, lengths: Indices, offsets: Indices) -> None:
        """Take in records as Batches.take() does."""
        small = lengths <= _SMALL
        if int(lengths[small].sum()) * _DENSE >= int(lengths.sum()):
            self._batches.take(buffer, starts, lengths, offsets)
            return
        large = ~small
        self._batches.take(buffer, starts[large], lengths[large], offsets[large])
        self._keep(buffer, starts[small], lengths[small], offsets[small])

    def _keep(self, buffer: Bytes, starts: Indices, lengths: Indices, offsets: Indices) -> None:
        view, stops = buffer.data, (starts + lengths + FOOTER).tolist()
        self._pieces += [bytes(view[start:stop]) for start, stop in zip(starts.tolist(), stops, strict=True)]
        self._lengths += lengths.tolist()
        self._offsets += offsets.tolist()
        self._size += int(lengths.sum())
        if self._size >= _FULL:
            self.empty()

    def empty(self) -> None:
        """Hand on what has been kept."""
        if self._pieces:
            buffer = np.frombuffer(b"".join([*self._pieces, bytes(SPARE)]), np.uint8)
            lengths = np.array(self._lengths, np.int64)
            starts = np.cumsum(lengths + FOOTER) - (lengths + FOOTER)
            self._batches.take(buffer, starts, lengths, np.array(self._offsets, np.int64))
        self._pieces, self._lengths, self._offsets, self._size = [], [], [], 0
