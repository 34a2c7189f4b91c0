"""What is planted, and when it is visible."""

import numpy as np
import pytest

from analyzer.model.case import noise
from benchmarks import plant
from tests.benchmarks.small_runs import small_curve


@pytest.mark.parametrize("fault", plant.FAULTS)
def test_a_planted_fault_changes_the_curve_from_its_onset_on_only(fault):
    """What came before the fault is as it was, and the clean curve itself is left alone."""
    planter, sizes, _ = plant.FAULTS[fault]
    curve = small_curve()
    kept = {tag: values.copy() for tag, (_, values) in curve.items()}
    sick = planter(curve, 0.5, sizes[-1])
    assert sick.symptoms
    for tag, (steps, values) in sick.curve.items():
        assert np.array_equal(curve[tag][1], kept[tag])
        before = steps < sick.onset
        assert np.allclose(values[before], kept[tag][before])
    assert any(not np.array_equal(sick.curve[t][1], kept[t], equal_nan=True) for t in curve)


def test_a_fault_is_visible_by_its_size_and_by_the_noise_around_it():
    """A jump of half the level is beyond the noise of 2 %, one of a thousandth is not."""
    assert plant.jump(small_curve(), 0.5, 0.5).visible
    assert not plant.jump(small_curve(), 0.5, 0.001).visible


def test_a_longer_batch_has_a_smaller_error_and_red_noise_a_larger_one():
    """Batch means hold the autocorrelation of the noise."""
    white = noise(2000, 1.0, 3)
    red = np.convolve(noise(2019, 1.0, 3), np.ones(20) / np.sqrt(20), "valid")
    assert plant.level_error(white, 100) == pytest.approx(0.1, rel=0.5)
    assert plant.level_error(red, 100) > 2 * plant.level_error(white, 100)
