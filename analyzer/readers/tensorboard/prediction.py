"""Where the records of a window lie, found many at once: training loops write lengths in an almost regular rhythm.

A run of headers is guessed from the rhythm so far, at a file's beginning from how the last file began (runs of one
project write alike). All of them are looked at together, and the longest beginning in which every length and every
length's checksum is as guessed is accepted. That is exact: the first offset is right, and where a length is right the
next offset is. What cannot be guessed is stepped through one by one.
"""

from __future__ import annotations

import struct
import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analyzer.readers.tensorboard import crc32c
from analyzer.readers.tensorboard.files import Bytes
from analyzer.readers.tensorboard.framing import HEADER, OVERHEAD

_MEMORY = 4096  # lengths that are remembered: the longest rhythm that can be found is half of it
_LEAST, _MOST = 256, 16384  # records guessed at once; below the least, stepping is faster
_HEAVY = 4096  # payloads above it (images, long histograms) rarely have the same length twice: never guessed
_FEW = 64
_PATTERNS = (256, 64, 16, 4, 1)
_LENGTH = struct.Struct("<Q")

Lengths = NDArray[np.int64]
_NONE: Lengths = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class Run:
    """Records that follow each other: offsets of their headers in the window, payload lengths, offset behind them.

    `whole` tells why it ends: True when the window ends, perhaps within a record whose length is good; False when
    no good length follows.
    """

    headers: Lengths
    lengths: Lengths
    stop: int
    whole: bool


class _LastFile(threading.local):
    """Lengths at the beginning of the file that the thread read last."""

    def __init__(self) -> None:
        self.lengths = _NONE


_last_file = _LastFile()


class Framer:
    """Finds the records of one file window by window; remembers the rhythm of lengths."""

    def __init__(self) -> None:
        self._rhythm = np.zeros(0, np.uint16)
        self._steps = _FEW  # records stepped through at once; more, the longer no guess comes true
        self._first = True
        self._period = 0  # of the last guess, as long as guesses come true

    def run(self, window: Bytes, at: int) -> Run:
        """Return the records from offset `at` on that lie in the window as a whole, up to the first bad length.

        Checksums of lengths are verified, those of payloads are not.
        """
        pieces: list[tuple[Lengths, Lengths]] = []
        guess, bad = _LEAST, False
        if self._first:
            at = self._taken(_as_guessed(window, at, _last_file.lengths), pieces, at)
        while not bad and at + HEADER <= window.size:
            piece = self._guessed(window, at, guess)
            came_true = piece[0].size
            if came_true < _FEW:
                guess, self._period = _LEAST, 0
                at = self._taken(piece, pieces, at)
                headers, lengths, bad = _stepped(window, at, self._steps)
                piece = (headers, lengths)
                self._steps = min(self._steps * 2, _MOST // 4)
            else:
                guess = min(guess * 4, _MOST) if came_true >= guess // 2 else max(_LEAST, guess // 4)
                self._steps = _FEW
            if not piece[0].size:
                break
            at = self._taken(piece, pieces, at)
        headers, lengths = (np.concatenate([_NONE, *(piece[side] for piece in pieces)]) for side in (0, 1))
        if self._first:
            self._first, _last_file.lengths = False, lengths[:_MOST]
        return Run(headers, lengths, at, not bad)

    def _taken(self, piece: tuple[Lengths, Lengths], pieces: list[tuple[Lengths, Lengths]], at: int) -> int:
        headers, lengths = piece
        if not headers.size:
            return at
        classes = np.where(lengths > _HEAVY, 0, lengths)[-_MEMORY:].astype(np.uint16)
        self._rhythm = np.concatenate((self._rhythm, classes))[-_MEMORY:]
        pieces.append((headers, lengths))
        return int(headers[-1] + lengths[-1]) + OVERHEAD

    def _guessed(self, window: Bytes, at: int, most: int) -> tuple[Lengths, Lengths]:
        """Return headers and lengths that came as guessed; none when no guess is worth while."""
        self._period = self._period or _period(self._rhythm)
        if not self._period:
            return _NONE, _NONE
        cycle = self._rhythm[-self._period :].astype(np.int64)
        unknown = np.flatnonzero(cycle == 0)
        most = min(most, int(unknown[0])) if unknown.size else most
        if most < _FEW:
            return _NONE, _NONE
        guess = np.tile(cycle, -(-most // cycle.size))[:most]
        piece = _as_guessed(window, at, guess)
        if piece[0].size < guess.size:
            self._period = 0
        return piece


def _as_guessed(window: Bytes, at: int, guess: Lengths) -> tuple[Lengths, Lengths]:
    """Return headers and lengths of the records from `at` on, as long as they are as guessed; none if few would fit."""
    headers = at + np.cumsum(guess + OVERHEAD) - (guess + OVERHEAD)
    inside = int(np.searchsorted(headers + guess + OVERHEAD, window.size, side="right"))
    if inside < _FEW:
        return _NONE, _NONE
    headers, guess = headers[:inside], guess[:inside]
    seen = _headers(window, headers)
    wrong = (seen["length"] != guess) | (seen["crc"] != crc32c.of_lengths(guess))
    right = int(wrong.argmax())
    right = right if wrong[right] else inside
    return headers[:right], guess[:right]


def _period(rhythm: NDArray[np.uint16]) -> int:
    """Return how many records ago it looked most like now; 0 when it never did."""
    text = rhythm.tobytes()
    for size in _PATTERNS:
        if size >= rhythm.size:
            continue
        pattern = text[-2 * size :]
        at = text.rfind(pattern, 0, len(text) - 2)
        while at > 0 and at % 2:
            at = text.rfind(pattern, 0, at + len(pattern) - 1)
        if at >= 0:
            return rhythm.size - size - at // 2
    return 0


def _headers(window: Bytes, at: Lengths) -> NDArray[np.void]:
    """Return length and checksum of the headers at the offsets."""
    kind = np.dtype([("length", "<i8"), ("crc", "<u4")])
    last = window.size - HEADER
    every = np.ndarray((last + 1,), f"V{HEADER}", window.data, 0, (1,))
    return every[at].view(kind)


def _stepped(window: Bytes, at: int, most: int) -> tuple[Lengths, Lengths, bool]:
    """Return headers and lengths of up to `most` records, one by one, and whether a bad length ended them."""
    view, size, read = window.data, window.size, _LENGTH.unpack_from
    headers: list[int] = []
    last, note, overhead = size - HEADER, headers.append, OVERHEAD  # looked up once: this loop is what heavy files cost
    for _ in range(most):
        if at > last:
            break
        note(at)
        at += read(view, at)[0] + overhead
    places = np.array(headers, np.int64)
    seen = _headers(window, places)
    lengths = seen["length"].astype(np.int64)
    wrong = np.flatnonzero((lengths < 0) | (seen["crc"] != crc32c.of_lengths(lengths)))
    right = int(wrong[0]) if wrong.size else len(headers)
    bad = right < len(headers)
    if right and lengths[right - 1] > size - OVERHEAD - places[right - 1]:
        right -= 1
    return places[:right], lengths[:right], bad
