"""Flat and untrained, told from flat and done."""

import numpy as np
from judged import alarmed

from analyzer.model.case import falling, noise

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
