"""What each run's page and its line in findings.json say of other runs of the night."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from analyzer.auditing.cross_run import across
from analyzer.auditing.cross_run.nearest_healthy import nearest
from analyzer.auditing.cross_run.observations import observed
from analyzer.auditing.cross_run.run_settings import settings_of
from analyzer.auditing.cross_run.shared_settings import DIVERGED, DIVERGING
from analyzer.auditing.cross_run.single_values import amend, amended
from analyzer.auditing.record_store import RecordStore
from analyzer.model.cross_run import Across
from analyzer.model.result import Finding, Result, Sibling
from analyzer.model.run import Note
from analyzer.model.summary import experiment
from analyzer.writers.page import page_name
from analyzer.writers.related_runs import RelatedRuns, leading
from analyzer.writers.single_values import Table, tables

CACHED = 64
"""Curves of siblings that are kept in memory: one healthy run is the nearest of many."""


@dataclass
class CrossRunView:
    """What is known of a night's runs from all of them: entries of `across`, siblings, results that siblings change.

    Curves stay on disk, in the rows.
    """

    rows: RecordStore
    across: tuple[Across, ...]
    notes: tuple[Note, ...]
    _amended: Mapping[int, Result]
    _nearest: Mapping[int, tuple[int, Sibling]]
    _observed: Mapping[tuple[int, str], str]
    scores: tuple[Table, ...] = ()
    _places: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        places: dict[str, list[int]] = {}
        for place, one in enumerate(self.across):
            for run in one.runs:
                places.setdefault(run, []).append(place)
        self._places = {run: tuple(own) for run, own in places.items()}
        self._course = lru_cache(CACHED)(lambda place: self.rows[place].course)

    def with_siblings(self, place: int, result: Result) -> Result:
        """Return a result with what siblings say of it."""
        if place in self._amended:
            result = amend(result, self._amended[place])
        near = self._nearest.get(place)
        if near is not None:
            findings = tuple(replace(f, sibling=near[1]) if f.alarms else f for f in result.findings)
            result = replace(result, findings=findings)
        counted = self._places.get(result.run, ())
        return replace(result, across=counted) if counted else result

    def changes(self, place: int) -> bool:
        """Whether siblings change the findings of a run."""
        return place in self._amended

    def related(self, place: int, result: Result) -> RelatedRuns:
        """Return what the run's page says of other runs."""
        near = self._nearest.get(place)
        sentences = {f.fingerprint: said for f in leading(result) if (said := self._sentences(place, result, f))}
        if near is None:
            return RelatedRuns(sentences=sentences)
        record = self.rows[near[0]]
        page = page_name(near[1].run) if record.page else ""
        command = compare_command(record.result.location, result.location)
        return RelatedRuns(near[1], page, self._course(near[0]), sentences, compare=command)

    def _sentences(self, place: int, result: Result, finding: Finding) -> tuple[str, ...]:
        said = []
        for at in result.across:
            one = self.across[at]
            if one.kind == "in-common" and _is_of(one.symptom, finding.symptom):
                said.append(_with_own(one, result))
        if not said and (place, finding.symptom) in self._observed:
            said.append(self._observed[place, finding.symptom])
        return tuple(said)


def cross_run_view(outlines: Sequence[Result], rows: RecordStore) -> CrossRunView:
    """Return what all runs of a night together say of each; `outlines` are in the order of the rows."""
    changed = amended(outlines)
    seen = [changed.get(place, one) for place, one in enumerate(outlines)]
    beyond, notes = across(seen)
    try:
        near, said = nearest(seen), observed(seen)
    except Exception as error:  # whatever logs hold, the night is told
        what = f"{type(error).__name__}: {error}".splitlines()[0][:300]
        near, said = {}, {}
        notes = (*notes, Note("limit", f"runs were not compared with their siblings: {what}; please report this"))
    return CrossRunView(rows, beyond, notes, changed, near, said, _scores(seen))


def _scores(results: Sequence[Result]) -> tuple[Table, ...]:
    """Return the tables of runs that log one value a metric."""
    groups: dict[str, list[Result]] = {}
    for result in results:
        if result.pairs:
            groups.setdefault(experiment(result), []).append(result)
    varying = [(name, [one.name for one in settings_of(group)]) for name, group in groups.items()]
    return tables((result for group in groups.values() for result in group), varying)


def compare_command(base: str, candidate: str) -> str:
    """Return the command that compares two runs in folders or files; "" for those that have no path of their own."""
    if base == candidate or not base or not candidate or "://" in base + candidate:
        return ""
    return shlex.join(["posthoc", "compare", base, candidate])


def _is_of(symptom: str, own: str) -> bool:
    return symptom == own or (symptom == DIVERGED and own in DIVERGING)


def _with_own(one: Across, result: Result) -> str:
    """Return the sentence of an entry with the run's own value of the setting."""
    name = one.columns[0] if one.columns else ""
    value = dict(result.params).get(name)
    sentence = one.sentence.removesuffix(".")
    known = value is not None and not (isinstance(value, float) and math.isnan(value))
    return f"{sentence}; this one: {value}." if known else f"{sentence}."
