"""A quick look that tells large records without scalars (images, long histograms) without parsing them."""

from __future__ import annotations

_LEAST = 128  # bytes: no offset looked at lies beyond
_LONGEST_TAG = 60
_OTHERS = frozenset({0x1A, 0x22, 0x2A, 0x32})  # Summary.Value: old histogram, image, histogram, audio


def holds_no_scalar(data: memoryview, at: int, stop: int) -> bool:
    """Whether the event in data[at:stop] is, by its first bytes, one image, histogram or sound and nothing else.

    False is no answer: parse it. The bytes behind the last length are not looked at, neither does the parser.
    """
    if stop - at < _LEAST or data[at] != 0x09:
        return False
    at += 9
    if data[at] == 0x10:  # the step: up to nine digits
        last = at + 9
        at += 1
        while data[at] >= 0x80 and at < last:
            at += 1
        if data[at] >= 0x80:
            return False
        at += 1
    for expected in (0x2A, 0x0A):  # Event.summary, Summary.value
        if data[at] != expected:
            return False
        size, at = _size(data, at + 1)
        if size != stop - at:
            return False
    if data[at] != 0x0A or data[at + 1] > _LONGEST_TAG:
        return False
    at += 2 + data[at + 1]
    size, behind = _size(data, at + 1)
    return data[at] in _OTHERS and size == stop - behind


def _size(data: memoryview, at: int) -> tuple[int, int]:
    """Return the length at `at` and the offset behind it; of lengths up to 2 MiB, for longer ones 0."""
    size = data[at]
    if size < 0x80:
        return size, at + 1
    second = data[at + 1]
    if second < 0x80:
        return size + (second << 7) - 0x80, at + 2
    third = data[at + 2]
    return size + (second << 7) + (third << 14) - 0x4080 if third < 0x80 else 0, at + 3
