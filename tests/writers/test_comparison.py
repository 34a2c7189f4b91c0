"""The page of a comparison: whole without scripts, safe with hostile names, and its pictures where they should be."""

import json
import re

import numpy as np
import pytest

from analyzer import compare
from analyzer.comparing import Origin, compare_given
from analyzer.writers.axis import Axis
from analyzer.writers.comparison import markdown, page, run_list, text
from analyzer.writers.comparison_chart import course, interval_line, ticks
from tests.comparing.made import run, side

A, B = [1.0, 1.02, 0.98], [0.8, 0.82, 0.78]


@pytest.fixture
def found():
    return compare(side("a", A), [*side("b", B), run("b/nan", 0.8, nan_from=300)], worth=0.05)


def test_the_page_says_everything_without_a_script(found):
    html = page(found, "posthoc compare a b")
    assert re.findall(r"<script(?! type=\"application/json\")", html) == []
    for words in (
        found.sentence,
        "Settings that differ",
        "How many runs settle it",
        "Runs left out",
        "NaN from step 300",
    ):
        assert words in html
    embedded = re.search(r'id="comparison">(.*?)</script>', html, re.DOTALL)
    assert json.loads(embedded[1]) == found.to_dict()


def test_names_from_logs_cannot_become_markup():
    html = page(compare(side("<img src=x>", A), side("b'\"", B, params={"<b>": "<script>alert(1)</script>"})))
    assert "<img src" not in html and "<script>alert" not in html


def test_the_interval_lies_where_its_numbers_are(found):
    line = interval_line(found.primary)
    (bar,) = line.bars
    assert bar.low < bar.at < bar.high < line.worth[0] < line.zero < line.worth[1]
    assert (bar.at - bar.low) == pytest.approx(bar.high - bar.at)


def test_the_curves_end_at_the_budget_and_the_median_is_drawn(found):
    picture = course(found)
    assert picture.budget == pytest.approx(1.0)
    assert len(picture.seeds) == 7 and len(picture.medians) == 2  # the run that was left out is drawn, too
    assert picture.band.endswith("Z") and picture.crossing is None


def test_several_candidates_are_drawn_above_each_other():
    found = compare_given([side("a", A), side("b", B), side("c", [1.3, 1.31, 1.32])], Origin())
    html = page(found)
    assert "Every candidate against a" in html and html.count('class="bar b-') == 3
    assert len(run_list(found).splitlines()) == 10


def test_one_value_a_run_has_no_curves():
    ones = [
        [run(f"{n}/{i}", v, tag="test_accuracy", steps=np.array([0])) for i, v in enumerate(vs)]
        for n, vs in (("a", A), ("b", B))
    ]
    html = page(compare(*ones))
    assert "<h2>Curves</h2>" not in html and "What each run came to" in html


def test_ticks_of_a_narrow_range_differ():
    labels = [tick.label for tick in ticks(Axis(3.2770, 3.2772), 4)]
    assert len(set(labels)) == len(labels) > 1


def test_the_terminal_and_markdown_name_what_was_left_out(found):
    assert "left out of b: b/nan: val/loss is NaN" in text(found)
    assert "- b/nan (b): val/loss is NaN" in markdown(found)
    assert "\x1b" not in text(compare(side("a\x1b[31m", A), side("b", B)))
