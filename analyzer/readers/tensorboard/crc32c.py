"""Masked CRC-32C checksums of records (TFRecord: tensorflow/core/lib/hash/crc32c.h)."""

from __future__ import annotations

import google_crc32c
import numpy as np
from numpy.typing import NDArray

_MASK_DELTA = 0xA282EAD8


def masked(crc: int) -> int:
    """Return a checksum as it is stored in a record."""
    return (((crc >> 15) | (crc << 17)) + _MASK_DELTA) & 0xFFFF_FFFF


def checksum(data: bytes | NDArray[np.uint8]) -> int:
    """Return the masked CRC-32C of the bytes."""
    return masked(google_crc32c.value(data))


def extended(crc: int, data: bytes | NDArray[np.uint8]) -> int:
    """Return the unmasked CRC-32C of what `crc` stands for followed by the bytes."""
    return int(google_crc32c.extend(crc, data))


def _length_tables() -> NDArray[np.uint32]:
    """Return, for each of 8 bytes and each value of it, what it changes in the checksum of 8 zero bytes."""
    zero = google_crc32c.value(bytes(8))
    table = np.zeros((8, 256), np.uint32)
    for place in range(8):
        for byte in range(256):
            message = bytearray(8)
            message[place] = byte
            table[place, byte] = google_crc32c.value(bytes(message)) ^ zero
    return table


_LENGTH_TABLES = _length_tables()
_LENGTH_ZERO = np.uint32(google_crc32c.value(bytes(8)))


def masked_array(crcs: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return checksums as they are stored in records."""
    return ((crcs >> np.uint32(15)) | (crcs << np.uint32(17))) + np.uint32(_MASK_DELTA)


def of_lengths(lengths: NDArray[np.int64]) -> NDArray[np.uint32]:
    """Return the masked checksums of lengths written as 8 bytes.

    CRC-32C is affine over GF(2): the checksum of 8 bytes is that of 8 zeros, changed by each byte by itself.
    """
    data = np.ascontiguousarray(lengths, "<i8").view(np.uint8).reshape(-1, 8)
    crcs = np.full(lengths.size, _LENGTH_ZERO)
    for place in range((int(np.bitwise_or.reduce(lengths)).bit_length() + 7) // 8 if (lengths >= 0).all() else 8):
        crcs ^= _LENGTH_TABLES[place].take(data[:, place])
    return masked_array(crcs)


def header_offsets(window: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the offsets at which 8 bytes are followed by their masked checksum and may be a record's length."""
    count = window.size - 11
    if count <= 0:
        return np.empty(0, np.int64)
    lengths = np.ndarray((count,), "<i8", window.data, 0, (1,))
    stored = np.ndarray((count,), "<u4", window.data, 8, (1,))
    plausible = np.flatnonzero((lengths >= 0) & (lengths < 1 << 48) & ((lengths != 0) | (stored != 0)))
    right: NDArray[np.int64] = plausible[of_lengths(lengths[plausible]) == stored[plausible]]
    return right


def _distance_tables(count: int) -> list[NDArray[np.uint32]]:
    """Return, for a byte that `count`, … 0 bytes follow, what each value of it changes in a checksum; last first."""
    last = _LENGTH_TABLES[7]
    tables = [last]
    while len(tables) < count:
        before = tables[-1]
        tables.append((before >> np.uint32(8)) ^ last[before & np.uint32(0xFF)])
    return tables


_DISTANCES: list[NDArray[np.uint32]] = []


def change_table(distance: int) -> NDArray[np.uint32]:
    """Return uint32[256]: what a byte that differs by (xor) i changes in a checksum when `distance` bytes follow it."""
    if distance >= len(_DISTANCES):
        _DISTANCES[:] = _distance_tables(max(512, 2 * distance))
    return _DISTANCES[distance]
