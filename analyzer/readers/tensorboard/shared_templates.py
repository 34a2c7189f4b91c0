"""Tags that share a template: records that differ from each other in the tag's bytes alone are distinguished at once.

The tag's words are hashed, hashes looked up, and then the words themselves compared with those of the tag found: a
record never gets a tag that is not written in it, whatever the hashes do.
"""

from __future__ import annotations

import google_crc32c
import numpy as np
from numpy.typing import NDArray

from analyzer.readers.tensorboard.wire import Span

MOST = 1 << 16  # tags remembered; then the list begins anew
_MIX = 0x9E37_79B9_7F4A_7C15  # odd: multiplying by it loses no bit

Words = NDArray[np.uint64]
Ids = NDArray[np.int64]
Differences = dict[int, tuple[Words, int]]
"""By index of an 8-byte word of the records: each record's word xor the template's, and all of these or-ed."""


def masks(span: Span) -> dict[int, int]:
    """Return the bits that a span of bytes takes in each 8-byte word of a record, by the word's index."""
    bits: dict[int, int] = {}
    for place in range(*span):
        bits[place // 8] = bits.get(place // 8, 0) | 0xFF << place % 8 * 8
    return bits


class TagList:
    """The tags met so far in records like `payload`, whose own tag lies at `span`. Ids are indices of `tags`."""

    def __init__(self, payload: bytes, span: Span) -> None:
        self._payload, self._span = payload, span
        self._crc = google_crc32c.value(payload)
        self._masks = {place: np.uint64(mask) for place, mask in masks(span).items()}
        self._factors = [np.uint64(pow(_MIX, i + 1, 1 << 64)) for i in range(len(self._masks))]
        self._forget()

    def _forget(self) -> None:
        self.tags: list[bytes] = []
        self._keys = np.empty(0, np.uint64)
        self._order = np.empty(0, np.int64)
        self._words = np.empty((0, len(self._masks)), np.uint64)
        self.changes = np.empty(0, np.uint32)

    def ids(self, words: Words, differences: Differences) -> Ids | None:
        """Return each record's tag id, -1 where it cannot be told; None when all have the template's own tag.

        `words` are the records, `differences` what they have that the template's record has not.
        """
        keys = self._hashed(differences)
        if keys is None:
            return None
        if len(self.tags) > MOST:
            self._forget()
        ids = self._found(keys)
        if (ids < 0).any():
            self._learn(words, keys, np.flatnonzero(ids < 0))
            ids = self._found(keys)
        same = np.ones(ids.size, bool)
        for column, (place, mask) in enumerate(self._masks.items()):
            same &= (words[:, place] & mask) == self._words[ids, column]
        return np.where(same, ids, -1)

    def _hashed(self, differences: Differences) -> Words | None:
        keys = None
        for factor, (place, mask) in zip(self._factors, self._masks.items(), strict=True):
            difference, seen = differences.get(place, (None, 0))
            if difference is not None and seen & int(mask):
                part = (difference & mask) * factor
                keys = part if keys is None else keys + part
        return keys

    def _found(self, keys: Words) -> Ids:
        if not self._keys.size:
            return np.full(keys.size, -1)
        place = np.minimum(np.searchsorted(self._keys, keys), self._keys.size - 1)
        return np.where(self._keys[place] == keys, self._order[place], -1)

    def _learn(self, words: Words, keys: Words, unknown: Ids) -> None:
        """Enter one tag for each hash that is not known yet."""
        new, first = np.unique(keys[unknown], return_index=True)
        rows = words[unknown[first]]
        start, stop = self._span
        tags = [row[start:stop].tobytes() for row in np.ascontiguousarray(rows).view(np.uint8)]
        before, behind = self._payload[:start], self._payload[stop:]
        changes = [google_crc32c.value(before + tag + behind) ^ self._crc for tag in tags]
        entered = np.stack([rows[:, place] & mask for place, mask in self._masks.items()], axis=1)
        self._words = np.concatenate((self._words, entered))
        self.changes = np.concatenate((self.changes, np.array(changes, np.uint32)))
        merged = np.concatenate((self._keys, new))
        numbered = np.concatenate((self._order, np.arange(len(tags)) + len(self.tags)))
        order = np.argsort(merged)
        self._keys, self._order = merged[order], numbered[order]
        self.tags += tags
