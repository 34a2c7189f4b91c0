"""Points of one event file by tag, put back into the order written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from analyzer.readers.tensorboard.wire import Metadata


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

    def __init__(self, decided: Mapping[bytes, bool] | None = None) -> None:
        self._decided = dict(decided or {})
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

    def plugin_is_scalar(self, tag: bytes) -> bool | None:
        """Whether the tag's metadata says that its tensors are scalars; None when it says nothing."""
        if tag in self._decided:
            return self._decided[tag]
        known = self._metadata[tag][1] if tag in self._metadata else None
        if known is None or not (known.plugin or known.data_class):
            return None
        return known.plugin == b"scalars" or known.data_class == 1

    def decided(self) -> dict[bytes, bool]:
        """Return for every tag whose first metadata is known whether its tensors are scalars."""
        found = {tag: self.plugin_is_scalar(tag) for tag in (*self._decided, *self._metadata)}
        return {tag: scalar for tag, scalar in found.items() if scalar is not None}

    def curves(self) -> dict[bytes, Curve]:
        """Return all points by tag; tags in the order in which they first appear."""
        curves: dict[bytes, Curve] = {}
        for tag in self._simple.keys() | self._tensor.keys():
            batches = self._simple[tag].settled() if tag in self._simple else []
            if tag in self._tensor and self.plugin_is_scalar(tag) is not False:
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
