"""The final stretch of hits: where it begins, and that single hits before it do not join it."""

import numpy as np
import pytest

from analyzer.stats.suffix import majority_suffix


@pytest.mark.parametrize(
    ("hits", "start"),
    [
        ("", None),
        ("....", None),
        ("...x", 3),
        ("xxxx", 0),
        (".x..", None),
        (".x....xxx", 6),
        (".xxx.xx", 1),
        ("..x.xx", 2),
        ("x.x.", None),
    ],
)
def test_it_begins_where_most_points_to_the_end_are_hits(hits, start):
    assert majority_suffix(np.array([c == "x" for c in hits], dtype=bool)) == start


def test_it_is_the_suffix_with_the_largest_sum():
    rng = np.random.default_rng(0)
    for _ in range(200):
        hit = rng.random(rng.integers(1, 40)) < rng.random()
        sums = [int(np.sum(np.where(hit[i:], 1, -1))) for i in range(hit.size)]
        start = majority_suffix(hit)
        if max(sums) <= 0:
            assert start is None
        else:
            assert sums[start] == max(sums)
            assert hit[start]
