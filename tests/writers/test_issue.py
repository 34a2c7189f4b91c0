"""A run as Markdown for an issue: nothing from a log is markup, the chart is a file, and it stays short."""

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from analyzer.writers.issue import issue_text, picture_beside, write_issue_files
from analyzer.writers.page import Provenance
from tests import made

MAKING = Provenance("1.2.3", "posthoc report logs/exp1")


def test_it_says_verdict_evidence_cause_advice_and_how_to_reproduce(tmp_path):
    result = made.overfitted()
    write_issue_files(tmp_path / "bug report.md", result, MAKING)
    text = (tmp_path / "bug report.md").read_text("utf-8")
    finding = result.findings[0]
    assert text.startswith("## ") and "![" in text and "](bug%20report.svg)" in text
    assert "| measured | value | limit |" in text and "**Most likely cause:**" in text
    assert f"1. {finding.advice[0][:20]}" in text
    assert "```sh\nposthoc report logs/exp1\n```" in text and text.endswith("posthoc 1.2.3\n")
    root = ET.fromstring(picture_beside(tmp_path / "bug report.md").read_text("utf-8"))
    assert root.tag.endswith("svg") and root.get("width") == "760"


def test_without_a_curve_there_is_no_picture(tmp_path):
    write_issue_files(tmp_path / "a.md", made.overfitted().without_curves(), MAKING)
    assert [path.name for path in tmp_path.iterdir()] == ["a.md"]
    assert "![" not in (tmp_path / "a.md").read_text("utf-8")


@pytest.mark.parametrize("hostile", ["@everyone", "<img src=x>", "[x](http://evil)", "a | b", "*bold*", "#1", "x\n# y"])
def test_a_log_s_names_are_no_markup(hostile):
    result = made.overfitted()
    bad = replace(
        result, run=hostile, findings=tuple(replace(f, summary=hostile, cause=hostile) for f in result.findings)
    )
    text = issue_text(bad, MAKING)
    for mark in re.findall(r"[@<\[|*#]", hostile):
        assert f"\\{mark}" in text
    assert "\n# y" not in text


def test_many_findings_are_counted_not_listed():
    result = made.overfitted()
    many = tuple(replace(result.findings[0], fingerprint=f"{i:016x}") for i in range(40))
    text = issue_text(replace(result, findings=many), MAKING)
    assert "and 32 more findings" in text and len(text) < 65_536
