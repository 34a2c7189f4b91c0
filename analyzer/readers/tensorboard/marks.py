"""What is remembered of an event file between two readings, to read only what was appended since.

A file counts as the same one grown when it is not shorter than before and the first and the last 4 KiB of what was read
still have the same checksums; size, time and inode alone tell that it was not touched at all. Everything else is a
rewritten file, to be read from its beginning.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Literal, Self

import google_crc32c

from analyzer.readers.tensorboard.files import EventFile

_ENDS = 4096

Change = Literal["untouched", "appended", "rewritten"]


@dataclass(frozen=True, slots=True)
class FileMark:
    """A file that has been read up to `offset`; `others` are tags (latin-1) whose tensors are no scalars."""

    size: int
    mtime_ns: int
    inode: int
    offset: int
    head: int
    tail: int
    others: tuple[str, ...] = ()

    @classmethod
    def of(cls, file: EventFile, offset: int, others: tuple[str, ...] = ()) -> Self:
        """Return the mark of an open file that has been read up to `offset`. ShrunkError when that much is gone."""
        head, tail = _ends(file, offset)
        return cls(file.size, file.stat.st_mtime_ns, file.stat.st_ino, offset, head, tail, others)

    @classmethod
    def parsed(cls, text: str) -> Self | None:
        """Return the mark that text() wrote; None for anything else."""
        try:
            known = json.loads(text)
            others = tuple(str(tag) for tag in known.pop("others"))
            return cls(**{name: int(value) for name, value in known.items()}, others=others)
        except (ValueError, TypeError, KeyError, AttributeError):
            return None

    def text(self) -> str:
        """Return the mark as one line for a store."""
        return json.dumps(asdict(self))

    def change(self, file: EventFile) -> Change:
        """Return what has happened to the file since."""
        now = (file.size, file.stat.st_mtime_ns, file.stat.st_ino)
        if now == (self.size, self.mtime_ns, self.inode):
            return "untouched"
        if file.size < self.size or _ends(file, self.offset) != (self.head, self.tail):
            return "rewritten"
        return "appended"


def _ends(file: EventFile, offset: int) -> tuple[int, int]:
    count = min(_ENDS, offset)
    return google_crc32c.value(file.read(0, count)), google_crc32c.value(file.read(offset - count, count))
