"""A result inside a notebook: the verdict, the findings and the main curve, in one piece of HTML."""

from __future__ import annotations

from analyzer.model.result import Result
from analyzer.model.summary import title_of
from analyzer.writers import brief, environment
from analyzer.writers.chart import spark
from analyzer.writers.entry import main_row
from analyzer.writers.shortening import shortened


def fragment(result: Result) -> str:
    """Return HTML for `_repr_html_`: no script, no style of its own, readable in light and dark notebooks."""
    result = shortened(result)
    main = main_row(result.series, result.main_tag)
    context = {
        "result": result,
        "tone": brief.tone(result),
        "kinds": brief.tree(result),
        "first": brief.first_things(result),
        "titles": {finding.symptom: title_of(finding.symptom) for finding in result.findings},
        "main": main,
        "path": spark(main.curve, 200) if main else "",
    }
    return environment.environment().get_template("fragment.html").render(context)
