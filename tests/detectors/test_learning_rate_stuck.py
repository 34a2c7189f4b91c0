"""A rate of 0 and a warm-up without end: dated, graded by what they cost, silent about schedules that were meant."""

import numpy as np
import pytest

from analyzer.diagnosis import judge_run
from analyzer.model.case import falling, made_run, noise


def found(run):
    return next((f for f in judge_run(run, now=2e9).findings if f.symptom == "learning-rate-stuck"), None)


def resting(at, points=300):
    loss = falling(points, rate=1.0)
    loss[at:] = loss[at]
    return loss + noise(points, 0.01)


@pytest.mark.parametrize(("at", "severity"), [(100, "warning"), (250, "info")])
def test_it_is_a_warning_only_when_much_of_the_run_is_idle(at, severity):
    finding = found(made_run({"train/loss": resting(at), "lr": np.where(np.arange(300) < at, 0.1, 0.0)}))
    assert (finding.severity, finding.first_step) == (severity, at)


def test_a_loss_that_never_moved_is_told_by_its_plateau():
    run = made_run({"train/loss": 2.3 + noise(300, 0.003), "lr": np.zeros(300)})
    first, *rest = judge_run(run, now=2e9).findings
    assert (first.symptom, first.cause) == ("plateau", "a learning rate of 0")
    assert {f.symptom: f.explained_by for f in rest}["learning-rate-stuck"] == first.fingerprint


@pytest.mark.parametrize(
    "rate",
    [
        np.full(300, 1e-3),
        np.linspace(1e-3, 0, 300),
        np.concatenate([np.linspace(1e-5, 1e-3, 30), np.linspace(1e-3, 0, 270)]),
        np.concatenate([np.linspace(1e-5, 1e-3, 200), np.full(100, 1e-3)]),
        1e-3 * (1 - np.arange(300) % 50 / 49),
        1e-3 * np.abs(np.arange(300) % 100 / 50 - 1),
    ],
    ids=["constant", "linear decay", "one cycle", "long warm-up", "restarts", "triangular"],
)
def test_schedules_that_are_meant_are_silent(rate):
    assert found(made_run({"train/loss": falling(300) + noise(300, 0.01), "lr": rate})) is None


def test_a_warm_up_over_many_epochs_is_a_warning():
    rate = np.linspace(1e-6, 1e-3, 300)
    assert found(made_run({"train/loss": falling(300), "lr": rate})).severity == "info"
    evaluated = (np.arange(30, 300, 30), falling(9))
    assert found(made_run({"train/loss": falling(300), "lr": rate, "val/loss": evaluated})).severity == "warning"


def test_a_second_group_that_has_warmed_up_clears_the_first():
    rates = {"lr/pg0": np.linspace(0, 1e-3, 300), "lr/pg1": np.minimum(np.arange(300) / 50, 1.0) * 1e-4}
    assert found(made_run({"train/loss": falling(300), **rates})) is None
