"""A text of any length makes no page of any size, and two texts stay two."""

import json
from dataclasses import replace
from io import StringIO

import pytest

from analyzer.model.result import Night
from analyzer.model.run import Note, Run
from analyzer.writers.index_row import entry
from analyzer.writers.json_file import write_document
from analyzer.writers.notebook import fragment
from analyzer.writers.page import Provenance, page_name, run_page
from analyzer.writers.terminal import night_summary, run_summary, series_table
from analyzer.writers.truncation import DOCUMENT, NAME, short, shortened
from tests import made
from tests.writers.markup import check_page


def with_long(text):
    result = made.overfitted()
    old = result.series[0].tag
    rows = (replace(result.series[0], tag=text), *result.series[1:])
    findings = tuple(
        replace(f, tags=tuple(text if t == old else t for t in f.tags), summary=f"{text} rises", also=(text,),
                marks=tuple(replace(m, tag=text if m.tag == old else m.tag) for m in f.marks))
        for f in result.findings
    )  # fmt: skip
    return replace(
        result, run=f"exp/{text}", name=text, series=rows, findings=findings, params=((text, text), ("list", [text])),
        notes=(Note("damage", text, text),), main_tag=text, location=text, reason=text,
    )  # fmt: skip


@pytest.mark.parametrize("text", ["\u200b" * 100_000, "x" * 1_000_000, "\udc80<&" * 200_000])
def test_a_long_name_makes_no_large_page(text):
    result = with_long(text)
    page = run_page(result, made.guides(), Provenance("1", "posthoc report x"))
    usual = run_page(made.overfitted(), made.guides(), Provenance("1", "posthoc report x"))
    check_page(page)
    assert len(page) < len(usual) + 200_000
    assert page.count("data-curve") == usual.count("data-curve")  # each tag still finds its curve
    assert len(run_summary(result, "")) < 40_000 and len(fragment(result)) < 100_000
    assert len(night_summary(Night("1", (), (result,)), "")) < 2_000
    line = entry(result)
    assert line.page == page_name(result.run) and len(line.run) < NAME + 20
    rows = [(text, 1, "loss", "train", text)]
    assert len(series_table(Run(text, text, "x", text, notes=result.notes), rows)) < 30_000


def test_the_document_keeps_more_and_stays_bounded():
    file = StringIO()
    write_document(Night("1", (), (with_long("x" * 1_000_000),)), file)
    run = json.loads(file.getvalue())["runs"][0]
    assert run["series"][0]["tag"] == run["findings"][0]["also"][0] == short("x" * 1_000_000, DOCUMENT)
    assert (
        run["findings"][0]["fingerprint"] == with_long("x").findings[0].fingerprint and len(file.getvalue()) < 500_000
    )


def test_texts_that_begin_alike_stay_apart_and_short_ones_untouched():
    assert short("a" * 300) == "a" * 300
    assert short("a" * 301).startswith("a" * 300 + "… #") and short("a" * 301) != short("a" * 302)
    assert shortened(usual := made.overfitted()) is usual
    summary = shortened(with_long("y" * 500)).findings[0].summary
    assert summary == f"{short('y' * 500)} rises"
