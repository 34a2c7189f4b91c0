"""How the bytes of a fuzzer become what a target needs: numbers, values of a database, a changed file, a long text."""

from __future__ import annotations

import struct

LONGEST = 1 << 15  # bytes that a short input may stand for
WORDS = (b"NaN", b"loss", b"step", b"1", b"0", b"a", b'{"loss": 1}', b"FINISHED")
Value = None | int | float | str | bytes


class Taken:
    """Takes values off the front of an input; behind its end everything is 0."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def __bool__(self) -> bool:
        return self.at < len(self.data)

    def bytes(self, size: int) -> bytes:
        """Return at most so many bytes."""
        found = self.data[self.at : self.at + size]
        self.at += size
        return found

    def rest(self) -> bytes:
        """Return all that is left."""
        return self.bytes(max(0, len(self.data) - self.at))

    def number(self, size: int = 1) -> int:
        """Return the unsigned number in so many bytes."""
        return int.from_bytes(self.bytes(size), "little")

    def piece(self) -> bytes:
        """Return the bytes whose number stands in front of them."""
        return self.bytes(self.number())

    def value(self) -> Value:
        """Return a value of any type that sqlite keeps. A bytearray stands for text whose bytes are not checked."""
        kind = self.number() % 8
        if kind == 0:
            return None
        if kind == 1:
            return self.number()
        if kind == 2:
            return struct.unpack("<q", self.bytes(8).ljust(8, b"\0"))[0]
        if kind == 3:
            return struct.unpack("<d", self.bytes(8).ljust(8, b"\0"))[0]
        if kind == 4:
            return WORDS[self.number() % len(WORDS)].decode()
        if kind == 5:
            return self.piece()
        return bytearray(self.piece())


def edited(base: bytes, edits: Taken) -> bytes:
    """Return `base` with pieces of it replaced: where, how many bytes go, which come instead."""
    changed = bytearray(base)
    while edits and len(changed) < LONGEST + len(base):
        at, gone = edits.number(2) % (len(changed) + 1), edits.number()
        changed[at : at + gone] = edits.piece()
    return bytes(changed)


def grown(data: bytes) -> bytes:
    """Return the input behind its first byte, or for large ones a piece of it repeated: what is slow shows then."""
    taken = Taken(data)
    first = taken.number()
    if first < 0xE0:
        return taken.rest()
    before, piece = taken.piece(), taken.piece()
    return before + piece * min(1 << (first & 15), LONGEST // max(1, len(piece))) + taken.rest()


def growing(before: bytes, piece: bytes, times: int, behind: bytes = b"") -> bytes:
    """Return the input from which grown() makes `before`, so many (a power of 2) pieces, and `behind`."""
    power = bytes([0xE0 + times.bit_length() - 1])
    return power + bytes([len(before)]) + before + bytes([len(piece)]) + piece + behind
