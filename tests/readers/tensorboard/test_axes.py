"""What steps and times say is told in a note, each rule with its nearest counter-example; every point is kept."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from analyzer.model.run import Run
from analyzer.readers import open_source
from tests.readers.tensorboard.records import scalar, written


def read(folder: Path, *events: bytes) -> Run:
    written(folder, events)
    (run,) = open_source(str(folder))
    assert sum(series.points for series in run.series.values()) == len(events)
    return run


def loss(steps: Iterable[int], tag: str = "loss", begin: float = 1.6e9, every: float = 1.0) -> list[bytes]:
    return [scalar(tag, step, 1.0, begin + every * place) for place, step in enumerate(steps)]


def test_points_that_a_restart_overtakes_or_a_second_training_repeats_are_kept_as_written(tmp_path: Path) -> None:
    for name, steps in (("resumed", [*range(60), *range(40, 90)]), ("again", [*range(30), *range(30)])):
        run = read(tmp_path / name, *loss(steps))
        assert run.series["loss"].steps.tolist() == steps and not run.notes


def test_a_tag_per_epoch_is_told_and_stays_as_it_is(tmp_path: Path) -> None:
    events = [event for e in (9, 10, 11, 12) for event in loss(range(5), f"epoch {e}/loss", 1.6e9 + 10 * e)]
    run = read(tmp_path, *events)
    (note,) = run.notes
    assert "4 tags differ in one number" in note.message
    assert "epoch 9/loss … epoch 12/loss" in note.message
    assert len(run.series) == 4


def test_tags_that_are_written_side_by_side_or_once_each_are_no_tag_per_epoch(tmp_path: Path) -> None:
    side = [event for layer in range(6) for event in loss(range(5), f"layer_{layer}/loss")]
    once = [event for c in range(6) for event in loss([7], f"class_{c}/ap", 1.6e9 + c)]
    assert not read(tmp_path / "side", *side).notes
    assert not read(tmp_path / "once", *once).notes


def test_evaluations_on_an_axis_of_their_own_are_told(tmp_path: Path) -> None:
    train, val = loss(range(0, 6000, 10), "train/loss"), loss(range(10), "val/loss", every=60)
    (note,) = read(tmp_path / "own", *train, *val).notes
    assert "val/loss counts steps 0 to 9 while train/loss counts 0 to 5,990" in note.message
    same = loss(range(0, 6000, 600), "val/loss", every=60)
    assert not read(tmp_path / "same", *train, *same).notes
    short = loss(range(10), "warm/up", every=1)
    assert not read(tmp_path / "short", *train, *short).notes


def test_times_and_steps_that_say_nothing_are_survived(tmp_path: Path) -> None:
    ends = (-(2**63), 2**63 - 1)
    nowhen = [scalar(f"a{i}", step, 1.0, float("nan")) for i in range(5) for step in ends * 3]
    assert not read(tmp_path / "nan", *nowhen).notes
    assert not read(tmp_path / "far", *loss(ends, "far"), *loss(range(9), "near")).notes
