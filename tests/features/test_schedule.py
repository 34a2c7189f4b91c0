"""The events of a learning rate: warm-ups, drops and rises, each told from the others."""

import numpy as np
import pytest

from analyzer.features import RunFeatures
from analyzer.features.schedule import raised_at
from analyzer.model.case import falling, made_run


def features(rate):
    return RunFeatures(made_run({"train/loss": falling(len(rate)), "lr": rate}))


def events(rate):
    return [(event.kind, event.step) for event in features(rate).events]


def test_a_rate_that_rises_to_its_top_is_warmed_up():
    assert ("warm-up", 10) in events(np.minimum(np.arange(60) / 10, 1.0))


def test_a_rate_that_leaps_from_its_first_value_is_warmed_up():
    assert ("warm-up", 1) in events([0.0, *[0.1] * 59])


def test_a_rate_that_rests_and_then_leaps_is_raised_and_not_warmed_up():
    assert events([0.05] * 24 + [3.0] * 16) == [("lr-restart", 24)]


@pytest.mark.parametrize(("at", "change"), [(24, (0.05, 3.0)), (23, None), (0, None), (60, None)])
def test_the_rate_before_and_after_a_rise_is_known(at, change):
    assert raised_at(features([0.05] * 24 + [3.0] * 16).rate, at) == change


@pytest.mark.parametrize(
    "rate",
    [np.minimum(np.arange(1000) / 500, 1), np.minimum(np.arange(400) / 50, 1) * (1 + np.cos(np.arange(400) / 128)) / 2],
)
def test_a_warm_up_with_or_without_a_decay_does_not_repeat_itself(rate):
    assert features(rate).rate_period is None


def test_a_rate_that_is_restarted_or_swings_repeats_itself():
    assert features(0.1 + 0.9 * (np.arange(400) % 100 < 1)).rate_period == 100
    assert features(1 + np.abs(np.arange(400) % 100 - 50.0)).rate_period == pytest.approx(100, abs=2)


def test_a_rate_that_drops_at_every_other_point_decays_and_has_no_events():
    assert not [event for event in features(0.5 ** np.arange(60.0)).events if event.kind == "lr-drop"]
    steps = np.repeat([1.0, 0.1, 0.01], 20)
    assert [event.step for event in features(steps).events if event.kind == "lr-drop"] == [20, 40]
