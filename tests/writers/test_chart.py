"""Charts put together what can be compared, and keep labels apart."""

import itertools

import numpy as np

from analyzer.model.evidence import Mark
from analyzer.writers.chart import chart, close_up, spark
from analyzer.writers.embed import SpillFile
from analyzer.writers.panel import LABEL_HEIGHT, labels
from tests import made


def test_losses_share_a_panel_and_a_metric_has_its_own():
    picture = chart("k", made.overfitted().series[:3], SpillFile())
    assert [[c.tag for c in p.curves] for p in picture.panels] == [["train/loss", "val/loss"], ["val/accuracy"]]
    assert len({p.across for p in picture.panels}) == 1


def test_epochs_and_batches_do_not_share_an_axis():
    batches, epochs = made.row("a/loss", np.ones(5000)), made.row("b/loss", np.ones(10))
    picture = chart("k", [batches, epochs], SpillFile())
    assert len(picture.panels) == 2 and picture.panels[0].across != picture.panels[1].across


def test_training_and_validation_have_their_colours_in_every_chart():
    series = made.overfitted().series
    there = {c.tag: c.look for c in chart("k", series[:2], SpillFile()).curves}
    back = {c.tag: c.look for c in chart("k", series[1::-1], SpillFile()).curves}
    assert there == back and there["train/loss"] != there["val/loss"]


def test_labels_at_the_ends_do_not_overlap():
    rows = [made.row(f"loss/{i}", np.full(50, 1 + i / 1000)) for i in range(6)]
    (panel,) = chart("k", rows, SpillFile()).panels
    places = sorted(curve.label_at for curve in panel.curves)
    assert all(b - a >= LABEL_HEIGHT - 0.01 for a, b in itertools.pairwise(places))


def test_series_without_curves_make_no_chart():
    rows = made.overfitted().without_curves().series
    assert chart("k", rows, SpillFile()) is None and spark(None) == ""


def test_many_series_are_named_where_they_are_not_drawn():
    rows = [made.row(f"loss/{i}", np.ones(5)) for i in range(20)]
    assert len(chart("k", rows, SpillFile()).left_out) == 12


def test_marks_that_fill_little_of_a_run_get_a_close_up():
    row = made.row("loss", np.ones(2000))
    near = close_up("k", [row], SpillFile(), [Mark("step", "loss", "here", (1000,))])
    assert 900 < near.panels[0].across.low < 1000 < near.panels[0].across.high < 1100
    assert close_up("k", [row], SpillFile(), [Mark("region", "loss", "", (0, 1900))]) is None
    assert close_up("k", [made.row("loss", np.ones(50))], SpillFile(), [Mark("step", "loss", "", (5,))]) is None


def test_forty_crowded_lines_become_a_region_and_a_label_is_told_once():
    row = made.row("loss", np.ones(20_000))
    lines = [Mark("step", "loss", "epoch", (i,)) for i in range(0, 400, 10)]
    (panel,) = chart("k", [row], SpillFile(), lines).panels
    assert [mark.kind for mark in panel.marks] == ["region"]
    regions = [Mark("region", "loss", "leap", (i, i + 50)) for i in (1000, 5000, 9000)]
    (panel,) = chart("k", [row], SpillFile(), regions).panels
    assert [mark.label for mark in panel.marks] == ["leap", "", ""]


def test_short_names_tell_series_apart():
    rows = [made.row(tag, [1.0]) for tag in ("a/x/loss", "a/y/loss")]
    assert labels(rows) == ["x", "y"]
    assert labels(made.overfitted().series[:2]) == ["train", "validation"]
