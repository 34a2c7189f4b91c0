"""A run far from its siblings is told; sweeps, camps, short runs and small differences accuse nobody."""

from dataclasses import replace

import numpy as np
import pytest

from analyzer.auditing.cross_run.siblings import far_from_siblings
from benchmarks.across import NULLS, one_bad_seed, run


def family(losses, name="seeds/seed{i}", params=lambda i: {"lr": 0.1, "seed": i}, **more):
    return [run(name.format(i=i), params(i), [], loss=float(loss), **more) for i, loss in enumerate(losses)]


LOSSES = 0.2 + 0.01 * np.random.default_rng(1).normal(size=10)
BAD = np.append(LOSSES, 0.9)


def test_one_bad_seed_is_named_with_the_range_of_the_others():
    (found,) = far_from_siblings(family(BAD))
    assert found.runs[0] == "seeds/seed10" and len(found.runs) == 11 and found.p_value < 0.01
    assert (
        "seeds/seed10 ended far from 10 runs with the same settings: lowest loss 0.9, the others 0.18" in found.sentence
    )


def test_a_held_out_metric_tells_too():
    night = family(LOSSES)
    other = np.random.default_rng(2).normal(0.9, 0.002, 10)
    night = [run(one.run, dict(one.params), [], accuracy=float(a)) for one, a in zip(night, other, strict=True)]
    (found,) = far_from_siblings([*night, run("seeds/seed10", {"lr": 0.1, "seed": 10}, [], accuracy=0.6)])
    assert "final val/accuracy 0.6, the others 0.89" in found.sentence


def test_names_that_differ_in_a_seed_make_siblings_and_other_names_do_not():
    nothing = {"params": lambda i: {}}
    assert far_from_siblings(family(BAD, "exp/lr0.1_seed{i}", **nothing))
    assert not far_from_siblings(family(BAD, "exp/run_{i}", **nothing))  # who knows what differs between these
    assert not far_from_siblings(family(BAD, "exp/lr0.{i}_seed1", **nothing))


def test_other_settings_other_experiments_and_other_lengths_are_no_siblings():
    assert not far_from_siblings(family(BAD, params=lambda i: {"lr": 0.1 * i}))
    assert not far_from_siblings(family(BAD, name="e{i}/seed0"))
    short = family(BAD)
    short[-1] = replace(short[-1], series=tuple(replace(row, last_step=20) for row in short[-1].series))
    assert not far_from_siblings(short)
    going = family(BAD)
    going[-1] = replace(going[-1], status="in-progress")
    assert not far_from_siblings(going)


@pytest.mark.parametrize("losses", [
    np.append(LOSSES[:4], 0.9),  # too few
    np.append(LOSSES, 0.35),  # not twice as high
    np.append(LOSSES, [0.9, 0.91, 0.88]),  # two camps
    np.geomspace(0.1, 2, 12),  # all over the place
    np.append(np.full(10, 0.2), 0.9),  # ten copies
])  # fmt: skip
def test_nobody_is_accused_without_need(losses):
    assert far_from_siblings(family(losses)) == []


def test_what_its_own_page_says_is_told_along():
    night = family(BAD)
    night[-1] = run("seeds/seed10", {"lr": 0.1, "seed": 10}, ["plateau"], loss=0.9)
    assert "its own page says plateau;" in far_from_siblings(night)[0].evidence


def test_a_fourfold_loss_is_found_and_scatter_is_not():
    assert all(far_from_siblings(one_bad_seed(np.random.default_rng(i))) for i in range(10))
    for name in ("siblings, Gaussian", "siblings, skewed (exponential)"):
        assert sum(bool(far_from_siblings(NULLS[name](np.random.default_rng([6, i])))) for i in range(10)) <= 1
