"""Shapes of a period, on series whose shape is known."""

import numpy as np
import pytest

from analyzer.stats import residual


@pytest.mark.parametrize("points", [1_000, 400_000])
def test_one_place_of_a_period_that_lies_apart_and_scatters_stands_alone(points):
    rng = np.random.default_rng(0)
    even, places = rng.normal(size=points), points // 20
    assert not residual.stands_alone(even, places)
    even[np.arange(points) % places == 7] = 30 + 10 * rng.normal(size=20)
    assert residual.stands_alone(even, places)


def test_a_wave_does_not_stand_alone():
    assert not residual.stands_alone(np.sin(np.arange(1000) / 50 * 2 * np.pi), 50)


def test_the_last_batches_of_several_epochs_stand_alone_together():
    rng = np.random.default_rng(2)
    even, at = rng.normal(size=1400), np.arange(1400)
    even[at % 7 == 6] = 20 + 8 * rng.normal(size=200)
    assert residual.stands_alone(even, 7) and residual.stands_alone(even, 91) and not residual.stands_alone(even, 90)
    assert not residual.stands_alone(even + 3 * np.sin(at / 91 * 2 * np.pi), 91)
