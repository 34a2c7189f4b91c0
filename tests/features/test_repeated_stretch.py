"""A stretch of values that comes again is found wherever it lies, and chance is not taken for one."""

import numpy as np
import pytest

from analyzer.features.repeated_stretch import longest_repeat


def noisy(points, seed=0):
    return np.random.default_rng(seed).normal(2, 0.3, points)


@pytest.mark.parametrize("back", [3, 20, 90])
@pytest.mark.parametrize("place", [100, 180])
def test_a_repeated_stretch_is_found_with_its_place_and_distance(place, back):
    values = noisy(200)
    found = longest_repeat(np.r_[values[:place], values[place - back :]])
    assert (found.first, found.points, found.back) == (place, back, back)
    assert found.elsewhere == 0
    assert found.expected < 1e-6


def test_values_that_a_logger_rounded_collide_and_the_stretch_is_found_all_the_same():
    values = np.round(noisy(60), 2)
    found = longest_repeat(np.r_[values[:40], values[20:]])
    assert (found.first, found.points, found.back) == (40, 20, 20)


@pytest.mark.parametrize("digits", [1, 2, 12])
def test_chance_repeats_no_long_stretch(digits):
    found = [longest_repeat(np.round(noisy(300, seed), digits)) for seed in range(50)]
    assert min((f.expected for f in found if f is not None), default=1.0) > 1e-4


@pytest.mark.parametrize("values", [np.ones(50), np.arange(50.0), np.array([]), np.array([1.0]), np.array([1.0, 1.0])])
def test_one_value_or_none_repeats_no_stretch(values):
    assert longest_repeat(values) is None
