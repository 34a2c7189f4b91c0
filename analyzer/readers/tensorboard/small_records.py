"""Small records that lie scattered among large ones, gathered until they are worth being decoded together."""

from __future__ import annotations

import numpy as np

from analyzer.readers.tensorboard.batch import SMALL, Batches
from analyzer.readers.tensorboard.files import SPARE, Bytes
from analyzer.readers.tensorboard.framing import FOOTER, HEADER
from analyzer.readers.tensorboard.templates import Indices

_DENSE = 8  # small records are decoded where they lie when they fill this part of what lies there
_FULL = 1 << 20


class Pool:
    """Hands records on to the batches: at once where small ones lie close together, else when enough have come."""

    def __init__(self, batches: Batches) -> None:
        self._batches = batches
        self._forget()

    def _forget(self) -> None:
        self._pieces: list[bytes] = []
        self._starts: list[Indices] = []
        self._lengths: list[Indices] = []
        self._offsets: list[Indices] = []
        self._size = 0

    def take(self, buffer: Bytes, starts: Indices, lengths: Indices, offsets: Indices) -> None:
        """Take in records as Batches.take() does."""
        small = lengths <= SMALL
        if int(lengths[small].sum()) * _DENSE >= int(lengths.sum()):
            self._batches.take(buffer, starts, lengths, offsets)
            return
        large = ~small
        self._batches.take(buffer, starts[large], lengths[large], offsets[large])
        if small.any():
            self._keep(buffer, starts[small], lengths[small], offsets[small])

    def _keep(self, buffer: Bytes, starts: Indices, lengths: Indices, offsets: Indices) -> None:
        """Copy records, those that follow each other at one go with the headers between them."""
        stops = starts + lengths + FOOTER
        breaks = np.flatnonzero(starts[1:] != stops[:-1] + HEADER) + 1
        firsts, lasts = np.append(0, breaks), np.append(breaks, starts.size) - 1
        begins, sizes = starts[firsts], stops[lasts] - starts[firsts]
        places = self._size + np.cumsum(sizes) - sizes
        view = buffer.data
        self._pieces += [bytes(view[at : at + size]) for at, size in zip(begins.tolist(), sizes.tolist(), strict=True)]
        self._starts.append(starts + np.repeat(places - begins, lasts - firsts + 1))
        self._lengths.append(lengths)
        self._offsets.append(offsets)
        self._size += int(sizes.sum())
        if self._size >= _FULL:
            self.empty()

    def empty(self) -> None:
        """Hand on what has been kept."""
        if self._pieces:
            buffer = np.frombuffer(b"".join([*self._pieces, bytes(SPARE)]), np.uint8)
            records = (np.concatenate(part) for part in (self._starts, self._lengths, self._offsets))
            self._batches.take(buffer, *records)
        self._forget()
