"""NaN that a logger hides: as an exact 0, or under a finite loss; a model that lives is left alone."""

import numpy as np
import pytest

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


def test_a_held_out_loss_that_goes_on_falling_refutes_nan_in_the_weights():
    evaluated = (np.arange(0, 200, 10), falling(20))
    finding = found(made_run({"train/loss": zeroed(), "val/loss": evaluated}))
    assert (finding.severity, finding.cause) == ("warning", "the logged number is at fault, not the training")
    assert not any("weights" in text or "checkpoint" in text for text in finding.advice)


def test_a_sum_in_half_precision_grows_coarse_before_it_stands_still():
    rng = np.random.default_rng(0)
    true = falling(300, 5.9, 2.4) * np.exp(0.05 * rng.standard_normal(300))
    total = np.cumsum(np.repeat(true, 10))
    grain = 2.0 ** np.floor(np.log2(np.maximum(total, 1.0)) - 7)
    shown = np.diff(np.r_[0.0, np.round(total / grain) * grain][::10]) / 10
    shown[120:] = 0.0
    result = judge_run(
        made_run({"train/loss": shown, "eval/loss": (np.arange(0, 300, 20), falling(15, 6, 2.4))}), now=2e9
    )
    first, *rest = result.findings
    assert first.symptom == "hidden-nan"
    assert any("too coarse for a loss" in text for text in first.speaks_for)
    assert all(f.explained_by for f in rest if f.symptom == "loss-spike")


def test_measures_stay_measurements_where_a_veto_clears_them():
    from analyzer.detectors.hidden_nan import measure
    from analyzer.features import RunFeatures

    run = made_run({"train/loss": zeroed(), "val/accuracy": np.linspace(0.5, 0.97, 200)})
    zeros = next(iter(measure(RunFeatures(run))))
    assert zeros.measures[0].value == 80
    assert "metric-good" in {veto.id for veto in zeros.vetoes}


def among(share, level, points=300, seed=0):
    rng = np.random.default_rng(seed)
    return np.where(rng.random(points) < share, 0.0, level * np.exp(0.2 * rng.standard_normal(points)))


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_zeros_again_and_again_among_values_that_do_not_fall_are_a_logging_fault(share):
    finding = found(made_run({"train/loss": among(share, np.linspace(2.0, 20.0, 300))}))
    assert finding.severity == "warning"
    assert "again and again" in finding.summary
    assert finding.cause.startswith("batches without a target")


def test_zeros_of_a_hinge_loss_that_falls_are_none():
    assert found(made_run({"train/loss": among(0.3, falling(300))})) is None
