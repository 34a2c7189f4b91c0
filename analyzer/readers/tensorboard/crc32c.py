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


def header_offsets(window: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the offsets at which 8 bytes are followed by their masked checksum and may be a record's length.

    CRC-32C is affine over GF(2): the checksum of 8 bytes is that of 8 zeros, changed by each byte by itself.
    """
    count = window.size - 11
    if count <= 0:
        return np.empty(0, np.int64)
    lengths = np.ndarray((count,), "<u8", window, 0, (1,))
    stored = np.ndarray((count,), "<u4", window, 8, (1,))
    plausible = np.flatnonzero((lengths < np.uint64(1 << 48)) & (lengths | stored != 0))
    crcs = np.full(plausible.size, _LENGTH_ZERO)
    for place in range(6):
        crcs ^= _LENGTH_TABLES[place][window[plausible + place]]
    right: NDArray[np.int64] = plausible[masked_array(crcs) == stored[plausible]]
    return right
