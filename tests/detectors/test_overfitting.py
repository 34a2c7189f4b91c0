"""A turn of validation, by noise or by heart."""

import numpy as np

from analyzer.model.case import falling, noise
from tests.detectors.judged import alarmed, found


def test_a_rise_that_undoes_much_of_the_run_counts_although_the_start_was_far_higher():
    at = np.arange(200) / 200
    validation = 0.044 + np.exp(-60 * at) + 0.008 * np.maximum(at - 0.2, 0) + noise(200, 1e-4)
    curves = {"train/loss": 0.04 / (1 + 3 * at) + np.exp(-60 * at), "val/loss": validation}
    assert alarmed("overfitting", curves)
    steady = 0.044 + np.exp(-60 * at) + noise(200, 1e-4)
    assert not alarmed("overfitting", curves | {"val/loss": steady})
    assert not alarmed("overfitting", curves | {"train/loss": validation - 0.004}), "training rises as well"


def test_a_slow_rise_among_wide_noise_is_seen_over_long_stretches():
    at = np.arange(370) / 370
    validation = (1.45 + 0.5 * np.maximum(at - 0.3, 0) + 5 * np.exp(-50 * at)) * np.exp(noise(370, 0.11, 3))
    assert alarmed("overfitting", {"train/loss": falling(370, 7.0, 0.05), "val/loss": validation})


def test_a_rise_far_beyond_what_training_still_learns_is_an_evaluation_that_breaks_down():
    at = np.arange(100)
    broken = 150 + 750 * np.exp(-at / 15) + np.exp(np.maximum(0, at - 60) / 4.0) * (at > 60)
    curves = {"train/loss": 150 + 750 * np.exp(-at / 15) + noise(100, 1.0), "val/loss": broken + noise(100, 1.0, 2)}
    finding = found("overfitting", curves)
    assert finding is not None
    assert "breaks down" in finding.cause
    assert not any("regularisation" in text for text in finding.advice)
    by_heart = curves | {"train/loss": 900 * np.exp(-at / 15) + 0.5}
    assert "memorising" in found("overfitting", by_heart).cause
