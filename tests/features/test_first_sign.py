"""The first sign before an onset: a norm, a loss scale or another curve that goes wrong and stays so until then."""

import numpy as np

from analyzer.features import RunFeatures
from analyzer.features.first_sign import early_signs, first_sign
from analyzer.model.case import falling, made_run, noise

ONSET = 200


def run(**curves):
    loss = falling(300) + noise(300, 0.02)
    loss[ONSET:] = np.nan
    return RunFeatures(made_run({"train/loss": loss, **{t.replace("__", "/"): v for t, v in curves.items()}}))


def norms(seed=1):
    return np.exp(noise(300, 0.3, seed))


def test_a_norm_that_is_infinite_up_to_the_onset_is_dated_by_its_first_point():
    grad = norms()
    grad[150:] = np.inf
    sign = first_sign(run(grad_norm=grad), ONSET)
    assert sign is not None
    assert (sign.step, sign.tag) == (150, "grad_norm")
    assert "from step 150 on" in sign.sentence


def test_single_infinite_norms_of_mixed_precision_are_no_sign():
    grad = norms()
    grad[[20, 90, 91, 170]] = np.inf
    assert first_sign(run(grad_norm=grad), ONSET) is None


def test_a_norm_that_leaps_at_the_onset_itself_counts():
    grad = norms()
    grad[ONSET] = 500.0
    sign = first_sign(run(grad_norm=grad), ONSET)
    assert sign is not None
    assert sign.step == ONSET
    assert "usually" in sign.sentence


def test_a_norm_that_is_lost_with_the_loss_is_no_earlier_sign():
    grad = norms()
    grad[ONSET:] = np.nan
    assert first_sign(run(grad_norm=grad), ONSET) is None


def test_a_loss_scale_that_is_halved_again_and_again_is_dated_by_its_first_halving():
    scale = 65536.0 * 0.5 ** np.clip((np.arange(300) - 160) // 5 + 1, 0, 12)
    sign = first_sign(run(loss_scale=scale), ONSET)
    assert sign is not None
    assert (sign.step, sign.tag) == (160, "loss_scale")


def test_a_single_halving_is_daily_work():
    assert first_sign(run(loss_scale=65536.0 * 0.5 ** (np.arange(300) >= 120)), ONSET) is None


def test_another_curve_that_was_lost_before_is_a_sign_and_one_that_never_was_finite_is_none():
    lost = np.where(np.arange(300) < 120, 1.0, np.nan)
    signs = early_signs(run(aux=lost, val__ap=np.full(300, np.nan)), ONSET)
    assert [(s.id, s.tag, s.step) for s in signs] == [("curve-non-finite", "aux", 120)]


def test_the_earliest_of_several_leads():
    grad, lost = norms(), np.where(np.arange(300) < 120, 1.0, np.nan)
    grad[150:] = np.inf
    assert [s.step for s in early_signs(run(grad_norm=grad, aux=lost), ONSET)] == [120, 150]
