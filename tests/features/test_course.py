"""The course of a curve, part by part, on curves whose truth is known."""

import itertools
import time

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.signal import lfilter

from analyzer.features.breaks import line_at, line_error
from analyzer.features.course import MOST, Course
from analyzer.model.case import falling
from analyzer.stats.student import best_of

PARTS = ("log", "levels", "noise", "correlation", "tails", "window", "start", "fall", "relapse", "shift")
PARTS += ("relapse_is_fast", "recovers")
POINT_PARTS = ("scatter", "noise_left", "frozen")
FLOAT32 = np.finfo(np.float32)


def course(values, steps=None, higher=False):
    values = np.asarray(values, dtype=np.float64)
    return Course(np.arange(values.size) if steps is None else np.asarray(steps, np.int64), values, higher)


def drawn(points, size=1.0, seed=0):
    return size * np.random.default_rng(seed).standard_normal(points)


def settled(points, floor=1.0):
    return floor + 2 * np.exp(-np.arange(points) / (points / 20))


def raised(points, at, size, spread=0.01, back=None, seed=0):
    """A settled loss that is raised by a factor from one point on, until another or for good."""
    factor = np.ones(points)
    factor[at:back] = size
    return settled(points) * factor * np.exp(drawn(points, spread, seed))


def everything(one):
    parts = {name: getattr(one, name) for name in PARTS}
    return parts | {name: getattr(one.point_noise, name) for name in POINT_PARTS}


class TestLevels:
    def test_up_to_240_points_are_their_own_levels(self):
        values = 1 + 0.1 * drawn(MOST)
        assert np.array_equal(course(values).levels, values)

    @pytest.mark.parametrize("points", [241, 479, 1001, 12_345])
    def test_longer_curves_are_medians_of_blocks_that_hold_every_point_once(self, points):
        values = 50 + drawn(points)
        one = course(values)
        edges = [*one.first.tolist(), points]
        expected = [np.median(values[a:b]) for a, b in itertools.pairwise(edges)]
        assert one.levels == pytest.approx(expected)
        assert edges[0] == 0
        assert one.m <= MOST + 1

    def test_positive_losses_that_span_a_factor_of_two_are_compared_by_their_logarithm(self):
        assert course([1.0, 2.1] * 4).log
        assert not course([1.0, 1.9] * 4).log
        assert not course([0.0, 2.1] * 4).log
        assert not course([1.0, 2.1] * 4, higher=True).log

    def test_a_batch_that_is_fitted_exactly_does_not_hinder_the_logarithm(self):
        values = falling(200) * np.exp(drawn(200, 0.1))
        values[150] = 0.0
        assert course(values).log
        assert np.isfinite(course(values).levels).all()
        values[140:160] = 0.0
        assert not course(values).log

    def test_a_loss_that_explodes_after_an_exact_zero_has_lost_everything(self):
        rng = np.random.default_rng(0)
        values = 0.14 * np.exp(0.3 * rng.standard_normal(1200))
        values[720:] = 1000 * np.exp(rng.standard_normal(480))
        values[300] = 0.0
        one = course(values)
        assert one.shift.errors > 10
        assert one.shift.onset == pytest.approx(720, abs=10)
        assert one.relapse.errors > 10

    @given(st.lists(st.floats(1e-6, 1e6), min_size=3, max_size=30), st.booleans())
    def test_back_gives_levels_in_the_units_of_the_log(self, values, higher):
        one = course(values, higher=higher)
        assert [one.back(level) for level in one.levels] == pytest.approx(values, rel=1e-9)
        assert [one._forth(v) for v in values] == pytest.approx(one.levels.tolist(), rel=1e-9, abs=1e-12)


