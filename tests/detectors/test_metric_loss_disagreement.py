"""Metric and loss disagree: both steps and what each choice costs are named, and chance is not enough."""

import numpy as np
import pytest

from analyzer.model.case import falling, noise
from tests.detectors.saying import findings

AT = np.arange(80) / 80
SURE = 0.5 + 1.8 * np.exp(-12 * AT) + 0.6 * np.maximum(AT - 0.3, 0) + noise(80, 0.01, 2)
RISING = 0.9 - 0.6 * np.exp(-2 * AT) + noise(80, 0.004, 7)


def test_overfitting_leads_when_the_loss_has_turned():
    said = findings({"train/loss": falling(80), "val/loss": SURE, "val/accuracy": RISING})
    follower = said["metric-loss-disagreement"]
    assert follower.explained_by == said["overfitting"].fingerprint
    assert "step 79" in follower.summary or "step 78" in follower.summary


def test_one_example_more_or_less_is_no_disagreement():
    coarse = np.where(AT < 0.4, 1.0, 0.95)
    said = findings({"val/loss": falling(80, 2.3, 0.1), "val/accuracy": coarse})
    assert "metric-loss-disagreement" not in said


@pytest.mark.parametrize("seed", range(20))
def test_the_best_steps_of_two_flat_noisy_curves_are_chance(seed):
    said = findings({"val/loss": 0.5 + noise(60, 0.05, seed), "val/accuracy": 0.8 + noise(60, 0.02, seed + 50)})
    assert "metric-loss-disagreement" not in said
