"""Still improving: what more steps would bring, unless the end was planned or the run is done."""

import numpy as np
import pytest

from analyzer.features import RunFeatures
from analyzer.features.extrapolation import ahead
from analyzer.model.case import falling, made_run, noise
from tests.detectors.saying import findings

LINE = np.linspace(2.0, 1.2, 300) + noise(300, 0.02)


def test_a_straight_line_from_the_start_points_at_a_low_rate():
    finding = findings({"train/loss": LINE})["still-improving"]
    assert "learning rate that is too low" in (finding.cause or "")


def test_a_curve_that_bends_does_not():
    finding = findings({"train/loss": falling(300, 2.3, 0.0, 1.0) + noise(300, 0.005)})["still-improving"]
    assert finding.cause == "stopped before it was done"


def test_the_rate_at_the_end_speaks_for_it():
    said = findings({"train/loss": LINE, "lr": np.full(300, 0.1)})
    assert any("100 %" in text for text in said["still-improving"].speaks_for)


@pytest.mark.parametrize("decay", [np.linspace(0.1, 0, 300), 0.05 * (1 + np.cos(np.linspace(0, np.pi, 300)))])
def test_a_rate_that_came_down_was_planned(decay):
    assert "still-improving" not in findings({"train/loss": LINE, "lr": decay})


def test_training_that_falls_beside_validation_that_rests_is_not_still_improving():
    said = findings({"train/loss": LINE, "val/loss": falling(60, 2.0, 1.3, 60) + noise(60, 0.01)})
    assert "still-improving" not in said


def test_the_next_stretch_of_an_exponential_is_foretold():
    curve = made_run({"train/loss": 1 + np.exp(-np.arange(400) / 150.0)})
    further = ahead(RunFeatures(curve).training[0])
    assert further is not None
    fall = further.level - further.next
    true = np.exp(-370 / 150) - np.exp(-430 / 150)
    assert fall == pytest.approx(true, rel=0.1)
