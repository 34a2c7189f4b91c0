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


def test_a_rise_that_weighs_by_the_lost_gain_says_so_and_is_told_by_its_own_size():
    at = np.arange(60) / 60
    held_out = 0.605 + 0.03 * np.exp(-15 * at) + 0.02 * np.maximum(at - 0.3, 0) + noise(60, 2e-4)
    finding = found("overfitting", {"train/loss": 0.5 + 0.2 * np.exp(-2 * at), "val/loss": held_out})
    weighed, own = (m for m in finding.measures if m.name.startswith("rise over its best") and m.unit == "of the best")
    assert weighed.limit == 0.06 < weighed.value and "share of the gain lost" in weighed.name
    assert own.limit is None and own.value < 0.06


def test_training_that_leaps_at_the_best_step_does_not_go_on_falling():
    at = np.arange(40)
    leap = np.where(at < 24, 0.0, 0.2 + 1.5 * np.exp(-np.maximum(at - 24, 0) / 2))
    curves = {name: 0.3 + 0.4 * np.exp(-at / 4) + size * leap + noise(40, 0.004, seed)
              for name, size, seed in (("train/loss", 1, 1), ("val/loss", 2, 2))}  # fmt: skip
    finding = found("overfitting", curves)
    assert finding is None or "memorising: training goes on" not in (finding.cause or "")
