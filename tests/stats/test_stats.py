"""The numbers under every finding, each on data whose answer is known."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from analyzer.stats import changepoint, echoes, multiplicity, robust, spectrum, trend

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
        found = spectrum.find_repetition(wave)
        assert found is not None
        assert found.length == pytest.approx(60, rel=0.03)
        assert found.p_value < 0.01

    @pytest.mark.parametrize("shape", ["sine", "saw", "teeth"])
    @pytest.mark.parametrize("cycles", [7, 12, 60])
    def test_a_wave_of_noise_height_is_found_under_a_decay_with_its_length_and_size(self, shape, cycles):
        """A decay does not hide a period, and the swing is that of a sine of the same power whatever the shape."""
        n = 1800
        phase = np.arange(n) * cycles / n
        form = {
            "sine": np.sin(2 * np.pi * phase),
            "saw": np.sqrt(1.5) * (1 - 2 * (phase % 1)),
            "teeth": np.where(phase % 0.25 < 0.125, 1.0, -1.0) * np.sign(0.5 - phase % 1) / np.sqrt(2),
        }[shape]
        decay = np.log(0.3 + 3.0 / (1 + 30 * np.arange(n) / n))
        found = spectrum.find_repetition(decay + 0.1 * form + np.random.default_rng(1).normal(0, 0.1, n))
        assert found is not None
        assert found.p_value < 1e-3
        assert found.length == pytest.approx(n / cycles, rel=0.05)
        assert found.swing == pytest.approx(0.2, rel=0.3)

    def test_a_known_length_is_worth_more_than_a_searched_one(self):
        """The search pays for every frequency that was tried; a suggestion from the log for itself alone."""
        wave = 0.22 * np.sin(2 * np.pi * np.arange(1000) / 20) + np.random.default_rng(3).normal(0, 1, 1000)
        searched, known = spectrum.find_repetition(wave), spectrum.find_repetition(wave, [20.0])
        assert searched is not None
        assert known is not None
        assert known.p_value < 0.2 * searched.p_value

    def test_a_burst_in_one_part_of_a_curve_is_not_kept_in_the_others(self):
        """What repeats itself for a fifth of the curve alone is no property of the data's order."""
        at = np.arange(2000)
        burst = np.where((at > 1000) & (at < 1400), 2.0 * np.sin(2 * np.pi * at / 40), 0.0)
        found = spectrum.find_repetition(burst + np.random.default_rng(2).normal(0, 0.5, 2000))
        assert found is None or found.kept < 0.1 or found.p_value > 0.01

    def test_a_break_of_the_level_does_not_hide_a_wave(self):
        """The decay may break once, as it does where a learning rate is reset."""
        at = np.arange(1200)
        broken = np.log1p(at / 50.0) * -0.3 + np.where(at >= 700, 1.0, 0.0) + 0.15 * np.sin(2 * np.pi * at / 100)
        found = spectrum.find_repetition(broken + np.random.default_rng(4).normal(0, 0.1, 1200))
        assert found is not None
        assert found.length == pytest.approx(100, rel=0.03)
        assert found.p_value < 1e-3

    def test_a_smaller_last_batch_in_each_epoch_is_no_wave(self):
        """One place of the period that scatters more shifts the mean of a logarithm without any order in the data."""
        rng = np.random.default_rng(5)
        alarms = 0
        for _ in range(10):
            means = rng.gamma(8.0, 1 / 8.0, 1500)
            means[14::15] = rng.gamma(1.0, 1.0, 100)
            found = spectrum.find_repetition(np.log(means))
            alarms += found is not None and found.p_value < 0.001
        assert alarms == 0

    @pytest.mark.parametrize("rho", [0.0, 0.5, 0.8, 0.95])
    @pytest.mark.parametrize("points", [60, 500])
    def test_noise_of_any_colour_is_rarely_called_periodic(self, rho, points):
        """The chance of a false alarm is controlled over all frequencies and shapes that are tried."""
        p_values = []
        for seed in range(60):
            drive = np.random.default_rng(seed).normal(size=points + 100)
            for i in range(1, drive.size):
                drive[i] += rho * drive[i - 1]
            found = spectrum.find_repetition(drive[100:])
            p_values.append(1.0 if found is None else found.p_value)
        assert np.mean(np.array(p_values) < 0.01) <= 0.05
        assert np.mean(np.array(p_values) < 0.1) <= 0.2

    def test_a_schedule_without_noise_has_the_period_of_its_best_echo(self):
        """A cyclic learning rate is read by its echo, without a test."""
        found = echoes.find_period(np.abs((np.arange(400) % 50) - 25.0) - 12.5)
        assert found is not None
        assert found.length == pytest.approx(50, rel=0.02)
        assert found.echo > 0.9

    def test_a_constant_and_a_few_points_have_no_period(self):
        """Nothing is searched where nothing can be found."""
        assert spectrum.find_repetition(np.ones(500)) is None
        assert spectrum.find_repetition(np.arange(20.0)) is None


def test_medians_and_spreads_of_blocks_are_those_of_each_block():
    draw = np.random.default_rng(0)
    for _ in range(100):
        values = draw.normal(size=draw.integers(1, 300))
        edges = np.unique(np.r_[0, draw.integers(0, values.size + 1, draw.integers(0, 30)), values.size])
        blocks = [values[a:b] for a, b in itertools.pairwise(edges)]
        assert robust.block_medians(values, edges).tolist() == [robust.median(block) for block in blocks]
        assert robust.block_sigmas(values, edges).tolist() == [robust.mad_sigma(block) for block in blocks]
