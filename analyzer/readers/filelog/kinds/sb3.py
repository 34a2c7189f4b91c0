"""Stable-Baselines: `progress.csv` of its logger and `monitor.csv` of its environments.

The header of progress.csv grows with new keys, and earlier lines get commas. A monitor file begins with a JSON comment
and has a row per episode: reward `r`, length `l`, seconds `t` since `t_start`; one file per environment, and the steps
of an environment are the lengths of its episodes so far.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from analyzer.readers.filelog import delimited
from analyzer.readers.filelog.json_rows import numbers_of
from analyzer.readers.filelog.kind import Candidate, Content, Group, Listing, TableKind
from analyzer.readers.filelog.kinds.csv import is_training
from analyzer.readers.filelog.rows import Axis, Column, Table, counts

_MONITOR = "monitor.csv"
_MONITORED = ("r", "l", "t")
_AXES = ("time/total_timesteps", "total_timesteps", "total timesteps", "misc/total_timesteps", "time/iterations")
_START = "t_start"


class StableBaselines(TableKind):
    """One run a folder: the logger's table, and the episodes of all environments."""

    name = "sb3"
    names = ("progress.csv", "*monitor.csv")
    axes = _AXES
    without = frozenset({"l", "t"})

    def is_one(self, candidate: Candidate) -> bool:
        """Whether it is a monitor's file by its first line, or a logger's table of a training."""
        if candidate.name.lower().endswith(_MONITOR) or candidate.text.startswith("#{"):
            return candidate.text.lstrip().startswith("#{") and set(candidate.header[:3]) == {*_MONITORED}
        header = candidate.header
        if "training_iteration" in header:
            return False
        ours = any(name.startswith(("rollout/", "time/", "train/")) for name in header)
        return (ours or candidate.name.lower() == "progress.csv") and is_training(candidate.table)

    def groups(self, listing: Listing) -> Iterator[Group]:
        """Yield a run for each folder."""
        folders: dict[str, list[str]] = defaultdict(list)
        for candidate in listing.candidates(self):
            folders[candidate.folder].append(candidate.path)
        for folder, paths in folders.items():
            monitors = [path for path in paths if path.lower().endswith(_MONITOR)]
            table = [path for path in paths if path not in monitors]
            prefixes = [f"{path.rpartition('/')[2][: -len(_MONITOR)].strip('._-') or 'monitor'}/" for path in monitors]
            if len(monitors) == 1:
                prefixes = ["monitor/" if table else ""]
            files = [(path, "") for path in table] + list(zip(monitors, prefixes, strict=True))
            reason = "the episodes of all environments are read as one training" if len(monitors) > 1 else ""
            yield Group(folder, tuple(files), reason=f"{folder or '.'}: {reason}" if reason else "")

    def table(self, raw: bytes, shown: str, content: Content) -> Table:
        """Return the rows; what a monitor says of its environment becomes parameters."""
        table = delimited.parse(raw, shown)
        for comment in table.preamble:
            try:
                said = json.loads(comment.removeprefix("#"))
            except (ValueError, RecursionError):
                continue
            if isinstance(said, dict):
                table.start = numbers_of(said).get(_START, np.nan)
                content.params |= {key: value for key, value in said.items() if key != _START}
        return table

    def axis(self, table: Table) -> Axis:
        """Return an environment's steps so far, or the logger's."""
        lengths = table.columns.get("l")
        if lengths is None or not _is_monitor(table) or not counts(lengths):
            return super().axis(table)
        steps = np.zeros(table.size)
        steps[lengths.at] = lengths.values
        total = Column(np.arange(table.size), np.cumsum(steps))
        return Axis(total.values.astype(np.int64), frozenset({"l"})) if counts(total) else super().axis(table)

    def walls(self, table: Table) -> tuple[NDArray[np.float64], frozenset[str]]:
        """Return the times of episodes, which a monitor counts from its start."""
        if not _is_monitor(table):
            return super().walls(table)
        walls = np.full(table.size, np.nan)
        with np.errstate(over="ignore", invalid="ignore"):  # what is no number then is no time
            walls[table.columns["t"].at] = table.columns["t"].values + table.start
        return walls, frozenset({"t"})


def _is_monitor(table: Table) -> bool:
    return bool(table.preamble) and all(name in table.columns for name in _MONITORED)


KIND = StableBaselines()
