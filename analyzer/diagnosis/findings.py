"""From evidence to a finding, and how findings of one run belong together: who leads, who explains whom."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from analyzer.detectors import Detector
from analyzer.model.evidence import SEVERITIES, Evidence, Words
from analyzer.model.result import Finding, JudgedMeasure, fingerprint
from analyzer.model.run import Run


def finding_of(
    run: Run,
    symptom: str,
    evidence: Evidence,
    measures: tuple[JudgedMeasure, ...] = (),
    p_value: float | None = None,
    *,
    describe: Callable[[Evidence], Words] | None = None,
) -> Finding:
    """Return the finding that the evidence makes in this run; `p_value` is the corrected one.

    `describe` makes its sentences; without it they are the evidence's own.
    """
    own = Words(evidence.summary, evidence.cause, evidence.speaks_for, evidence.advice)
    words = own if describe is None else describe(evidence)
    return Finding(
        symptom=symptom,
        severity=evidence.severity,
        tags=evidence.tags,
        first_step=evidence.first_step,
        last_step=evidence.last_step,
        summary=words.summary,
        cause=words.cause,
        speaks_for=words.signs,
        advice=words.advice,
        measures=measures,
        p_value=p_value,
        explained_by=evidence.explained_by,
        fingerprint=fingerprint(symptom, run.id, evidence.tags),
        marks=evidence.marks,
        also=evidence.also,
        signs=evidence.signs,
    )


def one_each(findings: list[Finding]) -> list[Finding]:
    """One finding per symptom: the gravest (then the first measured) leads and names the tags of the others."""
    kept: dict[str, Finding] = {}
    for finding in sorted(findings, key=lambda f: (f.explained_by is not None, SEVERITIES.index(f.severity))):
        leader = kept.setdefault(finding.symptom, finding)
        if leader is not finding:
            others = (*leader.also, *finding.tags, *finding.also)
            also = tuple(t for t in dict.fromkeys(others) if t not in leader.tags)
            kept[finding.symptom] = replace(leader, also=also)
    return list(kept.values())


def explained(findings: list[Finding], chosen: Collection[Detector]) -> list[Finding]:
    """Let what came first and is graver explain what follows from it, and order the findings."""
    leads = {(leader, d.symptom) for d in chosen for leader in d.yields_to}
    free = [f for f in findings if f.explained_by is None]
    settled = []
    for finding in findings:
        leader = next((f for f in free if f is not finding and _leads(f, finding, leads)), None)
        if finding.explained_by is None and leader is not None:
            finding = replace(finding, explained_by=leader.fingerprint)  # noqa: PLW2901 - the same finding, settled
        settled.append(finding)
    return sorted(settled, key=_rank)


def _leads(leader: Finding, follower: Finding, leads: Collection[tuple[str, str]]) -> bool:
    if (leader.symptom, follower.symptom) not in leads:
        return False
    if SEVERITIES.index(leader.severity) > SEVERITIES.index(follower.severity):
        return False  # a note explains no warning away
    if leader.first_step is None or follower.last_step is None:
        return True
    return leader.first_step <= follower.last_step


def _rank(finding: Finding) -> tuple[bool, int, float, str]:
    first = finding.first_step if finding.first_step is not None else -1
    return (finding.explained_by is not None, SEVERITIES.index(finding.severity), first, finding.symptom)
