"""Noise that grows for good, however wide it becomes."""

import numpy as np
import pytest

from analyzer.model.case import falling, noise
from tests.detectors.judged import alarmed

AT = np.arange(1000)


@pytest.mark.parametrize("factor", [4, 10, 20, 30])
def test_noise_that_takes_the_loss_below_zero_is_wider_as_well(factor):
    width = np.where(AT > 500, factor, 1)
    assert alarmed("unsteady-loss", {"train/loss": falling(1000, 8, 2) + width * noise(1000, 0.05)})


def test_the_noise_of_a_loss_around_zero_has_no_size_of_its_own():
    width = np.where(AT > 500, 10, 1)
    assert not alarmed("unsteady-loss", {"train/loss": width * noise(1000, 0.05)})
