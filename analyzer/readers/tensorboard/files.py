"""Bytes of one regular file, read in windows; a file that shrinks or vanishes on the way is told apart from damage.

The file is copied in pieces and not mapped: a mapped file that its writer truncates kills the reading process.
"""

from __future__ import annotations

import io
import os
import stat
from copy import copy
from types import TracebackType
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from analyzer.readers.holes import next_data

SPARE = 8  # bytes behind what was read into a buffer that whole words may reach into
_NEAR = 1 << 20

Bytes = NDArray[np.uint8]


class Stat(Protocol):
    """Two numbers that are others when a file is not the same any more."""

    @property
    def st_mtime_ns(self) -> int:
        """When it was changed."""

    @property
    def st_ino(self) -> int:
        """Which file it is."""


class ShrunkError(OSError):
    """The file has become shorter since it was opened."""


def _opener(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


class EventFile:
    """One open regular file. `size` is its size when it was opened; what is appended later is not seen.

    OSError when it cannot be opened or is no regular file. Opening never blocks.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._file = io.FileIO(path, opener=_opener)
        self.stat: Stat = os.fstat(self._file.fileno())
        if not stat.S_ISREG(os.fstat(self._file.fileno()).st_mode):
            self._file.close()
            raise OSError("not a regular file")
        self.size = os.fstat(self._file.fileno()).st_size
        self._base = 0
        self._window: Bytes = np.empty(0, np.uint8)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def read(self, at: int, count: int) -> Bytes:
        """Return the bytes [at, at + count), which lie within `size`. ShrunkError when they are gone."""
        buffer = np.empty(count, np.uint8)
        self.read_into(buffer, at)
        return buffer

    def read_into(self, buffer: Bytes, at: int) -> None:
        """Fill the buffer from offset `at`. ShrunkError when the file ends before."""
        self._file.seek(at)
        done = 0
        while done < buffer.size:
            got = self._file.readinto(buffer.data[done:])
            if not got:
                raise ShrunkError("the file has become shorter while it was read")
            done += got

    def next_data(self, at: int) -> int:
        """Return the first offset from `at` on that is in no hole of a sparse file; `size` when only a hole is left."""
        return next_data(self._file.fileno(), at, self.size)

    def near(self, at: int, count: int) -> bytes:
        """Return the bytes [at, at + count) through a window that serves many small reads going forward."""
        start = at - self._base
        if start < 0 or start + count > self._window.size:
            self._window = self.read(at, min(max(count, _NEAR), self.size - at))
            self._base, start = at, 0
        return self._window[start : start + count].tobytes()

    def again(self) -> Self:
        """Return the same open file with its size and times as they are now; it shares the handle."""
        other = copy(self)
        other.stat = os.fstat(self._file.fileno())
        other.size = os.fstat(self._file.fileno()).st_size
        other._window = np.empty(0, np.uint8)
        return other
