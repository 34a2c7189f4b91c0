"""When a curve counts as repeated by another one: whatever the precision, order and gaps, and never by chance."""

from __future__ import annotations

import time

import numpy as np
import pytest

from analyzer.model.run import Series
from analyzer.readers.merge_records import repeats


def series(values: np.ndarray) -> Series:
    return Series("t", np.arange(values.size), values, np.full(values.size, np.nan))


def noisy(count: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return 2 / (1 + np.arange(count) / 50) + rng.normal(0, 0.05, count)


@pytest.mark.parametrize("spoil", [np.float32, lambda v: np.array([float(f"{x:.5g}") for x in v]), lambda v: v])
def test_the_same_values_in_less_precision_are_a_repetition(spoil) -> None:
    values = noisy(300, 1)
    assert repeats(series(np.asarray(spoil(values), np.float64)), series(values))


def test_a_part_is_repeated_by_the_whole_and_not_the_other_way_round() -> None:
    values = noisy(400, 2)
    for part in (values[:150], values[200:], values[::10]):
        assert repeats(series(np.float32(part).astype(np.float64)), series(values))
        assert not repeats(series(values), series(part))


@pytest.mark.parametrize(("short", "long"), [(20, 20), (20, 400), (30, 300_000), (300, 600)])
def test_another_training_is_no_repetition_however_many_points_it_has(short: int, long: int) -> None:
    for seed in range(5):
        assert not repeats(series(noisy(short, seed)), series(noisy(long, seed + 100)))


def test_nan_and_infinity_are_compared_as_values() -> None:
    values = np.array([1.5, np.nan, np.inf, 2.5])
    assert repeats(series(values), series(values))
    assert not repeats(series(values), series(np.array([1.5, 7.0, np.inf, 2.5])))


def test_long_curves_are_compared_in_a_moment() -> None:
    values = noisy(300_000, 3)
    begun = time.perf_counter()
    assert repeats(series(values[:-10]), series(values))
    assert time.perf_counter() - begun < 20  # seconds; all values one by one would take many minutes
