"""What is remembered of an event file between two readings, to read only what was appended since.

A file counts as the same one grown when it is not shorter than before and the first and the last 4 KiB of what was read
still have the same checksums; size, time and inode alone tell that it was not touched at all. Everything else is a
rewritten file, to be read from its beginning.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal, Self

import google_crc32c

from analyzer.readers.tensorboard.files import EventFile

_ENDS = 4096

Change = Literal["untouched", "appended", "rewritten"]


@dataclass(frozen=True, slots=True)
class FileMark:
    """A file that has been read up to `offset`; `scalars` and `others` are tags (latin-1) whose
    first metadata says that their tensors are scalars, or are none.
    """

    size: int
    mtime_ns: int
    inode: int
    offset: int
    head: int
    tail: int
    scalars: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def decided(self) -> dict[bytes, bool]:
        """For each of these tags whether its tensors are scalars."""
        pairs = ((self.scalars, True), (self.others, False))
        return {tag.encode("latin-1"): scalar for tags, scalar in pairs for tag in tags}

    @classmethod
    def of(cls, file: EventFile, offset: int, decided: Mapping[bytes, bool] | None = None) -> Self:
        """Return the mark of an open file that has been read up to `offset`. ShrunkError when that much is gone."""
        head, tail = _ends(file, offset)
        return cls(file.size, file.stat.st_mtime_ns, file.stat.st_ino, offset, head, tail, *_by_decision(decided or {}))

    @classmethod
    def parsed(cls, text: str) -> Self | None:
        """Return the mark that text() wrote; None for anything else."""
        try:
            known = json.loads(text)
            scalars, others = (tuple(str(tag) for tag in known.pop(name)) for name in ("scalars", "others"))
            return cls(**{name: int(value) for name, value in known.items()}, scalars=scalars, others=others)
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


def _by_decision(decided: Mapping[bytes, bool]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    scalars, others = (
        tuple(sorted(tag.decode("latin-1") for tag, scalar in decided.items() if scalar is wanted))
        for wanted in (True, False)
    )
    return scalars, others


def _ends(file: EventFile, offset: int) -> tuple[int, int]:
    count = min(_ENDS, offset)
    return google_crc32c.value(file.read(0, count)), google_crc32c.value(file.read(offset - count, count))
