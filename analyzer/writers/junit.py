"""JUnit XML of a night: a test suite a run, a test case a symptom. What could not be checked is *skipped*.

A finding of warning or above that counts fails its case. What is explained, set aside or of severity info passes,
and is told in the case's output; a run of which nothing could be read has an *error*.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO
from xml.sax.saxutils import escape, quoteattr

from analyzer.model.result import Finding, Night, Result
from analyzer.writers.phrases import visible
from analyzer.writers.truncation import shortened


def write_junit(night: Night, file: TextIO) -> None:
    """Write the night, run by run; valid XML whatever the names hold."""
    file.write('<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="posthoc">\n')
    for result in night.results:
        file.writelines(_suite(shortened(result)))
    file.write("</testsuites>\n")


def _suite(result: Result) -> Iterator[str]:
    errors, failures = (sum(_kind(f, result) == kind for f in result.findings) for kind in ("error", "failure"))
    skipped, checked = list(result.not_checked), list(result.checked)
    found = {finding.symptom for finding in result.findings}
    silent = [one for one in skipped if one.symptom not in found]
    clear = [s for s in dict.fromkeys(one.symptom for one in checked) if s not in found]
    count = len(result.findings) + len(silent) + len(clear)
    numbers = f'tests="{count}" failures="{failures}" errors="{errors}" skipped="{len(silent)}" time="0"'
    yield f"<testsuite name={_quoted(result.run)} {numbers}>\n"
    for finding in result.findings:
        yield _case(result, finding.symptom, _outcome(finding, result))
    for symptom in clear:
        yield _case(result, symptom, "")
    for one in silent:
        yield _case(result, one.symptom, f"<skipped message={_quoted(one.reason)}/>")
    yield "</testsuite>\n"


def _case(result: Result, symptom: str, inside: str) -> str:
    head = f'<testcase classname={_quoted(result.run)} name={_quoted(symptom)} time="0"'
    return f"{head}>{inside}</testcase>\n" if inside else f"{head}/>\n"


def _kind(finding: Finding, result: Result) -> str:
    """Return the element that a finding makes."""
    if not finding.counts or finding.severity == "info":
        return "system-out"
    return "error" if result.status == "failed" else "failure"


def _outcome(finding: Finding, result: Result) -> str:
    kind, text = _kind(finding, result), _text(finding)
    if kind == "system-out":
        return f"<system-out>{text}</system-out>"
    return f'<{kind} type="{finding.severity}" message={_quoted(finding.summary)}>{text}</{kind}>'


def _text(finding: Finding) -> str:
    lines = [f"{finding.severity}: {finding.summary}"]
    lines += [f"since last time: {finding.state}"] if finding.state else []
    lines += [f"tags: {', '.join(finding.tags)}"] if finding.tags else []
    lines += [f"explained by: {finding.explained_by}"] if finding.explained_by else []
    lines += [f"suppressed: {finding.suppressed.get('reason', '')}"] if finding.suppressed is not None else []
    lines += [f"do: {advice}" for advice in finding.advice]
    return escape("\n".join(visible(line) for line in lines))


def _quoted(text: str) -> str:
    return quoteattr(visible(text))
