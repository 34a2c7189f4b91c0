# ruff: noqa: E501 - one case a line reads best
"""Numbers, times and foreign names are written as people read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.model.formatting import counted
from analyzer.writers import phrases


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("train/loss é 损失", "train/loss é 损失"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\u202eb\u2066", "a\\u202eb\\u2066"),
        ("two\nlines\t", "two\\nlines\\t"),
        ("bytes \udcff", "bytes \\xff"),
        ("\u2028\u2029\x00", "\\u2028\\u2029\\x00"),
    ],
)
def test_what_hides_or_moves_text_is_written_out(text, seen):
    assert phrases.visible(text) == seen


@given(st.text(st.characters(codec=None), max_size=60))
def test_visible_text_is_printable_and_stays_as_it_is(text):
    seen = phrases.visible(text)
    assert all(c.isprintable() or c in "\u200c\u200d" or c.isspace() for c in seen)
    assert "\x1b" not in seen and "\n" not in seen and "\u202e" not in seen
    assert phrases.visible(seen) == seen
    seen.encode("utf-8")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (-1, ""), (float("nan"), ""), (4.26, "4.3 s"), (61, "1 min 1 s"), (12_000, "3 h 20 min"), (86_400, "1 d"), (180_000, "2 d 2 h")],
)  # fmt: skip
def test_durations_have_at_most_two_units(seconds, text):
    assert phrases.duration(seconds) == text


def test_moments_no_calendar_holds_are_left_out():
    assert phrases.moment(0) == "1970-01-01 00:00 UTC"
    assert phrases.moment(1e300) == phrases.moment(float("inf")) == phrases.moment(None) == ""


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(0.31, "ratio", "31 %"), (5.72, "of the level", "5.72 × the level"), (0.0812, "of the best", "8.12 % of the best"), (165075.4, "minutes", "114 d 15 h"), (1.0, "0 or 1", "yes"), (60.0, "count", "60"), (1.0, "steps", "1 step"), (2.0, "steps", "2 steps"), (21.4, "σ", "21.4 σ"), (None, "", "–"), (float("nan"), "", "NaN")],
)  # fmt: skip
def test_measures_carry_their_unit_unless_it_says_nothing(value, unit, text):
    assert phrases.measured(value, unit) == text


def test_spans_and_counts():
    assert phrases.span(None, 3) == ""
    assert phrases.span(400, 400) == phrases.span(400, None) == "step 400"
    assert phrases.span(400, 1999) == "steps 400 to 1,999"
    assert counted(1, "run") == "1 run"
    assert counted(2000, "series", "series") == "2,000 series"


@pytest.mark.parametrize(
    ("value", "limit", "unit", "text"),
    [(0.2, 0.08, "of the best", "above 8 %"), (5.0, 0.5, "count", "1 or more"), (0.03, 0.13, "of the start", "below 13 %"), (21.0, 2.0, "× noise", "above 2 ×"), (40.0, None, "steps", "–")],
)  # fmt: skip
def test_a_limit_is_said_shortly_beside_its_value(value, limit, unit, text):
    assert phrases.beyond(value, limit, unit) == text
