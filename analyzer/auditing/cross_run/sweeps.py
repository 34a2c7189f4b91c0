"""Which runs belong together: trainings of one thing under settings that vary.

MLflow: the runs of an experiment. Elsewhere a sweep is the deepest folder below which eight runs or more lie and some
setting varies; runs that no such folder holds go up to the folder above. Only runs that are told by a curve of the
same name are put together, and only runs that have ended; of runs that are the same to the last digit one counts.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from analyzer.auditing.cross_run.duplicates import distinct
from analyzer.auditing.cross_run.run_settings import Setting, settings_of
from analyzer.model.result import Result
from analyzer.model.summary import experiment

LEAST_RUNS = 8


@dataclass(frozen=True)
class Sweep:
    """Runs of one sweep, in the order of the night, and the settings that vary among them."""

    name: str
    results: tuple[Result, ...]
    settings: tuple[Setting, ...]


def sweeps(results: Sequence[Result]) -> list[Sweep]:
    """Return the sweeps of a night by name."""
    kinds: dict[tuple[str, str], dict[str, list[Result]]] = {}
    for result in results:
        if ended(result) and result.params and result.main_tag is not None:
            folders = kinds.setdefault((result.source, result.main_tag), {})
            folders.setdefault(experiment(result), []).append(result)
    found: list[Sweep] = []
    for (source, _), folders in sorted(kinds.items()):
        climbing = source != "mlflow"
        found += _from_below(folders) if climbing else filter(None, map(_sweep, folders, folders.values()))
    return sorted(found, key=lambda sweep: (sweep.name, sweep.results[0].run))


def ended(result: Result) -> bool:
    """Whether a run has come to its end and could be read, so that what it came to can be compared."""
    return result.status in {"ok", "partial"}


def _from_below(folders: dict[str, list[Result]]) -> Iterable[Sweep]:
    """Yield the sweeps of a tree of folders, the deepest first; what makes none goes up."""
    waiting = {folder: list(results) for folder, results in folders.items()}
    while waiting:
        folder = max(waiting, key=lambda name: (name.count("/") + bool(name), name))
        results = waiting.pop(folder)
        sweep = _sweep(folder, results)
        if sweep is not None:
            yield sweep
        elif folder:
            waiting.setdefault(posixpath.dirname(folder), []).extend(results)


def _sweep(name: str, results: Sequence[Result]) -> Sweep | None:
    ordered = tuple(distinct(sorted(results, key=lambda result: result.run)))
    if len(ordered) < LEAST_RUNS:
        return None
    settings = tuple(settings_of(ordered))
    return Sweep(name, ordered, settings) if settings else None
