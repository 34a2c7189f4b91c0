"""Weak validation: says how many evaluations or examples would do, and blames no run that learnt nothing."""

import numpy as np

from analyzer.model.case import falling, noise
from tests.detectors.saying import findings


def test_it_says_how_many_evaluations_would_do():
    said = findings({"train/loss": falling(300), "val/loss": (np.array([100, 299]), [0.8, 0.6])})
    assert "10 or more" in said["weak-validation"].summary


def test_it_says_how_many_more_examples_would_do():
    said = findings({"val/loss": falling(60, 1.0, 0.8) + 0.15 * np.abs(noise(60, 1.0, 5))})
    assert "times as many held-out examples" in said["weak-validation"].advice[0]


def test_a_short_fine_tuning_is_not_asked_for_more():
    assert "weak-validation" not in findings({"train/loss": falling(30), "val/loss": (np.array([14, 29]), [0.8, 0.6])})


def test_noise_around_a_loss_that_learnt_nothing_is_not_its_matter():
    assert "weak-validation" not in findings({"train/loss": 1.0 + noise(300, 0.01), "val/loss": 1.0 + noise(60, 0.1)})


def test_nobody_is_told_to_find_thousands_of_times_as_many_examples():
    wild = np.exp(noise(100, 2.0, 2))
    finding = findings({"train/loss": falling(100, 1.0, 0.7), "val/loss": wild})["weak-validation"]
    assert not any("times as many" in text for text in finding.advice)
