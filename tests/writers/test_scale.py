"""The axis of a panel shows what a finding speaks of: a rise beside a curve near 0, a flat curve as flat."""

import numpy as np

from analyzer.model.evidence import Mark
from analyzer.model.run import Series
from analyzer.writers.scale import calm_axis, upright


def series(tag, values):
    values = np.asarray(values, dtype=float)
    return Series(tag, np.arange(values.size), values, np.arange(values.size) * 1.0)


AT = np.arange(120)
TRAIN = series("train", 2.4 * np.exp(-AT / 20) + 0.005)
RISING = series("val", 0.68 + 1.6 * np.exp(-AT / 5) + 0.0015 * np.maximum(AT - 20, 0))
AFTER = [Mark("region", "val", "after the best step", (20, 119))]


def share(axis, low, high):
    return float(np.diff(axis.place([low, high]))[0])


def test_curves_of_one_height_are_compared_on_a_linear_scale():
    assert upright([TRAIN]).log and not upright([TRAIN, RISING]).log


def test_a_rise_beside_a_training_loss_near_zero_is_seen():
    whole, axis = upright([TRAIN, RISING]), upright([TRAIN, RISING], AFTER)
    assert share(axis, 0.7, 0.83) > 0.12 > 1.6 * share(whole, 0.7, 0.83)
    assert axis.low < 0.005 and axis.high < 2


def test_a_marked_region_without_a_change_keeps_the_whole_in_view():
    flat = series("val", np.concatenate([np.linspace(9, 2, 40), np.full(80, 2.0)]))
    axis = upright([flat], [Mark("region", "val", "flat", (40, 119))])
    assert axis.high > 9 and axis.low < 2


def test_a_flat_curve_looks_flat_where_it_is_marked_and_where_it_has_no_axis():
    noise = 2.3 + np.random.default_rng(0).normal(0, 0.005, 300)
    marked = upright([series("loss", noise)], [Mark("region", "loss", "flat", (0, 299))])
    for axis in (marked, calm_axis(noise)):
        assert share(axis, float(noise.min()), float(noise.max())) < 0.25
