"""What detectors are told of a run: its lineage, epochs, schedule and the mates of its losses."""

import numpy as np
import pytest

from analyzer.features import RunFeatures
from analyzer.features.progress import progress
from analyzer.features.step_axis import lineage
from analyzer.model.case import falling, made_run, noise
from analyzer.model.run import Series


def series(steps, values=None):
    at = np.array(steps)
    return Series("x", at, np.arange(at.size, dtype=float) if values is None else np.array(values), at.astype(float))


def test_a_step_that_goes_back_overtakes_what_lay_beyond():
    found = lineage(series([0, 1, 2, 3, 4, 2, 3, 4, 5]))
    assert found.steps.tolist() == [0, 1, 2, 3, 4, 5]
    assert found.values.tolist() == [0, 1, 5, 6, 7, 8]
    assert (found.restarts, found.overtaken) == ((2,), 3)


def test_equal_steps_are_no_restart_and_small_disorder_is_sorted():
    assert lineage(series([0, 1, 1, 2])).restarts == ()
    shuffled = np.arange(200).reshape(-1, 2)[:, ::-1].ravel()
    assert lineage(series(shuffled)).steps.tolist() == list(range(200))


def test_a_restart_of_several_series_is_one_event():
    back = ([*range(100), *range(60, 150)], np.ones(190))
    run = made_run({"train/loss": back, "val/loss": back})
    assert [(e.kind, e.step) for e in RunFeatures(run).events] == [("restart", 60)]


def test_the_schedule_of_the_learning_rate_is_told_as_events():
    rate = np.concatenate([np.linspace(0.01, 0.1, 10), np.full(40, 0.1), np.full(40, 0.01), np.full(10, 0.1)])
    kinds = [(e.kind, e.step) for e in RunFeatures(made_run({"lr": rate})).events]
    assert kinds == [("warm-up", 9), ("lr-drop", 50), ("lr-restart", 90)]


def test_a_warm_up_that_the_log_does_not_see_the_end_of_is_not_said_to_have_ended():
    (event,) = RunFeatures(made_run({"lr": np.linspace(1e-4, 1e-2, 60), "train/loss": falling(60)})).events
    assert event.kind == "warm-up" and event.text.startswith("the end of the log within the warm-up, at")


def test_a_cyclic_learning_rate_has_a_period():
    assert RunFeatures(made_run({"lr": 0.1 / (1 + np.arange(300) % 50)})).rate_period == pytest.approx(50)
    assert RunFeatures(made_run({"lr": np.full(300, 0.1)})).rate_period is None


def test_the_epoch_is_read_from_its_counter_or_from_the_evaluations():
    loss = falling(400)
    counter = np.arange(400) // 25
    assert RunFeatures(made_run({"train/loss": loss, "epoch": counter})).epoch_length == pytest.approx(25, rel=0.05)
    evaluated = (np.arange(20, 400, 20), falling(19))
    assert RunFeatures(made_run({"train/loss": loss, "val/loss": evaluated})).epoch_length == 20
    by_epoch = (np.arange(8), falling(8))
    assert RunFeatures(made_run({"train/loss": loss, "val/loss": by_epoch})).epoch_length is None


def test_a_validation_loss_is_laid_beside_the_training_loss_of_the_same_kind():
    run = made_run(
        {
            "loss": falling(400),
            "train/ctc_loss": (np.arange(0, 400, 40), falling(10)),
            "validation/ctc_loss": (np.arange(0, 400, 40), falling(10)),
        }
    )
    features = RunFeatures(run)
    assert features.partner(features.curves["validation/ctc_loss"]).tag == "train/ctc_loss"
    assert features.main.tag == "loss"


def test_progress_is_in_shares_of_the_start_and_survives_dense_starts():
    steps = np.concatenate([np.arange(100), np.arange(100, 20_000, 200)])
    values = np.where(steps < 50, 30 - steps / 2, 5.0) + noise(steps.size, 0.01)
    far = progress(RunFeatures(made_run({"loss": (steps, values)})).main)
    assert far.gain == pytest.approx(0.82, abs=0.02)
    assert far.half_most < 0.01


def test_a_curve_is_judged_in_log_space_when_it_is_positive_and_spans_a_factor_of_two():
    curves = RunFeatures(
        made_run(
            {"a_loss": falling(50), "b_loss": falling(50) - 1, "c_loss": [1.0, 1.5] * 20, "d_loss": [0.0, *falling(60)]}
        )
    ).curves
    assert [curves[f"{k}_loss"].log for k in "abcd"] == [True, False, False, True]
