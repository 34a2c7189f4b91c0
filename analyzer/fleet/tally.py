"""What a night comes to in numbers, and the nights before it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from analyzer.fleet.state import State
from analyzer.model.result import Result
from analyzer.model.tally import Tally
from analyzer.model.wording import iso
from analyzer.writers import brief
from analyzer.writers.entry import TONES

NIGHTS = 60
"""Nights of which the index tells."""

_PAST_BEST = frozenset({"overfitting", "wasted-tail"})


def trend(state: State | None, tonight: Tally, sources: Sequence[str]) -> tuple[Tally, ...]:
    """Return the last nights over the same sources with tonight as the last; nothing without a memory."""
    if state is None:
        return ()
    before = [night for night in state.nights(sources, NIGHTS) if night.at < tonight.at]
    return (*before[1 - NIGHTS :], tonight)


def tally_of(results: Sequence[Result], now: float) -> Tally:
    """Return what a night comes to; `now` is its time in Unix seconds."""
    tones = Counter(brief.tone(result) for result in results)
    symptoms = Counter(symptom for result in results for symptom in {f.symptom for f in result.findings if f.counts})
    return Tally(
        iso(now),
        len(results),
        {tone: tones[tone] for tone in TONES},
        sum(result.status == "failed" for result in results),
        dict(sorted(symptoms.items())),
        round(math.fsum(map(_minutes_past_best, results)) / 60, 2),
    )


def _minutes_past_best(result: Result) -> float:
    """Return the minutes that a run went on after its best step, if it overfitted or got no better.

    Wasted-tail measures them in every run whose log has times, found or not.
    """
    if not any(finding.symptom in _PAST_BEST for finding in result.findings):
        return 0.0
    return next((minutes for minutes in _tails(result) if math.isfinite(minutes)), 0.0)


def _tails(result: Result) -> Iterable[float]:
    findings = [finding.measures for finding in result.findings if finding.symptom == "wasted-tail"]
    checked = [one.measures for one in result.checked if one.symptom == "wasted-tail"]
    for measures in (*findings, *checked):
        yield from (measure.value for measure in measures if measure.name == "time after the last gain")
