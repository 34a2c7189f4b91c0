"""The terminal: verdict, findings, what to do first, where the page is; plain unless colour is asked for."""

from __future__ import annotations

import shutil
import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from analyzer.model import summary
from analyzer.model.formatting import counted, duration
from analyzer.model.result import Finding, Night, Result
from analyzer.model.run import Run
from analyzer.model.summary import TONES
from analyzer.writers import cross_run, finding_tree, since_last_audit
from analyzer.writers.index_row import chips
from analyzer.writers.page import page_name
from analyzer.writers.phrases import CHANGES, span, visible
from analyzer.writers.truncation import TEXT, short, shortened

MARKS = {"error": "✗", "warning": "!", "info": "i", "healthy": "✓", "suppressed": "–", "unjudged": "?"}
_COLOURS = {
    "error": "31;1", "warning": "33;1", "info": "34", "healthy": "32;1", "unjudged": "2", "suppressed": "2",
    "soft": "2", "bold": "1",
}  # fmt: skip
MOST_LINES = 30
_INDENT = " " * 4

_ADDRESS = "%/:?#[]@!$&'()*+,;=~"
"""Characters of an address that are left as they are; all others, of which a control sequence may be made, are not."""

LEAST_REASON = 24
"""Characters of a reason that still say something; where less is left of the line, it is left out."""


class Paint:
    """Colours words with escape sequences, or leaves them alone."""

    def __init__(self, colour: bool) -> None:
        self._colour = colour

    def __call__(self, text: str, tone: str) -> str:
        """Return the text, made safe, in the colour of a tone."""
        safe = visible(text)
        return f"\x1b[{_COLOURS[tone]}m{safe}\x1b[0m" if self._colour and tone in _COLOURS else safe

    def link(self, text: str, address: str) -> str:
        """Return the text, made safe, as a link (OSC 8) where escape sequences are wanted."""
        safe = visible(text)
        if not address:
            return safe
        return f"\x1b]8;;{quote(address, _ADDRESS)}\x1b\\{safe}\x1b]8;;\x1b\\" if self._colour else safe


def run_summary(result: Result, where: str, *, colour: bool = False, verbose: bool = False, width: int = 0) -> str:
    """Return what `report` says: the verdict, findings, what to do first, and the page's address."""
    paint, wide, result = Paint(colour), width or _width(), shortened(result)
    tone = summary.tone(result)
    going_on = " The run is still going on." if result.status == "in-progress" else ""
    lines = [_filled(result.sentence + going_on, f"{paint(MARKS[tone], tone)} ", "  ", wide), ""]
    kinds = finding_tree.tree(result)
    shown = kinds.leading if verbose else kinds.leading[:8]
    for finding in shown:
        lines += _finding(finding, paint, wide, verbose=verbose, told=finding.summary in result.sentence)
    if len(kinds.leading) > len(shown):
        lines.append(f"  and {counted(len(kinds.leading) - len(shown), 'more finding')} on the page")
    lines += _asides(kinds, paint, wide, verbose)
    steps = finding_tree.first_things(result)
    if steps:
        lines += ["", paint("Do first", "bold")]
        lines += [_filled(step.advice, f"  {i}. ", "     ", wide) for i, step in enumerate(steps, 1)]
    elif result.verdict == "healthy":
        lines += [_filled(one.sentence, "  · ", "    ", wide) for one in result.health if one.state == "shown"]
    if verbose and result.not_checked:
        lines += ["", paint("Not checked", "bold")]
        lines += [
            _filled(f"{why}: {', '.join(them)}", "  ", "    ", wide) for why, them in finding_tree.unchecked(result)
        ]
    if where:
        lines += ["", f"Report: {paint.link(where, where)}"]
    return _joined(lines)


def _finding(finding: Finding, paint: Paint, wide: int, *, verbose: bool, told: bool) -> list[str]:
    place = span(finding.first_step, finding.last_step)
    tags = ", ".join(finding.tags[:3]) + (f" and {len(finding.tags) - 3} more" if len(finding.tags) > 3 else "")
    head = f"{paint(finding.severity, finding.severity)}  {paint(finding.symptom, 'bold')}"
    lines = ["  " + "  ".join(part for part in (head, paint(tags, "soft"), paint(place, "soft")) if part)]
    if not told:
        lines.append(_filled(finding.summary, _INDENT, _INDENT, wide))
    lines += [_filled(f"most likely: {finding.cause}", _INDENT, _INDENT, wide)] if finding.cause else []
    if verbose:
        lines += [_filled(line, f"{_INDENT}speaks for it: ", _INDENT + "  ", wide) for line in finding.speaks_for]
        lines += [_filled(line, f"{_INDENT}do: ", _INDENT + "    ", wide) for line in finding.advice]
    return lines


