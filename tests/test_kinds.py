"""Kinds of fault that once passed as healthy, and healthy kinds that once were accused: one made run for each."""

import numpy as np
import pytest

from analyzer.diagnosis import judge_run
from analyzer.model.case import falling, made_run, noise

LAST = np.arange(400)
LANGUAGE = 3.3 + 7.5 * (1 + LAST / 4.0) ** -0.7  # a language model's: a floor, and a first value far above


def verdict(curves, **params):
    """Return the verdict and the alarms of a made run."""
    result = judge_run(made_run(curves, **params), now=2e9)
    return result.verdict, {f.symptom for f in result.findings if f.alarms}


def language(change, points=400):
    """Return a language model's training loss with noise, changed from point 240 on."""
    loss = LANGUAGE[:points] * np.exp(noise(points, 0.01))
    loss[240:] = change(loss[240:], np.arange(points - 240) / (points - 240))
    return loss


RISES = {"exploding-loss", "slow-divergence"}


class TestHarmIsMeasuredInTheCurvesOwnTerms:
    """A share of the first loss means nothing where the first loss is arbitrary."""

    @pytest.mark.parametrize("size", [0.1, 0.3, 0.6])
    def test_a_lasting_break_of_a_language_models_loss(self, size):
        said, alarms = verdict({"train/loss": language(lambda rest, at: rest * (1 + size))})
        assert said == "problems" and alarms & RISES

    def test_a_drift_of_a_tenth(self):
        said, alarms = verdict(
            {"train/loss": language(lambda rest, at: LANGUAGE[240] * (1 + 0.1 * at) + noise(160, 0.03))}
        )
        assert said == "problems" and alarms & RISES

    def test_a_validation_loss_alone_that_rises_by_a_tenth(self):
        held_out = LANGUAGE[::10] + 0.05
        held_out[24:] = held_out[24] * np.linspace(1, 1.1, 16)
        curves = {"train/loss": language(lambda rest, at: rest), "val/loss": (LAST[::10], held_out)}
        assert verdict(curves) == ("problems", {"overfitting"})

    def test_a_resume_that_walks_half_of_the_way_again(self):
        again = LANGUAGE[2:162] * np.exp(noise(160, 0.01, 3))
        assert verdict({"train/loss": language(lambda rest, at: again)})[0] == "problems"

    def test_the_same_curve_without_a_fault_is_healthy(self):
        assert verdict({"train/loss": language(lambda rest, at: rest)}) == ("healthy", set())


class TestHealthyIsEarned:
    """What no rule explains is not healthy for that."""

    def test_a_loss_that_rises_from_its_first_step(self):
        assert verdict({"train/loss": np.linspace(1.4, 2.2, 200) * np.exp(noise(200, 0.02))})[0] == "problems"

    def test_a_loss_that_ends_far_above_its_start(self):
        wild = np.concatenate([[1.4, 1.2, 1.5], 20.9 * np.exp(noise(120, 0.3, 2))])
        assert verdict({"train/loss": wild})[0] == "problems"

    def test_a_deep_fall_of_which_half_is_lost(self):
        loss = np.concatenate([falling(200, 12.0, 0.85), np.linspace(0.85, 6.0, 200)]) * np.exp(noise(400, 0.03))
        assert verdict({"train/loss": loss})[0] == "problems"

    def test_a_loss_that_ends_where_it_began(self):
        assert verdict({"train/loss": 0.3 + noise(200, 0.02)})[0] != "healthy"

    def test_a_metric_alone_that_is_forgotten(self):
        at = np.arange(80)
        forgotten = 0.2 + 0.6 * np.clip(at / 30, 0, 1) - 0.5 * np.clip((at - 50) / 30, 0, 1) + noise(80, 0.01)
        assert verdict({"val/accuracy": forgotten}) == ("problems", {"lost-progress"})

    def test_a_metric_alone_that_is_learnt(self):
        assert verdict({"val/accuracy": 0.9 - 0.6 * np.exp(-np.arange(30) / 6) + noise(30, 0.01)})[0] == "healthy"

    def test_seven_evaluations_show_a_turn_and_no_health(self):
        at = np.arange(7)
        assert verdict({"val/loss": 2.0 - 0.2 * at + noise(7, 0.01)})[0] == "unjudged"
        turned = np.array([2.0, 1.2, 0.9, 0.8, 1.1, 1.5, 2.1])
        assert verdict({"train/loss": 2.0 * 0.6**at, "val/loss": turned})[0] == "problems"

    def test_every_criterion_is_listed_with_its_numbers(self):
        document = judge_run(made_run({"train/loss": falling(300) + noise(300, 0.02)}), now=2e9).to_dict()
        named = {one["criterion"]: one for one in document["health"]}
        assert set(named) == {"enough-data", "finite", "learnt", "kept", "calm", "held-out", "metrics"}
        assert named["learnt"]["state"] == "shown" and named["learnt"]["numbers"]["errors"] > 3.5
        assert named["metrics"]["state"] == "not-applicable"


