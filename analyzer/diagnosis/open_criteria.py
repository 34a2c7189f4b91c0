"""Health criteria beside the findings: what a finding has explained is no longer open, and nothing is said twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from analyzer.model.health import Criterion
from analyzer.model.result import Finding

CATCH_ALL = {"kept": "lost-progress", "learnt": "never-improved", "held-out": "never-improved", "calm": "unsteady-loss"}
"""The finding that a refuted criterion becomes where no other detector explains it."""


OF_THE_LOG = frozenset(
    {
        "cut-off",
        "stalled-run",
        "throughput-drop",
        "growing-memory",
        "damaged-log",
        "unreadable-log",
        "detector-failed",
        "lost-progress",
        "never-improved",
        "unsteady-loss",
    }
)
"""Findings that say nothing of where the losses and metrics went."""


def settled(health: Iterable[Criterion], findings: Sequence[Finding]) -> tuple[tuple[Criterion, ...], list[Finding]]:
    """Return the criteria and the findings that are left when both are held against each other.

    A catch-all finding goes where another alarm speaks of the course of the run. A refuted criterion does not apply
    where something ordinary in the run (an event) explains what is seen, or where a detector judged it to be a note.
    """
    others = [f for f in findings if f.symptom not in CATCH_ALL.values()]
    said = any(f.alarms and f.symptom not in OF_THE_LOG for f in others)
    kept = [f for f in findings if f.symptom not in CATCH_ALL.values() or not (said or _ordinary_for(f.tags, others))]
    return tuple(_settled(one, others) for one in health), kept


def _ordinary_for(tags: Iterable[str], findings: Iterable[Finding]) -> bool:
    """Whether a finding that an event of the run explains speaks of one of the tags."""
    wanted = set(tags)
    return any(_ordinary(f) and wanted & {*f.tags, *f.also} for f in findings)


def _ordinary(finding: Finding) -> bool:
    return finding.explained_by is not None and finding.explained_by.startswith("event:")


def _settled(one: Criterion, findings: Iterable[Finding]) -> Criterion:
    if one.state != "refuted":
        return one
    for finding in findings:
        noted = finding.severity == "info" and finding.explained_by is None and finding.symptom in NOTES[one.criterion]
        if (noted or _ordinary(finding)) and set(one.tags) & {*finding.tags, *finding.also}:
            return replace(one, state="not-applicable", sentence=finding.summary)
    return one


NOTES: dict[str, frozenset[str]] = {
    "finite": frozenset({"non-finite"}),
    "kept": frozenset({"overfitting", "loss-spike", "double-descent", "grokking"}),
    "calm": frozenset({"loss-spike", "repetitive-loss"}),
    "learnt": frozenset(),
    "held-out": frozenset(),
    "metrics": frozenset(),
    "enough-data": frozenset(),
}
"""Detectors whose note (severity info) answers a refuted criterion: they looked at the same curve and know better."""
