"""MLflow's database is read without a trace: what it holds comes back, and its folder stays byte for byte the same."""

import hashlib
import os
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from analyzer.errors import NoRunsError, SourceError
from analyzer.readers import Choice, open_source

RUN, GONE = "a" * 32, "b" * 32
LARGEST = float(np.finfo(np.float64).max)

SCHEMA = """
CREATE TABLE runs (run_uuid VARCHAR(32) PRIMARY KEY, name VARCHAR(250), status VARCHAR(9), start_time BIGINT,
                   end_time BIGINT, lifecycle_stage VARCHAR(20), experiment_id INTEGER);
CREATE TABLE metrics (key VARCHAR(250), value FLOAT NOT NULL, timestamp BIGINT, run_uuid VARCHAR(32), step BIGINT,
                      is_nan BOOLEAN, PRIMARY KEY (key, timestamp, step, run_uuid, value, is_nan));
CREATE TABLE params (key VARCHAR(250), value VARCHAR(8000), run_uuid VARCHAR(32));
CREATE TABLE tags (key VARCHAR(250), value VARCHAR(8000), run_uuid VARCHAR(32));
"""


def make_database(path: Path, *, wal: bool = False) -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    if wal:
        connection.execute("PRAGMA journal_mode=WAL")
    connection.executescript(SCHEMA)
    connection.executemany(
        "INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, 1)",
        [(RUN, "calm-fox", "RUNNING", 1, None, "active"), (GONE, "lost", "FINISHED", 2, 3, "deleted")],
    )
    rows = [("loss", 0.5, 2000, RUN, 1, 0), ("loss", 0.9, 1000, RUN, 0, 0), ("loss", 0.0, 3000, RUN, 2, 1)]
    rows += [("loss", LARGEST, 4000, RUN, 3, 0), ("loss", -LARGEST, 5000, RUN, 4, 0), ("x", 1.0, 1, GONE, 0, 0)]
    connection.executemany("INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?)", rows)
    connection.execute("INSERT INTO params VALUES ('lr', '0.1', ?)", (RUN,))
    connection.execute("INSERT INTO params VALUES ('api_key', 'hunter2', ?)", (RUN,))
    connection.execute("INSERT INTO tags VALUES ('mlflow.runName', 'brisk-owl', ?)", (RUN,))
    connection.commit()
    return connection


def digest(folder: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.iterdir())}


@pytest.mark.parametrize("source", ["", "mlflow.db", "sqlite"])
def test_a_database_is_read_and_left_as_it_was(tmp_path, source):
    make_database(tmp_path / "mlflow.db").close()
    before = digest(tmp_path)
    address = f"sqlite:///{tmp_path}/mlflow.db" if source == "sqlite" else str(tmp_path / source)
    (run,) = open_source(address)
    assert (run.id, run.name, run.declared) == (RUN, "brisk-owl", "RUNNING")
    assert dict(run.params) == {"api_key": "***", "lr": "0.1"}
    loss = run.series["loss"]
    assert loss.steps.tolist() == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(loss.values, [0.9, 0.5, np.nan, np.inf, -np.inf])
    assert loss.wall_times.tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert digest(tmp_path) == before


def test_a_database_that_is_being_written_to_shows_what_is_committed(tmp_path):
    writer = make_database(tmp_path / "mlflow.db", wal=True)
    writer.execute("INSERT INTO metrics VALUES ('loss', 7.0, 9000, ?, 9, 0)", (RUN,))
    assert {p.suffix for p in tmp_path.iterdir()} == {".db", ".db-wal", ".db-shm"}
    (run,) = open_source(str(tmp_path))
    assert run.series["loss"].steps.tolist() == [0, 1, 2, 3, 4]
    writer.commit()
    (run,) = open_source(str(tmp_path))
    assert run.series["loss"].steps.tolist() == [0, 1, 2, 3, 4, 9]
    writer.close()


def test_a_write_ahead_log_without_its_index_is_read_from_a_copy(tmp_path):
    writer = make_database(tmp_path / "live.db", wal=True)
    other = tmp_path / "copy"
    other.mkdir()
    for suffix in ("", "-wal"):
        (other / f"mlflow.db{suffix}").write_bytes(Path(f"{tmp_path}/live.db{suffix}").read_bytes())
    writer.close()
    before = digest(other)
    (run,) = open_source(str(other))
    assert run.series["loss"].points == 5
    assert digest(other) == before


def test_deleted_runs_come_only_when_asked_for(tmp_path):
    make_database(tmp_path / "mlflow.db").close()
    assert {r.id for r in open_source(str(tmp_path), choice=Choice(deleted=True))} == {RUN, GONE}


def test_one_run_is_found_by_its_address_and_the_tracking_uri(tmp_path):
    make_database(tmp_path / "mlflow.db").close()
    (run,) = open_source(f"runs:/{RUN}", tracking_uri=f"sqlite:///{tmp_path}/mlflow.db")
    assert run.id == RUN
    with pytest.raises(SourceError, match="--tracking-uri"):
        list(open_source(f"runs:/{RUN}"))


