"""Knobs: settings that move during a run are found where they move, and measured values are never taken for them."""

import numpy as np
import pytest

from analyzer.features import RunFeatures
from analyzer.features.knobs import cycle_of, knob_at
from analyzer.model.case import falling, made_run, noise

AT = np.arange(600)
RAMP = np.interp(AT, [80, 280], [1.0, 0.15])


def run(tag, values):
    return RunFeatures(made_run({"train/loss": falling(600) + noise(600, 0.02), tag: values}))


@pytest.mark.parametrize(
    ("tag", "values", "where"),
    [
        ("train/p", RAMP, (80, 280)),
        ("kl_weight", np.interp(AT, [0, 200], [1e-7, 0.5]), (0, 150)),
        ("temperature", 1.0 * 0.5 ** (AT >= 300), 300),
        ("curriculum_stage", (AT >= 200) * 1.0 + (AT >= 400), (390, 450)),
        ("train/beta", 0.5 * (1 - np.cos(np.pi * np.minimum(AT / 250, 1))), (20, 230)),
        ("annealed", AT / 600.0, (0, 599)),
    ],
    ids=["share", "kl weight", "temperature", "stage", "cosine", "whole run"],
)
def test_a_setting_is_found_where_it_moves(tag, values, where):
    knob = knob_at(run(tag, values), where)
    assert knob is not None
    assert knob.tag == tag
    assert knob.event == f"event:knob@{knob.first}"
    assert tag in knob.sentence


@pytest.mark.parametrize(
    ("values", "where"),
    [(RAMP, (300, 599)), (RAMP, 150), (AT / 600.0, (200, 400)), (1.0 * 0.5 ** (AT >= 550), (300, 599))],
    ids=["after it", "one step of a ramp", "even all the time", "late in the stretch"],
)
def test_a_setting_that_does_not_move_there_is_none(values, where):
    assert knob_at(run("train/p", values), where) is None


@pytest.mark.parametrize("seed", range(5))
def test_measured_values_are_no_knobs_even_where_they_leap_with_the_loss(seed):
    norm = 10 + AT / 600 + np.where(AT > 500, np.exp((AT - 500) / 20.0), 0.0) * (1 + noise(600, 0.2, seed))
    assert knob_at(run("weights/size", norm), (480, 599)) is None
    heavy = np.exp(noise(600, 2.0, seed))
    assert knob_at(run("approx_divergence", heavy), (100, 400)) is None


@pytest.mark.parametrize("tag", ["lr", "epoch", "train/grad_norm", "val/accuracy", "loss_scale", "time/elapsed"])
def test_what_has_a_role_of_its_own_is_no_knob(tag):
    assert knob_at(run(tag, RAMP), (80, 280)) is None


def test_a_clock_and_a_counter_are_no_knobs():
    assert knob_at(run("seconds_since_start", 7.5 * AT), (0, 599)) is None
    assert knob_at(run("seen", AT * 1.0), (0, 599)) is None


@pytest.mark.parametrize("at", [100, 500])
def test_each_of_many_stages_is_a_move(at):
    knob = knob_at(run("task", AT // 50 * 1.0), (at - 1, at))
    assert knob is not None and knob.first == at and knob.since == at - 1
    assert knob_at(run("task", AT // 50 * 1.0), (at + 10, at + 20)) is None


def test_a_setting_that_moves_at_equal_distances_has_a_cycle():
    assert cycle_of(run("task", AT // 50 * 1.0)) == ("task", 50.0)
    assert cycle_of(run("stage", (AT >= 100) * 1.0 + (AT >= 150) + (AT >= 400))) is None


def test_a_setting_that_is_moved_for_half_of_the_run_moves_there():
    assert knob_at(run("train/beta", np.minimum(AT / 300, 1)), (180, 540)) is not None
