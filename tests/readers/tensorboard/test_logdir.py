"""Event files on disk as runs: names, several files, sub-folders, hyper-parameters, links to what changed."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from tensorboardX import SummaryWriter

from analyzer.model.run import Run
from analyzer.readers import discover, open_source
from tests.readers.tensorboard.records import VERSION, file_of, record, scalar, tensor, written


def only(source: Path) -> Run:
    (run,) = open_source(str(source))
    return run


@pytest.mark.parametrize(
    "name",
    [
        "events.out.tfevents.1600000000.host",
        "events.out.tfevents.1600000000.host.with.dots.1.0.v2",
        "events.out.tfevents",
        "000000_worker_0.tfevents",
        "events.out.tfevents.1600000000.profile-empty",
        "my events [1]=x.tfevents.5",
    ],
)
def test_event_files_are_known_by_their_names(tmp_path: Path, name: str) -> None:
    written(tmp_path / "run", [scalar("loss", 1, 1.0)], name)
    assert only(tmp_path).series["loss"].points == 1


def test_a_single_file_is_a_run_named_after_itself_whatever_its_name(tmp_path: Path) -> None:
    for name in ("events.out.tfevents.1", "renamed.log"):
        run = only(written(tmp_path, [scalar("loss", 1, 1.0)], name))
        assert (run.id, run.series["loss"].values.tolist()) == (name, [1.0])


def test_a_unity_meta_file_beside_its_event_file_does_not_count(tmp_path: Path) -> None:
    path = written(tmp_path, [scalar("loss", 1, 1.0)])
    (tmp_path / (path.name + ".meta")).write_text("fileFormatVersion: 2\n")
    assert only(tmp_path).notes == ()


def test_keras_folders_become_one_run_with_prefixed_series(tmp_path: Path) -> None:
    for split in ("train", "validation"):
        events = [tensor("epoch_loss", e, 1 / (e + 1), plugin="scalars" if e == 0 else None) for e in range(3)]
        written(tmp_path / "exp" / split, events, "events.out.tfevents.1.host.v2")
    run = only(tmp_path)
    assert run.id == "exp"
    assert sorted(run.series) == ["train/epoch_loss", "validation/epoch_loss"]
    assert [note.kind for note in run.notes] == ["layout"]
    assert "train/, validation/" in run.notes[0].message


def test_a_split_given_as_source_is_read_as_it_stands(tmp_path: Path) -> None:
    for split in ("train", "validation"):
        written(tmp_path / split, [scalar("loss", 1, 1.0)])
    run = only(tmp_path / "train")
    assert (run.id, list(run.series)) == ("train", ["loss"])


def test_a_resumed_training_is_put_together_by_time_not_by_name(tmp_path: Path) -> None:
    written(tmp_path, [scalar("loss", s, 1.0, 1.6e9 + s) for s in range(10)], "events.out.tfevents.9.b")
    written(tmp_path, [scalar("loss", s, 2.0, 1.7e9 + s) for s in range(10, 15)], "events.out.tfevents.10.a")
    for name in ("events.out.tfevents.9.b", "events.out.tfevents.10.a"):  # the version records bear the same time
        raw = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(raw.removeprefix(VERSION))
    run = only(tmp_path)
    assert run.series["loss"].steps.tolist() == list(range(15))
    assert "2 event files" in run.notes[0].message


def test_a_restart_with_overlap_keeps_all_points_and_is_said(tmp_path: Path) -> None:
    written(tmp_path, [scalar("loss", s, 1.0, 1.6e9 + s) for s in range(10)], "events.out.tfevents.1.a")
    written(tmp_path, [scalar("loss", s, 2.0, 1.7e9 + s) for s in range(7, 12)], "events.out.tfevents.2.a")
    run = only(tmp_path)
    assert run.series["loss"].steps.tolist() == [*range(10), *range(7, 12)]
    assert "2 event files are read as one run" in run.notes[0].message


def test_runs_that_share_a_folder_are_read_as_one_run_and_the_note_says_so(tmp_path: Path) -> None:
    for number in (1, 2):
        written(tmp_path, [scalar("loss", s, 1.0) for s in range(5)], f"events.out.tfevents.{number}.a")
    run = only(tmp_path)
    assert run.series["loss"].points == 10
    assert "2 event files are read as one run" in run.notes[0].message


def test_side_files_without_points_are_not_worth_a_note(tmp_path: Path) -> None:
    written(tmp_path, [scalar("loss", 1, 1.0)], "events.out.tfevents.1.a")
    (tmp_path / "events.out.tfevents.2.a").write_bytes(VERSION)
    (tmp_path / "events.out.tfevents.3.a").write_bytes(b"")
    assert only(tmp_path).notes == ()


def test_one_unreadable_file_does_not_cost_the_others(tmp_path: Path) -> None:
    written(tmp_path, [scalar("loss", 1, 1.0)], "events.out.tfevents.1.a")
    (tmp_path / "events.out.tfevents.2.a").write_text("version https://git-lfs.github.com/spec/v1\n" * 3)
    run = only(tmp_path)
    assert run.series["loss"].points == 1
    assert [(note.kind, note.file) for note in run.notes] == [("unreadable", "events.out.tfevents.2.a")]


def test_add_hparams_and_add_scalars_belong_to_their_run(tmp_path: Path) -> None:
    with SummaryWriter(str(tmp_path / "exp")) as writer:
        for step in range(3):
            writer.add_scalar("lr", 0.1, step)
            writer.add_scalars("loss", {"train": 1.0, "val": 2.0}, step)
        writer.add_hparams({"lr": 0.1, "layers": 3, "name": "x", "api_key": "sk-1234567890abcdefghij"}, {"best": 0.5})
    run = only(tmp_path)
    assert run.id == "exp"
    assert dict(run.params) == {"lr": 0.1, "layers": 3, "name": "x", "api_key": "***"}
    assert {tag for tag in run.series if tag.startswith("loss")} == {"loss/train/loss", "loss/val/loss"}


def test_a_run_without_any_scalar_has_no_series_and_no_note(tmp_path: Path) -> None:
    written(tmp_path, [])
    run = only(tmp_path)
    assert (dict(run.series), run.notes) == ({}, ())


def test_arrays_are_read_only(tmp_path: Path) -> None:
    written(tmp_path, [scalar("loss", s, 1.0) for s in range(50)])
    curve = only(tmp_path).series["loss"]
    with pytest.raises(ValueError, match="read-only"):
        curve.values[0] = 2.0


def test_the_stamp_changes_with_the_files_and_only_then(tmp_path: Path) -> None:
    path = written(tmp_path, [scalar("loss", 1, 1.0)])
    (ref,) = discover(str(tmp_path))
    before = ref.stamp()
    assert before == ref.stamp()
    with path.open("ab") as file:
        file.write(record(scalar("loss", 2, 1.0)))
    assert ref.stamp() != before
    path.unlink()
    assert ref.stamp() is None
    assert [note.kind for note in ref.read().notes] == ["unreadable"]


def test_a_file_that_grows_and_is_rewritten_while_read_gives_no_wrong_point(tmp_path: Path) -> None:
    path = written(tmp_path, [])
    stop = threading.Event()
    long = file_of(scalar("loss", s, float(s)) for s in range(4000))

    def rewrite() -> None:
        while not stop.is_set():
            for size in (len(long), 500, len(long) // 2):
                path.write_bytes(long[:size])

    writer = threading.Thread(target=rewrite)
    writer.start()
    try:
        for _ in range(60):
            run = only(tmp_path)
            if "loss" in run.series:
                assert np.array_equal(run.series["loss"].steps, run.series["loss"].values)
    finally:
        stop.set()
        writer.join()


def test_twins_and_pieces_are_read_as_one_run_each(tmp_path: Path) -> None:
    for split in ("train", "val"):
        written(tmp_path / f"0911_{split}", [scalar("loss", s, 1.0, 1.6e9 + s) for s in range(5)])
    for epoch in range(10):
        points = [scalar("loss", s, 3 - epoch - s / 10, 1.6e9 + 100 * epoch + s) for s in range(5)]
        written(tmp_path / "pieces" / str(epoch), points)
    runs = {run.id: run for run in open_source(str(tmp_path))}
    assert sorted(runs) == ["0911", "pieces"]
    assert sorted(runs["0911"].series) == ["train/loss", "val/loss"]
    assert runs["pieces"].series["loss"].points == 50
    assert (np.diff(runs["pieces"].series["loss"].values) < 0).all()
    assert any("pieces of one training" in note.message for note in runs["pieces"].notes)


def test_two_series_with_one_name_stay_two_and_a_note_says_so(tmp_path: Path) -> None:
    written(tmp_path / "run", [scalar("train/loss", step, 1.0) for step in range(100)])
    written(tmp_path / "run" / "train", [scalar("loss", step, 2.0) for step in range(150)])
    runs = list(open_source(str(tmp_path)))
    assert sum(series.points for run in runs for series in run.series.values()) == 250
    if len(runs) == 1:
        assert any("two series are called" in note.message for note in runs[0].notes)
