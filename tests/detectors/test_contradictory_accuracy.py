"""Contradictory accuracy: told beside an empty recall, left to contradictory-metrics where that fires."""

import numpy as np

from analyzer.model.case import falling, noise
from tests.detectors.saying import alarms, findings


def test_contradictory_metrics_leads_where_the_loss_falls():
    said = findings(
        {"train/loss": falling(60), "val/accuracy": 0.95 + noise(60, 0.001), "val/recall": np.zeros(60)},
    )
    follower = said["contradictory-accuracy"]
    assert follower.explained_by == said["contradictory-metrics"].fingerprint


def test_a_recall_that_rises_at_last_is_no_contradiction():
    recall = np.r_[np.zeros(40), np.linspace(0.1, 0.8, 20)]
    assert "contradictory-accuracy" not in findings(
        {"val/loss": falling(60), "val/accuracy": 0.9 + noise(60, 0.01), "val/recall": recall}
    )


def test_an_accuracy_in_percent_is_read_as_one():
    said = findings({"val/loss": 0.2 + noise(60, 0.01), "val/accuracy": 97 + noise(60, 0.1), "val/f1": np.zeros(60)})
    assert "97 %" in said["contradictory-accuracy"].summary


def test_a_poor_accuracy_that_stands_still_while_the_loss_rises_is_a_warning():
    curves = {"val/loss": np.linspace(0.5, 1.2, 60), "val/accuracy": np.full(60, 0.6)}
    assert findings(curves)["contradictory-accuracy"].severity == "warning"


def test_a_good_accuracy_at_rest_raises_no_alarm():
    curves = {"train/loss": falling(60), "val/loss": falling(60, 2.3, 0.02), "val/accuracy": np.full(60, 0.97)}
    assert not alarms(curves)
