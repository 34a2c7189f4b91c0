"""Points of one event file by tag, put back into the order written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from analyzer.readers.tensorboard.wire import Metadata

Standing = Literal["scalar", "other", "unsaid", "open"]
"""What is known of a tag whose values are tensors: its first metadata calls them scalars, calls them something else, or
does not say; *open* when there was no metadata yet."""


@dataclass(frozen=True, slots=True)
class Points:
    """Points of one tag, one array element each: `at` is the offset in the file, ascending."""

    at: NDArray[np.int64]
    steps: NDArray[np.int64]
    values: NDArray[np.float64]
    wall_times: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Curve:
    """All points of one tag in one file, in the order written; `begins` is the offset of the first."""

    begins: int
    steps: NDArray[np.int64]
    values: NDArray[np.float64]
    wall_times: NDArray[np.float64]


@dataclass
class _Column:
    batches: list[Points] = field(default_factory=list)
    loose: list[tuple[int, int, float, float]] = field(default_factory=list)

    def settled(self) -> list[Points]:
        """Return the batches, each ascending in `at`."""
        if not self.loose:
            return self.batches
        at, steps, values, walls = zip(*sorted(self.loose), strict=True)
        loose = Points(
            np.array(at, np.int64), np.array(steps, np.int64), np.array(values, float), np.array(walls, float)
        )
        return [*self.batches, loose]


def _curve(batches: list[Points]) -> Curve:
    if len(batches) == 1:
        return Curve(int(batches[0].at[0]), batches[0].steps, batches[0].values, batches[0].wall_times)
    batches = sorted(batches, key=lambda batch: int(batch.at[0]))
    begins = int(batches[0].at[0])
    steps = np.concatenate([batch.steps for batch in batches])
    values = np.concatenate([batch.values for batch in batches])
    walls = np.concatenate([batch.wall_times for batch in batches])
    if all(earlier.at[-1] < later.at[0] for earlier, later in pairwise(batches)):
        return Curve(begins, steps, values, walls)
    order = np.argsort(np.concatenate([batch.at for batch in batches]), kind="stable")
    return Curve(begins, steps[order], values[order], walls[order])


class Columns:
    """Gathers the points of one file, from whole batches and one by one, in any order.

    A tensor is a scalar only when its tag's plugin is *scalars* or not known (its first record, which alone says
    so, may be lost); this is settled at the end.
    """

    def __init__(self, standings: Mapping[bytes, Standing] | None = None) -> None:
        self._before = dict(standings or {})
        self._simple: dict[bytes, _Column] = {}
        self._tensor: dict[bytes, _Column] = {}
        self._metadata: dict[bytes, tuple[int, Metadata]] = {}
        self.odd: dict[bytes, tuple[int, int, str]] = {}

    def add(self, tag: bytes, tensor: bool, point: tuple[int, int, float, float]) -> None:
        """Add one point: offset in the file, step, value, wall time."""
        self._column(tag, tensor).loose.append(point)

    def add_batch(self, tag: bytes, tensor: bool, points: Points) -> None:
        """Add many points of one tag, ascending in `at`."""
        self._column(tag, tensor).batches.append(points)

    def add_metadata(self, tag: bytes, at: int, metadata: Metadata) -> None:
        """Keep what the record at offset `at` says of a tag; the first record of the file counts."""
        known = self._metadata.get(tag)
        if known is None or at < known[0]:
            self._metadata[tag] = (at, metadata)

    def add_odd(self, tag: bytes, at: int, why: str, count: int = 1) -> None:
        """Count tensors that hold no scalar; the first one's offset and reason are kept."""
        first, before, reason = self.odd.get(tag, (at, 0, why))
        self.odd[tag] = (min(first, at), before + count, why if at < first else reason)

    def standing(self, tag: bytes) -> Standing:
        """Return what is known of the tag, from an earlier reading or from this one."""
        before = self._before.get(tag, "open")
        if before != "open" or tag not in self._metadata:
            return before
        metadata = self._metadata[tag][1]
        if not (metadata.plugin or metadata.data_class):
            return "unsaid"
        return "scalar" if metadata.plugin == b"scalars" or metadata.data_class == 1 else "other"

    def standings(self) -> dict[bytes, Standing]:
        """Return what is known of every tag that has metadata or tensors, here or before."""
        tags = dict.fromkeys((*self._before, *self._metadata, *self._tensor, *self.odd))
        return {tag: self.standing(tag) for tag in tags}

    def settles_the_past(self) -> bool:
        """Whether metadata has come for a tag that an earlier reading had to leave open: it must be read again."""
        return any(before == "open" and tag in self._metadata for tag, before in self._before.items())

    def curves(self) -> dict[bytes, Curve]:
        """Return all points by tag; tags in the order in which they first appear."""
        curves: dict[bytes, Curve] = {}
        for tag in self._simple.keys() | self._tensor.keys():
            batches = self._simple[tag].settled() if tag in self._simple else []
            if tag in self._tensor and self.standing(tag) != "other":
                batches = batches + self._tensor[tag].settled()
            if batches:
                curves[tag] = _curve(batches)
        return dict(sorted(curves.items(), key=lambda item: item[1].begins))

    def _column(self, tag: bytes, tensor: bool) -> _Column:
        table = self._tensor if tensor else self._simple
        column = table.get(tag)
        if column is None:
            column = table[tag] = _Column()
        return column
