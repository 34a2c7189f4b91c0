"""NaN that a logger hides: as an exact 0, or under a finite loss; a model that lives is left alone."""

import numpy as np

from analyzer.diagnosis import judge_run
from analyzer.model.case import falling, made_run, noise


def zeroed(onset=120, points=200):
    values = falling(points) + noise(points, 0.02)
    values[onset:] = 0.0
    return values


def found(run):
    return next((f for f in judge_run(run, now=2e9).findings if f.symptom == "hidden-nan"), None)


def test_the_zeros_are_dated_and_lead_the_verdict():
    result = judge_run(made_run({"train/loss": zeroed()}), now=2e9)
    assert [(f.symptom, f.first_step) for f in result.findings if f.counts] == [("hidden-nan", 120)]


def test_a_norm_of_nan_under_a_loss_that_goes_on_falling_is_a_note():
    norm = np.where(np.arange(200) < 50, 1.0, np.nan)
    finding = found(made_run({"train/loss": falling(200) + noise(200, 0.01), "grad_norm": norm}))
    assert finding.severity == "info"
    assert "falling" in finding.summary


def test_a_norm_of_nan_over_zeros_is_one_error():
    norm = np.where(np.arange(200) < 120, 1.0, np.nan)
    finding = found(made_run({"train/loss": zeroed(), "grad_norm": norm}))
    assert (finding.severity, finding.also) == ("error", ("grad_norm",))


def test_single_infinite_norms_of_mixed_precision_are_nothing():
    norm = np.ones(200)
    norm[::40] = np.inf
    assert found(made_run({"train/loss": falling(200), "grad_norm": norm})) is None


def test_a_loss_that_is_no_number_itself_is_told_once():
    loss, norm = falling(200), np.ones(200)
    loss[120:] = norm[118:] = np.nan
    leading = [f.symptom for f in judge_run(made_run({"train/loss": loss, "grad_norm": norm}), now=2e9).findings]
    assert leading == ["non-finite"]


def test_a_loss_that_is_often_0_may_end_so():
    triplet = np.where(np.arange(300) % 7 < 3, 0.0, falling(300))
    triplet[-6:] = 0.0
    assert found(made_run({"train/loss": triplet})) is None
