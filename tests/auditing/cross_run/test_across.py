"""All comparisons together: in one order, whatever the order of runs, and none stops the night."""

from dataclasses import replace
from unittest.mock import Mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.auditing import cross_run as room
from analyzer.auditing.cross_run import across, outlined
from analyzer.auditing.cross_run.phrases import chance, cut_between, listed
from analyzer.model.cross_run import ACROSS_KINDS
from analyzer.model.run import Note
from benchmarks.across import PLANTED, run
from tests import made


def night(order=None):
    """Return all that is planted, as one night."""
    runs = [
        replace(one, run=f"{i}{one.run}")
        for i, (_, _, plant) in enumerate(PLANTED.values())
        for one in plant(np.random.default_rng(1))
    ]
    return runs if order is None else [runs[i] for i in order]


def test_every_kind_is_found_and_in_its_order():
    found, notes = across(night())
    assert notes == () and list(dict.fromkeys(one.kind for one in found)) == [
        kind for kind in ACROSS_KINDS if kind != "history"
    ]


def test_the_order_of_runs_makes_no_difference_to_what_is_told():
    size = len(night())
    again = across(night(np.random.default_rng(3).permutation(size)))[0]
    assert sorted(one.kind for one in again) == sorted(one.kind for one in across(night())[0])
    assert {one.sentence for one in again if one.kind != "duplicates"} == {
        one.sentence for one in across(night())[0] if one.kind != "duplicates"
    }


def test_what_is_kept_of_results_is_enough_for_every_comparison():
    runs = [replace(one, reason="long", notes=(Note("damage", "x"),)) for one in night()]
    kept = [outlined(one) for one in runs]
    assert across(kept) == across(runs)
    assert not any(one.reason or one.notes or f.summary for one in kept for f in one.findings)


def test_a_comparison_that_fails_costs_itself_alone(monkeypatch):
    broken = Mock(side_effect=ZeroDivisionError("at h"), __name__="far_from_siblings")
    monkeypatch.setattr(room, "_COMPARISONS", (broken, *room._COMPARISONS[2:]))
    found, (note,) = across(night())
    assert {one.kind for one in found} == {"edge-of-sweep", "duplicates"}
    assert "far from siblings: ZeroDivisionError: at h" in note.message


def test_copies_are_no_further_evidence():
    """Three runs that exploded at a high rate, each copied ten times, are three runs."""
    sick = [run(f"s/a{i}", {"lr": 1.0}, ["exploding-loss"], loss=0.1 * i) for i in range(1, 4)]
    same = [replace(sick[0].series[0], digest=f"60:{i:016x}") for i in range(3)]
    sick = [replace(one, series=(row,)) for one, row in zip(sick, same, strict=True)]
    well = [run(f"s/w{i}", {"lr": 0.1}, []) for i in range(30)]
    copies = [replace(one, run=f"{one.run}_{i}") for one in sick for i in range(10)]
    assert [one.kind for one in across([*sick, *well, *copies])[0]] == ["duplicates"] * 3


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["", "nan", "1e999", "/x"]),
)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.dictionaries(st.text(max_size=3), ODD, max_size=4), min_size=9, max_size=12), st.randoms())
def test_odd_params_stop_nothing(params, random):
    kinds = (made.overfitted, made.healthy, made.exploded, made.failed, made.unjudged)
    runs = [replace(random.choice(kinds)(f"e/r{i}"), params=tuple(own.items())) for i, own in enumerate(params)]
    assert across(runs)[1] == ()


@pytest.mark.parametrize(("low", "high", "cut"), [
    (0.01339749994591907, 0.014291722026327279, "0.014"), (0.001, 0.01, "0.01"), (32, 64, "60.0"), (-2, -1.5, "-1.5"),
    (-1.0, 0.0, "0.0"), (1e-9, 2e-9, "2e-09"), (5.0, 5.000001, "5.000001"),
])  # fmt: skip
def test_a_cut_has_few_digits(low, high, cut):
    found = cut_between(low, high)
    assert low < found <= high and repr(float(found)) == cut


def test_words():
    assert chance(1e-9) == "less than 1 in a million" and chance(0.00043) == "about 1 in 2,300"
    assert (
        listed(["a"], 1) == "a" and listed(["a", "b"], 5) == "a, b and 3 others" and listed(["a", "b"], 2) == "a and b"
    )
