"""The one chart that stands for a result, as an SVG file of its own: in a notebook, an issue, a message."""

from __future__ import annotations

from analyzer.model.result import Result
from analyzer.writers import finding_tree, template_environment
from analyzer.writers.chart import Chart, chart
from analyzer.writers.embed import SpillFile
from analyzer.writers.page import main_chart, marks_of, rows_of

WIDTH = 760
"""Pixels of a chart's width; its height is the chart's own, so the ratio is fixed."""


def chart_of(result: Result) -> Chart | None:
    """Return the chart of the first finding that has one, else the main curve; None where no curve was kept."""
    for finding in finding_tree.tree(result).leading:
        shown = chart("notebook", rows_of(result, finding.tags), SpillFile(), marks_of(finding))
        if shown is not None:
            return shown
    return main_chart(result, SpillFile())


def svg_of(drawn: Chart) -> str:
    """Return a chart as the text of an SVG file, WIDTH pixels wide, on white."""
    text = template_environment.environment().get_template("picture.svg").render({"chart": drawn, "width": WIDTH})
    shown = text.replace('<svg class="plots"', '<svg class="plots" overflow="visible"', 1)  # as the style of pages does
    return shown.strip() + "\n"
