"""Findings of runs that go on: when each began, which were reported already, and how one is said in a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from analyzer.model import summary
from analyzer.model.formatting import counted, moment, number
from analyzer.model.result import Finding, Result
from analyzer.model.run import Run
from analyzer.writers.markdown import harmless
from analyzer.writers.truncation import short

HOUR = 3600.0

LONGEST_NAME, LONGEST_SUMMARY, MOST_LINES = 60, 200, 8
"""Characters and lines of a message, as of an audit's."""


class Onset(NamedTuple):
    """When a finding began (Unix seconds) and the hours from there to the last point, None where it is not known."""

    at: float | None
    hours: float | None


UNKNOWN = Onset(None, None)


@dataclass(frozen=True, slots=True)
class NewFinding:
    """A finding that is told now: `onset` in Unix seconds, `hours` from there to the last point; None if unknown.

    `at_start`: it was there at the first look.
    """

    result: Result
    finding: Finding
    onset: float | None
    hours: float | None
    at_start: bool


class Reported:
    """What was reported already, by run and symptom: each is reported once, however often its run is judged."""

    def __init__(self) -> None:
        self._known: set[tuple[str, str]] = set()

    def know(self, keys: Iterable[tuple[str, str]]) -> None:
        """Take these (run, symptom) for reported."""
        self._known.update(keys)

    def news(self, result: Result, since: Mapping[str, Onset], *, at_start: bool = False) -> Iterator[NewFinding]:
        """Yield the findings of a result that raise an alarm and were not reported before."""
        for finding in result.findings:
            key = (result.run, finding.symptom)
            if finding.alarms and key not in self._known:
                self._known.add(key)
                yield NewFinding(result, finding, *since.get(finding.symptom, UNKNOWN), at_start)


def onset_of(run: Run, finding: Finding) -> Onset:
    """Return when a finding began and how many hours of the run came after, as far as times are known."""
    series = next((run.series[tag] for tag in finding.tags if tag in run.series), None)
    if series is None or finding.first_step is None:
        return UNKNOWN
    after = np.flatnonzero((series.steps >= finding.first_step) & np.isfinite(series.wall_times))
    if not after.size or run.last_event is None:
        return UNKNOWN
    onset = float(series.wall_times[after[0]])
    return Onset(onset, max(0.0, run.last_event - onset) / HOUR)


def line(one: NewFinding) -> str:
    """Return a finding as one line: run, symptom, onset, cost so far, what it is."""
    finding = one.finding
    since = f" since step {finding.first_step:,}" if finding.first_step is not None else ""
    spent = [moment(one.onset)] if one.onset is not None else []
    spent += [f"{number(one.hours, 2)} h so far"] if one.hours is not None else []
    about = f" ({', '.join(spent)})" if spent else ""
    name, what = short(summary.label(one.result), LONGEST_NAME), short(finding.summary, LONGEST_SUMMARY)
    return f"{name}: {finding.symptom}{since}{about}: {what}"


def message(sightings: Sequence[NewFinding]) -> tuple[str, str]:
    """Return title and plain text of a message on what is new."""
    runs = len({one.result.run for one in sightings})
    title = f"posthoc: {counted(len(sightings), 'new finding')} in {counted(runs, 'run')}"
    lines = [harmless(line(one)) for one in sightings[:MOST_LINES]]
    lines += [f"and {len(sightings) - MOST_LINES:,} more"] if len(sightings) > MOST_LINES else []
    return title, "\n".join(lines)
