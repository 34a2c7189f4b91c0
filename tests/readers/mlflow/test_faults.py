"""Every fault of a store: intact points are kept, damage is named, and the folder stays byte for byte as it was."""

import hashlib
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from analyzer.errors import PosthocError
from analyzer.readers import open_source
from tests.readers.mlflow.test_database import RUN, SCHEMA, make_database
from tests.readers.mlflow.test_file_store import make_run

BROKEN, WHOLE = "a" * 32, "b" * 32
LINES = "1000 0.5 0\n2000 0.25 1\n3000 0.125 2\n"
HUGE = b"run_id: x\nname: " + b"y" * (1 << 20)
BOMB = b"a: &a [x, x]\n" + b"".join(b"%c: &%c [*%c, *%c]\n" % (c, c, c - 1, c - 1) for c in range(98, 120))


def state(folder: Path) -> dict[str, tuple[str, int, int]]:
    """Return of everything in a folder, folders as well, its content and when it was changed."""
    return {
        str(place.relative_to(folder)): (
            hashlib.sha256(place.read_bytes()).hexdigest() if place.is_file() else "",
            place.stat().st_mtime_ns,
            place.stat().st_mode,
        )
        for place in sorted(folder.rglob("*"))
    }


METRICS = {
    "empty": (b"", None, []),
    "binary": (bytes(range(256)) * 20, {"damage", "torn-tail"}, []),
    "holed": (b"1000 0.5 0\n" + b"\x00" * 4096 + b"\n3000 0.125 2\n", {"damage"}, [0.5, 0.125]),
    "a hole at the end": (b"1000 0.5 0\n" + b"\x00" * 4096, {"torn-tail"}, [0.5]),
    "no text": ("1000 0.5 0\nähm\n3000 0.125 2\n".encode("latin-1"), {"damage"}, [0.5, 0.125]),
    "utf-16": (LINES.encode("utf-16"), {"damage", "torn-tail"}, []),
    "one long line": (b"1" * (1 << 20), {"torn-tail"}, []),
    "a long number": (b"1000 0.5 0\n1000 " + b"9" * 100_000 + b"x 1\n", {"damage"}, [0.5]),
}


@pytest.mark.parametrize("fault", METRICS)
def test_a_damaged_metric_costs_itself(tmp_path, fault):
    raw, kinds, kept = METRICS[fault]
    place = make_run(tmp_path, BROKEN, acc=LINES)
    (place / "metrics" / "loss").write_bytes(raw)
    make_run(tmp_path, WHOLE, loss=LINES)
    before = state(tmp_path)
    runs = {run.id: run for run in open_source(str(tmp_path))}
    assert state(tmp_path) == before
    assert {note.kind for note in runs[BROKEN].notes} == (kinds or set())
    assert all("metrics/loss" in note.message for note in runs[BROKEN].notes)
    assert (runs[BROKEN].series["loss"].values.tolist() if kept else "loss" not in runs[BROKEN].series) == (
        kept or True
    )
    assert runs[BROKEN].series["acc"].points == runs[WHOLE].series["loss"].points == 3
    assert not runs[WHOLE].notes


def test_a_metric_torn_at_any_byte_keeps_what_is_whole(tmp_path):
    place = make_run(tmp_path, loss="")
    for cut in range(len(LINES) + 1):
        (place / "metrics" / "loss").write_bytes(LINES[:cut].encode())
        before = state(tmp_path)
        (run,) = open_source(str(tmp_path))
        whole = LINES[:cut].count("\n")
        assert ([] if not whole else run.series["loss"].values.tolist()) == [0.5, 0.25, 0.125][:whole]
        torn = bool(LINES[:cut].rpartition("\n")[2])
        assert [note.kind for note in run.notes] == ["torn-tail"] * torn
        assert state(tmp_path) == before


METAS = {
    "empty": b"",
    "a list": b"- a\n- b\n",
    "a text": b"text",
    "an alias": b"a: &x 1\nb: *x\n",
    "a bomb": BOMB,
    "huge": HUGE,
    "deep": b"a: " + b"[" * 3000,
    "no text": b"\xff\xfe\x00",
    "holed": b"run_id: x\n" + b"\x00" * 100,
    "cut": b"run_id: 'abc",
    "an object": b"!!python/object/apply:os.system ['touch made']",
    "a folder": None,
    "missing": None,
}


