"""Texts of many runs on disk, by number: each takes a few bytes of memory, however long it is."""

from __future__ import annotations

import os
import tempfile
import threading
import weakref
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from analyzer.errors import OutputError


class SpillFile:
    """A file without a name that is gone when nobody looks at it any more, or when the process ends."""

    def __init__(self, folder: Path) -> None:
        """Open it on the disk of a folder. OutputError when nothing can be written there."""
        self._folder = folder
        with self._told():
            self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 - as long as it is looked at
        weakref.finalize(self, self._file.close)
        self._lock = threading.Lock()
        self._end = 0
        self._places: dict[int, tuple[int, int]] = {}

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, number: int) -> bool:
        return number in self._places

    def __iter__(self) -> Iterator[str]:
        """Yield the texts in the order of their numbers."""
        return (self[number] for number in sorted(self._places))

    def __getitem__(self, number: int) -> str:
        """Return the text of a number. KeyError when there is none, OutputError when the disk cannot be read."""
        at, size = self._places[number]
        with self._told():
            data = self._read(size, at)
        return zlib.decompress(data).decode()

    def put(self, number: int, text: str) -> None:
        """Keep a text under a number, in the place of what was there. OutputError when the disk does not take it."""
        data = zlib.compress(text.encode(), 1)
        with self._lock, self._told():
            self._file.seek(self._end)
            rest = data
            while rest:
                rest = rest[self._file.write(rest) :]
            self._places[number] = (self._end, len(data))
            self._end += len(data)

    def _read(self, size: int, at: int) -> bytes:
        if hasattr(os, "pread"):  # at a place of its own: forked processes share that of the file
            return os.pread(self._file.fileno(), size, at)
        with self._lock:
            self._file.seek(at)
            return self._file.read(size)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OutputError(f"{self._folder} cannot be written in: {error.strerror or error}") from error
