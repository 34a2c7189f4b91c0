"""A quick look that tells records without scalars (images, long histograms) without parsing them, many at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analyzer.readers.tensorboard.files import Bytes
from analyzer.readers.tensorboard.templates import Indices

_LEAST = 128  # bytes: no offset looked at lies beyond
_LONGEST_TAG = 60
_MOST_DIGITS = 9  # of a step
_EVENT_TIME, _EVENT_STEP, _EVENT_SUMMARY, _SUMMARY_VALUE, _VALUE_TAG = 0x09, 0x10, 0x2A, 0x0A, 0x0A
_OTHERS = np.zeros(256, bool)
_OTHERS[[0x1A, 0x22, 0x2A, 0x32]] = True  # Summary.Value: old histogram, image, histogram, audio


def without_scalar(buffer: Bytes, starts: Indices, stops: Indices) -> NDArray[np.bool_]:
    """Return whether each event, by its first bytes, is one image, histogram or sound and nothing else.

    False is no answer: parse it. The bytes behind the last length are not looked at, neither does the parser.
    """
    found = np.zeros(starts.size, bool)
    long = np.flatnonzero(stops - starts >= _LEAST)
    if long.size:
        found[long] = _alone(buffer, starts[long], stops[long])
    return found


def _alone(buffer: Bytes, at: Indices, stops: Indices) -> NDArray[np.bool_]:
    right: NDArray[np.bool_] = buffer[at] == _EVENT_TIME
    at = at + 9
    at, ended = _behind_step(buffer, at)
    right &= ended
    for expected in (_EVENT_SUMMARY, _SUMMARY_VALUE):
        right &= buffer[at] == expected
        sizes, at = _sizes(buffer, at + 1)
        right &= sizes == stops - at
    tag_sizes = np.minimum(buffer[at + 1], _LONGEST_TAG + 1)
    right &= (buffer[at] == _VALUE_TAG) & (tag_sizes <= _LONGEST_TAG)
    at = at + 2 + tag_sizes
    right &= _OTHERS[buffer[at]]
    sizes, behind = _sizes(buffer, at + 1)
    right &= sizes == stops - behind
    return right


def _behind_step(buffer: Bytes, at: Indices) -> tuple[Indices, NDArray[np.bool_]]:
    """Return the offsets behind the steps that lie at `at`, if any do, and whether each of them ended in time."""
    goes_on = buffer[at] == _EVENT_STEP
    at = at + goes_on
    for _ in range(_MOST_DIGITS):
        at = at + goes_on
        goes_on = goes_on & (buffer[at - 1] >= 0x80)
        if not goes_on.any():
            break
    return at, ~goes_on


def _sizes(buffer: Bytes, at: Indices) -> tuple[Indices, Indices]:
    """Return the lengths (varints) at the offsets and the offsets behind them; -1 for those of 256 MiB or more."""
    word = np.ndarray((buffer.size - 3,), "<u4", buffer.data, 0, (1,))[at].astype(np.int64)
    last = ~word & 0x80808080
    last &= -last  # the bit that ends the number: its byte is the last one
    word &= 2 * last - 1
    sizes = word & 0x7F | word >> 1 & 0x3F80 | word >> 2 & 0x1FC000 | word >> 3 & 0xFE00000
    width = 1 + (last > 0x80) + (last > 0x8000) + (last > 0x800000)
    return np.where(last == 0, -1, sizes), at + width
