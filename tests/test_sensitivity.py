"""The sensitivity table knows every named number, moves it everywhere, and puts it back."""

import sys

import numpy as np
import pytest

from analyzer.model.case import falling, made_run, noise
from benchmarks import sensitivity
from benchmarks.sensitivity import DOWN, UP, Yardstick, holding, moved, numbers


def number(module, name, holder=""):
    return next(n for n in numbers() if (n.module, n.holder, n.name) == (f"analyzer.{module}", holder, name))


def test_limits_parameters_and_constants_are_all_there():
    kinds = {(n.module.split(".")[1], n.holder) for n in numbers()}
    assert kinds >= {("detectors", "Limits"), ("detectors", "Params"), ("features", "Params"), ("features", "")}
    assert number("features.breaks", "SEEN").why == "standard errors from which a break is a candidate"
    limit = number("detectors.slow_divergence", "noise", "Limits")
    assert (limit.value, limit.symptom) == (3.5, "slow-divergence")


@pytest.mark.parametrize(
    ("value", "down", "up"),
    [(1.0, 0.7, 1 / 0.7), (10, 7, 14), (1, 0, 2), (2, 1, 3), ((2, 0.5), (1, 0.35), (3, 0.5 / 0.7))],
)
def test_numbers_move_and_whole_ones_stay_whole(value, down, up):
    assert np.all(np.isclose(moved(value, DOWN), down))
    assert np.all(np.isclose(moved(value, UP), up))


def test_a_constant_is_moved_where_it_is_imported_and_put_back():
    constant = number("stats.robust", "MAD_TO_SIGMA")
    noise_module = sys.modules["analyzer.stats.noise"]
    with holding(constant, 9.0):
        assert noise_module.MAD_TO_SIGMA == sys.modules["analyzer.stats.robust"].MAD_TO_SIGMA == 9.0
    assert constant.value == noise_module.MAD_TO_SIGMA


def test_a_limit_that_decides_changes_an_outcome_and_the_numbers_are_as_before():
    drift = falling(200, rate=50.0) + 0.3 * np.maximum(np.arange(200) - 100, 0) / 100 + noise(200, 0.004)
    yardstick = Yardstick.of(
        [made_run({"train/loss": drift}), made_run({"train/loss": falling(200) + noise(200, 0.02)})]
    )
    before = list(yardstick.outcomes)
    limit = number("detectors.slow_divergence", "lost", "Limits")
    assert yardstick.changes(limit, 20.0) == 1
    assert yardstick.changes(limit, 1.0) == 0
    assert [sensitivity._outcome(run) for run in yardstick.runs] == before


def test_the_table_has_a_row_for_each_number():
    found = [number("features.breaks", "SEEN"), number("detectors.slow_divergence", "noise", "Limits")]
    page = sensitivity.table(found, [(0, 0), (1, 2)], 2, "2 made runs")
    assert "2 numbers, of which 1 change nothing" in page
    assert "| detectors.slow_divergence | Limits.noise | 3.5 |" in page
