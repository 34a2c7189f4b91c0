"""Files are written whole or not at all, and never where a planted file or link leads."""

import os

import pytest

from analyzer.files import replace_file

FIXED = "0" * 16


def test_a_planted_link_is_neither_followed_nor_overwritten(tmp_path, monkeypatch):
    outside, inside = tmp_path / "outside", tmp_path / "run"
    outside.write_text("precious")
    inside.mkdir()
    monkeypatch.setattr("analyzer.files.secrets.token_hex", lambda _: FIXED)  # as if the name had been guessed
    (inside / f".page.html.{os.getpid()}.{FIXED}.tmp").symlink_to(outside)
    with pytest.raises(FileExistsError):
        replace_file(inside / "page.html", lambda file: file.write(b"page"))
    assert outside.read_text() == "precious"
    assert not (inside / "page.html").exists()


def test_temporary_names_cannot_be_foreseen(tmp_path):
    names = set()
    for _ in range(2):
        replace_file(
            tmp_path / "page.html",
            lambda file: names.update(path.name for path in tmp_path.iterdir()) or file.write(b"page"),
        )
        (tmp_path / "page.html").unlink()
    assert len(names) == 2
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_when_writing_fails(tmp_path):
    def fail(file):
        file.write(b"half")
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        replace_file(tmp_path / "page.html", fail)
    assert list(tmp_path.iterdir()) == []
