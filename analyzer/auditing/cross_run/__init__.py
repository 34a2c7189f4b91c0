"""What only a look at all runs together shows: computed from Results alone, in one order, so that every night says it.

A comparison that fails costs itself alone, and is named.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

from analyzer.auditing.cross_run import duplicates, shared_settings, siblings, sweep_edge
from analyzer.model.cross_run import Across
from analyzer.model.health import Criterion, State
from analyzer.model.result import Checked, Finding, Result, SeriesRow
from analyzer.model.run import Note

__all__ = ["across", "outlined"]

_COMPARISONS: tuple[Callable[[Sequence[Result]], list[Across]], ...] = (
    shared_settings.in_common,
    siblings.far_from_siblings,
    sweep_edge.edges,
    duplicates.duplicates,
)


def outlined(result: Result) -> Result:
    """Return what the comparisons look at in a result: small enough to keep those of a whole night in memory."""
    rows = [row for row in result.series if row.digest or row.role in {"loss", "metric"} or row.tag == result.main_tag]
    return Result(
        run=result.run,
        name=result.name,
        source=result.source,
        location=result.location,
        status=result.status,
        reason="",
        health=result.health
        if result.pairs
        else tuple(_outlined_criterion(one.criterion, one.state) for one in result.health),
        series=tuple(map(_outlined_row, rows)),
        findings=tuple(map(_outlined, result.findings)),
        checked=tuple(_clear(symptom) for symptom in dict.fromkeys(one.symptom for one in result.checked)),
        params=tuple((sys.intern(name), _interned(value)) for name, value in result.params),
        main_tag=result.main_tag,
        started=result.started,
        ended=result.ended,
        experiment=result.experiment,
        pairs=result.pairs,
        peak_rate=result.peak_rate,
        tags=tuple((sys.intern(name), sys.intern(value)) for name, value in result.tags),
    )


def across(results: Sequence[Result]) -> tuple[tuple[Across, ...], tuple[Note, ...]]:
    """Return what is seen across the runs, and a note for each comparison that failed."""
    found: list[Across] = []
    notes: list[Note] = []
    for compare in _COMPARISONS:
        try:
            found += compare(results)
        except Exception as error:  # whatever logs hold, the night is told
            what = f"{type(error).__name__}: {error}".splitlines()[0][:300]
            name = compare.__name__.replace("_", " ")
            notes.append(Note("limit", f"runs were not compared for {name}: {what}; please report this"))
    return tuple(found), tuple(notes)


def _outlined_row(row: SeriesRow) -> SeriesRow:
    return replace(row, tag=sys.intern(row.tag), points=0, why="", first_step=None, best_step=None, curve=None)


def _outlined(finding: Finding) -> Finding:
    return replace(finding, tags=(), summary="", cause=None, speaks_for=(), advice=(), measures=(), marks=(), also=())


@cache
def _outlined_criterion(criterion: str, state: State) -> Criterion:
    return Criterion(criterion, state, "")


@cache
def _clear(symptom: str) -> Checked:
    return Checked(symptom, (), ())


def _interned(value: object) -> object:
    return sys.intern(value) if type(value) is str else value
