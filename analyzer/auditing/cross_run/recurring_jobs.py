"""Jobs: runs of one experiment or folder that a schedule starts night after night with the same settings.

At least twelve runs, not more than three quarters of them within a quarter of one night. A setting that changes in at
most three places is a setting that changed; one whose values each come back night after night is a dimension of a
sweep that is run again, and each of its values has a history of its own; any other is a label of the run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from analyzer.auditing.cross_run.run_settings import is_label
from analyzer.auditing.cross_run.sweeps import ended
from analyzer.errors import NoRunsError
from analyzer.histories import announced_causes, job_history
from analyzer.histories.job_columns import LEAST_NIGHTS, Nights, nights
from analyzer.model.formatting import counted
from analyzer.model.history import History
from analyzer.model.redaction import mask_text
from analyzer.model.result import Result
from analyzer.model.summary import experiment
from analyzer.settings import Histories

QUARTER = 6 * 3600.0
"""Seconds: a quarter of a night."""

AT_ONCE = 0.75
"""Share of the runs that may start within a quarter of one night; more is a sweep and no schedule."""

MOST_METRICS = 20
"""Metrics of a job that are looked at: more make each one's limit higher than is useful."""

COVERED = 0.8
"""Share of the runs whose values of a setting must come back for it to be a dimension of a sweep."""

DATASETS = "mlflow.datasets"
COMMIT = "mlflow.source.git.commit"


@dataclass(frozen=True, slots=True)
class Logged:
    """One run as a history sees it; `values` are what it came to by tag, with the direction of good."""

    run: str
    name: str
    place: str
    started: float
    settings: Mapping[str, str]
    values: Mapping[str, tuple[float | None, str]]


@dataclass(frozen=True, slots=True)
class Jobs:
    """The jobs found, what people call each run, and the best reason why there is none."""

    found: tuple[Nights, ...]
    names: Mapping[str, str]
    why_none: str


def logged(result: Result, settings: Histories) -> Logged | None:
    """Return a run as a history sees it; None for one that has not ended, could not be read or has no time."""
    if not ended(result) or result.started is None:
        return None
    rows = [row for row in result.series if row.role in ("loss", "metric") or row.tag in settings.metric]
    if settings.metric:
        rows = [row for row in rows if row.tag in settings.metric]
    else:
        rows = [row for row in rows if row.split in ("validation", "test")] or rows
    values = {row.tag: (row.level, row.direction or "") for row in rows if row.tag not in settings.ignore}
    given = {name: str(value) for name, value in (*result.params, *result.tags) if _counts(name, settings)}
    return Logged(result.run, result.name, experiment(result), result.started, given, values)


def _counts(name: str, settings: Histories) -> bool:
    if name in settings.group_by or name in (DATASETS, COMMIT):
        return True
    if name in settings.ignore or name.startswith(("mlflow.", "posthoc.")):
        return False
    return announced_causes.is_code(name) or not is_label(name)


def jobs(runs: Iterable[Logged], settings: Histories, better: str | None = None) -> Jobs:
    """Return the jobs among runs, by name; `better` overrules the direction of their metrics."""
    places: dict[str, list[Logged]] = {}
    for run in runs:
        places.setdefault(run.place, []).append(run)
    found, largest, why = list[Nights](), 0, "it has no run that has ended and has a time"
    for place, own in sorted(places.items()):
        for name, group in _configurations(place, own, settings):
            ordered = sorted(group, key=lambda run: (run.started, run.run))
            reason = _no_schedule(ordered)
            if not reason:
                made = _nights(name, ordered, settings, better)
                found += [made] if made.metrics else []
                reason = "" if made.metrics else "no metric or loss has a value"
            if reason and len(group) > largest:
                largest, why = len(group), f"{name or 'the runs'}: {reason}"
    names = {run.run: run.name for group in places.values() for run in group}
    return Jobs(tuple(found), names, why)


def of_results(
    results: Iterable[Result], settings: Histories, where: str, *, better: str | None = None, replay: bool = False
) -> list[History]:
    """Return the history of every job among results. NoRunsError, with the reason, when there is none."""
    runs = [one for result in results if (one := logged(result, settings)) is not None]
    found = jobs(runs, settings, better)
    if not found.found:
        raise NoRunsError(f"{mask_text(where)}: no job that runs every night ({found.why_none})")
    return [
        replace(job_history.judged(job, dict(settings.limits), replay=replay), names=found.names) for job in found.found
    ]


def _configurations(place: str, runs: list[Logged], settings: Histories) -> list[tuple[str, list[Logged]]]:
    """Return the runs of a place by configuration, each with its name."""
    ordered = sorted(runs, key=lambda run: (run.started, run.run))
    dimensions = settings.group_by or _dimensions(ordered)
    groups: dict[tuple[str, ...], list[Logged]] = {}
    for run in ordered:
        groups.setdefault(tuple(run.settings.get(name, announced_causes.ABSENT) for name in dimensions), []).append(run)
    named = partial(_named, place, dimensions)
    return [(named(values), own) for values, own in sorted(groups.items())]


def _named(place: str, dimensions: Sequence[str], values: Sequence[str]) -> str:
    own = ", ".join(f"{name}={value}" for name, value in zip(dimensions, values, strict=True))
    return f"{place} ({own})" if own and place else own or place


def _dimensions(runs: Sequence[Logged]) -> tuple[str, ...]:
    """Return the settings by which a sweep is run again and again: values that come back, each often enough."""
    found = []
    for name in sorted({name for run in runs for name in run.settings if not announced_causes.is_code(name)}):
        column = [run.settings.get(name) for run in runs]
        if len(announced_causes.places(column)) <= announced_causes.PARAMS.most_places:
            continue
        often = [count for count in Counter(column).values() if count >= LEAST_NIGHTS]
        if len(often) > 1 and sum(often) >= COVERED * len(runs):
            found.append(name)
    return tuple(found)


def _no_schedule(ordered: Sequence[Logged]) -> str:
    """Return why runs are no job of a schedule, "" when they are."""
    if len(ordered) < LEAST_NIGHTS:
        return f"{counted(len(ordered), 'run')}; a history needs at least {LEAST_NIGHTS}"
    times = np.array([run.started for run in ordered])
    within = np.searchsorted(times, times + QUARTER, side="right") - np.arange(times.size)
    if within.max() > AT_ONCE * times.size:
        return f"{int(within.max())} of {times.size} runs started within six hours; that is a sweep and no history"
    return ""


def _nights(name: str, ordered: Sequence[Logged], settings: Histories, better: str | None) -> Nights:
    count = Counter(tag for run in ordered for tag, (value, _) in run.values.items() if value is not None)
    known = {tag: way for run in ordered for tag, (_, way) in run.values.items()}
    tags = [
        tag
        for tag, held in count.most_common()
        if held >= LEAST_NIGHTS and (known[tag] or better or tag in settings.metric)
    ]
    columns = {tag: [_value(run, tag) for run in ordered] for tag in sorted(tags[:MOST_METRICS])}
    ways = {tag: better or known[tag] for tag in columns if better or known[tag]}
    given = [run.settings for run in ordered]
    return nights(
        [run.started for run in ordered], columns, better=ways, settings=given,
        runs=[run.run for run in ordered], job=name,
    )  # fmt: skip


def _value(run: Logged, tag: str) -> float | None:
    return run.values[tag][0] if tag in run.values else None