class TestDeadRuns:
    """A curve that stops moving, in one way or another."""

    def test_a_loss_that_repeats_its_last_value(self):
        loss = falling(300) + noise(300, 0.02)
        loss[200:] = loss[199]
        assert verdict({"train/loss": loss})[0] == "problems"

    def test_an_evaluation_that_repeats_its_last_value(self):
        loss = LANGUAGE[::40].copy()
        loss[6:] = loss[5]
        assert verdict({"val/loss": loss})[0] == "problems"

    def test_noise_of_batches_that_dies_at_a_guess(self):
        width = np.where(np.arange(500) < 120, 0.1, 0.0005)
        loss = (0.693 + 0.7 * np.exp(-np.arange(500) / 30)) * np.exp(width * noise(500, 1.0))
        assert verdict({"train/loss": loss}) == ("problems", {"plateau"})

    def test_an_exact_fit_rests(self):
        loss = np.maximum(np.exp(-np.arange(300) / 8.0), 1e-9)
        assert verdict({"train/loss": loss.astype(np.float32).astype(float)})[0] == "healthy"

    def test_noise_that_widens_for_good(self):
        width = np.where(np.arange(600) < 300, 0.01, 0.05)
        loss = LANGUAGE[0:1].repeat(600) * 0 + 3.0 + 2 * np.exp(-np.arange(600) / 60) + width * 3 * noise(600, 1.0)
        assert verdict({"train/loss": loss})[0] == "problems"


class TestRunsThatAreFine:
    """Healthy shapes that look like a fault."""

    def test_a_run_that_goes_on_from_a_checkpoint_gains_little_and_steadily(self):
        assert verdict({"val/loss": 2.748 - 0.058 * (1 - np.exp(-np.arange(24) / 10))}) == ("healthy", set())

    def test_ln_100_has_no_wide_tolerance(self):
        loss = 4.19 + 0.4 * np.exp(-np.arange(200) / 80) + noise(200, 0.15)
        assert "plateau" not in verdict({"train/loss": loss}, num_classes=100)[1]

    def test_a_setting_that_is_moved_explains_a_rise(self):
        share = np.clip(1 - (np.arange(300) - 80) / 100, 0.5, 1.0)
        loss = (0.5 + 1.5 * np.exp(-np.arange(300) / 20)) / share * np.exp(noise(300, 0.02))
        assert verdict({"train/loss": loss, "train/p": share})[0] == "healthy"
        assert verdict({"train/loss": loss})[0] == "problems"

    def test_all_rewards_of_preference_training_may_fall(self):
        at = np.arange(180) / 180
        curves = {
            "train/loss": 0.693 - 0.38 * at + noise(180, 0.01),
            "train/rewards/chosen": -2 * at + noise(180, 0.05, 1),
            "train/rewards/rejected": -5 * at + noise(180, 0.05, 2),
            "train/rewards/margins": 3 * at + noise(180, 0.05, 3),
        }
        assert not verdict(curves)[1]

    def test_a_bump_of_an_evaluation_that_heals(self):
        held_out = LANGUAGE[::10].copy()
        held_out[20] *= 1.05
        assert verdict({"val/loss": held_out})[0] == "healthy"


class TestNamesThatNameAnAxis:
    """Megatron logs each value twice, over iterations and over samples; some logs keep one of the two."""

    def test_a_loss_over_samples_is_a_loss(self):
        assert verdict({"lm loss vs samples": language(lambda y, _: y * np.nan)}) == ("problems", {"non-finite"})

    def test_the_same_loss_over_two_axes_is_judged_once(self):
        loss = language(lambda y, _: 1.5 * y)
        both = judge_run(made_run({"lm loss": loss, "lm loss vs samples": loss}), now=2e9)
        assert [f.tags for f in both.findings if f.alarms] == [("lm loss",)]
