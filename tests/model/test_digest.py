"""The digest of a curve tells sameness to the bit, and says nothing of curves that prove nothing."""

import numpy as np
import pytest

from analyzer.model.digest import digest

CURVE = np.exp(-np.arange(60) / 20) + 0.01 * np.random.default_rng(1).normal(size=60)


def test_the_same_values_in_single_and_double_precision_have_one_digest():
    assert digest(CURVE) == digest(CURVE.astype(np.float32).astype(np.float64)) != ""
    assert digest(CURVE).startswith("59:")


def test_one_value_makes_a_difference():
    other = CURVE.copy()
    other[30] += 1e-6
    assert digest(other) != digest(CURVE)
    assert digest(np.append(CURVE, np.nan)) != digest(CURVE)
    assert digest(np.append(CURVE, np.nan)) == digest(np.append(CURVE, -np.nan))


@pytest.mark.parametrize(
    "values", [np.zeros(1000), np.full(500, np.nan), np.array([]), CURVE[:8], np.repeat([1.0, 2.0, 3.0], 100)]
)
def test_constants_and_handfuls_have_none(values):
    assert digest(values) == ""


def test_numbers_beyond_single_precision_are_infinite_and_no_fault():
    assert digest(CURVE * 1e300).startswith("0:") or digest(CURVE * 1e300) == ""
