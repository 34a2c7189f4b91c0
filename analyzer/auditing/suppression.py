"""Findings that the user has suppressed: they are still reported and raise no alarm."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import date

from analyzer.auditing.record_store import RecordStore
from analyzer.model.result import Finding, Result
from analyzer.settings import Suppression


def suppressed(result: Result, suppressions: Iterable[Suppression], today: date) -> Result:
    """Return the result with the findings that a suppression covers marked; the verdict follows from them."""
    entries = list(suppressions)
    findings = tuple(_marked(finding, result.run, entries, today) for finding in result.findings)
    return result if findings == result.findings else replace(result, findings=findings)


def suppress_records(
    records: RecordStore, numbers: Iterable[int], suppressions: Sequence[Suppression], today: date
) -> None:
    """Mark in the records of these numbers the findings that a suppression covers."""
    for number in numbers if suppressions else ():  # which are read from disk
        record = records[number]
        result = suppressed(record.result, suppressions, today)
        if result is not record.result:
            records.put(number, replace(record, result=result).text())


def without(result: Result, ignored: Collection[str]) -> Result:
    """Return the result without findings of ignored symptoms, those included that no detector makes."""
    findings = tuple(finding for finding in result.findings if finding.symptom not in ignored)
    return result if len(findings) == len(result.findings) else replace(result, findings=findings)


def _marked(finding: Finding, run: str, entries: Iterable[Suppression], today: date) -> Finding:
    tags = (*finding.tags, *finding.also)
    entry = next((e for e in entries if e.covers(finding.symptom, run, tags, today)), None)
    if entry is None:
        return finding
    expires = entry.expires.isoformat() if entry.expires else ""
    about = {"reason": entry.reason, "owner": entry.owner, "expires": expires}
    return replace(finding, suppressed={key: text for key, text in about.items() if text})


def stale(results: Iterable[Result], suppressions: Iterable[Suppression], today: date) -> tuple[str, ...]:
    """Return a sentence for each suppression that has expired or suppresses nothing any more."""
    waiting = list(suppressions)
    for result in results if waiting else ():  # which are read from disk
        waiting = [one for one in waiting if not _covers_any(one, result)]
    unused = set(map(id, waiting))
    return tuple(
        f"the suppression of {one.symptom} in runs {one.run} (tag {one.tag}) {why}; remove it"
        for one in suppressions
        if (why := _why_stale(one, today, unused=id(one) in unused))
    )


def _why_stale(one: Suppression, today: date, *, unused: bool) -> str:
    if one.expires is not None and one.expires < today:
        return f"expired on {one.expires.isoformat()}"
    return "matches no finding" if unused else ""


def _covers_any(one: Suppression, result: Result) -> bool:
    still = one.expires or date.max
    return any(one.covers(f.symptom, result.run, (*f.tags, *f.also), still) for f in result.findings)
