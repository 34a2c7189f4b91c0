"""Findings that the user has set aside: still told, but raising no alarm."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from analyzer.model.result import Finding, Result, Verdict
from analyzer.settings import Suppression


def suppressed(result: Result, suppressions: Iterable[Suppression], today: date) -> Result:
    """Return the result with the findings that a suppression covers marked, and its verdict anew if that changes it."""
    entries = list(suppressions)
    findings = tuple(_marked(finding, result.run, entries, today) for finding in result.findings)
    if findings == result.findings:
        return result
    told = replace(result, findings=findings)
    if result.verdict != "problems" or _alarms(findings):
        return told
    aside = sum(finding.suppressed is not None for finding in findings)
    nouns = "finding was" if aside == 1 else "findings were"
    return replace(told, verdict=_calm(told), sentence=f"Nothing that counts: {aside} {nouns} set aside by you.")


def _marked(finding: Finding, run: str, entries: Iterable[Suppression], today: date) -> Finding:
    tags = (*finding.tags, *finding.also)
    entry = next((e for e in entries if e.covers(finding.symptom, run, tags, today)), None)
    if entry is None:
        return finding
    expires = entry.expires.isoformat() if entry.expires else ""
    about = {"reason": entry.reason, "owner": entry.owner, "expires": expires}
    return replace(finding, suppressed={key: text for key, text in about.items() if text})


def _alarms(findings: Iterable[Finding]) -> bool:
    return any(finding.counts and finding.severity != "info" for finding in findings)


def _calm(result: Result) -> Verdict:
    """Healthy only if a detector of a training or validation loss came back clear, as for every run."""
    losses = {row.tag for row in result.series if row.role == "loss"}
    clear = {one.symptom for one in result.checked if losses & set(one.tags)} - {"non-finite"}
    return "healthy" if clear and result.status != "failed" else "unjudged"
