"""Why a loss is no number any more."""

import numpy as np
import pytest

from analyzer.model.case import falling
from tests.detectors.judged import found


def test_a_loss_that_is_lost_in_its_first_steps_has_no_checkpoint_to_go_back_to():
    loss = falling(400)
    loss[1:] = np.nan
    finding = found("non-finite", {"train/loss": loss})
    assert finding is not None
    assert finding.cause.startswith("the first updates")
    assert not any("checkpoint" in text for text in finding.advice)


def test_the_same_after_three_epochs_is_not_at_the_start():
    loss = falling(60)
    loss[3:] = np.nan
    finding = found("non-finite", {"epoch_loss": loss})
    assert finding is not None
    assert any("checkpoint" in text for text in finding.advice)


def lost(onset=238, points=300, strays=(1,)):
    loss = falling(points)
    loss[onset:] = np.nan
    loss[list(strays)] = np.inf
    return loss


@pytest.mark.parametrize("onset", [20, 100, 238, 299])
def test_the_onset_is_the_start_of_the_final_stretch_and_strays_are_named_apart(onset):
    finding = found("non-finite", {"train/loss": lost(onset)})
    assert finding.first_step == onset
    assert finding.severity == "error"
    assert any("1 point before it is not finite either, at step 1" in text for text in finding.speaks_for)


def test_strays_alone_are_a_warning_from_the_first_of_them():
    loss = falling(300)
    loss[[50, 180]] = np.nan
    finding = found("non-finite", {"train/loss": loss})
    assert (finding.severity, finding.first_step) == ("warning", 50)


def test_the_evaluation_is_not_blamed_while_training_is_lost_too():
    finding = found("non-finite", {"val/loss": lost(100, strays=()), "train/loss": lost(238)})
    assert (finding.tags, finding.first_step) == (("train/loss",), 238)
    assert finding.cause != "the evaluation, not the training"
    assert finding.also == ("val/loss",)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_held_out_losses_without_a_finite_point_are_the_evaluations_fault(value):
    bad = np.full(40, value)
    curves = {"loss": falling(40), "val_loss": bad, "accuracy": 1 - falling(40, 0.9, 0.1), "val_accuracy": np.zeros(40)}
    finding = found("non-finite", curves)
    assert (finding.tags, finding.first_step, finding.cause) == (("val_loss",), 0, "the evaluation, not the training")


def test_the_weights_are_not_blamed_while_a_held_out_loss_goes_on_falling():
    evaluated = (np.arange(0, 300, 20), falling(15))
    finding = found("non-finite", {"train/loss": lost(200), "val/loss": evaluated})
    assert (finding.severity, finding.cause) == ("warning", "the logged number, not the weights")
    assert not any("checkpoint" in text for text in finding.advice)


def test_advice_names_the_step_before_the_first_sign_in_any_curve():
    norm = np.ones(300)
    norm[180:] = np.inf
    finding = found("non-finite", {"train/loss": lost(238, strays=()), "grad_norm": norm})
    assert finding.cause == "exploding gradients"
    assert any("before step 180, where grad_norm" in text for text in finding.advice)


def test_a_loss_scale_that_fell_points_at_half_precision():
    scale = 65536.0 * 0.5 ** np.clip(np.arange(300) - 225, 0, 10)
    finding = found("non-finite", {"train/loss": lost(238, strays=()), "loss_scale": scale})
    assert finding.cause == "gradients that overflow in half precision"
    assert any("before step 226" in text for text in finding.advice)
