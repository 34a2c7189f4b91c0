"""What the index tells of one run: which curve stands for it."""

import re
from dataclasses import replace

import numpy as np

from analyzer.model.run import Series
from analyzer.writers.index import index_pages
from analyzer.writers.index_row import DIGITS, Thumbnail, entry, thumbnail
from tests import made


def test_a_row_draws_the_curve_that_its_worst_problem_speaks_of_and_names_it():
    sick, healthy, bare = made.overfitted(), made.healthy(), made.failed()
    seen = thumbnail(sick)
    assert seen.tag == "val/loss" and seen.spark != thumbnail(replace(sick, findings=())).spark
    assert thumbnail(replace(sick, findings=())).tag == "" and thumbnail(bare) == Thumbnail()
    info = made.finding("r", "wasted-tail", "info", (healthy.series[1].tag,), "Not needed.")
    assert thumbnail(replace(healthy, findings=(info,))) == thumbnail(healthy)  # no problem: the main curve
    empty = replace(sick.series[1], curve=Series("val/loss", np.arange(3), np.full(3, np.nan), np.zeros(3)))
    unseen = replace(sick, series=(sick.series[0], empty, *sick.series[2:]))
    plain = thumbnail(replace(sick, findings=()))
    assert thumbnail(unseen) == plain  # the next tag of it that can be drawn is the main one
    assert re.search(
        r"<small>.*val/.*loss</small>", dict(index_pages([entry(sick)], ["logs/"], version="1"))["index.html"]
    )


def test_a_noisy_curve_of_a_healthy_run_is_drawn_as_it_runs_beneath_its_noise():
    n = 800
    loss = made.falling(n) * np.exp(made.noise(n, 0.9, 3))
    healthy = replace(made.healthy(), series=(made.row("loss", loss, split="train"),), main_tag="loss")
    calm, smooth = heights(healthy), heights(replace(healthy, series=(made.row("loss", made.falling(n)),)))
    assert max(calm[len(calm) // 2 :]) < max(calm) / 2  # it falls, as it does without noise
    assert max(smooth[len(smooth) // 2 :]) < max(smooth) / 2
    problem = made.finding("r", "not-converging", "warning", ("loss",), "It swings.")
    sick = heights(replace(healthy, findings=(problem,)))
    assert max(sick[len(sick) // 2 :]) > max(sick) / 2  # what swings is shown as it swings


def test_a_row_of_a_healthy_run_says_how_it_went():
    assert entry(made.healthy()).sentence == "Healthy: loss/train fell from 2.3 to 0.21."


def heights(result):
    return [DIGITS.find(letter) for letter in thumbnail(result).sketch]
