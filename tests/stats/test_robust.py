"""The statistics of short arrays: exact, because verdicts must not depend on which way is taken."""

import itertools

import numpy as np
import pytest

from analyzer.stats import robust


@pytest.mark.parametrize("points", [1, 2, 3, 4, 5, 63, 64, 65, 66, 500])
def test_the_short_ways_give_numpys_numbers_to_the_last_bit(points):
    """Median, quantiles and running medians are numpy's own, for lists and for arrays, with ties and without."""
    rng = np.random.default_rng(points)
    for values in (rng.normal(size=points), np.round(rng.normal(size=points), 1), 1e300 * rng.normal(size=points)):
        assert robust.median(values) == np.median(values)
        shares = [0.0, 0.1, 0.5, robust.ONE_SIGMA, 0.98, 1.0, *rng.uniform(size=5)]
        assert robust.quantiles(values, shares) == np.quantile(values, shares).tolist()
        for width in {1, min(2, points), min(7, points), points}:
            windows = np.lib.stride_tricks.sliding_window_view(values, width)
            assert np.array_equal(robust.sliding_windows(values, width), windows)
            assert np.array_equal(robust.running_medians(values, width), np.median(windows, axis=1))


def test_levels_and_spreads_of_blocks_are_those_of_each_block_alone():
    """Blocks of several sizes, one of them empty, in a short curve and in one whose places are not kept."""
    for points in (50, 3 * robust.KEPT_PLACES):
        values = np.random.default_rng(1).normal(size=points)
        edges = np.array([0, 3, 3, 10, points // 2, points - 1, points])
        level, spread = robust.block_levels(values, edges)
        parts = [values[a:b] for a, b in itertools.pairwise(edges)]
        assert np.array_equal(level, [np.median(part) if part.size else np.nan for part in parts], equal_nan=True)
        assert spread.tolist() == [robust.mad_sigma(part) for part in parts]
        assert np.array_equal(level, robust.block_medians(values, edges), equal_nan=True)