class TestNoise:
    @pytest.mark.parametrize("points", [40, 120, 240])
    def test_it_is_the_standard_deviation_around_a_trend(self, points):
        measured = [np.median(course(10 - np.arange(points) / points + drawn(points, 0.05, s)).noise) for s in range(9)]
        assert np.median(measured) == pytest.approx(0.05, rel=0.3)

    def test_it_changes_along_the_curve(self):
        width = np.where(np.arange(240) < 120, 0.02, 0.2)
        noise = np.median([course(10 + width * drawn(240, seed=s)).noise for s in range(9)], axis=0)
        assert np.median(noise[:90]) == pytest.approx(0.02, rel=0.4)
        assert np.median(noise[150:]) == pytest.approx(0.2, rel=0.4)

    def test_a_break_does_not_count_as_noise(self):
        quiet = np.median(course(1 + drawn(240, 0.01)).noise)
        broken = np.median(course(1 + drawn(240, 0.01) + 0.5 * (np.arange(240) >= 120)).noise)
        assert broken == pytest.approx(quiet, rel=0.25)

    def test_it_is_never_below_what_a_logger_rounds_away(self):
        assert course(np.full(30, 50.0)).noise == pytest.approx(np.full(30, 0.01))


class TestCorrelation:
    @pytest.mark.parametrize("rho", [0.0, 0.5, 0.8])
    def test_autocorrelated_noise_counts_for_fewer_levels(self, rho):
        found = []
        for seed in range(9):
            red = lfilter([1.0], [1.0, -rho], drawn(400, 0.02, seed))[160:]
            one = course(10 + red)
            found.append(one.correlation * np.median(one.wander) ** 2)
        # also made up for here: differences of correlated noise are smaller than the noise
        assert np.median(found) == pytest.approx((1 + rho) / (1 - rho) * max(1.0, (1 - rho**2) ** -1), rel=0.6)

    def test_a_short_curve_of_correlated_noise_is_less_certain_than_one_of_white_noise(self):
        white = [course(10 + drawn(24, 0.1, s)).correlation for s in range(40)]
        red = [course(10 + lfilter([1.0], [1.0, -0.8], drawn(124, 0.06, s))[100:]).correlation for s in range(40)]
        assert np.mean(red) > 1.8 * np.mean(white)

    def test_too_few_levels_show_none(self):
        assert course(1 + drawn(11)).correlation == 1.0

    def test_tails_are_those_of_the_noise(self):
        rng = np.random.default_rng(0)
        gaussian = np.median([course(10 + rng.standard_normal(240)).tails for _ in range(9)])
        heavy = np.median([course(50 + rng.standard_t(2, 240)).tails for _ in range(9)])
        assert gaussian == pytest.approx(1.0, abs=0.15)
        assert heavy > 1.15


class TestError:
    def test_it_is_that_of_a_median(self):
        spread = np.std([np.median(drawn(20, 0.1, s)) for s in range(2000)])
        found = [course(10 + drawn(240, 0.1, s)) for s in range(20)]
        assert np.median([c.error(100, 120) / np.sqrt(c.correlation) for c in found]) == pytest.approx(spread, rel=0.2)

    def test_one_level_has_the_noise_of_a_level(self):
        one = course(10 + drawn(100))
        assert one.error(50, 51) == one.noise[50] * one.wander[50]

    def test_slow_noise_that_differences_do_not_feel_counts(self):
        white, slow = [], []
        for seed in range(20):
            red = lfilter([np.sqrt(1 - 0.95**2)], [1.0, -0.95], drawn(440, 0.02, seed))[200:]
            for found, values in ((white, drawn(240, 0.02, seed)), (slow, red)):
                one = course(10 + values)
                found.append(one.error(100, 101) / one.noise[100])
        assert np.median(white) < 1.2
        assert np.median(slow) > 1.5

    def test_more_levels_are_known_better(self):
        one = course(10 + drawn(240))
        assert one.error(100, 104) > one.error(100, 116) > one.error(100, 164)


class TestFall:
    def test_it_is_the_gain_from_the_start_to_the_end(self):
        fall = course(np.linspace(2.0, 1.0, 200) + drawn(200, 0.01)).fall
        assert (fall.start, fall.end) == pytest.approx((2.0, 1.02), abs=0.03)
        assert fall.size == pytest.approx(0.5, abs=0.03)
        assert fall.errors > 20

    def test_a_metric_gains_upwards(self):
        fall = course(np.linspace(0.2, 0.8, 100) + drawn(100, 0.01), higher=True).fall
        assert fall.size == pytest.approx(2.9, abs=0.3)
        assert fall.errors > 10

    def test_noise_alone_is_no_gain(self):
        errors = [course(1 + drawn(100, 0.02, seed)).fall.errors for seed in range(40)]
        assert np.mean(np.array(errors) >= 3.5) == 0

    def test_a_slow_fall_among_wide_noise_is_seen_by_the_order_of_its_levels(self):
        slow = 1 - 0.02 * np.arange(39) / 39 * 10
        errors = [course(slow + drawn(39, 0.07, seed)).fall.errors for seed in range(20)]
        assert np.median(errors) > 3.5

    @pytest.mark.parametrize("points", [0, 1, 2])
    def test_it_needs_three_levels(self, points):
        assert course(np.ones(points)).fall is None