@pytest.mark.parametrize("where", ["run", "experiment"])
@pytest.mark.parametrize("fault", METAS)
def test_a_broken_meta_yaml_costs_no_point(tmp_path, monkeypatch, fault, where):
    monkeypatch.chdir(tmp_path)
    place = make_run(tmp_path / "mlruns", BROKEN, loss=LINES)
    make_run(tmp_path / "mlruns", WHOLE, loss=LINES)
    meta = (place if where == "run" else place.parent) / "meta.yaml"
    meta.unlink()
    if fault == "a folder":
        meta.mkdir()
    elif fault != "missing":
        meta.write_bytes(METAS[fault])
    before = state(tmp_path)
    runs = {run.id: run for run in open_source("mlruns")}
    assert state(tmp_path) == before
    assert set(runs) == {BROKEN, WHOLE}
    assert all(run.series["loss"].points == 3 for run in runs.values())
    assert [note.kind for note in runs[BROKEN].notes] == ["metadata"] * (where == "run")
    assert not runs[WHOLE].notes


def big_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA page_size = 512")
        connection.executescript(SCHEMA)
        for key in (BROKEN, WHOLE):
            connection.execute("INSERT INTO runs VALUES (?, 'n', 'FINISHED', 1, 2, 'active', 1)", (key,))
            rows = [(k, float(i), 1000 * i, key, i, 0) for i in range(60) for k in ("loss", "acc")]
            connection.executemany("INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?)", rows)
            connection.execute("INSERT INTO params VALUES ('lr', '0.1', ?)", (key,))
        connection.commit()
    os.utime(path, (1, 1))


def read_without_a_trace(folder: Path) -> tuple[int, list[str]]:
    """Return how many points there are, none of them invented, and what is said of damage."""
    before = state(folder)
    points, said = 0, []
    try:
        for run in open_source(str(folder)):
            said += [note.message for note in run.notes]
            for tag, one in run.series.items():
                assert tag in ("loss", "acc")
                assert one.values.tolist() == one.steps.tolist() == one.wall_times.tolist()
                points += one.points
    except PosthocError as error:
        said.append(str(error))
    assert state(folder) == before
    return points, said


@pytest.mark.parametrize("filler", [b"\x00", b"\xa5"])
def test_a_database_with_any_page_overwritten_says_so_or_is_whole(tmp_path, filler):
    big_database(tmp_path / "mlflow.db")
    raw = (tmp_path / "mlflow.db").read_bytes()
    assert len(raw) > 40 * 512 and read_without_a_trace(tmp_path) == (240, [])
    lost = 0
    for page in range(len(raw) // 512):
        (tmp_path / "mlflow.db").write_bytes(raw[: page * 512] + filler * 512 + raw[(page + 1) * 512 :])
        os.utime(tmp_path / "mlflow.db", (1, 1))
        points, said = read_without_a_trace(tmp_path)
        assert points == 240 or said, page
        lost += points < 240
    assert lost


def test_a_database_cut_off_anywhere_says_so(tmp_path):
    big_database(tmp_path / "mlflow.db")
    raw = (tmp_path / "mlflow.db").read_bytes()
    for cut in range(0, len(raw) - 1, 389):
        (tmp_path / "mlflow.db").write_bytes(raw[:cut])
        os.utime(tmp_path / "mlflow.db", (1, 1))
        points, said = read_without_a_trace(tmp_path)
        assert points == 240 or said, cut


def test_a_run_whose_tags_are_broken_keeps_its_points(tmp_path):
    make_database(tmp_path / "mlflow.db").close()
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'tags'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    raw = (tmp_path / "mlflow.db").read_bytes()
    (tmp_path / "mlflow.db").write_bytes(raw[: (page - 1) * size] + b"\xa5" * size + raw[page * size :])
    before = state(tmp_path)
    (run,) = open_source(str(tmp_path))
    assert run.id == RUN and run.series["loss"].points == 5 and run.params["lr"] == "0.1"
    assert [note.kind for note in run.notes] == ["metadata"] and "tags" in run.notes[0].message
    assert state(tmp_path) == before
