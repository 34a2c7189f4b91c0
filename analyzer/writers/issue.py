"""One run as Markdown for an issue tracker: the verdict, the chart, each problem with its evidence, the command."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from analyzer.model import summary
from analyzer.model.result import Finding, JudgedMeasure, Result
from analyzer.model.summary import title_of
from analyzer.writers import finding_tree
from analyzer.writers.facts import facts
from analyzer.writers.markdown import LONGEST_LINE, LONGEST_NAME, marked_up
from analyzer.writers.page import Provenance
from analyzer.writers.phrases import bare_limit, measured, span
from analyzer.writers.picture import chart_of, svg_of
from analyzer.writers.text_file import write_text
from analyzer.writers.truncation import short, shortened

FENCE = 3
"""Backticks around code, where it holds fewer in a row."""

MOST_FINDINGS, MOST_LINES = 8, 6
"""Findings in full, and lines of a list in each: an issue of a hundred lines is read by nobody."""


def write_issue_files(path: Path, result: Result, making: Provenance) -> None:
    """Write the Markdown to a file and, where the result has a curve, its chart to a file of SVG beside it."""
    drawn = chart_of(shortened(result))
    picture = picture_beside(path)
    if drawn is not None:
        write_text(picture, svg_of(drawn))
    write_text(path, issue_text(result, making, picture=quote(picture.name) if drawn is not None else ""))


def picture_beside(path: Path) -> Path:
    """Return the name of the chart's file."""
    return path.with_name(f"{path.stem}.svg")


def issue_text(result: Result, making: Provenance, *, picture: str = "") -> str:
    """Return the run as Markdown; `picture` is the address of its chart, "" where there is none."""
    result = shortened(result.without_curves())
    found = finding_tree.tree(result).leading
    name = making.title or summary.label(result)
    parts = [f"## {_text(name, LONGEST_NAME)}: {_text(_what(result, found))}", f"**{_text(result.sentence)}**"]
    parts += [f"![{_text(_alternative(result, found))}]({picture})"] if picture else []
    parts += [", ".join(_text(fact) for fact in facts(result))] if facts(result) else []
    for finding in found[:MOST_FINDINGS]:
        parts += _finding(finding)
    rest = len(found) - MOST_FINDINGS
    parts += [f"and {rest} more findings, all on the page"] if rest > 0 else []
    parts += ["### Reproduce", _code(making.command), f"posthoc {making.version}"]
    return "\n\n".join(parts) + "\n"


def _what(result: Result, found: tuple[Finding, ...]) -> str:
    if not found:
        return "not judged" if result.verdict == "unjudged" else result.verdict
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return f"{title_of(found[0].symptom).lower()}{more}"


def _alternative(result: Result, found: tuple[Finding, ...]) -> str:
    return f"{', '.join(found[0].tags[:3])}: {title_of(found[0].symptom).lower()}" if found else "the main curve"


def _finding(finding: Finding) -> Iterator[str]:
    where = f", {span(finding.first_step, finding.last_step)}" if finding.first_step is not None else ""
    tags = ", ".join(_text(tag, LONGEST_NAME) for tag in finding.tags[:MOST_LINES])
    yield f"### {title_of(finding.symptom)} ({finding.severity})"
    yield f"{tags}{where}\n\n{_text(finding.summary)}"
    if finding.measures:
        yield "\n".join(["| measured | value | limit |", "| --- | --: | --: |", *map(_row, finding.measures)])
    cause = finding.cause or "not known from the log"
    yield f"**Most likely cause:** {_text(cause)}"
    if finding.speaks_for:
        yield "\n".join(f"- {_text(line)}" for line in finding.speaks_for[:MOST_LINES])
    if finding.advice:
        steps = "\n".join(f"{i}. {_text(line)}" for i, line in enumerate(finding.advice[:MOST_LINES], 1))
        yield f"**What to do:**\n\n{steps}"


def _row(one: JudgedMeasure) -> str:
    limit = bare_limit(one.limit, one.unit) if one.limit is not None else ""
    return f"| {_text(one.name)} | {_text(measured(one.value, one.unit))} | {_text(limit)} |"


def _code(command: str) -> str:
    """Return a block of code whose fence is longer than any in it."""
    longest = max((len(run) for run in re.findall("`+", command)), default=0)
    fence = "`" * max(FENCE, longest + 1)
    return f"{fence}sh\n{command}\n{fence}"


def _text(text: str, most: int = LONGEST_LINE) -> str:
    return marked_up(short(text, most))
