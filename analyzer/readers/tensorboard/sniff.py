"""A look at the beginning of event files, to tell what they are without reading them."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from pathlib import Path

from analyzer.readers.display_names import shown_bytes
from analyzer.readers.tensorboard import crc32c, wire
from analyzer.readers.tensorboard.files import EventFile
from analyzer.readers.tensorboard.framing import FOOTER, HEADER
from analyzer.readers.tensorboard.hparams import EXPERIMENT, SESSION_START
from analyzer.readers.tensorboard.layout import Peek

PEEKED = 1 << 14
"""Bytes of a file that are looked at."""

LOOKED_AT = 8
"""Files of a folder that are looked at."""

_ENOUGH = 40  # values after which a tag that came alone so far counts as the only one
_SMALL = 1 << 16  # bytes of the file that add_hparams() writes: a session and one value per metric


def peeked(paths: Sequence[Path]) -> Peek:
    """Return what the first records of a folder's files tell; nothing when they cannot be read."""
    heads = []
    for path in paths[:LOOKED_AT]:
        try:
            with EventFile(path) as file:
                heads.append((file.read(0, min(file.size, PEEKED)).tobytes(), file.size))
        except OSError:
            continue
    return peek_of(heads, alone=len(paths) == 1)


def peek_of(heads: Sequence[tuple[bytes, int]], *, alone: bool) -> Peek:
    """Return what the beginnings of a folder's files tell, each with the size of its file."""
    tags = [tag for head, _ in heads for tag in _tags(head)]
    small = alone and all(size <= _SMALL for _, size in heads)
    session = small and {EXPERIMENT, SESSION_START} <= set(tags[:3])
    began = min((wall for head, _ in heads if (wall := _began(head)) is not None), default=None)
    return Peek(frozenset(shown_bytes(tag) for tag in tags), session, began)


def begins_records(path: Path) -> bool:
    """Whether the file begins with a record's length and the length's right checksum."""
    try:
        with EventFile(path) as file:
            head = file.read(0, min(file.size, HEADER)).tobytes()
    except OSError:
        return False
    return len(head) == HEADER and crc32c.checksum(head[:8]) == int.from_bytes(head[8:], "little")


def _began(head: bytes) -> float | None:
    """Return the wall time of the first record, None where there is no whole one or its time says nothing."""
    length = int.from_bytes(head[:8], "little")
    if len(head) < HEADER or HEADER + length > len(head):
        return None
    try:
        at = wire.parse_event(head, HEADER, HEADER + length).wall_time
    except wire.MalformedError:
        return None
    wall = struct.unpack_from("<d", head, at)[0] if at is not None else 0.0
    return float(wall) if math.isfinite(wall) and wall > 0 else None


def _tags(head: bytes) -> list[bytes]:
    tags: list[bytes] = []
    at = 0
    while at + HEADER <= len(head) and len(tags) < _ENOUGH and (len(tags) < 3 or len(set(tags)) < 2):
        length = int.from_bytes(head[at : at + 8], "little")
        start, stop = at + HEADER, at + HEADER + length
        if stop > len(head) or crc32c.checksum(head[at : at + 8]) != int.from_bytes(head[at + 8 : start], "little"):
            break
        try:
            tags += [head[slice(*value.tag)] for value in wire.parse_event(head, start, stop).values]
        except wire.MalformedError:
            break
        at = stop + FOOTER
    return tags
