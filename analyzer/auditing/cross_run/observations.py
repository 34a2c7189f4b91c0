"""What the few runs with a symptom have in common, where they are too few for a test: an observation, and no chance.

Two runs with the symptom or more, and a healthy one or more, of one experiment or folder: a setting is named where all
values of the former lie on one side of those of the latter, or share a level that none of the latter has.
"""

from __future__ import annotations

from collections.abc import Sequence

from analyzer.auditing.cross_run.phrases import listed
from analyzer.auditing.cross_run.run_settings import Setting, settings_of
from analyzer.auditing.cross_run.sweeps import ended
from analyzer.model.formatting import counted
from analyzer.model.result import Result
from analyzer.model.summary import experiment

LEAST = 2
"""Runs with the symptom."""

MOST_RUNS = 2000
"""Runs of one group that are compared; a test is made of so many anyway."""

MOST_NAMED = 3


def observed(results: Sequence[Result]) -> dict[tuple[int, str], str]:
    """Return a sentence for each run (by its place) and symptom of which something is observed."""
    groups: dict[tuple[str, str, str], list[int]] = {}
    for place, result in enumerate(results):
        if result.main_tag is not None and ended(result):
            groups.setdefault((result.source, experiment(result), result.main_tag), []).append(place)
    found: dict[tuple[int, str], str] = {}
    for places in groups.values():
        if LEAST < len(places) <= MOST_RUNS:
            found |= _of_group(results, places)
    return found


def _of_group(results: Sequence[Result], places: Sequence[int]) -> dict[tuple[int, str], str]:
    sick: dict[str, list[int]] = {}
    for place in places:
        for symptom in {f.symptom for f in results[place].findings if f.alarms}:
            sick.setdefault(symptom, []).append(place)
    well = [place for place in places if results[place].verdict == "healthy"]
    found: dict[tuple[int, str], str] = {}
    for symptom, own in sick.items():
        if len(own) < LEAST or not well:
            continue
        compared = [results[place] for place in (*own, *well)]
        told = [t for s in settings_of(compared, covered=1.0) if (t := _apart(s, len(own)))]
        if told:
            sentence = (
                f"all {counted(len(own), 'run')} with {symptom} had {listed(told[:MOST_NAMED], len(told))}, and "
                f"none of {counted(len(well), 'healthy run')}: an observation, not a test"
            )
            found |= dict.fromkeys(((place, symptom) for place in own), sentence[:1].upper() + sentence[1:] + ".")
    return found


def _apart(setting: Setting, sick: int) -> str:
    """Return the condition that all runs with the symptom meet and no healthy one, "" where there is none."""
    ours, theirs = setting.values[:sick], setting.values[sick:]
    if setting.numeric:
        low, high = [float(v) for v in ours if v is not None], [float(v) for v in theirs if v is not None]
        if min(low) > max(high):
            return f"{setting.name} ≥ {setting.text(min(low))}"
        return f"{setting.name} ≤ {setting.text(max(low))}" if max(low) < min(high) else ""
    levels = {v for v in ours if v is not None}
    only = next(iter(levels)) if len(levels) == 1 else None
    return "" if only is None or only in theirs else f"{setting.name} = {setting.text(only)}"
