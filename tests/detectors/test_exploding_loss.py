"""Explosions beside shapes that only look like one."""

import numpy as np
import pytest

from analyzer.model.case import falling, noise
from tests.detectors.judged import alarmed, found


def test_a_passing_dip_of_a_bouncing_loss_is_no_level_to_explode_from():
    loss = 5.0 * np.exp(noise(90, 0.3, 4))
    loss[44:50] = 1.8
    assert not alarmed("exploding-loss", {"train/loss": loss})


def test_a_last_point_within_what_was_seen_before_is_no_explosion():
    loss = [0.25, 0.13, 0.08, 0.044, 0.036, 0.053, 0.03, 0.12]
    assert not alarmed("exploding-loss", {"train/loss": loss})


def test_growth_in_the_last_instants_counts_up_to_where_it_ends():
    loss = np.concatenate([falling(1200) * np.exp(noise(1200, 0.3)), 10.0 ** np.arange(1, 9)])
    finding = found("exploding-loss", {"train/loss": loss})
    assert finding is not None
    assert finding.severity == "error"
    assert abs(finding.first_step - 1200) <= 3


def test_a_loss_that_explodes_in_its_first_steps_blames_the_start_and_not_a_batch():
    loss = np.concatenate([[2.3], [40.0, 9e3, 8e4], 6e3 * np.exp(noise(150, 0.3, 5))])
    finding = found("exploding-loss", {"train/loss": loss})
    assert finding is not None
    assert finding.severity == "error"
    assert "from the start" in finding.cause
    assert "is still at" in finding.summary


def test_a_loss_that_ends_at_its_highest_is_not_said_to_end_lower():
    calm = falling(500) * np.exp(noise(500, 0.1))
    finding = found("exploding-loss", {"train/loss": np.concatenate([calm, 2.0 ** np.arange(1, 12)])})
    assert finding is not None
    assert finding.summary.endswith("to 2,048 at step 510")
    finding = found("exploding-loss", {"train/loss": np.concatenate([calm, 2.0 ** np.arange(1, 12), [90.0, 80.0]])})
    assert finding is not None
    assert finding.summary.endswith("to 2,048 at step 510 and is still at 85 at the end")


def test_two_levels_apart_are_an_explosion_however_noisy_the_lower_one_was():
    low = falling(48, 2.3, 0.15, 5) * np.exp(noise(48, 0.3, 1))
    low[[30, 41]] *= 3.5
    finding = found("exploding-loss", {"train/loss": np.concatenate([low, 3.5 * np.exp(noise(105, 0.15, 10))])})
    assert finding is not None
    assert abs(finding.first_step - 48) <= 2


def test_a_leap_that_is_nearly_made_good_and_still_falls_has_not_stayed_up():
    first = (0.01 + 0.2 * np.exp(-np.arange(500) / 40)) * np.exp(noise(500, 0.15))
    second = (0.03 + 2.3 * np.exp(-np.arange(500) / 90)) * np.exp(noise(500, 0.3, 1))
    assert not alarmed("exploding-loss", {"train/loss": np.concatenate([first, second])})
    settled = 0.12 + 2.3 * np.exp(-np.arange(500) / 30) + noise(500, 0.01, 2)
    assert alarmed("exploding-loss", {"train/loss": np.concatenate([first, settled])}), "it rests high above"


def test_a_few_low_first_points_are_no_level_to_explode_from():
    at = np.arange(3000)
    wandering = 2.2 * np.exp(0.55 * np.sin(at / 220)) * np.exp(noise(3000, 0.06, 3))
    wandering[:5] = [0.7, 0.72, 0.8, 0.9, 1.0]
    assert not alarmed("exploding-loss", {"train/loss": wandering})
    assert alarmed("not-converging", {"train/loss": wandering})
    climbing = wandering * np.exp(at / 800)
    assert alarmed("exploding-loss", {"train/loss": climbing})


def test_a_held_out_loss_that_stays_calm_explains_a_training_that_became_harder_and_one_that_jumped_too_does_not():
    steps = np.arange(480)
    train = falling(480, 4.0, 1.0, 10.0) * np.exp(noise(480, 0.02))
    train[360:] *= 1.3 - 0.2 * np.linspace(0, 1, 120)
    held = falling(480, 3.0, 0.5, 4.0)
    jumped = held.copy()
    jumped[360:] *= 1.25 - 0.25 * np.linspace(0, 1, 120)
    explained = found("exploding-loss", {"train/loss": train, "val/loss": (steps[::16], held[::16])})
    assert explained is None or explained.explained_by is not None
    assert alarmed("exploding-loss", {"train/loss": train, "val/loss": (steps[::16], jumped[::16])})


@pytest.mark.parametrize("last", [2, 3, 4])
def test_the_last_evaluations_are_compared_with_what_came_after_the_steep_start(last):
    at = np.arange(120)
    loss = 20 * np.exp(-at / 10) + 1 + noise(120, 0.05) + 20 * (at >= 120 - last)
    assert alarmed("exploding-loss", {"train/mse": loss, "val/mse": loss + 0.4})


@pytest.mark.parametrize("last", [20, 100])
def test_an_end_far_above_skewed_noise_has_exploded(last):
    rng = np.random.default_rng(1)
    loss = 0.05 + 0.95 * np.exp(-np.arange(5000) / 80) + 0.02 * rng.exponential(1, 5000)
    assert not alarmed("exploding-loss", {"loss": loss})
    loss[-last:] += 3
    assert alarmed("exploding-loss", {"loss": loss})


AT = np.arange(1000)
CLIMB = falling(1000, 8, 2) + 4 * np.maximum(AT - 500, 0) / 500 + noise(1000, 0.05)


@pytest.mark.parametrize("step", [500, 520, 600, 700])
def test_a_setting_that_changes_in_one_step_accounts_for_no_long_climb(step):
    assert alarmed("exploding-loss", {"train/loss": CLIMB, "n_active_nodes": np.where(step > AT, 8.0, 7.0)})


def test_a_setting_accounts_for_the_rise_that_comes_with_it():
    risen = falling(1000, 8, 2) + 1.5 * (AT >= 520) + noise(1000, 0.05)
    assert not alarmed("exploding-loss", {"train/loss": risen, "image_size": np.where(AT < 520, 128.0, 192.0)})
