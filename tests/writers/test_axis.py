# ruff: noqa: E501 - one case a line reads best
"""Axes choose their scale, and ticks stand at numbers people would choose."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.writers.axis import Axis, step_axis, value_axis

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(NUMBERS, max_size=20))
def test_every_value_finds_its_place_on_its_own_axis(values):
    axis = value_axis(np.array(values, dtype=float))
    places = axis.place(values)
    assert axis.low < axis.high
    assert np.all((places >= -1e-6) & (places <= 1 + 1e-6))


@given(st.lists(NUMBERS, max_size=20), st.integers(2, 8))
def test_ticks_lie_on_the_axis_and_are_few(values, about):
    ticks = value_axis(np.array(values, dtype=float)).ticks(about)
    assert len(ticks) <= 24
    assert all(-1e-6 <= tick.at <= 1 + 1e-6 and tick.label for tick in ticks)


@pytest.mark.parametrize(
    ("values", "log"),
    [([1, 1000], True), ([1, 50], False), ([-1, 1000], False), ([0, 1000], False), ([1.0] * 50 + [12.0], True), ([], False)],
)  # fmt: skip
def test_a_wide_positive_curve_is_logarithmic(values, log):
    assert value_axis(np.array(values, dtype=float)).log is log


def test_ticks_are_round():
    assert [t.label for t in Axis(0.0, 1.0).ticks(4)] == ["0", "0.25", "0.5", "0.75", "1"]
    assert [t.label for t in Axis(1e-4, 1.0, log=True).ticks(5)] == ["0.0001", "0.001", "0.01", "0.1", "1"]
    assert [t.label for t in step_axis(0, 552_400).ticks(6, steps=True)][1] == "100,000"
    assert [t.label for t in Axis(0.0, 4e6).ticks(4)][-1] == "4e6"


def test_one_step_alone_stands_in_the_middle():
    assert step_axis(7, 7).place([7])[0] == 0.5


@pytest.mark.parametrize("ends", [(2**63 - 1, 2**63 - 1), (-(2**63),) * 2, (2**53, 2**53 + 1), (-(2**63), 2**63 - 1)])
def test_steps_that_no_float_can_tell_apart_have_their_place(ends):
    axis = step_axis(*ends)
    assert axis.low < axis.high
    places = axis.place(np.array(ends, dtype=np.int64))
    assert np.all((places >= 0) & (places <= 1)) and all(0 <= t.at <= 1 for t in axis.ticks(6, steps=True))
