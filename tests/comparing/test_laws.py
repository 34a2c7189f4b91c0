"""What holds of every comparison: sides mirror, units and order do not matter, more of the same never widens."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import analyzer
from tests.comparing.made import side

VALUES = st.lists(st.floats(0.5, 2.0).map(lambda x: round(x, 6)), min_size=1, max_size=6)
OPPOSITE = {"better": "worse", "worse": "better", "cannot-tell": "cannot-tell", "no-difference": "no-difference"}


def close(one, other):
    return one is other is None or one == pytest.approx(other, rel=1e-6, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(VALUES, VALUES)
def test_swapping_the_sides_mirrors_the_answer(a, b):
    one, other = (
        analyzer.compare(*pair).primary for pair in ((side("a", a), side("b", b)), (side("b", b), side("a", a)))
    )
    assert close(one.difference, -other.difference)
    assert close(one.p_value, other.p_value)
    assert one.verdict == OPPOSITE[other.verdict]
    if one.interval:
        assert close(one.interval[0], -other.interval[1])


@settings(max_examples=60, deadline=None)
@given(VALUES, VALUES, st.floats(0.1, 50), st.floats(0, 20))
def test_scale_and_shift_of_the_unit_change_nothing(a, b, scale, shift):
    if any(np.unique(v).size < len(v) for v in (a, b)):
        return  # equal values are told from rounding by their digits, which a scale changes
    one = analyzer.compare(side("a", a), side("b", b)).primary
    there = [[scale * v + shift for v in values] for values in (a, b)]
    other = analyzer.compare(side("a", there[0]), side("b", there[1])).primary
    assert one.verdict == other.verdict or abs((one.p_value or 1) - 0.05) < 1e-6
    assert close(one.p_value, other.p_value) or one.p_value == pytest.approx(other.p_value, abs=1e-6)
    assert other.difference == pytest.approx(scale * one.difference, rel=1e-6, abs=1e-8)


@settings(max_examples=30, deadline=None)
@given(VALUES, VALUES, st.randoms())
def test_the_order_of_the_runs_changes_nothing(a, b, random):
    one = analyzer.compare(side("a", a), side("b", b)).to_dict()
    mixed = [side("a", a), side("b", b)]
    for runs in mixed:
        random.shuffle(runs)
    assert analyzer.compare(*mixed).to_dict() == one


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0.5, 2.0), min_size=2, max_size=5, unique=True))
def test_more_seeds_of_the_same_values_never_widen(a):
    b = [v - 0.1 for v in a]

    def width(times):
        def runs(name, ends):
            return [r for i in range(times) for r in side(f"{name}{i}", [e + 1e-9 * i for e in ends])]

        low, high = analyzer.compare(runs("a", a), runs("b", b)).primary.interval
        return high - low

    assert width(2) <= width(1) * (1 + 1e-6)


def test_a_comparison_with_itself_has_no_difference():
    found = analyzer.compare(side("a", [1.0, 1.1, 1.2]), side("a", [1.0, 1.1, 1.2]))
    assert (found.verdict, found.primary.difference, found.primary.p_value) == ("cannot-tell", 0.0, 1.0)
