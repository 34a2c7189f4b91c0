"""Validation equals training: the same numbers twice, and never two samples of one source."""

import numpy as np
import pytest

from analyzer.model.case import falling, noise
from tests.detectors.saying import findings

LOSS = falling(40) + noise(40, 0.03)


def test_the_same_values_are_found_at_shifted_steps_too():
    said = findings({"train/loss": LOSS, "val/loss": (np.arange(1, 41), LOSS)})
    assert said["validation-equals-training"].severity == "warning"


def test_six_printed_digits_are_the_same_number():
    assert "validation-equals-training" in findings({"train/loss": LOSS, "val/loss": np.round(LOSS, 6)})


@pytest.mark.parametrize("spread", [1e-3, 1e-2, 0.1])
def test_noise_of_sampling_is_enough_to_clear_it(spread):
    said = findings({"train/loss": LOSS, "val/loss": LOSS + noise(40, spread, 4)})
    assert "validation-equals-training" not in said


def test_one_constant_on_both_sides_is_not_judged():
    assert "validation-equals-training" not in findings({"train/loss": np.ones(40), "val/loss": np.ones(40)})


def test_it_leads_what_the_same_data_would_say_of_overfitting():
    values = np.r_[falling(30), np.linspace(0.3, 1.5, 30)]
    said = findings({"train/loss": values, "val/loss": values})
    assert "overfitting" not in said or said["overfitting"].explained_by
