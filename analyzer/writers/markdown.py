"""A night as a short Markdown text for a pull request or a chat: what is new first, and never too long."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TextIO

from analyzer.model import summary
from analyzer.model.evidence import SEVERITIES
from analyzer.model.formatting import counted
from analyzer.model.result import Finding, Night, Result
from analyzer.writers import since_last_audit
from analyzer.writers.cross_run import lines
from analyzer.writers.index import headline
from analyzer.writers.phrases import visible
from analyzer.writers.truncation import short, shortened

MOST_ROWS, MOST_RESOLVED, MOST_LINES = 20, 10, 8
LONGEST_NAME, LONGEST_SUMMARY, LONGEST_LINE = 100, 240, 500
"""Characters: with so many rows the text stays below 10,000, far within what a comment may hold."""

SHORT_NAME, SHORT_SUMMARY = 60, 120
"""Characters: a message stays below 1,900, which the strictest of chats takes."""

_CALLS = str.maketrans({"@": "＠", "<": "‹", ">": "›", "`": "'"})

NEWS = frozenset({"new", "regressed"})

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~@!&])")
_SIGNS = {"error": "✗", "warning": "!", "info": "i"}


@dataclass(frozen=True, slots=True)
class _Listed:
    """A finding that somebody should act on, and its run's id and label."""

    run: str
    label: str
    finding: Finding


@dataclass(slots=True)
class _Seen:
    """What is told of the runs of a night: counts by colour, what to act on, worst first, and whether it has states."""

    tones: Counter[str] = field(default_factory=Counter)
    told: list[_Listed] = field(default_factory=list)
    remembered: bool = False


def write_markdown(night: Night, file: TextIO) -> None:
    """Write the digest: the night in a sentence, what is new or back, resolved, persists, and is across runs."""
    seen = _seen(night.results)
    parts = [f"**posthoc: {marked_up(headline(seen.tones))}**"]
    fresh = [one for one in seen.told if one.finding.state in NEWS]
    if seen.remembered or night.resolved:
        old = [one for one in seen.told if one.finding.state == "persisting"]
        is_first = since_last_audit.first_night(
            night.trend, len(night.resolved), (one.finding.state or "" for one in seen.told)
        )
        title = "Found in the first tracked audit" if is_first else "New since last time"
        parts += _table(title, fresh) or ["Nothing is new since last time."]
        parts += _resolved(night) + _tally("Still there", old)
    else:
        parts += _table("Findings", seen.told)
    beyond = [f"- {marked_up(short(line, LONGEST_LINE))}" for line in lines(night.across)]
    parts += ["### Across runs", "\n".join(beyond)] if beyond else []
    parts += [marked_up(since_last_audit.vanished(night.vanished))] if night.vanished else []
    if night.judged_anew:
        parts.append(f"Results of unchanged logs were re-evaluated because {night.judged_anew}.")
    unread = [f"{n:,} {status}" for status, n in night.counts.items() if n and status in {"failed", "partial"}]
    parts += [f"Logs: {', '.join(unread)} of {night.counts['discovered']:,}."] if unread else []
    parts += [
        f"- {marked_up(text)}" for text in (*night.stale[:MOST_RESOLVED], *([night.clock] if night.clock else []))
    ]
    file.write("\n\n".join(parts) + "\n")


def notice(night: Night, where: str) -> tuple[str, str] | None:
    """Return title and text of a message on what is new or back since last time; None when nothing is.

    It is plain text, for what a chat makes of markup differs from one to the next; `where` is the index.
    """
    told = _seen(night.results).told
    fresh = [one for one in told if one.finding.state in NEWS]
    if not fresh:
        return None
    sick = len({one.run for one in fresh})
    title = f"posthoc: {counted(len(fresh), 'new finding')} in {sick:,} of {counted(len(night.results), 'run')}"
    lines = [_line(one) for one in fresh[:MOST_LINES]]
    rest = len(fresh) - len(lines)
    lines += [f"and {rest:,} more"] if rest else []
    others = [f"{n:,} {word}" for n, word in ((len(night.healed), "resolved"), (_old(told), "still there")) if n]
    others += [f"{counted(len(night.vanished), 'run')} not there any more"] if night.vanished else []
    also = [f"Besides: {', '.join(others)}."] if others else []
    return title, "\n\n".join(["\n".join(lines), *also, f"Index: {harmless(where)}"])


def _line(told: _Listed) -> str:
    finding = told.finding
    name, what = short(told.label, SHORT_NAME), short(finding.summary, SHORT_SUMMARY)
    back = " (again)" if finding.state == "regressed" else ""
    return f"{_SIGNS[finding.severity]} {harmless(name)}: {finding.symptom}{back}: {harmless(what)}"


def harmless(text: str) -> str:
    """Return the text so that no chat calls anybody because of it, or takes it for a tag."""
    return visible(text).translate(_CALLS)


def _old(told: Iterable[_Listed]) -> int:
    return sum(one.finding.state == "persisting" for one in told)


def _seen(results: Iterable[Result]) -> _Seen:
    seen = _Seen()
    for result in map(shortened, results):
        seen.tones[summary.tone(result)] += 1
        seen.remembered = seen.remembered or any(finding.state for finding in result.findings)
        found = (f for f in result.findings if f.alarms)
        seen.told += [_Listed(result.run, summary.label(result), finding) for finding in found]
    seen.told.sort(key=lambda one: (SEVERITIES.index(one.finding.severity), one.run))
    return seen


def _table(title: str, found: Sequence[_Listed]) -> list[str]:
    if not found:
        return []
    rows = ["| | run | symptom | what |", "| --- | --- | --- | --- |"]
    for one in found[:MOST_ROWS]:
        name, finding = marked_up(short(one.label, LONGEST_NAME)), one.finding
        back = " (again)" if finding.state == "regressed" else ""
        what = marked_up(short(finding.summary, LONGEST_SUMMARY))
        rows.append(f"| {_SIGNS[finding.severity]} | {name} | {finding.symptom}{back} | {what} |")
    rest = len(found) - MOST_ROWS
    more = [f"and {counted(rest, 'more finding')}, all in the index"] if rest > 0 else []
    return [f"### {title} ({len(found):,})", "\n".join(rows), *more]


def _resolved(night: Night) -> list[str]:
    if not night.healed:
        return []
    named = [f"{marked_up(short(one['run'], LONGEST_NAME))}: {one['symptom']}" for one in night.healed[:MOST_RESOLVED]]
    rest = len(night.healed) - len(named)
    named += [f"and {rest:,} more"] if rest else []
    return [f"### Resolved ({len(night.healed):,})", "\n".join(f"- {name}" for name in named)]


def _tally(title: str, found: Sequence[_Listed]) -> list[str]:
    counts = Counter(one.finding.symptom for one in found)
    told = ", ".join(f"{symptom} {count:,}" for symptom, count in counts.most_common())
    return [f"### {title} ({len(found):,})", told] if counts else []


def marked_up(text: str) -> str:
    """Return the text so that nothing in it is markup, a mention or a line break."""
    return _MARKUP.sub(r"\\\1", visible(text))
