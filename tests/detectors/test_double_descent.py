"""Double descent: the second fall is named, a shared bump and a leap are not, and the schedule explains it."""

import numpy as np

from analyzer.model.case import falling, noise
from tests.detectors.saying import alarms, findings

AT = np.arange(100) / 100
HUMP = 2.0 * np.exp(-10 * AT) + 0.6 + 0.5 * np.exp(-(((AT - 0.45) / 0.12) ** 2)) - 0.35 * AT + noise(100, 0.01, 3)


def test_what_ends_at_its_best_is_not_overfitting():
    curves = {"train/loss": falling(100, floor=0.01), "val/loss": HUMP}
    assert "double-descent" in findings(curves)
    assert not alarms(curves)


def test_a_drop_of_the_learning_rate_explains_it():
    rate = np.where(AT < 0.46, 0.1, 0.01)
    said = findings({"train/loss": falling(100, floor=0.01), "val/loss": HUMP, "lr": rate})
    assert (said["double-descent"].explained_by or "").startswith("event:lr-drop")


def test_a_single_leap_that_returns_is_a_disturbance():
    leap = falling(100, 2.4, 0.2) + noise(100, 0.01)
    leap[40:55] += np.linspace(1.0, 0.0, 15)
    assert "double-descent" not in findings({"train/loss": falling(100), "val/loss": leap})


def test_a_rise_that_does_not_come_back_is_overfitting():
    rising = 0.5 + 1.5 * np.exp(-9 * AT) + 0.9 * np.maximum(AT - 0.35, 0) + noise(100, 0.02, 4)
    curves = {"train/loss": falling(100, floor=0.02), "val/loss": rising}
    assert "double-descent" not in findings(curves)
    assert "overfitting" in alarms(curves)
