"""A turn of validation, by noise or by heart."""

import numpy as np
from judged import alarmed

from analyzer.model.case import falling, noise


def test_a_rise_while_training_goes_on_by_heart_counts_although_the_start_was_far_higher():
    at = np.arange(200) / 200
    validation = 0.044 + np.exp(-60 * at) + 0.008 * np.maximum(at - 0.2, 0) + noise(200, 1e-4)
    curves = {"train/loss": 0.04 / (1 + 3 * at) + np.exp(-60 * at), "val/loss": validation}
    assert alarmed("overfitting", curves)
    assert not alarmed("overfitting", curves | {"train/loss": 0.04 - 0.003 * at + np.exp(-60 * at)})


def test_a_slow_rise_among_wide_noise_is_seen_over_long_stretches():
    at = np.arange(370) / 370
    validation = (1.45 + 0.5 * np.maximum(at - 0.3, 0) + 5 * np.exp(-50 * at)) * np.exp(noise(370, 0.11, 3))
    assert alarmed("overfitting", {"train/loss": falling(370, 7.0, 0.05), "val/loss": validation})
