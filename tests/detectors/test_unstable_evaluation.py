"""An unstable evaluation: swings that no sampling explains are a warning; those of few examples are not."""

import numpy as np
import pytest

from analyzer.model.case import falling, noise
from tests.detectors.judged import alarmed, found
from tests.detectors.saying import findings

TRAIN = falling(60, 2.4, 0.12)


def jumping(share, low, high, points=60, seed=0, base=0.13):
    rng = np.random.default_rng(seed)
    good = falling(points, 1.0, base) * np.exp(0.1 * rng.standard_normal(points))
    return good + np.where(rng.random(points) < share, rng.uniform(low, high, points), 0.0)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("share", [0.3, 0.5, 0.7])
def test_evaluations_that_are_far_off_again_and_again_are_a_warning(share, seed):
    assert alarmed("unstable-evaluation", {"train_loss": TRAIN, "val_loss": jumping(share, 1.0, 2.8, seed=seed)})


def test_values_over_many_orders_of_magnitude_are_a_warning():
    wild = 10.0 ** np.random.default_rng(1).uniform(1, 5, 60)
    assert alarmed("unstable-evaluation", {"train_loss": TRAIN, "val_loss": wild})


@pytest.mark.parametrize("examples", [2, 4, 16])
@pytest.mark.parametrize("seed", range(5))
def test_a_small_sample_that_is_drawn_again_each_time_is_none(examples, seed):
    sampled = falling(80, 2.3, 0.2) * np.random.default_rng(seed).gamma(examples, 1 / examples, 80)
    assert found("unstable-evaluation", {"train_loss": falling(80), "val_loss": sampled}) is None


def test_large_factors_near_0_are_none():
    near = 1e-4 * np.exp(noise(60, 2.0, 3))
    assert found("unstable-evaluation", {"train_loss": falling(60, 2.3, 1e-4), "val_loss": near}) is None


def test_a_single_bad_evaluation_is_none():
    curves = {"train_loss": TRAIN, "val_loss": jumping(0.0, 0.0, 1.0) + 3.0 * (np.arange(60) == 40)}
    assert found("unstable-evaluation", curves) is None


def test_more_held_out_examples_are_not_advised():
    said = findings({"train_loss": TRAIN, "val_loss": jumping(0.5, 1.0, 2.8)})
    assert said["unstable-evaluation"].explained_by is None
    advice = " ".join(text for finding in said.values() for text in finding.advice)
    assert "times as many held-out examples" not in advice


def test_a_metric_that_swings_with_it_is_a_sign():
    val = jumping(0.5, 1.0, 2.8)
    accuracy = np.where(val > 0.9, 0.53, 0.88) + noise(60, 0.02)
    finding = found("unstable-evaluation", {"train_loss": TRAIN, "val_loss": val, "val_acc": accuracy})
    assert any("val_acc jumps together with it" in text for text in finding.speaks_for)
