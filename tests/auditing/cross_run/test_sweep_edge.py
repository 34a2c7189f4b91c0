"""The best value at the edge of a sweep is told from designs that can tell, and from nothing else."""

import numpy as np
import pytest

from analyzer.auditing.cross_run.sweep_edge import edges
from benchmarks.across import NULLS, run, settings, wider_is_better


def grid(score, values=(32, 64, 128, 256, 512), rates=(0.1, 0.01), seeds=2, name="width", noise=0.003):
    rng = np.random.default_rng(1)
    return [
        run(f"g/{v}_{r}_seed{s}", {name: v, "lr": r, "seed": s}, [], accuracy=float(score(v) + noise * rng.normal()))
        for v in values
        for r in rates
        for s in range(seeds)
    ]


def wide(value):
    return 0.5 + 0.03 * np.log2(value)


def test_wider_is_better_to_the_last_width():
    (found,) = edges(grid(wide))
    assert "val/accuracy was best at width = 512, the largest of 5 values tried (32 to 512)" in found.sentence
    assert found.advice == ("Try width above 512 too.",) and [row[0] for row in found.rows] == [
        "32",
        "64",
        "128",
        "256",
        "512",
    ]
    assert {r.split("_")[0] for r in found.runs} == {"g/512"}


def test_the_small_end_is_an_edge_too():
    (found,) = edges(grid(lambda v: 1.3 - wide(v)))
    assert "width = 32, the smallest of 5" in found.sentence and "below 32" in found.advice[0]


@pytest.mark.parametrize("night", [
    grid(lambda v: wide(min(v, 256))),  # it has levelled off
    grid(lambda v: wide(v) - 0.2 * (v == 512)),  # the best lies inside
    grid(wide, values=(32, 64, 128)),  # three values
    grid(wide, noise=0.2),  # lost in noise
    grid(wide, name="epochs"),  # more of it is only more
    grid(lambda v: 0.9 - v, values=(0, 0.1, 0.2, 0.3)),  # there is nothing below zero
    grid(lambda v: 0.5 + v / 4, values=(0.7, 0.8, 0.9, 1.0)),  # nor above the whole
    grid(wide, rates=(0.1,), seeds=1, values=(32, 64, 128, 256)),  # four runs in a row can be chance
])  # fmt: skip
def test_what_an_edge_is_not(night):
    assert edges(night) == []


def test_a_random_search_over_many_settings_is_not_told_of():
    rng = np.random.default_rng(1)
    night = [run(f"s/r{i}", settings(rng, i), [], accuracy=0.5 + i / 200) for i in range(80)]
    assert edges(night) == []


def test_planted_edges_are_found_and_chance_is_hardly_ever_told():
    assert all(edges(wider_is_better(np.random.default_rng(i))) for i in range(10))
    for name in ("a grid with seeds, nothing matters", "one setting alone, nothing matters"):
        assert sum(bool(edges(NULLS[name](np.random.default_rng([4, i])))) for i in range(20)) <= 1
