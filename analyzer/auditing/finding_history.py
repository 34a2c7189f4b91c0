"""What last night knew of a run, beside what tonight says: new, persisting, regressed, resolved.

- A finding that was open last night persists; it may have moved to other tags of the run. One that had been resolved
  has regressed. Any other is new, once for each run and symptom.
- A finding is resolved when tonight's check of its symptom came back clear. What was not checked tonight (the run
  could not be read, too little data, a symptom left out) stays open, and is not told.
- A run still going resolves a finding only when it is absent two nights in a row, so that it does not flap.
- When the log says what it said last night and only judging has changed (an upgrade, other settings), nothing fell
  sick over night: what is found now and was not then persists, marked as re-evaluated; what is not found any more is
  resolved, for that reason.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from analyzer.auditing.cache_key import CacheKey
from analyzer.auditing.log_symptoms import log_guides
from analyzer.model.formatting import iso
from analyzer.model.result import Finding, Result

NIGHTS_ABSENT = 2
"""So many nights in a row must a finding of a run still going be absent until it counts as resolved."""

_MANY = "detector-failed"
"""The one symptom that a run may have several times: each detector fails for itself."""


@dataclass(frozen=True, slots=True)
class KnownFinding:
    """A finding as remembered; times are ISO 8601. `absent` counts the nights since it was seen, `resolved` is when.

    `alarm`: when it was seen last, it was of warning or above and neither explained nor set aside.
    """

    run: str
    symptom: str
    fingerprint: str
    first_seen: str
    last_seen: str
    absent: int = 0
    resolved: str | None = None
    alarm: bool = True


@dataclass(frozen=True, slots=True)
class PreviousRun:
    """A run as last night read it: under which judging, a digest of its data, all findings it ever had."""

    judging: CacheKey
    data: str
    findings: tuple[KnownFinding, ...] = ()


@dataclass(frozen=True, slots=True)
class HistoryUpdate:
    """What is to be remembered of a run after tonight, and which fingerprints are to be forgotten (`gone`).

    `past` is None when the run could not be read: what was known of it stays.
    """

    run: str
    known: tuple[KnownFinding, ...]
    gone: tuple[str, ...]
    past: PreviousRun | None


@dataclass(frozen=True, slots=True)
class HistoryComparison:
    """A run of tonight beside last night: its result with states, what is resolved, what to remember.

    `rejudged` says why it was re-evaluated, "" when it was not.
    """

    result: Result
    resolved: tuple[dict[str, str | bool], ...]
    update: HistoryUpdate
    rejudged: str


def compare_with_last_audit(
    result: Result, before: PreviousRun | None, judging: CacheKey, now: float
) -> HistoryComparison:
    """Return what tonight's result of a run means beside last night's; `now` in Unix seconds."""
    at = iso(now)
    unread, data = result.status == "failed", data_digest(result)
    rejudged = judging.rejudge_reason(before.judging) if before and before.data == data and not unread else ""
    known = {one.fingerprint: one for one in before.findings} if before else {}
    told = [_told(finding, known.values(), at, bool(rejudged)) for finding in result.findings]
    tonight = {finding.fingerprint for finding in told}
    moved = _moved(told, known.values())
    absent = [one for one in known.values() if one.fingerprint not in tonight | moved and one.resolved is None]
    aged = [] if unread else [_absent(one, result, at) for one in absent if _checked(one.symptom, result)]
    because = {"because": f"re-evaluated: {rejudged}"} if rejudged else {}
    resolved = tuple({**_entry(one), **because} for one in aged if one.resolved)
    found = [KnownFinding(result.run, f.symptom, f.fingerprint, f.first_seen or at, at, alarm=f.alarms) for f in told]
    past = None if unread else PreviousRun(judging, data)
    update = HistoryUpdate(result.run, (*found, *aged), tuple(sorted(moved)), past)
    return HistoryComparison(replace(result, findings=tuple(told)), resolved, update, rejudged)


def data_digest(result: Result) -> str:
    """Return a digest of what a log says: its series with their points, first and last values, and its end."""
    rows = [(r.tag, r.points, r.first_step, r.last_step, repr(r.last)) for r in result.series]
    return hashlib.sha256(repr((rows, repr(result.ended))).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _told(finding: Finding, known: Iterable[KnownFinding], at: str, rejudged: bool) -> Finding:
    same = [one for one in known if _same(finding, one)]
    first = min((at, *(one.first_seen for one in same)))  # a clock that was ahead may have seen it later than now
    state: Literal["new", "persisting", "regressed"] = "new"
    if any(one.resolved is None for one in same):
        state = "persisting"
    elif rejudged:
        return replace(finding, state="persisting", first_seen=first, last_seen=at, judged_anew=True)
    elif same:
        state = "regressed"
    return replace(finding, state=state, first_seen=first, last_seen=at)


def _same(finding: Finding, one: KnownFinding) -> bool:
    """Whether tonight's finding is the one remembered, perhaps in other tags."""
    if finding.symptom == _MANY:
        return finding.fingerprint == one.fingerprint
    return finding.symptom == one.symptom


def _moved(told: Iterable[Finding], known: Iterable[KnownFinding]) -> set[str]:
    """Return the fingerprints under which tonight's findings were known before, and are not any more."""
    found = list(told)
    symptoms = {finding.symptom for finding in found} - {_MANY}
    tonight = {finding.fingerprint for finding in found}
    return {one.fingerprint for one in known if one.symptom in symptoms and one.fingerprint not in tonight}


def _checked(symptom: str, result: Result) -> bool:
    """Whether the result says that the run does not have a symptom."""
    return symptom in log_guides() or any(one.symptom == symptom for one in result.checked)


def _absent(one: KnownFinding, result: Result, at: str) -> KnownFinding:
    nights = one.absent + 1
    over = result.status != "in-progress" or nights >= NIGHTS_ABSENT
    return replace(one, absent=nights, resolved=at if over else None)


def _entry(one: KnownFinding) -> dict[str, str | bool]:
    return {
        "run": one.run,
        "symptom": one.symptom,
        "fingerprint": one.fingerprint,
        "first_seen": one.first_seen,
        "last_seen": one.last_seen,
        "alarm": one.alarm,
    }
