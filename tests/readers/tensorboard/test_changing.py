"""Files that change or vanish while they are read, or are no files: no wrong point, no wait, the others untouched."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from analyzer.errors import SourceError
from analyzer.readers import discover, open_source
from analyzer.readers.tensorboard.file_reader import Content, read_file
from analyzer.readers.tensorboard.files import EventFile
from tests.readers.tensorboard.records import file_of, scalar, written

EVENTS = [scalar("loss", step, float(step)) for step in range(3000)]
OTHERS = [scalar("loss", step, -1.0) for step in range(3000)]


def read_while(monkeypatch: pytest.MonkeyPatch, path: Path, change: Callable[[], object], times: int = 1) -> Content:
    """Read a file that is changed when the records' window has been opened and not yet filled."""
    into, left = EventFile.read_into, [times]

    def changing(self: EventFile, buffer: object, at: int) -> None:
        if at > 0 and left[0]:
            left[0] -= 1
            change()
        into(self, buffer, at)

    monkeypatch.setattr(EventFile, "read_into", changing)
    return read_file(path, "file")


def steps(content: Content) -> list[int]:
    return content.points[b"loss"].steps.tolist() if b"loss" in content.points else []


def test_what_is_appended_meanwhile_is_left_for_the_next_time(tmp_path: Path, monkeypatch) -> None:
    path = written(tmp_path, EVENTS[:2000])

    def grow() -> None:
        with path.open("ab") as file:
            file.write(file_of(EVENTS[2000:], version=False))

    content = read_while(monkeypatch, path, grow)
    assert steps(content) == list(range(2000))
    assert steps(read_file(path, "file", content.mark)) == list(range(2000, 3000))


def test_a_file_cut_short_meanwhile_is_read_again(tmp_path: Path, monkeypatch) -> None:
    path = written(tmp_path, EVENTS)
    content = read_while(monkeypatch, path, lambda: os.truncate(path, len(file_of(EVENTS[:500]))))
    assert steps(content) == list(range(500))
    assert not content.notes


def test_a_file_rewritten_in_place_meanwhile_is_read_again(tmp_path: Path, monkeypatch) -> None:
    path = written(tmp_path, EVENTS)
    content = read_while(monkeypatch, path, lambda: path.write_bytes(file_of(OTHERS)))
    assert set(content.points[b"loss"].values) == {-1.0}


def test_a_file_rewritten_again_and_again_gives_no_point_and_says_so(tmp_path: Path, monkeypatch) -> None:
    path, turn = written(tmp_path, EVENTS), [0]

    def rewrite() -> None:
        turn[0] += 1
        path.write_bytes(file_of([scalar("loss", 1, float(turn[0]))] * 3000))

    content = read_while(monkeypatch, path, rewrite, times=1000)
    assert not content.points
    assert [note.kind for note in content.notes] == ["unreadable"]
    assert "rewritten" in content.notes[0].message


def test_a_file_replaced_or_deleted_meanwhile_is_read_as_it_was_opened(tmp_path: Path, monkeypatch) -> None:
    path = written(tmp_path, EVENTS)
    other = written(tmp_path / "new", OTHERS)
    assert read_while(monkeypatch, path, lambda: other.replace(path)).points[b"loss"].values[-1] == 2999.0
    path = written(tmp_path, EVENTS)
    assert steps(read_while(monkeypatch, path, path.unlink)) == list(range(3000))


def test_a_file_that_vanishes_before_it_is_read_costs_itself_only(tmp_path: Path) -> None:
    written(tmp_path / "a", EVENTS[:5])
    gone = written(tmp_path / "b", EVENTS[:5])
    refs = discover(str(tmp_path)).refs
    gone.unlink()
    first, second = (ref.read() for ref in refs)
    assert first.series["loss"].points == 5
    assert [note.kind for note in second.notes] == ["unreadable"]


def test_devices_are_never_read(tmp_path: Path) -> None:
    written(tmp_path, EVENTS[:5])
    (tmp_path / "events.out.tfevents.9.zero").symlink_to("/dev/zero")
    (run,) = open_source(str(tmp_path))
    assert run.series["loss"].points == 5
    (note,) = read_file("/dev/zero", "zero").notes
    assert note.kind == "unreadable"
    with pytest.raises(SourceError, match="neither a folder nor a regular file"):
        discover("/dev/zero")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="permissions bind ordinary users only")
def test_a_file_without_permission_is_named(tmp_path: Path) -> None:
    written(tmp_path, EVENTS[:5])
    written(tmp_path, EVENTS[:5], "events.out.tfevents.2.secret").chmod(0)
    (run,) = open_source(str(tmp_path))
    assert run.series["loss"].points == 5
    assert [(note.kind, note.file) for note in run.notes] == [("unreadable", "events.out.tfevents.2.secret")]


def test_a_file_that_fails_to_be_read_is_named(tmp_path: Path, monkeypatch) -> None:
    path = written(tmp_path, EVENTS[:5])

    def fail(self: EventFile, buffer: object, at: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(EventFile, "read_into", fail)
    (note,) = read_file(path, "file").notes
    assert (note.kind, note.message) == ("unreadable", "file: cannot be read (Input/output error)")
