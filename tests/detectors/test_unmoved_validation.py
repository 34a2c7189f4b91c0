"""An unmoved validation: the evaluation is blamed, never memorising; whatever moves or stands well is none."""

import numpy as np
import pytest

from analyzer.model.case import falling, noise
from tests.detectors.judged import alarmed, found
from tests.detectors.saying import findings

TRAIN = falling(50, 0.7, 0.045)


@pytest.mark.parametrize("level", [0.7, 1.5, 3.75])
@pytest.mark.parametrize("seed", range(3))
def test_a_loss_that_never_leaves_the_level_of_an_untrained_model_is_a_warning(level, seed):
    curves = {"loss": TRAIN + noise(50, 0.008, seed), "val_loss": level * (1 + noise(50, 0.03, seed + 5))}
    assert alarmed("unmoved-validation", curves)


def test_its_causes_are_the_evaluation_and_never_memorising():
    said = findings({"loss": TRAIN, "val_loss": 3.75 + noise(50, 0.14), "val_accuracy": 0.5 + noise(50, 0.012)})
    finding = said["unmoved-validation"]
    assert finding.explained_by is None
    text = " ".join([finding.cause, *finding.advice])
    assert "evaluation mode" in text
    assert "batch normalisation" in text
    assert not any(word in text for word in ("memoris", "more training data"))
    assert "overfitting" not in said or said["overfitting"].explained_by


@pytest.mark.parametrize(
    "held",
    [
        falling(50, 0.72, 0.3),
        np.linspace(0.7, 2.5, 50),
        0.1 + noise(50, 0.005),
        0.7 + 1.5 * np.linspace(0, 1, 50) ** 2,
    ],
    ids=["falls", "rises", "learnt before the first evaluation", "memorised noise"],
)
def test_what_moves_or_stands_well_is_none(held):
    assert found("unmoved-validation", {"loss": TRAIN, "val_loss": held + noise(50, 0.005, 2)}) is None


def test_a_held_out_metric_that_gets_better_clears_it():
    curves = {"loss": TRAIN, "val_loss": 0.7 + noise(50, 0.01), "val_accuracy": 1 - falling(50, 0.5, 0.1)}
    assert found("unmoved-validation", curves) is None