class TestRelapse:
    def test_a_curve_that_ends_where_it_was_best_has_not_relapsed(self):
        errors = [course(settled(200) + drawn(200, 0.02, seed)).relapse.errors for seed in range(40)]
        assert max(errors) < 3.5

    def test_a_rise_is_measured_against_the_best_level_that_was_held(self):
        drift = np.maximum(np.arange(200) - 100, 0) / 100 * 0.3
        relapse = course(settled(200) + drift + drawn(200, 0.01)).relapse
        assert relapse.errors > 10
        assert (relapse.before, relapse.after) == pytest.approx((1.0, 1.29), abs=0.03)
        assert relapse.size == pytest.approx(0.29, abs=0.03)
        assert 90 <= relapse.onset <= 125
        assert relapse.of_progress == pytest.approx(0.15, abs=0.03)

    def test_the_setback_goes_back_to_where_the_level_was_first_reached(self):
        fall = np.concatenate([np.linspace(2.0, 1.0, 100), np.linspace(1.0, 1.5, 100)])
        relapse = course(fall + drawn(200, 0.005)).relapse
        assert relapse.setback == pytest.approx(0.25, abs=0.07)  # from point 50 to point 100 of 200
        assert relapse.undone == pytest.approx(0.5, abs=0.05)

    def test_all_progress_lost_weighs_a_fifth_of_the_level(self):
        small = np.concatenate([np.linspace(10.2, 10.0, 100), np.linspace(10.0, 10.2, 100)])
        relapse = course(small + drawn(200, 0.002)).relapse
        assert relapse.size < 0.03
        assert relapse.matters == pytest.approx(0.2, abs=0.02)

    def test_what_the_curve_did_before_and_made_good_is_its_usual(self):
        waves = 1 + 0.2 * np.sin(np.arange(200) / 200 * 2 * np.pi * 3.25)
        assert course(waves + drawn(200, 0.005)).relapse.usual > 0.6
        assert course(settled(200) + np.where(np.arange(200) > 150, 0.2, 0.0)).relapse.usual < 0.1

    def test_one_break_makes_it_fast_and_a_drift_does_not(self):
        drift = settled(200) + np.maximum(np.arange(200) - 80, 0) / 120 * 0.3 + drawn(200, 0.01)
        assert course(raised(200, 120, 1.3)).relapse_is_fast
        assert not course(drift).relapse_is_fast

    def test_an_end_that_comes_down_from_most_of_its_height_recovers(self):
        hump = 1 + np.interp(np.arange(200), [0, 100, 140, 200], [0, 0, 1.0, 0.1])
        assert course(hump + drawn(200, 0.01)).recovers
        assert not course(raised(200, 120, 1.3)).recovers

    def test_a_noisy_start_before_a_smooth_rise_hides_nothing(self):
        held_out = np.concatenate(
            [[2.73, 1.48, 1.24, 1.41, 1.30, 1.64, 1.50, 1.52], 1.56 + 0.75 * (1 - np.exp(-np.arange(52) / 15))]
        )
        rise = course(held_out).relapse
        assert rise.errors > 3.5 and rise.size > 0.5 and not rise.slow

    @pytest.mark.parametrize("seed", range(5))
    def test_the_trend_since_a_noisy_best_shows_a_rise_that_its_two_ends_do_not(self, seed):
        at = np.arange(60)
        steep = 8 * np.exp(-at / 2.5)
        rise = course((steep + 1 + 0.03 * np.maximum(at - 12, 0)) * np.exp(drawn(60, 0.1, seed))).relapse
        assert rise.errors > 3.5 and rise.size > 0.3

    def test_noise_alone_has_no_trend_since_its_best(self):
        rises = [course(settled(60) * np.exp(drawn(60, 0.1, seed))).relapse.errors for seed in range(100)]
        assert sum(errors > 3.5 for errors in rises) <= 1

    @pytest.mark.parametrize("points", range(5))
    def test_it_needs_five_levels(self, points):
        assert course(np.ones(points)).relapse is None


