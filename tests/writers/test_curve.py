"""Curves break where the run does, keep every spike, and never bridge what is not a number."""

import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analyzer.model.run import Series
from analyzer.model.thinning import thin
from analyzer.writers.axis import step_axis, value_axis
from analyzer.writers.curve import UNITS, strokes


def drawn(values, steps=None, **more):
    values = np.asarray(values, dtype=float)
    at = np.arange(values.size) if steps is None else np.asarray(steps)
    finite = values[np.isfinite(values)]
    return strokes(
        Series("t", at, values, at * 1.0), step_axis(int(at.min()), int(at.max())), value_axis(finite), **more
    )


def test_nan_is_a_gap_and_no_bridge():
    curve = drawn([1, 2, np.nan, np.nan, 3, 4])
    assert curve.path.count("M") == 2
    (gap,) = curve.gaps
    assert gap.what == "NaN" and gap.step == 2 and 0.3 < gap.start < gap.end < 0.9


def test_a_restart_is_a_seam_and_what_it_overtook_is_apart():
    curve = drawn([5, 4, 3, 2, 2.9, 1.9, 1], steps=[0, 1, 2, 3, 2, 3, 4])
    assert len(curve.seams) == 1
    assert curve.path.count("M") == 2 and curve.old.count("M") == 1


def test_only_nan_draws_nothing_but_the_gap():
    curve = drawn([np.nan, np.inf, -np.inf])
    assert (curve.path, curve.end) == ("", None)
    assert curve.gaps[0].what == "NaN, +∞, −∞"


def test_few_points_are_dots_and_noise_gets_a_trend():
    assert drawn([1, 2, 3]).dots.count("M") == 3
    noisy = np.random.default_rng(0).normal(size=400)
    assert drawn(noisy).trend and not drawn(noisy, trend=False).trend
    assert not drawn(np.linspace(3, 1, 400)).trend


@given(st.lists(st.floats(width=32), min_size=1, max_size=80), st.data())
def test_paths_are_whole_numbers_near_the_picture(values, data):
    steps = data.draw(st.lists(st.integers(-(2**40), 2**40), min_size=len(values), max_size=len(values)))
    curve = drawn(values, steps)
    for path in (curve.path, curve.old, curve.dots, curve.trend):
        assert re.fullmatch(r"(M-?\d+ -?\d+(h0|l-?\d+[ -]-?\d+|l(-?\d+ ?)+)?)*", path)
    for x, y in re.findall(r"M(-?\d+) (-?\d+)", curve.path):
        assert -1 <= int(x) <= UNITS + 1 and -1 <= int(y) <= UNITS + 1


def test_thinning_for_the_picture_keeps_the_spike():
    values = np.ones(50_000)
    values[31_337] = 9
    thinned = thin(Series("t", np.arange(50_000), values, np.arange(50_000.0)), 200)
    assert thinned.points <= 240 and thinned.values.max() == 9
