"""Chances of splits are exact: they are what counting all orders gives."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analyzer.stats import association
from analyzer.stats.association import level_split, ordered_split
from analyzer.stats.ordered import trend_chance


def test_one_split_is_fishers_test_with_twice_the_smaller_tail():
    table, known = association._two_sided(12, 9, 40), stats.hypergeom(40, 9, 12)
    for count in range(10):
        assert table[count] == pytest.approx(min(1, 2 * min(known.cdf(count), known.sf(count - 1))))


def test_the_best_of_all_splits_has_the_chance_that_counting_all_orders_gives():
    values = np.array([1, 1, 2, 3, 4, 4, 5, 6.0])
    marked = np.array([False, False, False, False, True, True, True, True])
    found = ordered_split(values, marked, 1.0)
    lowest = [_lowest(values, np.array(order)) for order in set(permutations(marked.tolist()))]
    observed = _lowest(values, marked)
    assert found.p_value == pytest.approx(np.mean(np.array(lowest) <= observed * (1 + 1e-9)))
    assert found.side.tolist() == (values >= 4).tolist()


def _lowest(values, marked):
    """Return the smallest of Fisher's p over all cuts with three on either side."""
    p_values = []
    for cut in np.unique(values)[1:]:
        below = values < cut
        if 3 <= below.sum() <= values.size - 3:
            table = association._two_sided(int(below.sum()), int(marked.sum()), values.size)
            p_values.append(table[int((marked & below).sum())])
    return min(p_values)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000))
def test_a_split_is_the_same_for_values_turned_round_or_stretched(seed):
    rng = np.random.default_rng(seed)
    values, marked = rng.integers(0, 9, 40).astype(float), rng.random(40) < 0.3
    first = ordered_split(values, marked, 1.0)
    for other in (-values, np.exp(values)):
        again = ordered_split(other, marked, 1.0)
        assert again.p_value == pytest.approx(first.p_value)


def test_chance_is_not_told_where_the_plain_one_is_not_worth_it():
    rng = np.random.default_rng(1)
    found = ordered_split(rng.normal(size=40), rng.random(40) < 0.5, 1e-6)
    assert found.p_value == 1.0


def test_levels_are_each_tried_against_the_others():
    levels = np.repeat([0, 1, 2], 20)
    marked = np.isin(np.arange(60), np.arange(20, 36))
    found = level_split(levels, marked)
    assert found.side.tolist() == (levels == 1).tolist()
    assert found.p_value == pytest.approx(3 * 2 * stats.hypergeom(60, 16, 20).sf(15))
    assert level_split(np.array([0] * 10 + [1, 1]), np.arange(12) > 9) is None


def test_nothing_can_be_split_where_all_values_are_the_same():
    assert ordered_split(np.ones(20), np.arange(20) < 9, 1.0) is None


def test_a_trend_of_one_group_is_kendalls():
    rng = np.random.default_rng(3)
    one, other = rng.integers(0, 5, 30).astype(float), rng.normal(size=30)
    ours = trend_chance([(one, other)])
    assert ours == pytest.approx(stats.kendalltau(one, other, method="asymptotic").pvalue, rel=0.2)
    assert trend_chance([(np.ones(9), other[:9])]) == 1.0 and trend_chance([]) == 1.0


def test_trends_of_groups_add_up_and_opposite_ones_cancel():
    up = (np.arange(6.0), np.arange(6.0))
    down = (np.arange(6.0), -np.arange(6.0))
    assert trend_chance([up, up]) < trend_chance([up]) and trend_chance([up, down]) == 1.0
