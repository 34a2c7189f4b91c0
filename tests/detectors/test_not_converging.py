"""Bouncing, told from the noise of batches."""

import numpy as np

from analyzer.model.case import falling, noise
from tests.detectors.judged import alarmed, found
from tests.detectors.saying import alarms

SWINGING = falling(900, 900.0, 250.0, 40) * np.exp(noise(900, 0.8, 1))


def test_metrics_that_jump_alike_on_training_and_validation_data_speak_for_bouncing_weights():
    at = np.arange(0, 900, 30)
    swing = 0.07 * noise(30, 1.0, 2)
    curves = {
        "train/loss": SWINGING / 1000,
        "train/accuracy": (at, 0.93 + swing + noise(30, 0.005, 3)),
        "validation/accuracy": (at, 0.93 + swing + noise(30, 0.01, 4)),
    }
    assert alarmed("not-converging", curves)
    apart = curves | {"validation/accuracy": (at, 0.93 + 0.07 * noise(30, 1.0, 9))}
    assert not alarmed("not-converging", apart), "a small validation set jumps for itself"


def test_a_loss_that_begins_where_trained_models_are_need_not_fall():
    assert not alarmed("not-converging", {"train/loss": 0.15 * np.exp(noise(300, 0.45, 1))})


def test_a_loss_that_has_come_down_by_less_than_its_swings_has_learnt_little():
    loss = np.where(np.arange(500) < 5, 1.9, 1.4) * np.exp(noise(500, 0.4, 2))
    finding = found("not-converging", {"train/loss": loss})
    assert finding is not None
    calm = {"train/loss": loss, "val/loss": (np.arange(0, 500, 20), falling(25, 1.9, 1.2) + noise(25, 0.01))}
    assert not alarmed("not-converging", calm), "an evaluation without batch noise that is calm says otherwise"


def test_an_r2_that_jumps_to_the_end_is_moved_by_the_weights_not_by_its_small_set():
    at = np.arange(0, 900, 30)
    assert alarmed("not-converging", {"train/loss": SWINGING, "val/r2": (at, 0.6 + noise(30, 0.08, 3))})
    assert not alarmed("not-converging", {"train/loss": SWINGING, "val/r2": (at, 0.6 + noise(30, 0.006, 3))})


def test_a_loss_far_above_guessing_beside_a_jumping_accuracy_is_bouncing():
    at = np.arange(0, 900, 30)
    jumping = {"val/accuracy": (at, 0.95 + noise(30, 0.02, 3))}
    assert alarmed("not-converging", {"train/loss": SWINGING} | jumping)
    assert not alarmed("not-converging", {"train/loss": SWINGING / 1000} | jumping)


def test_wide_swings_around_a_falling_trend_are_no_standstill():
    at = np.arange(0, 1200, 30)
    curves = {
        "train/loss": np.linspace(2.2, 0.52, 1200) * np.exp(noise(1200, 0.35, 1)),
        "val/accuracy": (at, 0.7 + noise(40, 0.05, 2)),
        "val/loss": (at, 0.8 * np.exp(noise(40, 0.06, 3))),
    }
    assert not alarmed("not-converging", curves)


def test_an_evaluation_that_swings_far_above_its_beginning_is_an_alarm_of_its_own():
    at = np.arange(0, 900, 30)
    swinging = np.concatenate([[0.7, 0.7, 0.7], 4.0 * np.exp(noise(27, 0.8, 3))])
    curves = {"train/loss": falling(900, 0.9, 0.3, 200) * np.exp(noise(900, 0.3, 3)), "val/loss": (at, swinging)}
    assert alarmed("not-converging", curves)


def test_an_evaluation_that_climbs_steadily_does_not_swing():
    at = np.arange(100)
    climbing = 300 * np.exp(-at / 12) + 150 * np.exp(np.maximum(0, at - 60) / 4.0)
    curves = {"train/loss": falling(100, 900.0, 150.0) + noise(100, 3.0), "val/loss": climbing + noise(100, 3.0, 2)}
    assert found("not-converging", curves) is None
    assert "overfitting" in alarms(curves), "nothing explains it away"


def test_an_evaluation_that_swings_and_never_came_down_as_training_did_is_an_alarm():
    swinging = 4 + 2 * np.abs(noise(120, 1.0, 5)) + noise(120, 0.4, 6)
    assert alarmed("not-converging", {"train/loss": falling(120, 7.0, 2.0), "val/loss": swinging})
    came_down = np.where(np.arange(120) < 6, 9.0, 0.75 * swinging)
    assert not alarmed("not-converging", {"train/loss": falling(120, 7.0, 2.0), "val/loss": came_down})


def test_a_wide_noise_that_happens_to_begin_low_has_not_been_trained_before():
    loss = 1.5 * np.exp(noise(1500, 0.8, 4))
    loss[:5] = [0.4, 0.3, 1.1, 0.5, 0.2]
    assert alarmed("not-converging", {"train/loss": loss})
    assert not alarmed("not-converging", {"train/loss": loss / 5}), "all of it is where trained models are"


def test_a_level_that_climbs_and_comes_down_again_and_again_gets_nowhere():
    at = np.arange(3000)
    wandering = 2.4 + 0.9 * np.sin(at / 190) * np.cos(at / 610) + noise(3000, 0.25, 5)
    finding = found("not-converging", {"train/loss": wandering})
    assert finding is not None
    assert any("climbs" in text for text in finding.speaks_for)
    once = 2.4 + 0.9 * np.exp(-(((at - 900) / 300.0) ** 2)) + noise(3000, 0.45, 5)
    assert not alarmed("not-converging", {"train/loss": once - 0.8 * at / 3000})


def test_a_level_that_leaps_from_one_stretch_to_the_next_gets_nowhere():
    levels = 1.7 + 1.2 * np.tanh(noise(60, 1.0, 5))
    assert alarmed("not-converging", {"train/loss": np.repeat(levels, 20) * np.exp(noise(1200, 0.05, 2))})


def test_ten_evaluations_that_fall_to_the_last_show_that_single_examples_swing():
    at = np.arange(2000)
    for seed in (2, 4, 5, 7):
        batches = (0.9 + 0.6 * np.exp(-at / 200)) * np.random.default_rng(seed).lognormal(0, 0.5, 2000)
        evaluated = np.full(2000, np.nan)
        evaluated[199::200] = 1 + 0.3 * np.exp(-at[199::200] / 200)
        assert not alarmed("not-converging", {"train/loss": batches, "eval/loss": evaluated})
