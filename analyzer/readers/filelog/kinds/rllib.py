"""RLlib: `result.json`, a nested object for each iteration, and `progress.csv`, the same flat.

`params.json` holds the settings. Rows come again when a training is restored; they are kept as written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from analyzer.readers.filelog import config_files, delimited
from analyzer.readers.filelog.kind import Candidate, Content, Group, LineKind, Listing
from analyzer.readers.filelog.rows import Table

_ITERATION = "training_iteration"
_LIFETIME = ("num_env_steps_sampled_lifetime", "env_runners/num_env_steps_sampled_lifetime")


class RLlib(LineKind):
    """Results of Ray's trainables."""

    name = "rllib"
    names = ("result.json", "progress.csv")
    sides = ("params.json",)
    axes = (*_LIFETIME, "timesteps_total", "num_env_steps_sampled", _ITERATION)
    skip = frozenset({"config", "hist_stats"})
    without = frozenset({"pid"})

    def is_one(self, candidate: Candidate) -> bool:
        """Whether rows count training iterations."""
        return (
            _ITERATION in candidate.header
            or any(_ITERATION in row for row in candidate.objects[:1])
            or (candidate.name == "result.json" and f'"{_ITERATION}"'.encode() in candidate.head)
        )

    def groups(self, listing: Listing) -> Iterator[Group]:
        """Yield a run for each folder, of result.json where it is there."""
        folders: dict[str, list[str]] = defaultdict(list)
        for candidate in listing.candidates(self):
            folders[candidate.folder].append(candidate.path)
        for folder, paths in folders.items():
            first, *others = sorted(paths, key=lambda path: path.endswith(".csv"))
            yield Group(folder, ((first, ""),), self.beside(folder, listing), tuple(others))

    def table(self, raw: bytes, shown: str, content: Content) -> Table:
        """Return the rows of either file."""
        return delimited.parse(raw, shown) if shown.endswith(".csv") else super().table(raw, shown, content)

    def kept(self, found: list[Mapping[str, Any]], content: Content) -> list[Mapping[str, Any]]:
        """Return all rows; the last one says with which settings, and whether the training is done."""
        if found:
            last = found[-1]
            config = last.get("config")
            if isinstance(config, dict):
                content.params = {**config_files.flat(config), **content.params}
            if last.get("done") is True:
                content.declared = "FINISHED"
        return found


KIND = RLlib()
