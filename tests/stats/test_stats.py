"""The numbers under every finding, each on data whose answer is known."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from analyzer.stats import changepoint, multiplicity, robust, spectrum, trend

RNG = np.random.default_rng(0)


@given(arrays(np.float64, st.integers(1, 60), elements=st.floats(-1e6, 1e6)))
def test_the_fast_median_is_the_median(values):
    assert robust.median(values) == pytest.approx(np.median(values), rel=1e-12, abs=1e-12)


def test_mad_sigma_is_the_standard_deviation_of_gaussian_noise_and_ignores_outliers():
    noise = RNG.normal(0, 2.0, 5000)
    noise[:200] = 1e9
    assert robust.mad_sigma(noise) == pytest.approx(2.0, rel=0.1)
    assert robust.difference_sigma(np.arange(5000) * 0.01 + RNG.normal(0, 2.0, 5000)) == pytest.approx(2.0, rel=0.1)


def test_autocorrelation_tells_white_from_red_noise():
    white = RNG.normal(size=4000)
    red = np.empty(4000)
    red[0] = 0
    for i in range(1, 4000):
        red[i] = 0.8 * red[i - 1] + white[i]
    assert abs(robust.autocorrelation(white)) < 0.06
    assert robust.autocorrelation(red) == pytest.approx(0.8, abs=0.06)


@given(st.integers(1, 3000), st.integers(1, 60), st.integers(1, 8))
def test_blocks_cover_every_point_once(points, blocks, least):
    edges = trend.block_edges(points, blocks, least=least)
    assert edges[0] == 0
    assert edges[-1] == points
    assert np.all(np.diff(edges) > 0)


def test_the_trend_follows_a_steep_start_and_no_single_leap():
    clean = 0.1 + 5 * (1 + np.arange(2000) / 10) ** -1.0
    noisy = np.log(clean) + RNG.normal(0, 0.1, 2000)
    noisy[1000:1010] += 5
    assert np.median(np.abs(trend.smooth(noisy) - np.log(clean))) < 0.05
    assert np.max(np.abs(trend.smooth(noisy)[990:1020] - np.log(clean)[990:1020])) < 0.2


def test_a_line_climbs_as_often_as_it_rises_by_enough_between_falls_of_as_much():
    assert trend.climbs(np.array([3.0, 1.0, 2.0, 1.5, 3.0, 2.5]), 1.5) == 1
    assert trend.climbs(np.array([3.0, 1.0, 3.0, 1.0, 3.0]), 1.5) == 2
    assert trend.climbs(np.linspace(3, 1, 20), 0.1) == 0


def test_the_slope_and_its_bounds_hold_the_truth():
    at = np.arange(40.0)
    mid, low, high = trend.slope(at, 3 - 0.5 * at + RNG.standard_t(2, 40))
    assert low < -0.5 < high
    assert mid == pytest.approx(-0.5, abs=0.1)


def test_changepoints_are_found_where_they_are_and_not_elsewhere():
    flat = RNG.normal(size=200)
    assert list(changepoint.levels(flat)) == [0, 200]
    step = flat.copy()
    step[120:] += 6
    edges = changepoint.levels(step)
    assert len(edges) == 3
    assert abs(edges[1] - 120) <= 1


def test_holm_controls_the_family_and_keeps_the_order():
    assert multiplicity.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert multiplicity.holm([]) == []


class TestPeriods:
    def test_the_fundamental_is_found_not_its_harmonic(self):
        at = np.arange(1200)
        wave = np.sin(2 * np.pi * at / 60) + 1.5 * np.sin(2 * np.pi * at / 30) + RNG.normal(0, 0.3, 1200)
        found = spectrum.find_period(wave)
        assert found is not None
        assert found.length == pytest.approx(60, rel=0.03)
        assert found.p_value is not None
        assert found.p_value < 0.01

    def test_the_power_of_a_wave_is_at_its_period(self):
        wave = np.sign(np.sin(2 * np.pi * np.arange(600) / 40))
        assert spectrum.power_share(wave, 40.0) > 0.6
        assert spectrum.power_share(RNG.normal(size=600), 40.0) < 0.2

    def test_the_spectrum_has_its_peak_at_the_frequency(self):
        wave = np.sin(2 * np.pi * np.arange(512) * 16 / 512)
        assert int(np.argmax(spectrum.spectrum(wave))) == 16

    def test_a_long_period_under_the_noise_of_points_is_seen_in_their_means(self):
        teeth = np.repeat(np.tile(RNG.normal(0, 0.3, 8), 10), 150) + RNG.normal(0, 0.4, 12_000)
        assert spectrum.find_period(teeth).echo < 0.45
        found = spectrum.find_long_period(teeth)
        assert found.echo > 0.7
        assert found.length == pytest.approx(1200, rel=0.03)
        assert found.p_value < 0.01

    @pytest.mark.parametrize("rho", [0.0, 0.5, 0.8])
    def test_noise_of_any_colour_is_rarely_called_periodic(self, rho):
        alarms = 0
        for seed in range(60):
            rng = np.random.default_rng(seed)
            red = np.zeros(500)
            for i in range(1, 500):
                red[i] = rho * red[i - 1] + rng.normal()
            found = spectrum.find_long_period(red, surrogates=60)
            if found and found.p_value is not None and found.p_value < 0.02 and found.echo > 0.3:
                alarms += 1
        assert alarms <= 3


def test_medians_and_spreads_of_blocks_are_those_of_each_block():
    draw = np.random.default_rng(0)
    for _ in range(100):
        values = draw.normal(size=draw.integers(1, 300))
        edges = np.unique(np.r_[0, draw.integers(0, values.size + 1, draw.integers(0, 30)), values.size])
        blocks = [values[a:b] for a, b in itertools.pairwise(edges)]
        assert robust.block_medians(values, edges).tolist() == [robust.median(block) for block in blocks]
        assert robust.block_sigmas(values, edges).tolist() == [robust.mad_sigma(block) for block in blocks]
