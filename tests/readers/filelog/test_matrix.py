"""Every kind of log against every way in which a file can be unlike what its writer meant.

Intact rows are kept, nothing is invented, and what was lost is named with the file.
"""

from __future__ import annotations

import codecs
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from analyzer.errors import NoRunsError
from analyzer.model.run import Run
from analyzer.readers import open_source
from tests.readers.filelog.test_fuzz import INTACT, LOSSES

TEXTS = sorted(set(INTACT) - {"wandb"})
TABLES = sorted(kind for kind in TEXTS if INTACT[kind][0].endswith((".csv", ".log", ".tsv")))
LINES = sorted(kind for kind in TEXTS if INTACT[kind][1].startswith(b"{") and INTACT[kind][1].count(b"\n") > 1)
TAGS = ("loss", "train/loss", "r", "learn/RMSE")


def runs_of(folder: Path, kind: str, raw: bytes) -> list[Run]:
    """Return the runs of a folder that holds the kind's file with these bytes."""
    path = folder / INTACT[kind][0]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw)
    try:
        return list(open_source(str(folder)))
    except NoRunsError as error:
        assert path.name in str(error) or not raw
        return []


def values(runs: list[Run]) -> list[float]:
    """Return the losses of runs, none of which may be a failure of its reader."""
    assert not any("its reader failed" in note.message for run in runs for note in run.notes)
    return [float(v) for run in runs for tag in TAGS if tag in run.series for v in run.series[tag].values]


def middle(raw: bytes, line: bytes) -> bytes:
    """Return the file with a further line in its middle."""
    lines = raw.split(b"\n")
    return b"\n".join([*lines[:12], line, *lines[12:]])


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: codecs.BOM_UTF8 + raw,
        lambda raw: codecs.BOM_UTF16_LE + raw.decode().encode("utf-16-le"),
        lambda raw: codecs.BOM_UTF16_BE + raw.decode().encode("utf-16-be"),
        lambda raw: raw.replace(b"\n", b"\r\n"),
    ],
    ids=["utf-8 mark", "utf-16 little", "utf-16 big", "crlf"],
)
@pytest.mark.parametrize("kind", TEXTS)
def test_the_same_text_in_another_encoding_is_the_same_run(
    tmp_path: Path, kind: str, change: Callable[[bytes], bytes]
) -> None:
    raw = INTACT[kind][1]
    runs = runs_of(tmp_path, kind, change(raw))
    assert sorted(values(runs)) == sorted(LOSSES)
    assert [note for run in runs for note in run.notes if note.kind in ("damage", "torn-tail")] == []


@pytest.mark.parametrize(
    ("cell", "why"), [(b'=HYPERLINK("x")', "formula"), (b"9" * (2 << 20), "huge"), (b"caf\xe9", "latin-1")]
)
@pytest.mark.parametrize("kind", TABLES)
def test_a_foreign_cell_costs_its_line_which_is_named(tmp_path: Path, kind: str, cell: bytes, why: str) -> None:
    name, raw = INTACT[kind]
    separator = b"\t" if name.endswith(".tsv") else b","
    width = raw.split(b"\n")[-2].count(separator)
    runs = runs_of(tmp_path, kind, middle(raw, separator.join([cell, *[b"1"] * width])))
    assert sorted(values(runs)) == sorted(LOSSES), why
    damage = [note.message for run in runs for note in run.notes if note.kind == "damage"]
    assert len(damage) == 1
    assert f"{Path(name).name}: line 13 " in damage[0]


@pytest.mark.parametrize(
    "line",
    [b'{"a":' * 100_000, b'{"loss": ' + b"9" * 5_000 + b"}", b"[" * 100_000, b'{"loss": "=1+1"}'],
    ids=["depth", "digits", "list", "formula"],
)
@pytest.mark.parametrize("kind", LINES)
def test_a_bomb_in_json_lines_costs_no_more_than_its_line(tmp_path: Path, kind: str, line: bytes) -> None:
    found = values(runs_of(tmp_path, kind, middle(INTACT[kind][1], line)))
    assert {value for value in found if math.isfinite(value)} == LOSSES


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n"
UNPROMISING = {"json", "jsonl", "keras"}  # their names are those of other files, too: a pointer may be no log at all


@pytest.mark.parametrize("kind", sorted(set(INTACT) - UNPROMISING))
def test_a_pointer_of_git_lfs_under_the_name_of_a_log_names_the_command(tmp_path: Path, kind: str) -> None:
    (run,) = runs_of(tmp_path, kind, POINTER)
    assert not run.could_be_read
    assert "git lfs pull" in run.notes[0].message


@pytest.mark.parametrize("kind", sorted(UNPROMISING))
def test_a_pointer_under_a_common_name_is_no_run(tmp_path: Path, kind: str) -> None:
    path = tmp_path / INTACT[kind][0]
    path.write_bytes(POINTER)
    with pytest.raises(NoRunsError, match="1 other file"):
        list(open_source(str(tmp_path)))


@pytest.mark.parametrize("kind", sorted(INTACT))
def test_an_empty_file_gives_no_point_and_no_failure(tmp_path: Path, kind: str) -> None:
    assert values(runs_of(tmp_path, kind, b"")) == []


@pytest.mark.parametrize("kind", sorted(INTACT))
def test_a_file_that_shrinks_after_it_was_found_gives_what_it_has_then(tmp_path: Path, kind: str) -> None:
    name, raw = INTACT[kind]
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw)
    source = open_source(str(tmp_path))
    path.write_bytes(raw[: len(raw) // 2])
    assert set(values(list(source))) < LOSSES
