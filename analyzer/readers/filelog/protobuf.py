"""The fields of a protocol buffer, for readers that need a few of them and no schema."""

from __future__ import annotations

import struct
from collections.abc import Iterator

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 63  # bits in front of its last byte
_DOUBLE = struct.Struct("<d")

Field = tuple[int, int | bytes]


class MalformedError(ValueError):
    """The bytes do not decode as a protocol buffer."""


def fields(data: bytes) -> Iterator[Field]:
    """Yield the number and value of each field: varints as int, everything else as bytes. MalformedError."""
    at, end = 0, len(data)
    while at < end:
        key, at = varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, at = varint(data, at)
            yield number, value
            continue
        if wire == _BYTES:
            size, at = varint(data, at)
        elif wire in (_FIXED64, _FIXED32):
            size = 8 if wire == _FIXED64 else 4
        else:
            raise MalformedError(f"wire type {wire}")
        if at + size > end:
            raise MalformedError("a field is longer than what holds it")
        yield number, data[at : at + size]
        at += size


def varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the number at an offset and the offset behind it. MalformedError when it does not end."""
    value = shift = 0
    while at < len(data) and shift <= _LONGEST_VARINT:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise MalformedError("a number does not end")


def zigzag(value: int) -> int:
    """Return the signed number that an unsigned one stands for."""
    return (value >> 1) ^ -(value & 1)


def double(value: bytes) -> float:
    """Return the number in eight bytes. MalformedError for another length."""
    if len(value) != _DOUBLE.size:
        raise MalformedError("a double has eight bytes")
    return float(_DOUBLE.unpack(value)[0])
