"""Flat and untrained, told from flat and done."""

import numpy as np
import pytest

from analyzer.model.case import falling, noise
from tests.detectors.judged import alarmed, found

STEPS = np.arange(0, 400, 10)


def test_a_good_f1_of_a_model_that_cannot_rank_clears_nothing():
    flat = {"train/loss": 0.66 + noise(400, 0.005), "val/auc": (STEPS, np.full(40, 0.5))}
    assert alarmed("plateau", flat | {"val/f1": (STEPS, np.full(40, 0.78))})
    good = {"train/loss": 0.66 + noise(400, 0.005), "val/auc": (STEPS, 0.9 + noise(40, 0.01))}
    assert not alarmed("plateau", good | {"val/f1": (STEPS, np.full(40, 0.78))})


def test_fine_tuning_rests_where_training_is_far_below_validation_or_starts_low():
    curves = {"train/loss": 0.001 + noise(400, 1e-5), "val/loss": (STEPS, np.full(40, 0.182))}
    assert not alarmed("plateau", curves)
    assert not alarmed("plateau", {"train/loss": 0.58 + noise(400, 0.003)})


def test_an_accuracy_well_above_one_half_that_still_moves_is_no_sign_of_a_plateau():
    loss = falling(400, 1.6, 0.9, 200) + noise(400, 0.01)
    moving = {"train/loss": loss, "val/accuracy": (STEPS, 0.61 + noise(40, 0.006))}
    assert not alarmed("plateau", moving)


def test_a_loss_that_only_has_the_noise_of_batches_has_not_moved():
    for seed in range(6):
        flat = 2.4 + 0.2 * noise(2500, 1.0, seed)
        finding = found("plateau", {"train/loss": flat})
        assert finding is not None
        assert found("plateau", {"train/loss": flat + 0.25 * np.exp(-np.arange(2500) / 300)}) is None, "it fell"
        at_once = np.where(np.arange(2500) == 0, 30.0, flat)
        assert found("plateau", {"train/loss": at_once}) is None, "it fell at its first step"
    noisy = {"train/loss": 2.4 + 0.2 * noise(2500, 1.0, 0)}
    assert found("plateau", noisy).severity == "warning", "it may be tuned"
    evaluated = (np.arange(0, 2500, 100), 2.4 - 0.1 * np.arange(25) / 25 + 0.002 * noise(25, 1.0, 8))
    assert found("plateau", noisy | {"val/loss": evaluated}) is None, "the evaluation has less noise, and falls"


def test_a_loss_a_little_above_that_of_guessing_beside_an_accuracy_at_chance_is_guessing():
    loss = np.concatenate([[20.0, 9.0, 5.0, 3.5, 2.6], 2.36 + 0.07 * noise(595, 1.0, 2)])
    at = np.arange(0, 600, 30)
    finding = found("plateau", {"train/loss": loss, "val/accuracy": (at, 0.1 + 0.01 * noise(20, 1.0, 3))})
    assert finding is not None
    assert "about ln 10" in finding.summary
    learnt = {"train/loss": loss - 0.3, "val/accuracy": (at, 0.16 + 0.01 * noise(20, 1.0, 3))}
    assert found("plateau", learnt) is None


def test_a_loss_that_no_batch_changes_any_more_near_its_start_has_collapsed():
    climbing = 0.53 + 0.02 * noise(100, 1.0, 2) + 0.05 * np.exp(np.arange(100) / 20)
    assert alarmed("plateau", {"triplet_loss": np.concatenate([climbing, np.full(400, 0.5)])})
    fitted = (0.3 + 0.7 * np.exp(-np.arange(500) / 8)).astype(np.float32).astype(np.float64)
    assert not alarmed("plateau", {"train/loss": fitted}), "a convex loss comes to rest where it can go no lower"


def test_a_flat_loss_above_its_start_is_not_said_to_have_fallen():
    loss = np.concatenate([2.1 + 0.05 * noise(40, 1.0, 1), 2.56 + 0.05 * noise(660, 1.0, 2)])
    finding = found("plateau", {"train/loss": loss})
    assert finding is not None
    assert "above its start" in finding.summary


@pytest.mark.parametrize(("digits", "spread"), [(1, 0.01), (2, 0.001), (2, 0.003), (3, 0.003)])
def test_noise_that_the_logger_rounds_away_has_not_died(digits, spread):
    loss = np.round(0.3 + 2 * np.exp(-np.arange(400) / 40) + noise(400, spread), digits)
    assert not alarmed("plateau", {"train/loss": loss})
