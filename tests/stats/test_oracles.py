"""Our statistics against independent implementations: scipy, and ruptures for changes of the level."""

import itertools

import numpy as np
import pytest
from scipy import stats
from scipy.signal import lfilter

from analyzer.features.course import Course
from analyzer.stats import changepoint, noise, ordered, robust, trend


def red(rho, points, seed=0):
    """AR(1) noise of unit variance."""
    drawn = np.random.default_rng(seed).standard_normal(points + 200)
    return lfilter([np.sqrt(1 - rho**2)], [1.0, -rho], drawn)[200:]


@pytest.mark.parametrize("points", [2, 3, 10, 101])
def test_mad_sigma_is_scipys_scaled_median_absolute_deviation(points):
    values = np.random.default_rng(points).standard_t(2, points)
    expected = stats.median_abs_deviation(values, scale="normal")
    assert robust.mad_sigma(values) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("points", [4, 9, 60])
def test_the_slope_and_its_bounds_are_those_of_theil_and_sen(points):
    rng = np.random.default_rng(points)
    at, values = np.sort(rng.choice(1000, points, replace=False)).astype(float), rng.normal(size=points)
    expected = stats.theilslopes(values, at, 0.95)
    middle, low, high = trend.slope(at, values)
    assert middle == pytest.approx(expected.slope)
    # the bounds are order statistics: neighbouring ones are as good
    assert low <= expected.low_slope + 1e-12 or low == pytest.approx(expected.low_slope, rel=0.2)
    assert low < middle < high


@pytest.mark.parametrize("levels", [3, 5, 40])
def test_the_chance_of_an_agreement_is_kendalls_with_ties(levels):
    rng = np.random.default_rng(levels)
    one = rng.integers(0, levels, 40).astype(float)
    other = 0.3 * one + rng.normal(size=40)
    expected = stats.kendalltau(one, other, method="asymptotic").pvalue
    assert trend.slope(one, other)[0] != 0
    # ours is corrected for continuity, scipy's is not: one pair of the score apart
    assert ordered.trend_chance([(one, other)]) == pytest.approx(expected, rel=0.1)
    assert ordered.trend_chance([(one, other)]) >= expected


def test_the_clearness_of_a_fall_is_kendalls_statistic_over_the_correlation():
    course = Course(np.arange(39), 5 + np.random.default_rng(1).normal(0, 0.3, 39) - 0.01 * np.arange(39))
    tau = stats.kendalltau(np.arange(39), -course.levels).statistic
    deviation = np.sqrt(2 * (2 * 39 + 5) / (9 * 39 * 38))
    assert course._trend(0) == pytest.approx(tau / deviation / np.sqrt(course.correlation))


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.5, 0.8])
def test_the_correlation_time_of_ar1_noise_is_the_one_in_books(rho):
    measured = np.median([noise.correlation_time(red(rho, 2000, seed), 60) for seed in range(9)])
    assert measured == pytest.approx((1 + rho) / (1 - rho), rel=0.2)


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.8])
def test_the_error_of_a_level_is_the_spread_of_the_medians_of_many_curves(rho):
    width, found = 24, []
    for seed in range(40):
        course = Course(np.arange(240), 10 + 0.1 * red(rho, 240, seed))
        found.append((course.error(200, 200 + width), np.median(course.levels[200 : 200 + width])))
    errors, medians = np.array(found).T
    assert np.median(errors) == pytest.approx(np.std(medians), rel=0.35)


@pytest.mark.parametrize("order", [0, 1, 2])
def test_trendless_sigma_is_the_noise_whatever_polynomial_it_lies_on(order):
    at = np.linspace(-1, 1, 2000)
    drawn = np.random.default_rng(order).normal(0, 0.02, 2000)
    assert noise.trendless_sigma(at**order * 50 + drawn) == pytest.approx(0.02, rel=0.1)


def test_values_around_lines_are_the_residuals_of_least_squares():
    values = np.random.default_rng(2).normal(size=50)
    expected = [
        values[i]
        - np.polyval(np.polyfit(np.arange(max(0, i - 4), min(50, i + 5)), values[max(0, i - 4) : i + 5], 1), i)
        for i in range(50)
    ]
    assert noise.around_lines(values, 4) == pytest.approx(np.array(expected), abs=1e-9)


@pytest.mark.parametrize("cuts", [[100], [60, 140], [40, 90, 150]])
def test_changes_of_the_level_are_where_ruptures_finds_them(cuts):
    ruptures = pytest.importorskip("ruptures")
    edges = [0, *cuts, 200]
    level = np.concatenate([np.full(b - a, 4.0 * (i % 2)) for i, (a, b) in enumerate(itertools.pairwise(edges))])
    values = level + np.random.default_rng(len(cuts)).normal(size=200)
    sigma = robust.difference_sigma(values)
    algorithm = ruptures.Dynp(model="l2", min_size=1, jump=1).fit(values / sigma)
    assert changepoint.levels(values).tolist()[1:] == algorithm.predict(n_bkps=len(cuts))


@pytest.mark.parametrize("seed", range(6))
def test_a_break_of_the_course_is_where_ruptures_finds_it(seed):
    ruptures = pytest.importorskip("ruptures")
    rng = np.random.default_rng(seed)
    cut = int(rng.integers(60, 180))
    values = 2.0 + np.where(np.arange(240) >= cut, 0.4, 0.0) + rng.normal(0, 0.05, 240)
    expected = ruptures.Dynp(model="l2", min_size=2, jump=1).fit(values).predict(n_bkps=1)[0]
    shift = Course(np.arange(240), values).shift
    assert shift is not None
    assert abs(shift.onset - expected) <= 2
    assert abs(expected - cut) <= 1
