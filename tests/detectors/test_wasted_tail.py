"""Wasted tail: when everything had come to rest, and how long it was kept there."""

import numpy as np

from analyzer.model.case import falling, noise
from tests.detectors.saying import findings

RESTED = np.maximum(falling(40, rate=60), 0.3) + noise(40, 0.005)


def at_hours(hours: float) -> np.ndarray:
    return (np.arange(40) * hours * 3600 / 39).astype(int)


def test_the_hours_are_told_from_wall_times():
    finding = findings({"val/loss": (at_hours(10.0), RESTED)})["wasted-tail"]
    assert "hours" in finding.summary
    assert finding.severity == "info"


def test_a_few_minutes_are_not_worth_a_word():
    assert "wasted-tail" not in findings({"val/loss": (at_hours(0.1), RESTED)})


def test_one_metric_that_still_gets_better_is_enough():
    rising = np.linspace(0.3, 0.9, 40) + noise(40, 0.005)
    assert "wasted-tail" not in findings({"val/loss": (at_hours(9), RESTED), "val/f1": (at_hours(9), rising)})


def test_overfitting_leads_and_the_tail_adds_the_hours():
    at = np.arange(60) / 60
    turning = 0.5 + 1.5 * np.exp(-15 * at) + 0.9 * np.maximum(at - 0.2, 0) + noise(60, 0.02, 4)
    steps = np.arange(60) * 600
    said = findings({"train/loss": (steps, falling(60, floor=0.02)), "val/loss": (steps, turning)})
    assert said["wasted-tail"].explained_by == said["overfitting"].fingerprint
    assert "hours" in said["wasted-tail"].summary