def _asides(kinds: finding_tree.Tree, paint: Paint, wide: int, verbose: bool) -> list[str]:
    """What raises no alarm: named when asked for, counted otherwise."""
    explained = [f for group in kinds.under.values() for f in group] + [f for f, _ in kinds.ordinary]
    lines = []
    by_itself = "explained by the above or by the run itself"
    for findings, what in ((explained, by_itself), (kinds.suppressed, "suppressed")):
        if findings and verbose:
            lines += [_filled(f"{f.symptom} ({what}): {f.summary}", "  ", _INDENT, wide) for f in findings]
        elif findings:
            lines.append(paint(f"  {counted(len(findings), 'finding')} {what}", "soft"))
    return lines


@dataclass(frozen=True, slots=True)
class _Line:
    """A run with problems, as the table has it."""

    tone: str
    name: str
    symptoms: str
    fresh: bool
    reason: str
    run: str


@dataclass(slots=True)
class _Seen:
    """What is told of the runs of a night: counts, and a line of each one with problems."""

    tones: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    sick: list[_Line] = field(default_factory=list)
    aside: int = 0


def night_summary(
    night: Night,
    where: str,
    *,
    colour: bool = False,
    verbose: bool = False,
    width: int = 0,
    columns: int = 0,
    took: float | None = None,
) -> str:
    """Return what `audit` says: counts, the worst runs in a table, and the index's address.

    Sentences are wrapped to `width`, the table may take `columns` (0: the width). `took` is in seconds.
    """
    paint, wide = Paint(colour), width or _width()
    seen = _seen(night.results, is_first=len(night.trend) == 1)
    words = {"error": "with errors", "warning": "with warnings", "unjudged": "not judged"}
    tally = [paint(f"{seen.tones[tone]:,} {words.get(tone, tone)}", tone) for tone in TONES if seen.tones[tone]]
    lines = [f"{paint(counted(len(night.results), 'run'), 'bold')}: {', '.join(tally) or 'none judged'}"]
    shown = seen.sick if verbose else seen.sick[:MOST_LINES]
    if shown:
        lines += ["", *_table(shown, paint, columns or wide, where, verbose=verbose)]
    if len(seen.sick) > len(shown):
        lines.append(f"  and {counted(len(seen.sick) - len(shown), 'more run')} with problems, all in the index")
    beyond = cross_run.lines(night.across)
    if beyond:
        lines += ["", paint("Across runs", "bold"), *(_filled(line, "  · ", "    ", wide) for line in beyond)]
    unread = [f"{n:,} {status}" for status, n in night.counts.items() if n and status not in {"ok", "discovered"}]
    if unread:
        lines += ["", paint(f"Of {counted(len(night.results), 'log')}: {', '.join(unread)}", "soft")]
    if seen.aside:
        lines += ["", paint(f"Set aside by the settings: {counted(seen.aside, 'finding')}", "soft")]
    changes = _changes(night, seen.states)
    lines += ["", *(paint(change, "soft") for change in changes)] if changes else []
    if took is not None:
        lines += ["", paint(f"Took {duration(took)}", "soft")]
    if where:
        lines += ["", f"Index: {paint.link(where, where)}"]
    return _joined(lines)


def _seen(results: Iterable[Result], *, is_first: bool) -> _Seen:
    """Look at each result once. `is_first`: no night came before, and where all is new nothing is marked as new."""
    seen = _Seen()
    for result in results:
        tone = summary.tone(result)
        seen.tones[tone] += 1
        seen.states.update(f.state for f in result.findings if f.alarms and f.state)
        seen.aside += sum(f.suppressed is not None for f in result.findings)
        if tone in {"error", "warning"}:
            found = [chip._replace(state="") if is_first else chip for chip in chips(result) if chip.severity != "info"]
            said = dict.fromkeys(f"{c.symptom} ({CHANGES[c.state]})" if c.state else c.symptom for c in found)
            seen.sick.append(
                _Line(
                    tone,
                    summary.label(result),
                    ", ".join(said),
                    any(c.state for c in found),
                    _reason(result),
                    result.run,
                )
            )
    seen.sick.sort(key=lambda line: (TONES.index(line.tone), not line.fresh))
    return seen


