"""Runs, results and audits inside a notebook: one piece of HTML each, without script or style.

A chart is an image with a data address: notebooks that are not trusted drop inline SVG and keep images, and JupyterLab
stretches inline SVG to the width of the cell.
"""

from __future__ import annotations

import base64
from collections import Counter
from dataclasses import dataclass

from analyzer.model import summary
from analyzer.model.formatting import number
from analyzer.model.result import AuditResult, Result
from analyzer.model.run import Run, Series
from analyzer.model.summary import title_of
from analyzer.writers import finding_tree, template_environment
from analyzer.writers.picture import WIDTH, chart_of, svg_of
from analyzer.writers.truncation import NAME, TEXT, short, shortened

MOST_RUNS, MOST_SERIES, MOST_NOTES = 50, 50, 5
"""Rows of a table in a notebook; the object itself has them all."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart as an image: its address, its size in pixels, what it shows in words, and the tags drawn."""

    address: str
    width: int
    height: int
    words: str
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Row:
    tag: str
    points: int
    first: int | None
    last: int | None
    value: str


def fragment(result: Result) -> str:
    """Return HTML for a result: the verdict, the annotated chart of its first finding, findings, what to do first."""
    result = shortened(result)
    context = {
        "result": result,
        "tone": summary.tone(result),
        "kinds": finding_tree.tree(result),
        "first": finding_tree.first_things(result),
        "titles": {finding.symptom: title_of(finding.symptom) for finding in result.findings},
        "picture": _picture(result),
    }
    return template_environment.environment().get_template("fragment.html").render(context)


def audit_fragment(audit: AuditResult) -> str:
    """Return HTML for an audit: how many runs have which verdict, and the first runs with their sentences."""
    verdicts: Counter[str] = Counter()
    rows: list[tuple[str, Result]] = []
    for result in audit.results:  # once: those of an audit are read from disk
        verdicts[result.verdict] += 1
        if len(rows) < MOST_RUNS:
            brief_one = shortened(result.without_curves())
            rows.append((summary.tone(brief_one), brief_one))
    total = sum(verdicts.values())
    context = {"total": total, "verdicts": verdicts.most_common(), "rows": rows, "more": total - len(rows)}
    return template_environment.environment().get_template("audit_fragment.html").render(context)


def run_fragment(run: Run) -> str:
    """Return HTML for a run that was read: its series with points, steps and last value, and the reader's notes."""
    rows = [_row(tag, series) for tag, series in list(run.series.items())[:MOST_SERIES]]
    notes = [short(note.message, TEXT) for note in run.notes[:MOST_NOTES]]
    context = {"run": run, "rows": rows, "more": max(0, len(run.series) - MOST_SERIES), "notes": notes}
    return template_environment.environment().get_template("run_fragment.html").render(context)


def _row(tag: str, series: Series) -> _Row:
    if not series.points:
        return _Row(short(tag, NAME), 0, None, None, "")
    first, last = int(series.steps.min()), int(series.steps.max())
    return _Row(short(tag, NAME), series.points, first, last, number(float(series.values[-1])))


def _picture(result: Result) -> Picture | None:
    """Return the result's chart as an image; None where no curve was kept."""
    drawn = chart_of(result)
    if drawn is None:
        return None
    address = "data:image/svg+xml;base64," + base64.b64encode(svg_of(drawn).encode("utf-8")).decode("ascii")
    return Picture(address, WIDTH, drawn.height, drawn.words, tuple(curve.tag for curve in drawn.curves))
