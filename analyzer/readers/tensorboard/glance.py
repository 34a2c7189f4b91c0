"""A quick look that tells large records without scalars (images, long histograms) without parsing them."""

from __future__ import annotations

_LEAST = 128  # bytes: no offset looked at lies beyond
_LONGEST_TAG = 60
_OTHERS = frozenset({0x1A, 0x22, 0x2A, 0x32})  # Summary.Value: old histogram, image, histogram, audio


def holds_no_scalar(data: memoryview) -> bool:
    """Whether the event is, by its first bytes, one value that is an image, histogram or sound and nothing else.

    False is no answer: parse it. The bytes behind the last length are not looked at, neither does the parser.
    """
    stop = len(data)
    at = _behind_step(data) if stop >= _LEAST and data[0] == 0x09 else 0
    for expected in (0x2A, 0x0A):  # Event.summary, Summary.value
        if not at or data[at] != expected:
            return False
        size, at = _size(data, at + 1)
        if size != stop - at:
            return False
    if data[at] != 0x0A or data[at + 1] > _LONGEST_TAG:
        return False
    at += 2 + data[at + 1]
    size, behind = _size(data, at + 1)
    return data[at] in _OTHERS and size == stop - behind


def _behind_step(data: memoryview) -> int:
    """Return the offset behind wall time and step; 0 when the step has more than nine digits."""
    at = 9
    if data[at] != 0x10:
        return at
    while at < 18:
        at += 1
        if data[at] < 0x80:
            return at + 1
    return 0


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
