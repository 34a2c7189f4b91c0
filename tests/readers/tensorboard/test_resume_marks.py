"""Reading what was appended gives, together with what was read before, the whole; anything else is noticed."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analyzer.readers import Update, discover
from analyzer.readers.tensorboard.resume_marks import FileMark
from tests.readers.tensorboard.records import file_of, scalar, tensor, written
from tests.readers.tensorboard.test_file_reader import event_files

NAME = "events.out.tfevents.1.host"


def update(folder: Path, marks: dict[str, str]) -> Update:
    (ref,) = discover(str(folder))
    return ref.update(marks)


def added(before: dict[str, list[float]], new: Update) -> dict[str, list[float]]:
    """Points (bits of step and value) by tag, those of the update behind those known."""
    result = {} if new.whole else {tag: list(points) for tag, points in before.items()}
    for tag, series in new.run.series.items():
        bits = np.stack((series.steps, series.values.view(np.int64)), axis=1).tolist()
        result.setdefault(tag, []).extend(bits)
    return result


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(event_files(), st.lists(st.floats(0, 1), max_size=4))
def test_a_growing_file_read_in_pieces_is_the_whole_file(tmp_path_factory, data: bytes, cuts: list[float]) -> None:
    assert_pieces_are_the_whole(tmp_path_factory.mktemp("run"), data, [int(cut * len(data)) for cut in cuts])


def assert_pieces_are_the_whole(folder: Path, data: bytes, sizes: list[int]) -> None:
    known: dict[str, list[float]] = {}
    marks: dict[str, str] = {}
    for size in [*sorted(sizes), len(data)]:
        (folder / NAME).write_bytes(data[:size])
        new = update(folder, marks)
        known, marks = added(known, new), dict(new.marks)
    assert known == added({}, update(folder, {}))


def test_an_untouched_file_gives_nothing_new(tmp_path: Path) -> None:
    written(tmp_path, [scalar("loss", s, 1.0) for s in range(20)])
    first = update(tmp_path, {})
    again = update(tmp_path, dict(first.marks))
    assert first.whole
    assert not again.whole
    assert not again.run.series
    assert again.marks == first.marks


def test_only_new_bytes_are_read(tmp_path: Path, monkeypatch) -> None:
    path = written(tmp_path, [scalar("loss", s, 1.0) for s in range(100_000)])
    first = update(tmp_path, {})
    with path.open("ab") as file:
        file.write(file_of([scalar("loss", 100_000, 1.0)], version=False))
    read = []
    from analyzer.readers.tensorboard.files import EventFile

    into = EventFile.read_into
    monkeypatch.setattr(
        EventFile, "read_into", lambda self, buffer, at: read.append(buffer.size) or into(self, buffer, at)
    )
    new = update(tmp_path, dict(first.marks))
    assert new.run.series["loss"].steps.tolist() == [100_000]
    assert sum(read) < 100_000


def test_a_rewritten_or_shortened_file_is_read_from_the_beginning(tmp_path: Path) -> None:
    path = written(tmp_path, [scalar("loss", s, 1.0) for s in range(20)])
    marks = dict(update(tmp_path, {}).marks)
    for events in ([scalar("loss", s, 2.0) for s in range(30)], [scalar("loss", s, 1.0) for s in range(5)]):
        path.write_bytes(file_of(events))
        new = update(tmp_path, marks)
        assert new.whole
        assert new.run.series["loss"].points == len(events)


def test_a_file_replaced_by_one_of_the_same_size_and_time_is_noticed_by_its_inode(tmp_path: Path) -> None:
    path = written(tmp_path, [scalar("loss", s, 1.0) for s in range(20)])
    times = path.stat()
    marks = dict(update(tmp_path, {}).marks)
    other = tmp_path / "other"
    other.write_bytes(file_of([scalar("loss", s, 2.0) for s in range(20)]))
    other.replace(path)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    new = update(tmp_path, marks)
    assert new.whole
    assert set(new.run.series["loss"].values) == {2.0}


def test_a_new_file_beside_is_appended_and_a_vanished_one_means_reading_all(tmp_path: Path) -> None:
    written(tmp_path, [scalar("loss", s, 1.0) for s in range(3)], "events.out.tfevents.1.a")
    marks = dict(update(tmp_path, {}).marks)
    second = written(tmp_path, [scalar("loss", s, 1.0) for s in range(3, 5)], "events.out.tfevents.2.a")
    new = update(tmp_path, marks)
    assert (new.whole, new.run.series["loss"].steps.tolist()) == (False, [3, 4])
    second.unlink()
    assert update(tmp_path, dict(new.marks)).whole


def test_what_a_first_record_said_of_a_tag_is_remembered(tmp_path: Path) -> None:
    path = written(tmp_path, [tensor("mesh", 0, 1.0, plugin="mesh")])
    marks = dict(update(tmp_path, {}).marks)
    with path.open("ab") as file:
        file.write(file_of([tensor("mesh", 1, 1.0)], version=False))
    new = update(tmp_path, marks)
    assert not new.whole
    assert not new.run.series


@pytest.mark.parametrize("first", [None, "", "scalars", "mesh"])
@pytest.mark.parametrize("second", [None, "", "scalars", "mesh"])
@pytest.mark.parametrize("size", [1, 2])
def test_whatever_two_records_say_of_a_tag_pieces_are_the_whole(
    tmp_path: Path, first: str | None, second: str | None, size: int
) -> None:
    events = [tensor("", 0, 1.0, plugin=first), tensor("", 1, [1.0] * size, plugin=second), tensor("", 2, 1.0)]
    data = file_of(events)
    for cut in (0, len(file_of([])), len(file_of(events[:1])), len(file_of(events[:2])), len(data) - 1):
        assert_pieces_are_the_whole(tmp_path, data, [cut])


def test_metadata_that_comes_late_for_points_already_given_means_reading_all(tmp_path: Path) -> None:
    path = written(tmp_path, [tensor("mesh", 0, 1.0)])
    first = update(tmp_path, {})
    assert first.run.series["mesh"].points == 1
    with path.open("ab") as file:
        file.write(file_of([tensor("mesh", 1, 1.0, plugin="mesh")], version=False))
    new = update(tmp_path, dict(first.marks))
    assert new.whole
    assert not new.run.series


def test_an_earlier_file_of_a_folder_that_grows_means_reading_all_for_the_order_written(tmp_path: Path) -> None:
    older = tmp_path / "events.out.tfevents.1.a"
    for name, wall in ((older.name, 1.6e9), ("events.out.tfevents.2.a", 1.7e9)):
        (tmp_path / name).write_bytes(file_of([scalar("loss", 0, wall, wall)], version=False))
    marks = dict(update(tmp_path, {}).marks)
    with older.open("ab") as file:
        file.write(file_of([scalar("loss", 1, 1.0, 1.8e9)], version=False))
    new = update(tmp_path, marks)
    assert new.whole
    assert new.run.series["loss"].wall_times.tolist() == [1.6e9, 1.8e9, 1.7e9]


def test_marks_that_make_no_sense_mean_reading_all(tmp_path: Path) -> None:
    path = written(tmp_path, [scalar("loss", 1, 1.0)])
    good = update(tmp_path, {}).marks[path.name]
    assert FileMark.parsed(good).text() == good
    for text in (
        "",
        "{}",
        "[]",
        "null",
        '{"tags": 3}',
        good.replace("size", "sise"),
        good.replace("[]", '[["a", "b"]]'),
    ):
        assert FileMark.parsed(text) is None
        assert update(tmp_path, {path.name: text}).whole
