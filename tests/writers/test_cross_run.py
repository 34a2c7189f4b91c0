"""What was seen across runs and over nights, on the index, in the digest and on the terminal: short, linked, safe."""

import io
from dataclasses import replace

import pytest

from analyzer.model.cross_run import Across
from analyzer.model.result import Night
from analyzer.model.totals import Tally
from analyzer.writers.cross_run import LINKS, MOST, MOST_LINES, lines
from analyzer.writers.index import index_pages
from analyzer.writers.index_row import entry
from analyzer.writers.json_file import write_document
from analyzer.writers.markdown import write_markdown
from analyzer.writers.terminal import night_summary
from analyzer.writers.trend import trend_of
from tests import made
from tests.writers.markup import check_page

SEEN = Across(
    "in-common",
    "exp1",
    "9 of 11 runs with exploding-loss had lr ≥ 0.01; 1 of 40 others.",
    tuple(f"exp1/r{i}" for i in range(9)),
    ("lr", "with it", "without", "share with it"),
    (("≥ 0.01", "9", "1", "90 %"), ("< 0.01", "2", "39", "4.9 %")),
    "the chance of so clear a split by luck is about 1 in 90,000",
    ("Train one of these runs again.",),
    1.1e-5,
)


def nights(count):
    return [
        Tally(f"2026-01-{i + 1:02d}T05:00:00Z", 50, {"error": i % 4, "healthy": 50 - i % 4}, 0, {"plateau": i}, i / 3)
        for i in range(count)
    ]


def index(*across, trend=()):
    entries = [replace(entry(made.healthy(f"exp1/r{i}")), page=f"{i:016x}.html" if i else "") for i in range(9)]
    return dict(index_pages(entries, ["logs"], version="1", across=across, nights=trend))["index.html"]


def test_the_index_has_sentence_table_and_links_to_runs_that_have_pages():
    read = check_page(index(SEEN, replace(SEEN, kind="duplicates", columns=(), rows=())))
    assert SEEN.sentence in read.words and "need not be its cause" in read.words and "≥ 0.01 9 1 90 %" in read.words
    assert read.links.count("runs/0000000000000001.html") >= 2 and "and 6 more runs" in read.words
    assert LINKS == 3 and "The same curves twice" in read.words


def test_without_anything_seen_and_on_a_first_night_the_index_says_nothing_of_it():
    words = check_page(index(trend=nights(1))).words
    assert "Across runs" not in words and "Over the last" not in words


def test_many_things_are_counted():
    read = check_page(index(*[replace(SEEN, sentence=f"thing {i}") for i in range(MOST + 7)]))
    assert (
        f"thing {MOST - 1}" in read.words and f"thing {MOST} " not in read.words and "and 7 more, all in" in read.words
    )
    told = lines([SEEN] * 12)
    assert len(told) == MOST_LINES + 1 and told[0].startswith("exp1: 9 of 11") and told[-1].startswith("and 7 more")


def test_hostile_words_stay_words():
    foul = made.HOSTILE
    seen = replace(SEEN, sentence=foul, group=foul, runs=(foul,), columns=(foul,), rows=((foul,),), evidence=foul)
    read = check_page(index(replace(seen, advice=(foul,))))
    assert not any(tag == "img" for tag, _, _ in read.attributes)
    night = Night("1", ("logs",), (made.healthy(),), across=(seen,))
    file = io.StringIO()
    write_markdown(night, file)
    assert "<script" not in file.getvalue().replace("\\<", "") and "\x1b" not in night_summary(night, "", width=80)


def test_the_digest_and_the_terminal_have_a_line_each():
    night = Night("1", ("logs",), (made.healthy(),), across=(SEEN,))
    file = io.StringIO()
    write_markdown(night, file)
    assert "### Across runs\n\n- exp1: 9 of 11 runs with exploding-loss had lr ≥ 0.01;" in file.getvalue()
    assert "Across runs\n  · exp1: 9 of 11 runs" in night_summary(night, "", width=100)


def test_nights_are_lines_with_words_for_those_who_do_not_see_them():
    read = check_page(index(trend=nights(9)))
    assert "Over the last 9 nights" in read.words and "2026-01-09 05:00" in read.words
    spoken = [value for tag, name, value in read.attributes if name == "aria-label" and "plateau" in str(value)]
    assert spoken == ["plateau: 0 8 nights ago, 8 tonight; lowest 0, highest 8"]


def test_a_trend_needs_two_nights_and_keeps_quiet_where_all_is_nought():
    assert trend_of(nights(1)) is None and trend_of([]) is None
    told = trend_of(nights(2))
    assert [line.name for line in told.lines] == ["runs", "runs with errors", "hours past the best step", "plateau"]
    assert told.lines[1].change == "+1" and told.lines[0].change == "" and told.lines[1].path == "M0 100L1000 0"
    assert [len(row) for row in told.rows] == [len(told.columns)] * 2 and told.rows[0][0] == "2026-01-02 05:00"


def test_the_document_with_it_is_as_its_schema_says():
    jsonschema = pytest.importorskip("jsonschema")
    import json

    from analyzer.schema import findings_schema

    file = io.StringIO()
    write_document(Night("1", ("logs",), (made.healthy(),), across=(SEEN, replace(SEEN, p_value=None))), file)
    document = json.loads(file.getvalue())
    validator = jsonschema.Draft202012Validator(findings_schema())
    validator.validate(document)
    assert set(document["across"][0]) | {"history"} == set(validator.schema["$defs"]["across"]["properties"])
    assert set(document) <= set(validator.schema["properties"])
