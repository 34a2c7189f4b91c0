"""What a night comes to in numbers, and the nights before it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from analyzer.auditing.state import State
from analyzer.model import summary
from analyzer.model.cost import Cost
from analyzer.model.formatting import iso
from analyzer.model.result import Result, Status
from analyzer.model.summary import TONES
from analyzer.model.totals import Tally

NIGHTS = 60
"""Nights of which the index tells."""

_PAST_BEST = frozenset({"overfitting", "wasted-tail"})


def trend(state: State | None, tonight: Tally, sources: Sequence[str]) -> tuple[Tally, ...]:
    """Return the last nights over the same sources with tonight as the last; nothing without a memory.

    They come in the order of the audits, whatever their clocks said; a night told again is there once.
    """
    if state is None:
        return ()
    before = [night for night in state.tallies(sources, NIGHTS) if night.at != tonight.at]
    return (*before[1 - NIGHTS :], tonight)


def clock_back(nights: Sequence[Tally]) -> str:
    """Return one sentence when the last of the nights is dated before the one that came before it, else ""."""
    if len(nights) < 2 or nights[-1].at >= nights[-2].at:
        return ""
    return (
        f"the clock went back: this audit is dated {nights[-1].at}, and the one before it {nights[-2].at}; "
        "audits are kept in the order in which they came, so check the clocks of the machines that audit"
    )


class Count:
    """What a night comes to, counted run by run."""

    def __init__(self) -> None:
        """Begin with no run."""
        self.statuses: Counter[Status] = Counter()
        self._tones: Counter[str] = Counter()
        self._symptoms: Counter[str] = Counter()
        self._minutes: list[float] = []
        self.costs: list[Cost] = []

    def add(self, result: Result) -> None:
        """Count a run."""
        self.statuses[result.status] += 1
        self._tones[summary.tone(result)] += 1
        self._symptoms.update({finding.symptom for finding in result.findings if finding.counts})
        if result.cost is not None:
            self.costs.append(result.cost)
        minutes = _minutes_past_best(result)
        if minutes:
            self._minutes.append(minutes)

    def tally(self, now: float) -> Tally:
        """Return the sum; `now` is the night's time in Unix seconds."""
        return Tally(
            iso(now),
            self.statuses.total(),
            {tone: self._tones[tone] for tone in TONES},
            self.statuses["failed"],
            dict(sorted(self._symptoms.items())),
            round(math.fsum(self._minutes) / 60, 2),
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
