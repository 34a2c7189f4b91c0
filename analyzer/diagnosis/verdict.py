"""One run, one verdict, one sentence."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from analyzer import detectors
from analyzer.model.result import Checked, Finding, NotChecked, Status, Verdict


def verdict_of(
    status: Status, findings: Iterable[Finding], checked: Iterable[Checked], losses: Collection[str]
) -> Verdict:
    """Return the verdict: problems, healthy, or unjudged when nothing that counts could be looked at.

    `losses` are the tags of the training and validation losses; healthy needs a check of one of them that came back
    clear, by a detector whose clear check says something of how a loss runs (Detector.course).
    """
    if alarms(findings):
        return "problems"
    course = _of_course()
    clear = any(c.symptom in course and set(losses) & set(c.tags) for c in checked)
    return "healthy" if clear and status != "failed" else "unjudged"


def alarms(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings of warning or above that are neither explained nor suppressed."""
    return [f for f in findings if f.alarms]


def sentence_of(
    verdict: Verdict,
    status: Status,
    reason: str,
    findings: Sequence[Finding],
    not_checked: Sequence[NotChecked],
    *,
    partial: bool = False,
) -> str:
    """Return the verdict in words; `partial`: the user left some checks out."""
    leading = alarms(findings)
    if verdict == "problems":
        rest = len(leading) - 1
        more = f" Also: {', '.join(dict.fromkeys(f.symptom for f in leading[1:]))}." if rest else ""
        then = [f.summary for f in findings if f.symptom == "non-finite" and f.explained_by == leading[0].fingerprint]
        after = f" Then {then[0]}." if then else ""
        return f"{_name(leading[0].symptom)}: {leading[0].summary}.{after}{more}"
    if verdict == "healthy":
        if partial:
            return "Nothing was found by the checks that were chosen."
        left = len(not_checked)
        return "This run looks healthy: all checks of its losses that could be made came back clear." + (
            f" {left} other{'s' * (left > 1)} could not be made." if left else ""
        )
    if status == "skipped":
        return "No metrics were logged, so there is nothing to judge."
    if status == "failed":
        return f"Nothing could be judged: {reason}."
    course = _of_course()
    reasons_ = [n.reason for n in not_checked if n.symptom in course] or [n.reason for n in not_checked]
    why = max(reasons_, key=reasons_.count) if reasons_ else "no check applies"
    return f"This run could not be judged: {why}."


def _of_course() -> set[str]:
    """Return the symptoms whose check says something of how a loss runs."""
    return {name for name, detector in detectors.known().items() if detector.course}


def _name(symptom: str) -> str:
    return (symptom if symptom.startswith("non-") else symptom.replace("-", " ")).capitalize()
