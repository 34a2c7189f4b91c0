"""Runs, results and audits inside a notebook: one piece of HTML each, without script or style.

A chart is an image with a data address: notebooks that are not trusted drop inline SVG and keep images, and JupyterLab
stretches inline SVG to the width of the cell.
"""

from __future__ import annotations

import base64
from collections import Counter
from dataclasses import dataclass

from analyzer.model.formatting import number
from analyzer.model.result import AuditResult, Result
from analyzer.model.run import Run, Series
from analyzer.model.summary import title_of
from analyzer.writers import summary, template_environment
from analyzer.writers.chart import Chart, chart
from analyzer.writers.embed import SpillFile
from analyzer.writers.page import main_chart, marks_of, rows_of
from analyzer.writers.truncation import NAME, TEXT, short, shortened

WIDTH = 760
"""Pixels of a chart's width; its height is the chart's own, so the ratio is fixed."""

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
        "kinds": summary.tree(result),
        "first": summary.first_things(result),
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
    """Return the chart of the first finding that has one, else the main curve; None where no curve was kept."""
    drawn = _chart(result)
    if drawn is None:
        return None
    svg = template_environment.environment().get_template("picture.svg").render({"chart": drawn, "width": WIDTH})
    address = "data:image/svg+xml;base64," + base64.b64encode(svg.strip().encode("utf-8")).decode("ascii")
    return Picture(address, WIDTH, drawn.height, drawn.words, tuple(curve.tag for curve in drawn.curves))


def _chart(result: Result) -> Chart | None:
    for finding in summary.tree(result).leading:
        shown = chart("notebook", rows_of(result, finding.tags), SpillFile(), marks_of(finding))
        if shown is not None:
            return shown
    return main_chart(result, SpillFile())
