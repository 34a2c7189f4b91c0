"""Leaps that return, told from the noise they hide in."""

import numpy as np
import pytest

from analyzer.model.case import falling, noise
from tests.detectors.judged import alarmed, found


def test_a_leap_that_heals_slowly_is_named_although_it_widens_the_tail_it_is_measured_by():
    loss = falling(350, 0.3, 0.01) * np.exp(noise(350, 0.6, 3))
    loss[100:] *= 1 + 60 * np.exp(-np.arange(250) / 12)
    assert alarmed("loss-spike", {"train/loss": loss})


def test_a_leap_of_a_loss_around_zero_is_measured_by_what_was_learnt():
    loss = falling(1400, 2.1, -0.15, 40) + noise(1400, 0.12, 5)
    loss[1200] += 1.5
    assert not alarmed("loss-spike", {"train/loss": loss})


def test_noise_that_widens_as_the_loss_falls_makes_no_spikes_of_itself():
    moving = np.convolve(noise(1002, 1.0, 0), [0.6, 0.6, 0.5], "valid")  # as batches drawn in turn make it
    loss = falling(1000, 2.3, 0.1, 300) * np.exp(moving * np.linspace(0.02, 1.0, 1000) ** 2)
    assert not alarmed("loss-spike", {"train/loss": loss})


def test_leaps_that_come_with_the_stages_of_a_setting_are_explained():
    at = np.arange(500)
    loss = 0.15 + 1.9 * np.exp(-(at % 50) / 8) + np.abs(noise(500, 0.02))
    assert alarmed("loss-spike", {"train_loss": loss})
    assert not alarmed("loss-spike", {"train_loss": loss, "task_id": at // 50 * 1.0})
    assert not alarmed("repetitive-loss", {"train_loss": loss, "task_id": at // 50 * 1.0})


@pytest.mark.parametrize("share", [0.02, 0.03, 0.05])
def test_leaps_that_are_many_are_no_tail_of_the_noise(share):
    rng = np.random.default_rng(3)
    loss = falling(2000, 8, 2.6) + noise(2000, 0.05)
    assert not alarmed("loss-spike", {"train/loss": loss})
    leaps = rng.random(2000) < share
    finding = found("loss-spike", {"train/loss": loss + 10 * leaps})
    assert finding is not None and finding.measures[-1].value > leaps.sum() / 2


def test_a_heavy_tail_is_one_kind_of_noise():
    for seed in range(20):
        batches = np.random.default_rng(seed).lognormal(0, 0.7, 2000)
        assert not alarmed("loss-spike", {"train/loss": (0.9 + falling(2000, 1, 0)) * batches})
