"""The framing of W&B's `.wandb` files: LevelDB's log with zlib's CRC-32, in blocks of 32 KiB.

A record lies in one chunk or, over several blocks, in a first one, middle ones and a last one. Every checksum is
verified. A run that is going on, or was killed, ends inside a record: that is a torn tail and no damage.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from analyzer.model.run import Note

MAGIC = b":W&B"
BLOCK = 1 << 15  # bytes
_FILE_HEADER = 7  # bytes: the magic, two of a checksum, one of the version
_CHUNK = struct.Struct("<IHB")  # checksum, length, type
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4
_SEEDS = {kind: zlib.crc32(bytes([kind])) for kind in (_FULL, _FIRST, _MIDDLE, _LAST)}
LARGEST = 1 << 27  # bytes of one record


def records(raw: bytes, shown: str, notes: list[Note]) -> Iterator[bytes]:
    """Yield the intact records of a file in their order; `notes` takes what lies between them, and calls it `shown`."""
    at, opened, length = _FILE_HEADER, 0, 0
    parts: list[bytes] = []
    while at < len(raw):
        left = BLOCK - at % BLOCK
        if left < _CHUNK.size:
            at += left
            continue
        chunk = _chunk(raw, at)
        if chunk is None:
            stop = _after(raw, at)
            if stop >= len(raw):
                _torn(opened if parts else at, len(raw), shown, notes)
                return
            notes.append(_damage(opened if parts else at, stop, shown))
            at, parts = stop, []
            continue
        kind, payload = chunk
        if kind in (_FULL, _FIRST):
            if parts:
                notes.append(_damage(opened, at, shown))
            opened, parts, length = at, [], 0
        elif not parts:  # the beginning of this record was damaged, and is named already
            at += _CHUNK.size + len(payload)
            continue
        parts.append(payload)
        length += len(payload)
        at += _CHUNK.size + len(payload)
        if kind in (_FULL, _LAST):
            yield b"".join(parts)
            parts = []
        elif length > LARGEST:
            notes.append(Note("limit", f"{shown}: the record at offset {opened} is too long and was not read", shown))
            parts = []
    if parts:
        _torn(opened, len(raw), shown, notes)


def _chunk(raw: bytes, at: int) -> tuple[int, bytes] | None:
    """Return type and payload of the intact chunk at an offset; None when there is none."""
    if at + _CHUNK.size > len(raw):
        return None
    checksum, size, kind = _CHUNK.unpack_from(raw, at)
    start = at + _CHUNK.size
    if kind not in _SEEDS or size > BLOCK - at % BLOCK - _CHUNK.size or start + size > len(raw):
        return None
    payload = raw[start : start + size]
    return (kind, payload) if zlib.crc32(payload, _SEEDS[kind]) == checksum else None


def _after(raw: bytes, at: int) -> int:
    """Return where to go on behind a chunk that is not intact: the next chunk if it is, else the next block.

    The end of the file when nothing intact follows.
    """
    if at + _CHUNK.size <= len(raw):
        following = at + _CHUNK.size + int.from_bytes(raw[at + 4 : at + 6], "little")
        if following < len(raw) and _chunk(raw, following) is not None:
            return following
    block = (at // BLOCK + 1) * BLOCK
    while block < len(raw) and _chunk(raw, block) is None:
        block += BLOCK
    return min(block, len(raw))


def _torn(start: int, stop: int, shown: str, notes: list[Note]) -> None:
    text = f"{shown}: the last record, at offset {start}, is not complete; its {stop - start} bytes were not read"
    notes.append(Note("torn-tail", text, shown, start, stop - start))


def _damage(start: int, stop: int, shown: str) -> Note:
    text = f"{shown}: {stop - start} bytes at offset {start} are damaged and were left out"
    return Note("damage", text, shown, start, stop - start)
