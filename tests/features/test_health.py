"""The health criteria: each in each of its states on a small run, with the numbers that decide it."""

import numpy as np
import pytest

from analyzer.diagnosis import judge_run
from analyzer.features import RunFeatures
from analyzer.features.health import PARAMS
from analyzer.model.case import falling, made_run, noise

NAMES = ("enough-data", "finite", "learnt", "kept", "calm", "held-out", "metrics")


def state(name, **curves):
    """The criterion of a run of these curves (`train_loss` stands for train/loss)."""
    run = made_run({tag.replace("_", "/", 1): values for tag, values in curves.items()})
    return next(one for one in RunFeatures(run).health if one.criterion == name)


def good(points=200, seed=0):
    return falling(points) + noise(points, 0.02, seed)


def rising(points=200, low=0.3, high=0.9):
    return low + (high - low) * (1 - np.exp(-np.arange(points) / points * 8)) + noise(points, 0.01)


def worse_again(points=200, loss=0.6):
    return good(points) + loss * np.maximum(np.arange(points) - points / 2, 0) / points * 2


def broken(points=200, size=0.6, back=None):
    jump = np.zeros(points)
    jump[points // 2 : back] = size
    return good(points) + jump


def test_every_run_is_asked_all_seven_in_their_order():
    assert tuple(one.criterion for one in RunFeatures(made_run({"train/loss": good()})).health) == NAMES


class TestEnoughData:
    def test_a_curve_of_eight_points_is_enough(self):
        one = state("enough-data", train_loss=falling(PARAMS.enough))
        assert (one.state, one.numbers["points"], one.numbers["needed"]) == ("shown", 8, 8)

    def test_seven_points_are_not(self):
        one = state("enough-data", train_loss=falling(PARAMS.enough - 1))
        assert (one.state, one.numbers["points"]) == ("unclear", 7)

    def test_points_that_are_not_finite_do_not_count(self):
        assert state("enough-data", train_loss=[*falling(7), np.nan, np.inf]).state == "unclear"

    def test_without_a_known_curve_there_is_nothing(self):
        assert state("enough-data", **{"memory_used": np.arange(30.0)}).state == "unclear"


class TestFinite:
    def test_all_points_are_finite(self):
        one = state("finite", train_loss=good(50), val_loss=good(20))
        assert (one.state, one.numbers["points"]) == ("shown", 70)

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    def test_one_that_is_not_refutes_it(self, bad):
        one = state("finite", train_loss=[*good(50), bad])
        assert (one.state, one.numbers["points"], one.tags) == ("refuted", 1, ("train/loss",))

    def test_it_does_not_apply_without_a_loss(self):
        assert state("finite", val_accuracy=rising()).state == "not-applicable"


class TestLearnt:
    def test_a_gain_beyond_noise_is_shown_with_its_size(self):
        one = state("learnt", train_loss=good())
        assert one.state == "shown"
        assert one.numbers["errors"] >= PARAMS.clear
        assert one.numbers["gain"] == pytest.approx(0.86, abs=0.05)

    def test_a_flat_metric_refutes_it(self):
        one = state("learnt", val_f1=0.31 + noise(200, 0.002))
        assert one.state == "refuted"
        assert abs(one.numbers["gain"]) < PARAMS.gain

    def test_a_flat_loss_may_rest_at_its_optimum(self):
        assert state("learnt", train_loss=0.21 + noise(200, 0.002)).state == "unclear"

    def test_a_flat_metric_of_few_points_shows_nothing(self):
        assert state("learnt", val_f1=0.31 + noise(PARAMS.flat - 1, 0.002)).state == "unclear"

    def test_two_points_show_nothing(self):
        assert state("learnt", train_loss=[2.0, 1.0]).state == "unclear"


class TestKept:
    def test_an_end_at_the_best_level_is_shown(self):
        one = state("kept", train_loss=good())
        assert one.state == "shown"
        assert one.numbers["errors"] < PARAMS.clear

    def test_a_loss_that_ends_above_its_best_refutes_it(self):
        one = state("kept", train_loss=worse_again())
        assert one.state == "refuted"
        assert one.numbers["errors"] > PARAMS.clear
        assert one.numbers["after"] - one.numbers["before"] > 0.4
        assert 90 <= one.numbers["step"] <= 130

    def test_a_rise_below_what_matters_is_kept(self):
        one = state(
            "kept", train_loss=2.0 + 8 * np.exp(-np.arange(200) / 20) + np.maximum(np.arange(200) - 100, 0) * 5e-4
        )
        assert one.state == "shown"

    def test_a_metric_that_is_forgotten_refutes_it(self):
        forgotten = np.concatenate([rising(100), 0.9 - 0.4 * np.arange(100) / 100 + noise(100, 0.01)])
        assert state("kept", val_accuracy=forgotten).state == "refuted"

    def test_one_metric_of_three_that_is_traded_for_others_does_not(self):
        lost = np.concatenate([rising(100), 0.9 - 0.4 * np.arange(100) / 100 + noise(100, 0.01)])
        one = state("kept", train_loss=good(), val_recall=lost, val_precision=rising(), val_accuracy=rising())
        assert one.state == "shown"

    def test_four_points_show_nothing(self):
        assert state("kept", train_loss=[2.0, 1.0, 0.9, 0.8]).state == "unclear"


class TestCalm:
    def test_a_curve_without_a_break_is_shown(self):
        assert state("calm", train_loss=good()).state == "shown"

    def test_a_lasting_break_refutes_it(self):
        one = state("calm", train_loss=broken())
        assert one.state == "refuted"
        assert abs(one.numbers["step"] - 100) <= 3
        assert one.numbers["errors"] > PARAMS.clear

    def test_a_break_that_takes_a_third_of_the_run_to_heal_refutes_it_in_training_only(self):
        assert state("calm", train_loss=broken(back=170)).state == "refuted"
        assert state("calm", train_loss=good(), val_loss=broken(back=170)).state == "shown"

    def test_a_break_that_heals_at_once_does_not(self):
        assert state("calm", train_loss=broken(back=105)).state == "shown"

    def test_it_does_not_apply_to_a_short_loss(self):
        assert state("calm", train_loss=falling(PARAMS.enough - 1)).state == "not-applicable"


class TestHeldOut:
    def test_a_held_out_loss_that_falls_is_shown(self):
        one = state("held-out", train_loss=good(), val_loss=good(40, 3))
        assert one.state == "shown"
        assert one.tags == ("val/loss",)

    def test_one_that_stays_above_where_training_began_refutes_it(self):
        one = state("held-out", train_loss=good(), val_loss=2.6 + noise(40, 0.01))
        assert one.state == "refuted"
        assert one.numbers["end"] > one.numbers["training_start"]

    def test_one_whose_first_evaluation_came_late_stands_well(self):
        assert state("held-out", train_loss=good(), val_loss=0.4 + noise(40, 0.01)).state == "shown"

    def test_few_flat_evaluations_are_unclear(self):
        assert state("held-out", train_loss=good(), val_loss=2.6 + noise(10, 0.01)).state == "unclear"

    def test_it_does_not_apply_without_held_out_data(self):
        assert state("held-out", train_loss=good()).state == "not-applicable"


class TestMetrics:
    def test_a_metric_that_rises_is_shown(self):
        one = state("metrics", val_accuracy=rising())
        assert one.state == "shown"
        assert one.numbers["gain"] > 1

    def test_one_that_ends_clearly_below_its_start_refutes_it(self):
        one = state("metrics", train_loss=good(), val_accuracy=0.9 - 0.5 * np.arange(200) / 200 + noise(200, 0.01))
        assert one.state == "refuted"
        assert one.numbers["gain"] <= -PARAMS.drop

    def test_it_does_not_apply_to_few_points(self):
        assert state("metrics", val_accuracy=[0.2, 0.4, 0.6]).state == "not-applicable"


class TestVerdict:
    def test_a_run_that_shows_every_criterion_that_applies_is_healthy(self):
        run = made_run({"train/loss": good(), "val/loss": good(40, 3), "val/accuracy": rising(40)})
        result = judge_run(run)
        assert {one.state for one in result.health} <= {"shown", "not-applicable"}
        assert result.verdict == "healthy"

    @pytest.mark.parametrize(
        "curves",
        [
            {"train/loss": falling(PARAMS.enough - 1)},
            {"train/loss": 0.21 + noise(200, 0.002)},
            {"train/loss": good(), "val/loss": 2.6 + noise(10, 0.01)},
        ],
        ids=["too few points", "nothing learnt", "held-out data do not agree"],
    )
    def test_one_that_is_unclear_is_not_healthy(self, curves):
        result = judge_run(made_run(curves))
        assert "unclear" in {one.state for one in result.health}
        assert result.verdict != "healthy"

    @pytest.mark.parametrize("loss", [worse_again(), broken(), np.append(good(), np.nan)])
    def test_one_that_is_refuted_is_a_problem(self, loss):
        result = judge_run(made_run({"train/loss": loss}))
        assert "refuted" in {one.state for one in result.health}
        assert result.verdict == "problems"


def guessing(points=200, start=1.0, level=0.69):
    """A loss that finds the best single answer within some steps."""
    return level + (start - level) * np.exp(-np.arange(points) / 5) + noise(points, 0.002)


def test_a_loss_that_fell_a_little_at_the_very_start_only_does_not_show_that_anything_was_learnt():
    found = state("learnt", train_loss=guessing(), val_loss=guessing() + noise(200, 0.002, seed=1))
    assert found.state == "unclear"
    assert "stood still since" in found.sentence
    assert found.numbers["later_most"] < PARAMS.still * found.numbers["gain"]


def test_it_does_where_a_metric_improves_or_the_loss_goes_on_falling():
    assert state("learnt", train_loss=guessing(), val_accuracy=rising()).state == "shown"
    slowly = guessing() - 0.1 * np.arange(200) / 200
    assert state("learnt", train_loss=slowly).state == "shown"
    assert state("learnt", train_loss=guessing(level=0.2)).state == "shown"


def test_the_verb_is_that_of_the_numbers():
    accuracy = state("metrics", train_loss=good(), val_accuracy=0.8 - 0.1 * np.arange(200) / 200 + noise(200, 0.005))
    assert "fell from" in accuracy.sentence


def test_metrics_that_are_all_much_worse_and_noisy_show_no_health():
    bouncing = np.array([0.57, 0.5, 0.3, 0.62, 0.28, 0.6, 0.35, 0.55, 0.3, 0.6, 0.38, 0.58, 0.3, 0.5, 0.35, 0.42])
    one = state("metrics", train_loss=good(), val_accuracy=bouncing)
    assert one.state == "unclear" and "which may be noise" in one.sentence


def test_a_metric_that_may_have_got_better_does_not_end_where_it_began():
    one = state("learnt", val_reward=20 + 100 * np.abs(np.sin(np.arange(12) * 2.4)))
    assert one.state == "unclear" and "ends where it began" not in one.sentence


def test_a_measure_of_quality_is_kept_in_a_gan_as_elsewhere():
    at = np.arange(600)
    gan = {"loss_D": 1.2 + noise(600, 0.1), "loss_G": 1 + noise(600, 0.2, 1)}
    fid = np.where(at < 300, 20 + 150 * np.exp(-at / 100), 140) + noise(600, 2)

    def kept(**more):
        return next(c for c in RunFeatures(made_run(gan | more)).health if c.criterion == "kept")

    assert kept().state == "not-applicable" and kept(fid=np.minimum.accumulate(fid)).state == "shown"
    lost = kept(fid=fid)
    assert lost.state == "refuted" and "of what was gained is lost" in lost.sentence


def test_an_end_that_is_not_near_its_best_is_not_called_so():
    accuracy = np.where(np.arange(2000) < 1200, rising(2000), rising(2000) - 0.055)
    one = state("kept", val_accuracy=accuracy)
    assert one.state == "shown" and "with most of its gain" in one.sentence
