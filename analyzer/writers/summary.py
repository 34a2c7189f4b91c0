"""The short of a result: what to do first, which findings count, which are explained by others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from analyzer.model.evidence import SEVERITIES, Severity
from analyzer.model.formatting import counted
from analyzer.model.result import Event, Finding, Result, Vanished
from analyzer.model.totals import Tally
from analyzer.writers.truncation import short

NAMED, NAME = 3, 80
"""Runs that are named in a sentence, and characters of each."""


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


def label(result: Result) -> str:
    """Return the id, or the name a tracker gave with the beginning of the id that nobody can remember."""
    return _label(result.run, result.name)


def _label(run: str, name: str) -> str:
    return run if not name or name in run else f"{name} ({run[:8]})"


def worst(result: Result) -> Severity | None:
    """Return the worst severity among the findings that count."""
    counting = {finding.severity for finding in result.findings if finding.counts}
    return next((severity for severity in SEVERITIES if severity in counting), None)


def tone(result: Result) -> str:
    """Return the one word that colours a run: error, warning, suppressed, healthy or unjudged."""
    if result.verdict == "problems":
        return worst(result) or "warning"
    return result.verdict


def reaches(result: Result, gate: str, *, new_only: bool = False) -> bool:
    """Whether a finding that counts is at or above the gate (error, warning, info; `never` is never reached).

    `new_only`: findings that were there last night do not count.
    """
    if gate == "never":
        return False
    if new_only:
        result = replace(result, findings=tuple(f for f in result.findings if f.state in {"new", "regressed"}))
    severity = worst(result)
    return severity is not None and SEVERITIES.index(severity) <= [*SEVERITIES].index(gate)  # type: ignore[arg-type]


def first_night(nights: Sequence[Tally], resolved: int, states: Iterable[str]) -> bool:
    """Whether no night came before: all is new then, and nothing gains by being called so."""
    return len(nights) == 1 and not resolved and set(states) <= {"new"}


def vanished(gone: Sequence[Vanished]) -> str:
    """Return in a sentence which runs of last time are not there any more, "" when all are."""
    if not gone:
        return ""
    named = [short(_label(one.run, one.name), NAME) for one in gone[:NAMED]]
    rest = len(gone) - len(named)
    names = ", ".join(named) + (f" and {counted(rest, 'more run')}" if rest else "")
    still = sum(one.findings for one in gone)
    verb, whose = ("is", "its") if len(gone) == 1 else ("are", "their")
    left = f"; {whose} {counted(still, 'finding')} {'was' if still == 1 else 'were'} left unresolved" if still else ""
    return f"{counted(len(gone), 'run')} of last time {verb} not there any more: {names}{left}."
