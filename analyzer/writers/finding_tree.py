"""A result's findings in the order of reading: what counts, what that explains, what to do, what was not checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analyzer.model.result import Event, Finding, Result


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do, and the finding it follows from (None for a run without findings)."""

    advice: str
    finding: Finding | None


@dataclass(frozen=True, slots=True)
class Tree:
    """A result's findings sorted by what the reader has to do with them.

    `leading` count and come worst first; `under` has what each of them explains, by fingerprint; `ordinary`
    is explained by an event of the run, or by a finding that was set aside; `suppressed` was set aside by the
    user. `symptoms` names each finding's symptom by its fingerprint.
    """

    leading: tuple[Finding, ...]
    under: dict[str, tuple[Finding, ...]]
    ordinary: tuple[tuple[Finding, Event | None], ...]
    suppressed: tuple[Finding, ...]
    symptoms: dict[str, str]


def tree(result: Result) -> Tree:
    """Return the result's findings as a tree; explanations of explanations go to the root, circles to nobody."""
    by_print = {finding.fingerprint: finding for finding in result.findings}
    leading = [finding for finding in result.findings if finding.counts]
    heads = {finding.fingerprint for finding in leading}
    suppressed = [finding for finding in result.findings if finding.suppressed is not None]
    under: dict[str, list[Finding]] = {}
    ordinary = []
    for finding in result.findings:
        if finding.explained_by is None or finding.suppressed is not None:
            continue
        root = _root(finding, by_print)
        if root in heads:
            under.setdefault(root, []).append(finding)
        else:
            ordinary.append((finding, _event(finding.explained_by, result.events)))
    return Tree(
        tuple(leading),
        {k: tuple(v) for k, v in under.items()},
        tuple(ordinary),
        tuple(suppressed),
        {k: f.symptom for k, f in by_print.items()},
    )


def _root(finding: Finding, by_print: dict[str, Finding]) -> str:
    """Follow explanations to the finding that nothing explains, at most as far as there are findings."""
    name = finding.explained_by or ""
    for _ in by_print:
        above = by_print.get(name)
        if above is None or above.explained_by is None:
            break
        name = above.explained_by
    return name


def _event(explained_by: str, events: Sequence[Event]) -> Event | None:
    return next((event for event in events if explained_by == f"event:{event.kind}@{event.step}"), None)


def first_things(result: Result, at_most: int = 3) -> tuple[Step, ...]:
    """Return what to do first: the first advice of each finding that counts, worst first, then their second ones.

    Two findings of one symptom give the same kind of advice: only the first is asked.

    Findings of severity info ask for nothing: a healthy run has none.
    """
    alarming = [finding for finding in result.findings if finding.alarms]
    deepest = max((len(finding.advice) for finding in alarming), default=0)
    steps: dict[str, Step] = {}
    for depth in range(deepest):
        told = set()
        for finding in alarming:
            if depth < len(finding.advice) and finding.symptom not in told:
                told.add(finding.symptom)
                steps.setdefault(finding.advice[depth], Step(finding.advice[depth], finding))
    return tuple(steps.values())[:at_most]


def unchecked(result: Result) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return why checks could not be made, each reason once with its symptoms; those that stop most come first."""
    grouped: dict[str, list[str]] = {}
    for one in result.not_checked:
        grouped.setdefault(one.reason, []).append(one.symptom)
    return tuple(sorted(((why, tuple(them)) for why, them in grouped.items()), key=lambda one: -len(one[1])))
