"""Repetition whose shape is sharp, and logged as coarsely as loggers do."""

import numpy as np
from judged import alarmed, found

from analyzer.model.case import falling, noise


def test_narrow_teeth_are_seen_however_many_points_an_epoch_has():
    shape = np.zeros(150)
    shape[[3, 22, 31, 55, 60, 84, 99, 120, 133, 141]] = 2.5  # a point each, where one class begins
    loss = np.exp(np.tile(shape, 12) + noise(1800, 0.25, 0) - 1.0)
    finding = found("repetitive-loss", {"train/loss": loss})
    assert finding is not None
    assert "every 150 steps" in finding.summary


def test_swings_that_grow_keep_their_period():
    shape = np.tile(noise(30, 1.0, 2), 12)
    loss = np.exp(shape * np.linspace(0.02, 1.0, 360) ** 2 + noise(360, 0.05, 2))
    finding = found("repetitive-loss", {"train/loss": (np.arange(360) * 10, loss)})
    assert finding is not None
    assert "every 300 steps" in finding.summary


def test_noise_of_one_colour_has_no_teeth():
    red = np.convolve(noise(700, 1.0, 3), 0.9 ** np.arange(40), "valid")
    assert not alarmed("repetitive-loss", {"train/loss": falling(red.size) * np.exp(0.2 * red)})


def test_a_long_period_under_the_noise_of_batches_is_seen():
    teeth = np.repeat(np.tile(noise(8, 0.3, 3), 10), 150)
    loss = falling(12_000, 2.0, 0.4) * np.exp(teeth + noise(12_000, 0.4, 4))
    finding = found("repetitive-loss", {"train/loss": loss})
    assert finding is not None
    assert "every 1,200 steps" in finding.summary


def test_an_evaluation_that_begins_anew_each_time_tells_of_several_trainings():
    once = np.exp(-np.arange(12) / 3.0)
    folds = {"train/loss": np.tile(2.1 * once + 0.05, 6) * np.exp(noise(72, 0.03, 1))}
    finding = found("repetitive-loss", folds | {"val/loss": np.tile(2.0 * once + 0.2, 6) * np.exp(noise(72, 0.03, 2))})
    assert finding is not None
    assert "one after another" in finding.cause
    kept = folds | {"val/loss": falling(72, 2.0, 0.2)}
    assert found("repetitive-loss", kept).cause is None, "what was learnt is kept: it is the training data that repeats"


def test_a_few_leaps_at_even_distances_are_spikes_not_a_period():
    at = np.arange(4000)
    loss = (0.2 + 1.8 * np.exp(-at / 450)) * np.exp(noise(4000, 0.1))
    for i in range(4):
        since = at - 1500 - 600 * i
        loss = loss + np.where(since >= 0, 2 * 2.0**i * np.exp(-since.clip(0) / 15.0), 0.0)
    assert not alarmed("repetitive-loss", {"train/loss": loss})
    assert alarmed("loss-spike", {"train/loss": loss})
