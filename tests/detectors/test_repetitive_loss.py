"""Repetition whose shape is sharp, and logged as coarsely as loggers do."""

import numpy as np
from judged import alarmed, found

from analyzer.model.case import falling, noise


def test_the_teeth_of_ten_sorted_classes_are_seen_however_many_points_an_epoch_has():
    tooth = np.tile(np.where(np.arange(15) < 2, 2.5, -0.6), 10)
    loss = np.exp(np.tile(tooth, 12) + noise(1800, 0.3, 1))
    finding = found("repetitive-loss", {"train/loss": loss})
    assert finding is not None
    assert abs(finding.marks[0].steps[0] - 150) <= 2 or "every 15 steps" in finding.summary


def test_swings_that_grow_keep_their_period():
    shape = np.tile(np.concatenate([np.full(27, 0.3), np.full(3, -2.0)]), 12)
    loss = 2.2 * np.exp(shape * np.linspace(0.05, 1.2, 360) + noise(360, 0.1, 2))
    finding = found("repetitive-loss", {"train/loss": (np.arange(360) * 10, loss)})
    assert finding is not None
    assert "every 300 steps" in finding.summary


def test_noise_of_one_colour_has_no_teeth():
    red = np.convolve(noise(700, 1.0, 3), 0.9 ** np.arange(40), "valid")
    assert not alarmed("repetitive-loss", {"train/loss": falling(red.size) * np.exp(0.2 * red)})