def _changes(night: Night, states: Counter[str]) -> list[str]:
    """What a memory of last night adds."""
    counts = Counter({**states, "resolved": len(night.healed)})
    told = [f"{counts[state]:,} {word}" for state, word in CHANGES.items() if counts[state]]
    if since_last_audit.first_night(night.trend, len(night.resolved), states):
        lines = [f"First tracked audit: {', '.join(told) or 'nothing new'}."]
    else:
        lines = [f"Since the last audit: {', '.join(told)}."] if told else []
    lines += [since_last_audit.vanished(night.vanished)] if night.vanished else []
    anew = f"Results of unchanged logs were re-evaluated because {night.judged_anew}."
    return lines + [anew] * bool(night.judged_anew)


def _page(index: str, run: str) -> str:
    """Return the address of a run's page beside an index's, "" where that is not known."""
    folder, slash, _ = index.rpartition("/")
    return f"{folder}/runs/{page_name(run)}" if slash else ""


def _reason(result: Result) -> str:
    """Return what the first finding that alarms says, in a sentence."""
    return next((short(finding.summary, TEXT) for finding in result.findings if finding.alarms), "")


def _table(sick: Sequence[_Line], paint: Paint, wide: int, index: str, *, verbose: bool) -> list[str]:
    """One line a run: mark, name, symptoms that count, and the reason as far as the line reaches, or below it."""
    names = [visible(line.name) for line in sick]
    room = wide - max(len(line.symptoms) for line in sick) - len(_INDENT) - 2
    column = min(max(map(len, names)), max(20, wide // 2, room))
    lines = []
    for line, name in zip(sick, names, strict=True):
        shown = name if len(name) <= column else "…" + name[1 - column :]
        linked = paint.link(shown, _page(index, line.run)) + " " * (column - len(shown))
        head = f"  {paint(MARKS[line.tone], line.tone)} {linked}  {paint(line.symptoms, line.tone)}"
        left = wide - column - len(line.symptoms) - len(_INDENT) - len(_INDENT)
        if verbose and line.reason:
            lines += [head, _filled(line.reason, _INDENT, _INDENT, wide)]
        elif line.reason and left >= LEAST_REASON:
            reason = visible(line.reason)
            reason = reason if len(reason) <= left else reason[: left - 1] + "…"
            lines.append(f"{head}  {paint(reason, 'soft')}")
        else:
            lines.append(head)
    return lines


def series_table(
    run: Run, rows: Iterable[tuple[str, int, str, str, str]], kind: str = "", *, colour: bool = False, width: int = 0
) -> str:
    """Return what `series` says of a run, its lines cut at the width (0: not).

    Rows are (tag, points, role, split, why), `kind` is a sentence on its family.
    """
    paint = Paint(colour)
    name = "" if run.name in run.id else f"  {visible(short(run.name))}"
    place = f"  {run.source}, {visible(short(run.location))}"
    lines = [paint(visible(short(run.id)) + name, "bold") + paint(place, "soft")]
    table = [("tag", "points", "role", "split", "why")]
    table += [
        (visible(short(tag)), f"{points:,}", role, split or "–", visible(short(why, TEXT)))
        for tag, points, role, split, why in rows
    ]
    widths = [max(len(row[i]) for row in table) for i in range(4)]
    for i, row in enumerate(table):
        tag, points, role, split, why = row
        line = f"  {tag:<{widths[0]}}  {points:>{widths[1]}}  {role:<{widths[2]}}  {split:<{widths[3]}}  "
        left = width - len(line)
        if not width or len(why) <= left:
            lines.append(line + why if i else paint(line + why, "soft"))
        elif left >= LEAST_REASON:
            lines.append(_filled(why, line, " " * len(line), width))
        else:
            lines += [line if i else paint(line, "soft"), _filled(why, _INDENT, _INDENT, width)]
    if len(table) == 1:
        lines[1:] = ["  no scalar series"]
    elif kind:
        lines.insert(1, f"  {visible(short(kind, TEXT))}")
    lines += [f"  note: {visible(short(note.message, TEXT))}" for note in run.notes]
    return _joined(lines)


def _filled(text: str, first: str, rest: str, wide: int) -> str:
    """Wrap a text, made safe, to the width; escape sequences in `first` do not count."""
    safe = visible(text)
    lines = textwrap.wrap(safe, max(20, wide - len(rest)), break_long_words=False, break_on_hyphens=False) or [""]
    return "\n".join([first + lines[0], *(rest + line for line in lines[1:])])


def _joined(lines: Iterable[str]) -> str:
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _width() -> int:
    return min(110, shutil.get_terminal_size((100, 24)).columns)
