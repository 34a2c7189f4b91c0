"""Validation below training: an info that names its candidates, and knows a lagging mean."""

import numpy as np
import pytest

from analyzer.model.case import falling, noise
from tests.detectors.saying import findings

BELOW = {"train/loss": falling(60, 2.3, 0.9) + noise(60, 0.01), "val/loss": falling(60, 2.0, 0.4) + noise(60, 0.01, 2)}


def test_a_parameter_that_says_why_is_named():
    finding = findings(BELOW, dropout=0.5)["validation-below-training"]
    assert finding.severity == "info"
    assert "dropout" in (finding.cause or "")
    assert "0.5" in finding.speaks_for[0]


def test_without_one_the_log_does_not_tell():
    finding = findings(BELOW, dropout=0.0)["validation-below-training"]
    assert finding.cause is None


def test_a_gap_that_closes_is_none():
    below = falling(60, 2.3, 0.3) - 0.3 * np.exp(-np.arange(60) / 8.0)
    said = findings({"train/loss": falling(60, 2.3, 0.3) + noise(60, 0.02), "val/loss": below + noise(60, 0.02, 2)})
    assert "validation-below-training" not in said


def test_training_logged_more_often_is_compared_up_to_each_evaluation():
    fine = 0.8 + 1.5 * np.exp(-np.arange(600) / 60.0) + noise(600, 0.05)
    said = findings({"train/loss": fine, "val/loss": (np.arange(29, 600, 30), 0.4 + noise(20, 0.01))})
    assert "validation-below-training" in said


@pytest.mark.parametrize("factor", [2, 4, 8, 32])
def test_a_constant_factor_is_named_and_no_other_cause(factor):
    true = 6.25 + 4.2 * np.exp(-np.arange(200) / 45)
    curves = {
        "train/loss": factor * true * np.exp(noise(200, 0.015)),
        "eval/loss": (np.arange(19, 200, 20), true[19::20] * 1.01 + noise(10, 0.01, 2)),
    }
    finding = findings(curves, dropout=0.1)["validation-below-training"]
    assert (finding.severity, finding.signs[0].id) == ("info", "constant-ratio")
    assert finding.signs[0].numbers["factor"] == pytest.approx(factor, rel=0.05)
    said = " ".join([finding.summary, finding.cause, *finding.speaks_for, *finding.advice])
    assert not any(word in said for word in ("dropout", "leak", "both splits"))
