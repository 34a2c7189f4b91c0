"""Holes of sparse files: stretches that were never written, read as zero bytes, and that need not be read at all."""

from __future__ import annotations

import errno
import os

MOST_STRETCHES = 10_000
"""Stretches of data that are looked through for the last one; a file that has more is read to its end."""


def next_data(handle: int, at: int, size: int) -> int:
    """Return the first offset from `at` on that holds data, `size` when none does; `at` where no system can tell.

    The position of the file stays where it is.
    """
    if not hasattr(os, "SEEK_DATA") or at >= size:
        return at
    place = os.lseek(handle, 0, os.SEEK_CUR)
    try:
        return min(size, os.lseek(handle, at, os.SEEK_DATA))
    except OSError as error:
        return size if error.errno == errno.ENXIO else at
    finally:
        os.lseek(handle, place, os.SEEK_SET)


def end_of_data(handle: int, size: int) -> int:
    """Return where a hole begins that reaches to the end of the file; `size` when there is none."""
    end = 0
    for _ in range(MOST_STRETCHES):
        begin = next_data(handle, end, size)
        if begin >= size:
            return end
        end = _hole(handle, begin, size)
        if end <= begin or end >= size:
            return size
    return size


def _hole(handle: int, at: int, size: int) -> int:
    """Return the first offset from `at` on that begins a hole, `size` where no system can tell."""
    place = os.lseek(handle, 0, os.SEEK_CUR)
    try:
        return os.lseek(handle, at, os.SEEK_HOLE)
    except (OSError, AttributeError):
        return size
    finally:
        os.lseek(handle, place, os.SEEK_SET)
