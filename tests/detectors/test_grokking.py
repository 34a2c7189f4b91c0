"""Grokking: the late rule is named, and a run that has found it is not overfitting any more."""

import numpy as np

from analyzer.model.case import noise
from tests.detectors.saying import alarms, findings

AT = np.arange(200) / 200


def rise(at: float, width: float, top: float = 1.0) -> np.ndarray:
    return 0.03 + (top - 0.03) / (1 + np.exp(-(AT - at) / width))


def grokked(late: float = 0.7) -> dict[str, np.ndarray]:
    memorised = 4.5 * (1 - rise(0.05, 0.01)) + 1e-3
    return {
        "train/loss": memorised * np.exp(noise(200, 0.03, 1)),
        "val/loss": 4.6 + 6 * rise(0.15, 0.03) - 10.5 * rise(late, 0.03) + noise(200, 0.03, 2),
        "train/accuracy": rise(0.05, 0.01) + noise(200, 0.004, 3),
        "val/accuracy": rise(late, 0.03) + noise(200, 0.004, 4),
    }


def test_a_run_that_has_grokked_raises_no_alarm():
    assert "grokking" in findings(grokked())
    assert not alarms(grokked())


def test_before_the_jump_it_is_still_overfitting():
    early = {tag: values[:110] for tag, values in grokked().items()}
    assert "grokking" not in findings(early)
    assert "overfitting" in alarms(early)


def test_validation_that_comes_half_the_way_late_is_not_grokking():
    curves = grokked() | {"val/accuracy": rise(0.7, 0.03, 0.5) + noise(200, 0.004, 4)}
    assert "grokking" not in findings(curves)


def test_a_recall_that_rises_late_with_training_is_not_grokking():
    curves = {"train/accuracy": rise(0.5, 0.05), "val/accuracy": rise(0.55, 0.05)}
    assert "grokking" not in findings(curves)