def test_an_absent_database_is_not_created(tmp_path):
    with pytest.raises(SourceError, match="no such database"):
        list(open_source(f"sqlite:///{tmp_path}/absent.db"))
    assert not list(tmp_path.iterdir())


def test_a_database_that_is_no_mlflow_database_is_no_source(tmp_path):
    connection = sqlite3.connect(tmp_path / "other.db")
    connection.execute("CREATE TABLE t (x)")
    connection.close()
    with pytest.raises(NoRunsError):
        list(open_source(str(tmp_path)))


def test_an_old_schema_without_steps_is_read(tmp_path):
    connection = sqlite3.connect(tmp_path / "mlflow.db")
    connection.executescript(SCHEMA)
    connection.execute("DROP TABLE metrics")
    connection.execute("CREATE TABLE metrics (key VARCHAR(250), value FLOAT, timestamp BIGINT, run_uuid VARCHAR(32))")
    connection.execute("INSERT INTO runs VALUES (?, 'n', 'FINISHED', 1, 2, 'active', 1)", (RUN,))
    connection.execute("INSERT INTO metrics VALUES ('loss', 0.5, 1000, ?)", (RUN,))
    connection.commit()
    connection.close()
    (run,) = open_source(str(tmp_path))
    assert (run.series["loss"].steps.tolist(), run.series["loss"].values.tolist()) == ([0], [0.5])


def test_a_corrupt_database_is_one_failed_run_beside_healthy_ones(tmp_path):
    make_database(tmp_path / "mlflow.db").close()
    raw = bytearray((tmp_path / "mlflow.db").read_bytes())
    (tmp_path / "bad.db").write_bytes(raw[:100] + b"\xa5" * (len(raw) - 100))
    runs = {run.id: run for run in open_source(str(tmp_path))}
    assert set(runs) == {"bad.db", RUN}
    assert [n.kind for n in runs["bad.db"].notes] == ["unreadable"]


def test_a_hot_journal_is_named_and_not_repaired(tmp_path):
    make_database(tmp_path / "mlflow.db").close()
    (tmp_path / "mlflow.db-journal").write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + b"\x00" * 504)
    before = digest(tmp_path)
    (run,) = open_source(str(tmp_path))
    assert "journal" in run.notes[0].message
    assert digest(tmp_path) == before


def test_no_point_is_lost_to_a_strange_name(tmp_path):
    connection = make_database(tmp_path / "mlflow.db")
    rows = [(b"loss", 7.0, 1, RUN, 0, 0), (1, 1.0, 1, RUN, 0, 0), ("1", 2.0, 1, RUN, 0, 0), (None, 3.0, 1, RUN, 0, 0)]
    connection.executemany("INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?)", [*rows, ("None", 4.0, 1, RUN, 0, 0)])
    connection.commit()
    connection.close()
    (run,) = open_source(str(tmp_path))
    # sqlite itself turns the number 1 into the text of the column's kind; a blob of the same bytes is the same name
    sizes = {tag: one.points for tag, one in run.series.items()}
    assert sizes == {"loss": 6, "1": 2, "None": 1, "(no name)": 1}


def test_a_flag_that_is_no_flag_invents_no_nan(tmp_path):
    connection = make_database(tmp_path / "mlflow.db")
    connection.execute("INSERT INTO metrics VALUES ('odd', 1.0, 1, ?, 0, 'abc')", (RUN,))
    connection.execute("INSERT INTO metrics VALUES ('odd', 2.0, 2, ?, 1, 0)", (RUN,))
    connection.commit()
    connection.close()
    (run,) = open_source(str(tmp_path))
    assert run.series["odd"].values.tolist() == [2.0]
    assert [n.kind for n in run.notes] == ["damage"]


def test_a_database_without_params_still_gives_its_metrics(tmp_path):
    connection = make_database(tmp_path / "mlflow.db")
    connection.execute("DROP TABLE params")
    connection.commit()
    connection.close()
    (run,) = open_source(str(tmp_path))
    assert run.series["loss"].points == 5
    assert [n.kind for n in run.notes] == ["metadata"]


def test_a_view_in_the_place_of_a_table_is_not_asked(tmp_path):
    connection = make_database(tmp_path / "mlflow.db")
    connection.execute("DROP TABLE params")
    connection.execute(
        "CREATE VIEW params AS WITH RECURSIVE r(key, value, run_uuid) AS "
        "(SELECT 'a', 'b', 'c' UNION ALL SELECT key, value, run_uuid FROM r) SELECT * FROM r"
    )
    connection.commit()
    connection.close()
    (run,) = open_source(str(tmp_path))
    assert run.series["loss"].points == 5


def test_a_folder_whose_name_is_no_utf8_hides_nothing(tmp_path):
    folder = tmp_path / os.fsdecode(b"\xff\xfe")
    folder.mkdir()
    make_database(folder / "mlflow.db").close()
    (run,) = open_source(str(tmp_path))
    assert run.series["loss"].points == 5
