"""A loss that drifts upwards: graded by what is lost, explained by what was meant, and no second name for a leap."""

import numpy as np
import pytest

from analyzer.diagnosis import judge_run
from analyzer.model.case import falling, made_run, noise


def drifting(end, points=400, low=1.75):
    half = points // 2
    return np.concatenate([falling(half, 2.3, low, 20.0), np.linspace(low, end, half)]) + noise(points, 0.03)


def found(run, symptom="slow-divergence"):
    return next((f for f in judge_run(run, now=2e9).findings if f.symptom == symptom), None)


@pytest.mark.parametrize(("end", "severity"), [(2.0, "warning"), (2.4, "error")])
def test_it_is_an_error_only_when_all_progress_is_lost(end, severity):
    assert found(made_run({"train/loss": drifting(end)})).severity == severity


def test_its_onset_is_where_the_loss_was_lowest():
    assert found(made_run({"train/loss": drifting(2.2)})).first_step == pytest.approx(205, abs=30)


def test_a_rate_that_goes_on_rising_is_told_as_the_cause():
    finding = found(made_run({"train/loss": drifting(2.2), "lr": np.linspace(1e-4, 1e-2, 400)}))
    assert "learning rate" in finding.cause
    assert finding.explained_by is None


def test_a_cyclic_rate_explains_it():
    rate = 0.1 / (1 + np.arange(400) % 90)  # no cycle begins where the drift does
    assert found(made_run({"train/loss": drifting(2.2), "lr": rate})).explained_by.startswith("event:lr-cycle")


def test_a_validation_loss_that_improves_overrules_it():
    run = made_run({"train/loss": drifting(2.2), "val/loss": falling(400, rate=1.0)})
    assert found(run).explained_by.startswith("event:validation-improves")
    assert judge_run(run, now=2e9).verdict == "healthy"


def test_an_explosion_gets_one_verdict():
    values = falling(400, floor=0.3) * np.exp(noise(400, 0.03))
    values[200:] *= np.exp(np.linspace(0, 3, 200))
    leading = [f.symptom for f in judge_run(made_run({"train/loss": values}), now=2e9).findings if f.counts]
    assert leading == ["exploding-loss"]


@pytest.mark.parametrize("seed", range(10))
def test_noise_of_any_tail_around_a_settled_loss_drifts_nowhere(seed):
    rng = np.random.default_rng(seed)
    wandering = np.convolve(rng.standard_t(2, 419), np.ones(20) / 20, "valid")
    assert found(made_run({"train/loss": falling(400, 2.3, 1.0) * np.exp(0.05 * wandering)})) is None
