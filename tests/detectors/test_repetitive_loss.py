"""Repetition whose shape is sharp, and logged as coarsely as loggers do."""

import numpy as np
import pytest

from analyzer.model.case import falling, noise
from tests.detectors.judged import alarmed, found


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


def _language_model(points: int = 3000) -> np.ndarray:
    return 3.3 + 7.5 * np.exp(-np.arange(points) / (points / 40)) + 0.8 / (1 + 20 * np.arange(points) / points)


@pytest.mark.parametrize("period", [20, 130, 600])
def test_a_wave_of_three_percent_under_the_noise_of_batches_is_a_warning(period):
    """A level of 3.3 nats makes every wave small; significance and size decide, no share of the variance."""
    wave = 1 + 0.03 * np.sin(2 * np.pi * np.arange(3000) / period)
    finding = found("repetitive-loss", {"train/loss": _language_model() * wave * np.exp(noise(3000, 0.03, 7))})
    assert finding is not None
    assert finding.severity == "warning"


def test_a_significant_wave_too_small_to_matter_is_a_note():
    """Half a percent of the level would not change what is trained."""
    wave = 1 + 0.008 * np.sin(2 * np.pi * np.arange(3000) / 100)
    finding = found("repetitive-loss", {"train/loss": _language_model() * wave * np.exp(noise(3000, 0.02, 8))})
    assert finding is not None
    assert finding.severity == "info"


def test_equal_distances_between_leaps_are_a_period():
    """27 leaps of one step each, every 196 steps: the same batches are met again."""
    loss = falling(5300, 2.0, 0.5) * np.exp(noise(5300, 0.1, 9))
    loss[100::196] *= 3.0
    finding = found("repetitive-loss", {"train/loss": loss})
    assert finding is not None
    assert finding.severity == "warning"
    assert "every 196 steps" in finding.summary


def test_a_dense_start_does_not_shift_the_clock():
    """Logged at each of the first 100 steps and every 100th after: the even stretch is judged."""
    steps = np.r_[np.arange(100), np.arange(100, 40_000, 100)]
    loss = (0.5 + 2.0 / (1 + steps / 500)) * np.exp(0.2 * np.sin(2 * np.pi * steps / 2500) + noise(steps.size, 0.05, 3))
    finding = found("repetitive-loss", {"train/loss": (steps, loss)})
    assert finding is not None
    assert "every 2,500 steps" in finding.summary


def test_memory_of_recent_examples_explains_a_ramp_in_each_epoch():
    """A loss that steps down where an epoch begins and rises evenly is memorisation, no order of the data."""
    ramp = 0.3 * ((np.arange(1200) % 50) / 50 - 0.5)
    ramps = {"train/loss": falling(1200) * np.exp(ramp + noise(1200, 0.05, 5))}
    assert found("repetitive-loss", ramps).explained_by.startswith("event:memorisation")
    falls = {"train/loss": falling(1200) * np.exp(-ramp + noise(1200, 0.05, 5))}
    assert alarmed("repetitive-loss", falls), "a leap where the first class begins again"


def test_parameters_explain_periods_of_accumulation_and_length_groups():
    """What the settings make repeat itself is no fault."""
    loss = falling(960) * np.exp(np.tile(noise(8, 0.2, 1), 120) + noise(960, 0.05, 5))
    assert alarmed("repetitive-loss", {"train/loss": loss})
    assert not alarmed("repetitive-loss", {"train/loss": loss}, gradient_accumulation_steps="8")
    assert not alarmed("repetitive-loss", {"train/loss": loss}, group_by_length="True")


def test_a_parameter_names_the_epoch():
    """Steps per epoch are known without any evaluation."""
    loss = falling(960) * np.exp(np.tile(noise(40, 0.2, 1), 24) + noise(960, 0.05, 5))
    finding = found("repetitive-loss", {"train/loss": loss}, steps_per_epoch=40)
    assert finding.cause.startswith("the order of the data")


def test_a_period_of_a_validation_loss_is_a_note():
    """Evaluation does not train: whatever repeats itself there needs no alarm."""
    loss = falling(300) * np.exp(0.3 * np.sin(2 * np.pi * np.arange(300) / 25) + noise(300, 0.03, 5))
    finding = found("repetitive-loss", {"val/loss": loss})
    assert finding is not None
    assert finding.severity == "info"
