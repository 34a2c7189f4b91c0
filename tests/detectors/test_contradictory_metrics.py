"""A metric that stands still beside a loss that clearly falls."""

import numpy as np
import pytest

from analyzer.model.case import falling, noise
from tests.detectors.judged import alarmed, found


def test_the_loss_that_falls_most_clearly_is_laid_beside_the_metric():
    at = np.arange(0, 200, 10)
    curves = {
        "train/loss": 0.2 * np.exp(noise(200, 1.1, 2)),
        "val/loss": (at, 0.19 - 0.06 * (1 - np.exp(-at / 60))),
        "val/f1": (at, np.zeros(20)),
    }
    finding = found("contradictory-metrics", curves)
    assert finding is not None
    assert "val/loss" in finding.tags


def test_a_recall_with_a_rare_chance_hit_is_0_all_the_same():
    hits = np.where(np.arange(60) % 9 == 4, 0.002, 0.0)
    curves = {"train/loss": np.exp(-np.arange(60) / 15.0) + 0.05, "eval/recall": hits}
    finding = found("contradictory-metrics", curves)
    assert finding is not None
    assert finding.summary.startswith("eval/recall stays at 0 ")
    assert found("contradictory-metrics", curves | {"eval/recall": hits + np.linspace(0, 0.02, 60)}) is None


REFERENCES = ["accuracy_baseline", "val/accuracy_target", "majority_class_accuracy", "val/accuracy_floor"]


@pytest.mark.parametrize("tag", REFERENCES)
def test_a_reference_stands_still_while_the_metric_itself_moves(tag):
    moving = 0.9 - 0.3 * np.exp(-np.arange(40) / 6) + noise(40, 0.004)
    curves = {
        "train/loss": falling(40),
        "val/loss": falling(40, 2.3, 0.3),
        "val/accuracy": moving,
        tag: np.full(40, 0.62),
    }
    assert found("contradictory-metrics", curves) is None
    assert found("contradictory-accuracy", curves) is None


def test_a_held_out_accuracy_that_stands_still_is_found_while_that_of_training_moves():
    curves = {
        "loss": falling(40),
        "accuracy": 1 - falling(40, 0.6, 0.1),
        "val_loss": falling(40),
        "val_accuracy": np.full(40, 0.5),
    }
    assert alarmed("contradictory-metrics", curves)


@pytest.mark.parametrize("classes", [3, 108])
def test_one_of_many_classes_at_0_is_a_note(classes):
    rise = 0.8 * (1 - np.exp(-np.arange(40) / 8))
    curves = {f"val/recall_class{k}": rise + noise(40, 0.01, k) for k in range(classes)}
    curves |= {"train/loss": falling(40), "val/recall_class1": np.zeros(40)}
    finding = found("contradictory-metrics", curves)
    assert (finding.severity, finding.tags[0]) == ("info", "val/recall_class1")
    assert finding.cause.startswith("a class that is rare")


def test_all_classes_at_0_are_a_warning():
    curves = {f"val/recall_class{k}": np.zeros(40) for k in range(8)} | {"train/loss": falling(40)}
    finding = found("contradictory-metrics", curves)
    assert finding.severity == "warning"
    assert len(finding.also) == 7


def test_a_smoke_test_gets_a_note():
    curves = {"train/loss": falling(60), "val/recall": np.zeros(60)}
    assert found("contradictory-metrics", curves, epochs=1).severity == "info"
    assert found("contradictory-metrics", curves, epochs=5).severity == "warning"


def test_an_accuracy_of_half_in_percent_is_found():
    assert alarmed("contradictory-metrics", {"train/loss": falling(40), "val/accuracy": np.full(40, 50.0)})