class TestShift:
    @pytest.mark.parametrize("at", [100, 120, 180])
    def test_a_lasting_break_is_found_where_it_is_with_its_height(self, at):
        shift = course(raised(240, at, 1.2)).shift
        assert abs(shift.onset - at) <= 2
        assert shift.size == pytest.approx(0.2, abs=0.03)
        assert shift.errors > 5
        assert not shift.healed
        assert shift.cost == pytest.approx((239 - at) / 239, abs=0.01)

    def test_a_break_in_a_long_curve_is_found_within_a_block(self):
        shift = course(raised(10_000, 6000, 1.2, spread=0.1)).shift
        assert abs(shift.onset - 6000) <= 2 * (10_000 // MOST + 1)

    @pytest.mark.parametrize("points", [8, 12, 20, 40])
    def test_a_clear_break_is_found_in_few_points(self, points):
        at = points * 2 // 3
        shift = course(raised(points, at, 2.0, spread=0.005)).shift
        assert shift.onset == at
        assert shift.errors > 3.5

    @pytest.mark.parametrize("at", [2, 3, 4, 5])
    def test_a_step_of_a_tenth_shows_in_a_smooth_curve_of_nine_evaluations(self, at):
        loss = np.array([10.83, 4.63, 4.29, 4.05, 3.78, 3.56, 3.42, 3.33, 3.28])
        assert course(loss).shift is None
        loss[at:] *= 1.15
        shift = course(loss).shift
        assert shift.onset == at
        assert shift.errors > 3.5

    def test_a_short_curve_that_is_noisy_has_no_break(self):
        found = 0
        for seed in range(200):
            rng = np.random.default_rng(seed)
            shift = course(3 * np.exp(-np.arange(10) / 3) + 1 + rng.normal(0, 0.05, 10)).shift
            found += shift is not None and shift.errors > 3.5 and shift.matters > 0.1
        assert found <= 4

    def test_a_break_that_is_made_good_is_healed_and_costs_until_then(self):
        shift = course(raised(240, 120, 1.4, back=180)).shift
        assert shift.healed
        assert shift.cost == pytest.approx(60 / 239, abs=0.02)
        assert shift.points == pytest.approx(60, abs=3)

    def test_a_ramp_a_drop_and_a_spike_are_no_break(self):
        ramp = 1 + np.arange(240) / 240 + drawn(240, 0.01)
        drop = np.where(np.arange(240) < 120, 2.0, 1.5) + drawn(240, 0.01)
        spike = 1 + drawn(240, 0.01)
        spike[120] += 5
        assert [course(values).shift for values in (ramp, drop, spike)] == [None, None, None]

    @pytest.mark.parametrize("decay", [1.0, 3.0])
    def test_a_spike_at_the_break_hides_no_break(self, decay):
        at = np.arange(40)
        broken = np.where(at < 24, 0.3, 0.45 + 1.5 * np.exp(-np.maximum(at - 24, 0) / decay))
        shift = course((broken + 0.4 * np.exp(-at / 3)) * np.exp(drawn(40, 0.03))).shift
        assert shift.onset == 24 and not shift.healed and shift.errors > 3.5

    def test_a_fall_hides_no_break(self):
        values = 3 - 2 * np.arange(240) / 240 + np.where(np.arange(240) >= 120, 0.2, 0) + drawn(240, 0.01)
        shift = course(values).shift
        assert abs(shift.onset - 120) <= 1
        assert 0.05 < shift.after - shift.before < 0.25  # the smallest of several gaps is taken

    def test_noise_with_heavy_tails_rarely_breaks(self):
        rng = np.random.default_rng(5)
        clear = 0
        for _ in range(60):
            shift = course(settled(200) + 0.03 * rng.standard_t(3, 200)).shift
            clear += shift is not None and shift.errors >= 3.5
        assert clear <= 5

    @pytest.mark.parametrize("points", range(6))
    def test_it_needs_six_levels(self, points):
        assert course(np.ones(points)).shift is None

    def test_the_line_meets_the_break_with_the_error_that_is_given(self):
        rows = np.random.default_rng(0).standard_normal((20_000, 12))
        assert line_at(np.arange(12.0)[None, :] * 3 + 1, -0.5)[0] == pytest.approx(-0.5)
        assert np.std(line_at(rows, -0.5)) == pytest.approx(line_error(12), rel=0.03)


class TestScatter:
    @pytest.mark.parametrize("factor", [4.0, 0.25])
    def test_a_change_of_the_noise_is_found_with_its_ratio(self, factor):
        width = np.where(np.arange(600) < 300, 0.02, 0.02 * factor)
        scatter = course(2 + width * drawn(600)).point_noise.scatter
        assert scatter.ratio == pytest.approx(factor, rel=0.35)
        assert scatter.raw_ratio == pytest.approx(factor, rel=0.35)
        assert abs(scatter.onset - 300) <= 60
        assert scatter.errors > 3.5

    def test_noise_in_proportion_to_the_level_does_not_change_relative_to_it(self):
        level = np.linspace(4, 1, 1000)
        scatter = course(level * (1 + drawn(1000, 0.02))).point_noise.scatter
        assert scatter is None or scatter.errors < 3.5

    def test_rare_points_after_dense_ones_are_not_compared(self):
        steps = np.concatenate([np.arange(100), 100 + 50 * np.arange(100)])
        values = 2 + np.concatenate([drawn(100, 0.01), drawn(100, 0.1)])
        scatter = course(values, steps).point_noise.scatter
        assert scatter is None or scatter.errors < 3.5

    def test_it_needs_forty_points(self):
        assert course(1 + drawn(39)).point_noise.scatter is None


class TestFrozen:
    def test_values_that_repeat_to_the_end_are_frozen_from_their_first(self):
        assert course([3.0, 2.5, 2.2, 2.0, 2.0, 2.0, 2.0]).point_noise.frozen == 3
        assert course(np.full(10, 1.5)).point_noise.frozen == 0

    def test_a_last_value_that_stands_twice_is_not(self):
        assert course([3.0, 2.5, 2.2, 2.1, 2.0, 2.0]).point_noise.frozen is None

    def test_rounded_values_repeat_all_the_time(self):
        rounded = np.repeat(np.linspace(3, 1, 14), 3)
        assert course(rounded).point_noise.frozen is None


class TestChance:
    def test_the_largest_of_one_is_itself(self):
        assert best_of(3.0, 1) == 3.0

    @pytest.mark.parametrize("places", [4, 30, 200])
    def test_the_largest_of_many_gaussian_values_is_worth_little(self, places):
        largest = np.random.default_rng(0).standard_normal((4000, places)).max(axis=1)
        worth = np.array([best_of(z, places) for z in largest])
        assert np.mean(worth >= 3.5) <= 2e-3
        assert np.median(worth) < 1.0

    def test_signs_are_kept_and_huge_errors_stay_finite(self):
        assert best_of(-5.0, 1) == -5.0
        assert np.isfinite(best_of(np.inf, 10))


EDGES = {
    "constant": lambda n: np.full(n, 0.7),
    "zeros": np.zeros,
    "all equal but the last": lambda n: np.concatenate([np.full(n - 1, 0.7), [0.9]]),
    "all equal but the first": lambda n: np.concatenate([[0.9], np.full(n - 1, 0.7)]),
    "negative": lambda n: -5 + drawn(n),
    "crossing 0": lambda n: np.linspace(1, -1, n) + drawn(n, 0.01),
    "tiny": lambda n: 1e-300 * (1 + np.arange(n)),
    "subnormal": lambda n: 5e-324 * np.arange(n),
    "huge": lambda n: 1e300 * (1 + 0.5 * np.cos(np.arange(n))),
    "from tiny to huge": lambda n: np.logspace(-300, 299, n),
    "from huge to tiny": lambda n: np.logspace(299, -300, n),
    "float32 extremes": lambda n: np.where(np.arange(n) % 2, float(FLOAT32.max), float(FLOAT32.tiny)),
    "both signs of float32": lambda n: np.where(np.arange(n) % 2, float(FLOAT32.max), -float(FLOAT32.max)),
    "one leap": lambda n: np.where(np.arange(n) == n // 2, 1e30, 1.0),
}


@pytest.mark.parametrize("name", EDGES)
@pytest.mark.parametrize("points", [2, 3, 4, 5, 6, 7, 8, 11, 12, 19, 20, 39, 40, 41, 239, 241, 700])
@pytest.mark.parametrize("higher", [False, True])
def test_every_part_of_an_extreme_curve_is_a_number_without_a_warning(name, points, higher):
    for key, part in everything(course(EDGES[name](points), higher=higher)).items():
        numbers = [getattr(part, f) for f in part.__dataclass_fields__] if hasattr(part, "__dataclass_fields__") else []
        assert not any(isinstance(v, float) and np.isnan(v) for v in numbers), key


@pytest.mark.parametrize("steps", [np.zeros(60, np.int64), np.arange(60) // 2, np.arange(60) * 2**50])
def test_equal_repeated_and_huge_steps_give_shares_of_the_run(steps):
    found = everything(course(raised(60, 40, 1.5), steps))
    for rise in (found["relapse"], found["shift"]):
        assert rise is not None
        assert 0.0 <= rise.setback <= 1.0
        assert 0.0 <= rise.cost <= 1.0


def test_an_empty_curve_has_no_course():
    found = everything(course([]))
    assert [found[name] for name in ("fall", "relapse", "shift", "scatter", "frozen")] == [None] * 5


def test_a_million_points_take_well_under_a_second():
    values = falling(1_000_000) * np.exp(drawn(1_000_000, 0.1))
    began = time.process_time()
    everything(course(values))
    assert time.process_time() - began < 1.0


class TestLaws:
    @staticmethod
    def curve(seed, points):
        rng = np.random.default_rng(seed)
        kind = seed % 3
        values = settled(points) * np.exp(0.02 * rng.standard_normal(points))
        if kind == 1:
            values[points // 2 :] *= 1.4
        return values * (1 + kind / 2 * np.arange(points) / points) if kind == 2 else values

    @given(st.integers(0, 500), st.sampled_from([7, 15, 50, 300]), st.integers(-(10**9), 10**9), st.integers(1, 1000))
    def test_the_unit_and_the_origin_of_steps_change_nothing(self, seed, points, origin, unit):
        values = self.curve(seed, points)
        one, other = course(values), course(values, origin + unit * np.arange(points))
        assert one.fall == other.fall
        assert one.relapse == other.relapse
        assert one.shift == other.shift
        assert one.point_noise.scatter == other.point_noise.scatter

    @given(st.integers(0, 500), st.sampled_from([7, 15, 50, 300]), st.floats(1e-6, 1e6))
    def test_the_unit_of_a_positive_loss_changes_no_share(self, seed, points, unit):
        values = self.curve(seed, points)
        one, other = course(values), course(unit * values)
        assume(one.log == other.log)
        for name in ("relapse", "shift"):
            a, b = getattr(one, name), getattr(other, name)
            assert (a is None) == (b is None)
            if a is not None:
                shares = ("errors", "size", "of_progress", "setback", "cost", "usual")
                assert [getattr(b, s) for s in shares] == pytest.approx(
                    [getattr(a, s) for s in shares], rel=1e-6, abs=1e-6
                )
                assert a.onset == b.onset
                assert b.after == pytest.approx(unit * a.after)

    @given(st.integers(0, 500), st.sampled_from([7, 15, 50, 300]))
    def test_a_metric_is_the_mirror_of_a_loss(self, seed, points):
        values = -3 + self.curve(seed, points)  # below 0 both ways: no logarithm
        one, other = course(values), course(-values, higher=True)
        assert one.levels == pytest.approx(other.levels)
        assert one.fall.errors == pytest.approx(other.fall.errors)
        assert one.relapse.errors == pytest.approx(other.relapse.errors)
        assert one.relapse.onset == other.relapse.onset
        assert (one.shift is None) == (other.shift is None)
