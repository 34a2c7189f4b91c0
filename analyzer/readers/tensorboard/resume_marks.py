"""What is remembered of an event file between two readings, to read only what was appended since.

A file counts as the same one grown when it is not shorter than before and the first and the last 4 KiB of what was read
still have the same checksums; size, time and inode alone tell that it was not touched at all. Everything else is a
rewritten file, to be read from its beginning.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal, Self, get_args

import google_crc32c

from analyzer.readers.tensorboard.files import EventFile
from analyzer.readers.tensorboard.points import Standing

_ENDS = 4096
_STANDINGS: dict[str, Standing] = {standing: standing for standing in get_args(Standing)}

Change = Literal["untouched", "appended", "rewritten"]


@dataclass(frozen=True, slots=True)
class FileMark:
    """A file that has been read up to `offset`; `head` and `tail` are checksums of both ends of that part.

    `first_wall` is the wall time of the first intact record; `tags` is what is known of tags (latin-1) with tensors.
    """

    size: int
    mtime_ns: int
    inode: int
    offset: int
    head: int
    tail: int
    first_wall: float | None = None
    tags: tuple[tuple[str, Standing], ...] = ()

    @property
    def standings(self) -> dict[bytes, Standing]:
        """What is known of tags that have tensors."""
        return {tag.encode("latin-1"): standing for tag, standing in self.tags}

    @classmethod
    def of(
        cls,
        file: EventFile,
        offset: int,
        first_wall: float | None = None,
        standings: Mapping[bytes, Standing] | None = None,
    ) -> Self:
        """Return the mark of an open file that has been read up to `offset`. ShrunkError when that much is gone."""
        head, tail = _ends(file, offset)
        tags = tuple(sorted((tag.decode("latin-1"), standing) for tag, standing in (standings or {}).items()))
        return cls(file.size, file.stat.st_mtime_ns, file.stat.st_ino, offset, head, tail, first_wall, tags)

    @classmethod
    def parsed(cls, text: str) -> Self | None:
        """Return the mark that text() wrote; None for anything else."""
        try:
            known = json.loads(text)
            tags = tuple((str(tag), _STANDINGS[standing]) for tag, standing in known.pop("tags"))
            wall = known.pop("first_wall")
            numbers = {name: int(value) for name, value in known.items()}
            return cls(**numbers, first_wall=None if wall is None else float(wall), tags=tags)
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
