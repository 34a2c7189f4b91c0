"""Bounded reads of regular files and of objects in storage, of files that are rewritten while they are read as well."""

from __future__ import annotations

import hashlib
import io
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from analyzer.readers.holes import end_of_data
from analyzer.readers.object_store import Object, Store

LARGEST = 1 << 29  # bytes of one file: what is longer is read up to here, and that is named
HEAD = 1 << 16  # bytes by which a kind is recognised: a table of thousands of columns has a long header
_ATTEMPTS = 3  # a writer that rewrites its file for each row (Lightning) does so many times a minute


@dataclass(frozen=True, slots=True)
class Raw:
    """What was read of a file, how large it is, and when it was last written (Unix seconds; None in storage).

    `hole`: so many bytes at its end were never written; they are not in `data`.
    """

    data: bytes
    size: int
    written: float | None = None
    hole: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """Where the files of a source lie: below a folder, or in a store below a path. Paths are relative to `root`."""

    root: str
    store: Store | None = None

    def read(self, inside: str, most: int = LARGEST) -> Raw:
        """Return at most `most` bytes of a file. OSError when it cannot be opened or is not a regular file."""
        if self.store is not None:
            return _fetched(Object(self.store, f"{self.root}/{inside}" if self.root else inside), most)
        for _ in range(_ATTEMPTS - 1):
            found, steady = _read(self.path(inside), most)
            if steady:
                return found
        return _read(self.path(inside), most)[0]

    def head(self, inside: str) -> bytes:
        """Return the first bytes; none when it cannot be read."""
        try:
            return self.read(inside, HEAD).data
        except OSError:
            return b""

    def path(self, inside: str) -> Path:
        """Return where a file lies on this machine."""
        return Path(self.root) / inside

    def stamp(self, paths: Iterable[str]) -> str | None:
        """Return a digest of names, sizes, times and inodes; None when a file cannot be looked at."""
        digest = hashlib.sha256()
        for inside in paths:
            try:
                found = self.path(inside).stat()
            except OSError:
                return None
            mark = (inside, found.st_size, found.st_mtime_ns, found.st_ino)
            digest.update(repr(mark).encode("utf-8", "surrogateescape"))
        return digest.hexdigest()


def _fetched(place: Object, most: int) -> Raw:
    size = place.look().size
    return Raw(place.part(0, min(size, most)) if size else b"", size)


def _opener(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _read(path: Path, most: int) -> tuple[Raw, bool]:
    """Return the bytes that the file had when it was opened, and whether it was only appended to meanwhile."""
    with io.FileIO(path, opener=_opener) as file:
        before = os.fstat(file.fileno())
        if not stat.S_ISREG(before.st_mode):
            raise OSError("not a regular file")
        end = end_of_data(file.fileno(), before.st_size)
        data = b"".join(_pieces(file, min(end, most)))
        after = os.fstat(file.fileno())
    same = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    return Raw(data, before.st_size, before.st_mtime, before.st_size - end), same or after.st_size > before.st_size


def _pieces(file: io.FileIO, count: int) -> Iterable[bytes]:
    while count > 0:
        piece = file.read(count)
        if not piece:
            return
        count -= len(piece)
        yield piece
