"""The framing of W&B's `.wandb` files: LevelDB's log with zlib's CRC-32, in blocks of 32 KiB.

A record lies in one chunk or, over several blocks, in a first one, middle ones and a last one. Every checksum is
verified. A run that is going on, or was killed, ends inside a record: that is a torn tail and no damage.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import numpy as np

from analyzer.model.run import Note

MAGIC = b":W&B"
BLOCK = 1 << 15  # bytes
_FILE_HEADER = 7  # bytes: the magic, two of a checksum, one of the version
_CHUNK = struct.Struct("<IHB")  # checksum, length, type
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4
_SEEDS = {kind: zlib.crc32(bytes([kind])) for kind in (_FULL, _FIRST, _MIDDLE, _LAST)}
LARGEST = 1 << 27  # bytes of one record
MOST_SUMMED = 1 << 30  # bytes summed in search of what follows damage in one file: about a second


def records(raw: bytes, shown: str, notes: list[Note]) -> Iterator[bytes]:
    """Yield the intact records of a file in their order; `notes` takes what lies between them, and calls it `shown`.

    Where blocks begin is of no account: bytes that were lost or put in shift all that follow.
    """
    at, opened, length = _FILE_HEADER, 0, 0
    search = _Search(raw)
    parts: list[bytes] = []
    while at < len(raw):
        chunk = _chunk(raw, at)
        if chunk is None:
            start, stop = opened if parts else at, search.next_chunk(at)
            if stop < len(raw) and stop - at < _CHUNK.size and not any(raw[at:stop]):
                at = stop  # zeros that fill a block up
                continue
            if stop == len(raw) and _is_cut(raw, at):
                _torn(start, len(raw), shown, notes)
                return
            notes.append(_damage(start, stop, shown))
            at, parts = stop, []
            continue
        kind, payload = chunk
        if kind in (_FULL, _FIRST):
            if parts:
                notes.append(_damage(opened, at, shown))
            opened, parts, length = at, [], 0
        at += _CHUNK.size + len(payload)
        if kind in (_MIDDLE, _LAST) and not parts:
            continue  # the beginning of this record was damaged, and is named already
        parts.append(payload)
        length += len(payload)
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
    if kind not in _SEEDS or size > BLOCK - _CHUNK.size or start + size > len(raw):
        return None
    payload = raw[start : start + size]
    return (kind, payload) if zlib.crc32(payload, _SEEDS[kind]) == checksum else None


def _is_cut(raw: bytes, at: int) -> bool:
    """Whether what begins at an offset goes on behind the end of the file, or was never written (zeros)."""
    if at + _CHUNK.size > len(raw) or not any(raw[at:]):
        return True
    _, size, kind = _CHUNK.unpack_from(raw, at)
    return kind in _SEEDS and size <= BLOCK - _CHUNK.size and at + _CHUNK.size + size > len(raw)


class _Search:
    """The search for intact chunks behind damage, within one allowance for the whole file.

    Every offset is tried whose length and type are possible, until as many bytes have been summed as are allowed; then
    the beginnings of blocks only.
    """

    def __init__(self, raw: bytes) -> None:
        self._raw, self._allowed = raw, MOST_SUMMED
        self._bytes = np.frombuffer(raw, np.uint8)

    def next_chunk(self, at: int) -> int:
        """Return the offset of the next intact chunk behind one that is not; the end of the file without one."""
        raw = self._raw
        for start in range(at + 1, len(raw), BLOCK):
            kinds = self._bytes[start + 6 : start + 6 + BLOCK]
            for offset in (np.flatnonzero((kinds >= _FULL) & (kinds <= _LAST)) + start).tolist():
                if self._allowed < 0 and offset % BLOCK:
                    continue
                self._allowed -= raw[offset + 4] | raw[offset + 5] << 8
                if _chunk(raw, offset) is not None:
                    return offset
        return len(raw)


def _torn(start: int, stop: int, shown: str, notes: list[Note]) -> None:
    text = f"{shown}: the last record, at offset {start}, is not complete; its {stop - start} bytes were not read"
    notes.append(Note("torn-tail", text, shown, start, stop - start))


def _damage(start: int, stop: int, shown: str) -> Note:
    text = f"{shown}: {stop - start} bytes at offset {start} are damaged and were left out"
    return Note("damage", text, shown, start, stop - start)
