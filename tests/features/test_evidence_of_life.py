"""What proves that a model lives, how much is at stake, and when two losses differ by a factor alone."""

import numpy as np
import pytest

from analyzer.features import RunFeatures
from analyzer.features.constant_factor import constant_factor
from analyzer.features.finite_weights import alive_after
from analyzer.features.run_size import is_smoke_test
from analyzer.model.case import falling, made_run, noise


@pytest.mark.parametrize(
    ("tag", "values", "alive"),
    [
        ("val/loss", falling(60), True),
        ("val/accuracy", np.linspace(0.2, 0.9, 60), True),
        ("val/loss", np.full(60, 0.7), False),
        ("val/loss", np.where(np.arange(60) < 40, 1.0, np.nan), False),
        ("train/accuracy", np.linspace(0.2, 0.9, 60), False),
    ],
    ids=["loss moves", "metric moves", "one constant", "lost too", "of training"],
)
def test_a_held_out_curve_that_moves_and_stays_finite_is_proof_of_life(tag, values, alive):
    run = made_run({"train/loss": np.where(np.arange(60) < 30, 1.0, np.nan), tag: values})
    assert (alive_after(RunFeatures(run), 30) is not None) == alive


@pytest.mark.parametrize(
    ("points", "params", "smoke"),
    [
        (100, {"epochs": 1}, True),
        (100, {"num_train_epochs": "1"}, True),
        (100, {"epochs": 30}, False),
        (100, {}, False),
        (4000, {"epochs": 1}, False),
    ],
)
def test_a_smoke_test_is_short_and_known_to_be_one_epoch(points, params, smoke):
    assert is_smoke_test(RunFeatures(made_run({"train/loss": falling(points)}, **params))) == smoke


def test_the_epochs_of_a_counter_count_before_a_parameter():
    run = made_run({"train/loss": falling(100), "epoch": np.arange(100) / 20}, epochs=1)
    assert not is_smoke_test(RunFeatures(run))


@pytest.mark.parametrize("factor", [2, 4, 8, 64])
@pytest.mark.parametrize("seed", range(5))
def test_a_sum_over_so_many_is_a_constant_factor(factor, seed):
    ours = falling(20, 9.0, 6.3)[2:]
    found = constant_factor(ours * np.exp(noise(18, 0.002, seed)), factor * ours * np.exp(noise(18, 0.01, seed + 9)))
    assert found == pytest.approx(factor, rel=0.03)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (falling(40, 2.0, 0.2), falling(40, 2.6, 0.9)),
        (falling(40, 2.0, 0.5), 1.2 * falling(40, 2.0, 0.5)),
        (1.0 + noise(40, 0.01), 3.0 + noise(40, 0.01, 2)),
        (falling(40, 2.0, 0.5), falling(40, 2.0, 0.5) + 3.0),
    ],
    ids=["dropout", "too close to one", "both at rest", "a constant sum"],
)
def test_other_gaps_are_no_factor(ours, theirs):
    assert constant_factor(ours, theirs) is None
