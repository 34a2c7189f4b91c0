"""A file is whole or not there."""

import stat
from pathlib import Path

import pytest

from analyzer.errors import OutputError
from analyzer.writers.text_file import write_text, write_whole


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    target = tmp_path / "page.html"
    write_text(target, "old")

    def fail(file):
        file.write("half")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_whole(target, fail)
    assert target.read_text() == "old" and [p.name for p in tmp_path.iterdir()] == ["page.html"]


def test_folders_are_made_and_others_may_read(tmp_path):
    write_text(tmp_path / "a" / "b.html", "x")
    assert stat.S_IMODE((tmp_path / "a" / "b.html").stat().st_mode) & 0o444


def test_devices_are_written_to_and_folders_refused(tmp_path):
    write_text(Path("/dev/null"), "x")
    with pytest.raises(OutputError, match="is a folder"):
        write_text(tmp_path, "x")
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        write_text(tmp_path / "file" / "page.html", "x")


@pytest.mark.parametrize("name", ["ä" * 120 + ".html", "界" * 80 + ".html", "a" * 250 + ".html"])
def test_a_name_of_as_many_bytes_as_a_file_may_have_is_written(tmp_path, name):
    write_text(tmp_path / name, "x")
    assert [p.name for p in tmp_path.iterdir()] == [name]
