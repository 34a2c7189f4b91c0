"""Levels of one metric: the partition is exact, single bad nights are none, repeated digits are no noise."""

import itertools

import numpy as np
import pytest
import ruptures

from analyzer.histories.noise import correlation, scatter
from analyzer.histories.partitioning import partition
from analyzer.histories.segmentation import account, pulled


def steps(seed: int, n: int = 120) -> np.ndarray:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=n)
    for at in rng.integers(10, n - 10, size=int(rng.integers(0, 4))):
        values[at:] += rng.normal(0, 4)
    return values


def cost(values: np.ndarray, cuts: list[int], price: float) -> float:
    edges = [0, *cuts, values.size]
    parts = [values[a:b] for a, b in itertools.pairwise(edges)]
    return sum(float(((p - p.mean()) ** 2).sum()) for p in parts) + price * len(cuts)


@pytest.mark.parametrize("seed", range(12))
def test_the_partition_costs_what_pelt_finds(seed):
    values, price = steps(seed), 15.0
    theirs = ruptures.Pelt(model="l2", min_size=3, jump=1).fit(values).predict(pen=price)[:-1]
    own = partition(values, price, 3)
    assert cost(values, own, price) <= cost(values, theirs, price) + 1e-9
    assert own == theirs or np.isclose(cost(values, own, price), cost(values, theirs, price))


@pytest.mark.parametrize("seed", range(6))
def test_of_all_partitions_with_as_many_levels_it_is_the_cheapest(seed):
    values = steps(seed + 100)
    own = partition(values, 15.0, 3)
    if own:
        theirs = ruptures.Dynp(model="l2", min_size=3, jump=1).fit(values).predict(n_bkps=len(own))[:-1]
        assert np.isclose(cost(values, own, 0.0), cost(values, theirs, 0.0))


def test_too_few_values_have_no_cut():
    assert partition(np.array([0.0, 0, 0, 9, 9]), 1.0, 3) == []


def test_two_bad_nights_in_a_row_are_outliers_and_no_level_wherever_they_are():
    rng = np.random.default_rng(2)
    for at in (0, 1, 30, 57, 58):
        values = rng.normal(size=60)
        values[at : at + 2] += 12
        found = account(values, 4.0, values.size)
        assert found.cuts == ()
        assert set(found.outliers) >= set(range(at, min(at + 2, 60)))


def test_three_nights_at_the_end_are_a_level():
    values = np.random.default_rng(3).normal(size=60)
    values[57:] += 12
    assert account(values, 6.0, values.size).cuts == (57,)


def test_values_that_repeat_to_the_digit_have_no_noise():
    values = np.array([0.5] * 30 + [0.50001] * 10)
    values[[4, 20]] = 0.7
    found = account(values, 4.0, values.size)
    assert found.fixed
    assert found.cuts == (30,)
    assert found.outliers == (4, 20)
    assert found.sd == 0.0


def test_a_slow_trend_is_no_change_and_a_step_against_it_is_one():
    rng = np.random.default_rng(4)
    line = 0.03 * np.arange(200) + rng.normal(size=200)
    assert account(line, 4.0, 200).cuts == ()
    line[120:] -= 5
    found = account(line, 4.0, 200)
    assert len(found.cuts) == 1
    assert abs(found.cuts[0] - 120) <= 1
    assert found.slope == pytest.approx(0.03, abs=0.01)


def test_correlated_nights_raise_the_price():
    """Half of the correlation is found in 200 nights, and wandering noise has no more cuts than plain noise."""
    cuts, read = 0, []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        values = rng.normal(size=250)
        for i in range(1, 250):
            values[i] += 0.5 * values[i - 1]
        found = account(values[50:], 4.0, 200)
        cuts += len(found.cuts)
        read.append(correlation(values[50:] - values[50:].mean(), 1))
    assert np.mean(read) == pytest.approx(0.5, abs=0.06)
    assert cuts <= 4


def test_scatter_does_not_count_steps():
    values = np.random.default_rng(5).normal(size=400)
    plain = scatter(values)
    values[100:] += 50
    values[300:] -= 80
    assert scatter(values) == pytest.approx(plain, rel=0.03)
    assert plain == pytest.approx(1.0, abs=0.15)
    assert scatter(np.array([1.0])) == 0.0


def test_pulling_leaves_ordinary_nights_alone():
    values = np.linspace(0, 1, 50)
    assert np.array_equal(pulled(values, 1.0), values)
