"""Event files in object storage, read through the same window as those on a disk."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np

from analyzer.readers.object_store import Object, ObjectInfo
from analyzer.readers.tensorboard.files import Bytes, EventFile, ShrunkError

WHOLE = 1 << 24
"""Bytes up to which an object is fetched at one go: a question costs as much time as about so many bytes."""

_ENDS = 1 << 16  # bytes: smaller parts of large objects are asked for as they are, and kept


@dataclass(frozen=True, slots=True)
class Stamp:
    """What an object has in place of a file's time and inode; both are other numbers when it has changed."""

    st_mtime_ns: int
    st_ino: int


class EventObject(EventFile):
    """One object, as EventFile. OSError, in words, when it cannot be had."""

    def __init__(self, place: Object) -> None:
        self._place = place
        self._see(place.look())

    def _see(self, look: ObjectInfo) -> None:
        self.size = look.size
        number = int.from_bytes(hashlib.sha256(look.mark.encode()).digest()[:7], "big")
        self.stat = Stamp(number, number)
        self._known = look
        self._base, self._window = 0, np.empty(0, np.uint8)
        self._ahead_at, self._ahead = 0, b""
        self._ends: Mapping[tuple[int, int], bytes] = {}

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is open."""

    def read_into(self, buffer: Bytes, at: int) -> None:
        """Fill the buffer from offset `at`. ShrunkError when the object ends before."""
        if buffer.size:
            buffer[:] = np.frombuffer(self._part(at, buffer.size), np.uint8)

    def next_data(self, at: int) -> int:
        """Return `at`: objects have no holes."""
        return at

    def again(self) -> Self:
        """Return the same object as it is now."""
        other = copy(self)
        look = self._place.look()
        if look != self._known:
            other._see(look)
        return other

    def _part(self, at: int, count: int) -> bytes:
        start = at - self._ahead_at
        if start >= 0 and start + count <= len(self._ahead):
            return self._ahead[start : start + count]
        if self.size > WHOLE and count <= _ENDS:
            if (at, count) not in self._ends:
                self._ends = {**self._ends, (at, count): self._fetched(at, count)}
            return self._ends[at, count]
        self._ahead_at = at if self.size > WHOLE else 0
        self._ahead = self._fetched(self._ahead_at, min(max(count, WHOLE), self.size - self._ahead_at))
        return self._ahead[at - self._ahead_at :][:count]

    def _fetched(self, at: int, count: int) -> bytes:
        found = self._place.part(at, at + count)
        if len(found) < count:
            raise ShrunkError("the object has become shorter while it was read")
        return found


def opened(place: str | os.PathLike[str] | Object) -> EventFile:
    """Return an event file open, wherever it lies. OSError when it cannot be opened."""
    return EventObject(place) if isinstance(place, Object) else EventFile(place)
