"""A comparison for eyes and programs: the page, the terminal, Markdown, JSON, the list of runs, a notebook."""

from __future__ import annotations

import base64
import csv
import io
import json
from typing import Any

from analyzer.model.comparison import ComparedMetric, Comparison
from analyzer.model.formatting import number
from analyzer.writers import template_environment
from analyzer.writers.comparison_chart import course, dots, forest, interval_line
from analyzer.writers.embed import json_for_html
from analyzer.writers.phrases import cell, visible

TONES = {"better": "healthy", "worse": "error", "no-difference": "info", "cannot-tell": "unjudged"}
COLOURS = {"healthy": "32;1", "error": "31;1", "info": "34", "unjudged": "33;1"}
SIGNS = {"healthy": "✓", "error": "✗", "info": "=", "unjudged": "?"}
MOST_ROWS = 12  # settings and candidates that the terminal and Markdown name


def page(found: Comparison, command: str = "") -> str:
    """Return the page: one self-contained HTML file that needs no script."""
    document_text = json.dumps(found.to_dict(), allow_nan=False)
    context = {
        **_context(found),
        "command": command,
        "json_link": "data:application/json;base64," + base64.b64encode(document_text.encode()).decode("ascii"),
        "embedded": json_for_html(found.to_dict()),
    }
    return template_environment.render("compare.html", context, more_style="compare.css")


def fragment(found: Comparison) -> str:
    """Return HTML for `_repr_html_`: no script, no style of its own."""
    return template_environment.environment().get_template("compare_fragment.html").render(_context(found))


def _context(found: Comparison) -> dict[str, Any]:
    rivals = found.rivals if len(found.rivals) > 1 else ()
    return {
        "c": found,
        "m": found.primary,
        "tone": TONES[found.verdict],
        "tones": TONES,
        "line": interval_line(found.primary),
        "forest": forest(rivals),
        "course": course(found),
        "dots": dots(found),
        "failures": found.extra.get("failures"),
        "varies": found.extra.get("varies", ()),
        "confounding": found.extra.get("confounding", ()),
        "anova": found.extra.get("anova"),
        "tasks": found.extra.get("tasks"),
        "chance": chance,
    }


def chance(p: float | None) -> str:
    """Return a p-value as people write it."""
    if p is None:
        return "–"
    return "< 0.0001" if p < 1e-4 else number(p, 2)


def document(found: Comparison) -> str:
    """Return the JSON document with a line break at its end."""
    return json.dumps(found.to_dict(), allow_nan=False, ensure_ascii=True) + "\n"


def text(found: Comparison, page_address: str = "", *, colour: bool = False) -> str:
    """Return what the terminal says."""
    tone = TONES[found.verdict]
    sign = f"\x1b[{COLOURS[tone]}m{SIGNS[tone]}\x1b[0m" if colour else SIGNS[tone]
    lines = [f"{sign} {visible(found.sentence)}"]
    lines += [f"  {visible(note)}" for note in found.notes]
    for row in found.settings[:MOST_ROWS]:
        lines.append(f"  {visible(row.name)}: {visible(row.base)} → {visible(row.candidate)}")
    lines += [
        f"  left out of {visible(s.name)}: {visible(r.label)}: {visible(r.reason)}"
        for s in _sides(found)
        for r in s.excluded
    ]
    if len(found.rivals) > 1:
        lines += [f"  {SIGNS[TONES[one.verdict]]} {visible(one.sentence)}" for one in found.rivals[:MOST_ROWS]]
    told = [m for m in found.metrics[1:] if m.verdict in {"better", "worse"}]
    lines += [f"  also {visible(_short(m))}" for m in told[:MOST_ROWS]]
    if page_address:
        lines.append(f"Page: {page_address}")
    return "\n".join(lines) + "\n"


def _sides(found: Comparison) -> tuple[Any, ...]:
    return (found.base, found.candidate)


def _short(metric: ComparedMetric) -> str:
    p = f", adjusted p {chance(metric.p_adjusted)}" if metric.p_adjusted is not None else ""
    return f"{metric.tag} {metric.verdict}: {number(metric.difference)}{p}"


def markdown(found: Comparison) -> str:
    """Return the comparison as a short Markdown text for a pull request."""
    lines = [f"**posthoc: {_plain(found.sentence)}**", ""]
    lines += [f"{_plain(note)}" for note in found.notes]
    if found.notes:
        lines.append("")
    lines += [
        "| metric | base | candidate | difference | interval | p | verdict |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    every = [one.primary for one in found.rivals] if len(found.rivals) > 1 else list(found.metrics)
    for m in every[:MOST_ROWS]:
        inside = f"{number(m.interval[0])} to {number(m.interval[1])}" if m.interval else "–"
        p = chance(m.p_adjusted if m.p_adjusted is not None else m.p_value)
        cells = (m.tag, number(m.base.mean, 5), number(m.candidate.mean, 5), number(m.difference), inside, p, m.verdict)
        lines.append("| " + " | ".join(_plain(cell) for cell in cells) + " |")
    if found.settings:
        lines += ["", "| setting | base | candidate |", "| --- | --- | --- |"]
        lines += [
            f"| {_plain(r.name)} | {_plain(r.base)} | {_plain(r.candidate)} |" for r in found.settings[:MOST_ROWS]
        ]
    left = [f"- {_plain(r.label)} ({_plain(s.name)}): {_plain(r.reason)}" for s in _sides(found) for r in s.excluded]
    if left:
        lines += ["", "Left out:", "", *left]
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    safe = visible(text).replace("\\", "\\\\")
    for mark in "|*_`<>[]#@":
        safe = safe.replace(mark, f"\\{mark}")
    return safe


def run_list(found: Comparison) -> str:
    """Return the runs as CSV: side, name of the side, run, location, outcome, reason (why it is not compared)."""
    file = io.StringIO()
    table = csv.writer(file, lineterminator="\n")
    table.writerow(("side", "name", "run", "location", "outcome", "reason"))
    pairs = [("base", found.base), *(("candidate", one.candidate) for one in (found.rivals or (found,)))]
    for side, group in pairs:
        for run in (*group.runs, *group.excluded):
            outcome = "" if run.outcome is None else repr(run.outcome)
            table.writerow((side, cell(group.name), cell(run.run), cell(run.location), outcome, cell(run.reason)))
    return file.getvalue()
