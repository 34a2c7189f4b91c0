"""Seed noise out of the state file of audits: the last values of runs that it still knows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from analyzer.auditing.cross_run.run_settings import constants
from analyzer.auditing.cross_run.sweeps import ended
from analyzer.auditing.state.store import State
from analyzer.comparing.noise_pool import LEAST, seed_noise_from
from analyzer.comparing.subject import Subject, identity_of
from analyzer.errors import StateError
from analyzer.model.comparison import SeedNoise
from analyzer.model.result import Result

SAME_END = 0.02  # of the longest: runs of a group that end further apart were not trained equally long


class Remembered:
    """The runs of a state file, read when their noise is first asked for."""

    def __init__(self, path: Path) -> None:
        """Remember where the state is. StateError when there is none."""
        if not path.is_file():
            raise StateError(f"{path}: there is no state yet; posthoc audit --state writes one, or leave --state out")
        self._path = path
        self._results: list[Result] | None = None

    def noise(self, tag: str, own: Sequence[Subject]) -> SeedNoise | None:
        """Return the seed noise of a metric in groups of the same experiments and settings, `own` left out."""
        if self._results is None:
            with State(self._path) as state:
                self._results = [row.result for row in state.rows()]
        mine = {subject.identity for subject in own}
        experiments = {subject.run.experiment for subject in own}
        groups: dict[tuple[str, str, frozenset[tuple[str, str]]], list[tuple[float, float]]] = {}
        for result in self._results:
            if not ended(result) or result.experiment not in experiments:
                continue
            if identity_of(result.location, result.run) in mine:
                continue
            row = next((r for r in result.series if r.tag == tag and r.last is not None and np.isfinite(r.last)), None)
            if row is not None and row.last is not None:
                key = (result.experiment, result.run.rpartition("/")[0], constants(result))
                groups.setdefault(key, []).append((float(row.last_step or 0), row.last))
        rows = [(key[1] or key[0], len(group), *_spread(group)) for key, group in groups.items() if _alike(group)]
        return seed_noise_from(tag, rows) if rows else None


def _alike(group: Sequence[tuple[float, float]]) -> bool:
    ends = [end for end, _ in group]
    return len(group) >= LEAST and max(ends) - min(ends) <= SAME_END * max(ends)


def _spread(group: Sequence[tuple[float, float]]) -> tuple[float, float]:
    values = np.array([value for _, value in group])
    return float(values.mean()), float(values.std(ddof=1))
