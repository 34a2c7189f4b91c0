"""Nouns come back from their plain form as they were."""

import json
from contextlib import suppress

import numpy as np
import pytest

from analyzer.model.codec import noun_of, require, text_of
from analyzer.model.formatting import iso
from analyzer.model.result import JudgedMeasure, Result
from tests import made


@pytest.mark.parametrize(
    "result", [made.overfitted(), made.healthy(), made.unjudged(), made.failed(), made.hostile(), made.large(3, 8)]
)
def test_a_result_without_curves_comes_back_as_it_was(result):
    slim = result.without_curves()
    back = noun_of(Result, text_of(slim))
    assert back == slim and back.to_dict() == slim.to_dict()


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), 0, 1e-300, 1 << 60])
def test_numbers_of_every_kind_come_back(value):
    measure = JudgedMeasure("x", value, None, "")
    assert noun_of(JudgedMeasure, text_of(measure)) == measure
    assert np.isnan(noun_of(JudgedMeasure, text_of(JudgedMeasure("x", float("nan"), None, ""))).value)


def test_numbers_of_arrays_become_plain_ones():
    assert text_of(JudgedMeasure("x", np.float64(2.5), np.int64(3), "")) == '["x",2.5,3,""]'


def test_what_other_code_wrote_is_refused():
    for text in ("[]", '["x"]', '{"a": 1}', "5", "not JSON"):
        with pytest.raises((ValueError, TypeError)):
            noun_of(JudgedMeasure, text)


@pytest.mark.parametrize(("unix", "year"), [(1e12, "9999"), (-1e15, "0001"), (float("inf"), "9999"), (0.0, "1970")])
def test_a_time_that_no_calendar_holds_is_the_calendars_end(unix, year):
    assert iso(unix).startswith(year)


@pytest.mark.parametrize("odd", [None, 5, "x", [], [5], {}, {"a": 5}, 10**400], ids=lambda odd: repr(odd)[:9])
def test_a_field_of_another_shape_is_refused_as_a_value_or_taken_as_it_is(odd):
    plain = json.loads(text_of(made.overfitted().without_curves()))
    for place in range(len(plain)):
        text = json.dumps([*plain[:place], odd, *plain[place + 1 :]])
        for read in (noun_of, require):
            with suppress(ValueError, TypeError):
                read(Result, text)


def test_brackets_without_end_are_refused():
    for read in (noun_of, require):
        with pytest.raises(ValueError, match="RecursionError"):
            read(JudgedMeasure, "[" * 100_000)
