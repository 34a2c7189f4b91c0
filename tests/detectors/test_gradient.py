"""The four symptoms of a gradient norm: what each of them says, and what ordinary norms do not make them say."""

import numpy as np
import pytest

from analyzer.diagnosis import judge_run
from analyzer.model.case import falling, made_run, noise

OF_GRADIENTS = {"gradient-spike", "vanishing-gradient", "saturated-clipping", "growing-gradient"}


def findings(**curves):
    found = judge_run(made_run({t.replace("__", "/"): v for t, v in curves.items()}), now=2e9).findings
    return {f.symptom: f for f in found}


def ordinary(points=400, seed=1, spread=0.3):
    return np.exp(noise(points, spread, seed))


def test_a_leap_of_the_loss_explains_that_of_the_gradient():
    loss, norm = falling(400) * np.exp(noise(400, 0.05)), ordinary()
    loss[200:206] *= 8
    norm[199:206] *= 80
    found = findings(train__loss=loss, grad_norm=norm)
    assert found["gradient-spike"].explained_by == found["loss-spike"].fingerprint
    assert "leaps with it" in found["gradient-spike"].summary


def test_a_leap_that_the_loss_does_not_show_is_a_note_and_says_so():
    norm = ordinary()
    norm[200:202] *= 80
    finding = findings(train__loss=falling(400) * np.exp(noise(400, 0.05)), grad_norm=norm)["gradient-spike"]
    assert (finding.severity, finding.first_step) == ("info", 200)
    assert "does not show it" in finding.summary


@pytest.mark.parametrize("spread", [0.1, 0.5, 1.0, 1.5])
def test_norms_of_any_ordinary_spread_are_silent(spread):
    for seed in range(5):
        found = findings(train__loss=falling(400) + noise(400, 0.02, seed), grad_norm=ordinary(400, seed, spread))
        assert not OF_GRADIENTS & set(found)


def test_a_plateau_without_a_gradient_is_told_as_one_sickness():
    dying = np.exp(-np.arange(300) / 10) + 1e-9
    found = findings(train__loss=2.3 + noise(300, 0.003), grad_norm=dying * ordinary(300, 2, 0.1))
    assert found["vanishing-gradient"].explained_by == found["plateau"].fingerprint


def test_a_good_metric_clears_a_gradient_that_is_gone():
    dying = np.exp(-np.arange(300) / 10) + 1e-9
    loss = falling(300, 2.3, 1.9, 20.0)
    found = findings(train__loss=loss, grad_norm=dying, val__accuracy=np.linspace(0.4, 0.97, 300))
    assert "vanishing-gradient" not in found


def test_a_loss_of_nan_explains_a_gradient_that_grew():
    loss, norm = falling(300, 2.3, 0.8, 300.0) + noise(300, 0.01), 0.3 * np.exp(np.linspace(0, 5, 300))
    loss[297:] = np.nan
    found = findings(train__loss=loss, grad_norm=norm)
    assert found["non-finite"].explained_by is None
    assert "growing-gradient" not in found or found["growing-gradient"].explained_by


def test_the_threshold_of_clipping_is_named():
    norm = np.minimum(2.0 * ordinary(300, 3, 0.5), 1.0)
    assert "stand at 1," in findings(train__loss=falling(300), grad_norm=norm)["saturated-clipping"].summary
