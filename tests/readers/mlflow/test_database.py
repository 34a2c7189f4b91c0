"""MLflow's database is read without a trace: what it holds comes back, and its folder stays byte for byte the same."""

import hashlib
import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from analyzer import audit
from analyzer.auditing.pipeline import Plan
from analyzer.errors import NoRunsError, SourceError, UsageError
from analyzer.readers import Choice, discover, open_source
from analyzer.readers.mlflow import connection
from analyzer.writers.page import page_name

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


ODD_IDS = {"long": b"a" * 5_000, "zero byte": b"a\0b", "no UTF-8": b"a\xed\xa0\x80b", "blank": b" "}


def rename_run(path, run_id):
    with closing(make_database(path)) as made, made:
        for table in ("runs", "metrics", "params", "tags"):
            made.execute(f"UPDATE {table} SET run_uuid = CAST(? AS TEXT) WHERE run_uuid = ?", (run_id, RUN))


@pytest.mark.parametrize("run_id", ODD_IDS.values(), ids=ODD_IDS)
def test_a_run_of_an_odd_id_is_read_whole(tmp_path, run_id):
    rename_run(tmp_path / "mlflow.db", run_id)
    (run,) = open_source(str(tmp_path))
    assert run.series["loss"].points == 5 and run.params["lr"] == "0.1" and not run.notes
    run.id.encode()


def test_a_run_of_an_odd_id_keeps_its_identity_from_audit_to_audit(tmp_path):
    (tmp_path / "logs").mkdir()
    for name, run_id in enumerate(ODD_IDS.values()):
        rename_run(tmp_path / "logs" / f"{name}.db", run_id)
    for state in ("new", "persisting"):
        night = audit([str(tmp_path / "logs")], tmp_path / "site", plan=Plan(tmp_path / "state"))
        assert len({one.run for one in night.results}) == len(ODD_IDS)
        for one in night.results:
            assert [found.state for found in one.findings if found.symptom == "non-finite"] == [state]
            assert (tmp_path / "site" / "runs" / page_name(one.run)).is_file()


def test_a_run_whose_id_cannot_be_asked_for_whole_is_lost_by_name(tmp_path, monkeypatch):
    monkeypatch.setattr("analyzer.readers.mlflow.tables.LONGEST_ID", 4_000)
    rename_run(tmp_path / "mlflow.db", ODD_IDS["long"])
    (ref,) = discover(str(tmp_path)).refs
    run = ref.load({}).run
    assert not run.series
    assert [note.kind for note in run.notes if "cannot be asked for" in note.message] == ["unreadable"]


def test_params_beyond_the_limit_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr("analyzer.readers.mlflow.tables.MOST_PAIRS", 1)
    make_database(tmp_path / "mlflow.db").close()
    (run,) = open_source(str(tmp_path))
    assert [note.message.partition(": ")[2] for note in run.notes] == [
        "the run has more than 1 params; the rest is left out"
    ]


def digest(folder: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.iterdir())}


def test_a_run_that_logged_no_metrics_comes_with_all_else(tmp_path):
    make_database(tmp_path / "mlflow.db").executescript("DELETE FROM metrics")
    (run,) = open_source(str(tmp_path))
    assert (run.name, run.declared, run.params["lr"]) == ("brisk-owl", "RUNNING", "0.1")
    assert not run.series
    assert not run.notes


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


def damage(path: Path, name: str, marker: bytes = b"\xa5") -> None:
    """Overwrite the root page of a table or index with bytes that are none of sqlite's."""
    connection = sqlite3.connect(path)
    (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (name,)).fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    raw = bytearray(path.read_bytes())
    raw[(page - 1) * size : page * size] = marker * size
    path.write_bytes(raw)


def test_a_broken_index_costs_no_point_and_is_named(tmp_path):
    connection = make_database(tmp_path / "mlflow.db")
    connection.execute("CREATE INDEX by_run ON metrics (run_uuid)")
    connection.commit()
    connection.close()
    damage(tmp_path / "mlflow.db", "by_run")
    before = digest(tmp_path)
    (run,) = open_source(str(tmp_path))
    assert run.series["loss"].points == 5
    assert [n.kind for n in run.notes] == ["damage"] and "malformed" in run.notes[0].message
    assert digest(tmp_path) == before


def test_a_broken_table_keeps_the_points_before_the_break(tmp_path):
    connection = make_database(tmp_path / "mlflow.db")
    rows = [("long", float(i), i, RUN, i, 0) for i in range(20_000)]
    connection.executemany("INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?)", rows)
    connection.commit()
    connection.close()
    raw = bytearray((tmp_path / "mlflow.db").read_bytes())
    raw[len(raw) * 3 // 4 :] = b"\xa5" * (len(raw) - len(raw) * 3 // 4)
    (tmp_path / "mlflow.db").write_bytes(raw)
    before = digest(tmp_path)
    runs = list(open_source(str(tmp_path)))
    assert [n.kind for run in runs for n in run.notes if n.kind in ("damage", "unreadable")]
    for run in runs:
        for tag, one in run.series.items():
            assert tag in ("loss", "long") and (tag != "long" or one.values.tolist() == one.steps.tolist())
    assert digest(tmp_path) == before


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\x00", b"no database at all" * 100, b"\x00" * 8192])
def test_a_file_that_is_no_database_is_left_as_it_was(tmp_path, content):
    (tmp_path / "mlflow.db").write_bytes(content)
    with pytest.raises(SourceError):
        list(open_source(f"sqlite:///{tmp_path}/mlflow.db"))
    assert (tmp_path / "mlflow.db").read_bytes() == content and len(list(tmp_path.iterdir())) == 1


def test_what_is_committed_is_read_while_a_transaction_is_on_its_way(tmp_path):
    make_database(tmp_path / "mlflow.db").close()
    writer = sqlite3.connect(tmp_path / "mlflow.db", isolation_level=None)
    for begin in ("BEGIN EXCLUSIVE", "BEGIN IMMEDIATE"):
        writer.execute(begin)
        if begin == "BEGIN IMMEDIATE":
            writer.execute("UPDATE metrics SET value = 7")
            assert (tmp_path / "mlflow.db-journal").stat().st_size
        (run,) = open_source(str(tmp_path))
        np.testing.assert_array_equal(run.series["loss"].values, [0.9, 0.5, np.nan, np.inf, -np.inf])
        assert not run.notes
        writer.execute("ROLLBACK")
    writer.close()


def test_a_database_that_stays_locked_is_named_after_the_time_allowed(tmp_path, monkeypatch):
    monkeypatch.setattr(connection, "WAIT", 0.3)
    make_database(tmp_path / "mlflow.db").close()
    writer = sqlite3.connect(tmp_path / "mlflow.db", isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    writer.execute("UPDATE metrics SET value = 7")
    before, began = digest(tmp_path), time.monotonic()
    (run,) = open_source(str(tmp_path))
    assert time.monotonic() - began < 30  # a lock that is waited for without end would never come
    assert [n.kind for n in run.notes] == ["unreadable"] and "locked" in run.notes[0].message
    assert digest(tmp_path) == before
    writer.execute("ROLLBACK")
    writer.close()


def test_a_kept_journal_without_a_transaction_is_no_damage(tmp_path):
    writer = make_database(tmp_path / "mlflow.db")
    writer.execute("PRAGMA journal_mode = PERSIST")
    writer.execute("CREATE TABLE other (x)")
    writer.close()
    assert (tmp_path / "mlflow.db-journal").stat().st_size
    before = digest(tmp_path)
    (run,) = open_source(str(tmp_path))
    assert run.series["loss"].points == 5 and not run.notes
    assert digest(tmp_path) == before


WRITER = """
import sqlite3, sys, time
one = sqlite3.connect(sys.argv[1], timeout=60, isolation_level=None)
print("ready", flush=True)
step, until = 0, time.monotonic() + 60
while time.monotonic() < until:
    one.execute("BEGIN")  # ten metrics of a step are one transaction, as MLflow logs a batch
    for key in "abcdefghij":
        one.execute("INSERT INTO metrics VALUES (?, ?, ?, ?, ?, 0)", (key, float(step), step, "a" * 32, step))
    one.execute("COMMIT")
    step += 1
    time.sleep(float(sys.argv[2]))
"""


@pytest.mark.parametrize(("wal", "pause"), [(False, "0.02"), (True, "0")])
def test_a_database_that_a_server_writes_to_is_read_whole_each_time(tmp_path, wal, pause):
    make_database(tmp_path / "mlflow.db", wal=wal).close()
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path / "mlflow.db"), pause], stdout=subprocess.PIPE
    )
    try:
        assert writer.stdout is not None and writer.stdout.readline()
        seen = 0
        for _ in range(25):
            (run,) = open_source(str(tmp_path))
            assert not run.notes
            known = {run.series[key].points if key in run.series else 0 for key in "abcdefghij"}
            (steps,) = known  # never a part of a transaction
            assert steps >= seen
            seen = steps
            if steps:
                assert run.series["j"].values.tolist() == list(range(steps))
        assert seen
    finally:
        writer.kill()
        writer.wait()
        writer.stdout.close()


def test_metrics_in_many_batches_are_put_together_right(tmp_path):
    connection = make_database(tmp_path / "mlflow.db")
    rows = [(f"k{i % 3}", float(i), i, RUN, i, 0) for i in range(50_001)]
    connection.executemany("INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?)", rows)
    connection.execute("UPDATE metrics SET is_nan = 0, value = 3.5 WHERE is_nan = 1")
    connection.commit()
    (run,) = open_source(str(tmp_path))
    for k in range(3):
        assert run.series[f"k{k}"].values.tolist() == run.series[f"k{k}"].steps.tolist() == [*range(k, 50_001, 3)]
    assert run.series["loss"].points == 5
    connection.execute("INSERT INTO metrics VALUES ('k0', 0, 99999, ?, 99999, 1)", (RUN,))  # one NaN
    connection.commit()
    connection.close()
    (again,) = open_source(str(tmp_path))
    assert again.series["k1"].values.tolist() == run.series["k1"].values.tolist()
    assert again.series["k0"].values[:-1].tolist() == run.series["k0"].values.tolist()
    assert np.isnan(again.series["k0"].values[-1])


EXPERIMENTS = """
CREATE TABLE experiments (experiment_id INTEGER PRIMARY KEY, name VARCHAR(256), lifecycle_stage VARCHAR(32));
INSERT INTO experiments VALUES (1, 'vision', 'active'), (2, 'speech', 'deleted');
CREATE TABLE datasets (dataset_uuid VARCHAR(36), experiment_id INTEGER, name VARCHAR(500), digest VARCHAR(36));
CREATE TABLE inputs (input_uuid VARCHAR(36), source_type VARCHAR(36), source_id VARCHAR(36),
                     destination_type VARCHAR(36), destination_id VARCHAR(36));
CREATE TABLE input_tags (input_uuid VARCHAR(36), name VARCHAR(255), value VARCHAR(500));
INSERT INTO datasets VALUES ('d', 1, 'iris', 'abc');
INSERT INTO input_tags VALUES ('i', 'mlflow.data.context', 'training');
"""


def test_experiments_and_data_sets_come_along_and_choose(tmp_path):
    connection = make_database(tmp_path / "mlflow.db")
    connection.executescript(EXPERIMENTS)
    connection.execute("INSERT INTO inputs VALUES ('i', 'DATASET', 'd', 'RUN', ?)", (RUN,))
    connection.execute("INSERT INTO runs VALUES (?, 'x', 'FINISHED', 5, 6, 'active', 2)", ("c" * 32,))
    connection.commit()
    connection.close()
    (run,) = open_source(str(tmp_path))  # those of a deleted experiment are deleted, too
    assert run.experiment == "vision" and run.tags["mlflow.datasets"] == "iris (training, abc)"
    for source in (str(tmp_path), str(tmp_path / "mlflow.db"), f"sqlite:///{tmp_path}/mlflow.db"):
        assert [r.id for r in discover(source, choice=Choice(("vision",)))] == [RUN]
        with pytest.raises(NoRunsError, match="did you mean 'vision'"):
            discover(source, choice=Choice(("visoin",)))
        with pytest.raises(UsageError, match="--filter"):
            discover(source, choice=Choice(filter="metrics.loss < 1"))
    everything = discover(str(tmp_path), choice=Choice(("speech",), deleted=True))
    assert [r.id for r in everything] == ["c" * 32]


@pytest.mark.parametrize(("name", "said"), [(b"a\nb", "malformed database schema (a b)"), (b"\xff", "can't decode")])
def test_what_sqlite_quotes_of_a_database_is_said_in_one_line(tmp_path, name, said):
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as made, made:
        made.execute("CREATE TABLE runs (run_uuid)")
        made.execute("PRAGMA writable_schema = 1")
        row = "('table', CAST(?1 AS TEXT), CAST(?1 AS TEXT), 9, 'CREATE nonsense')"
        made.execute(f"INSERT INTO sqlite_master VALUES {row}", (name,))
    (run,) = open_source(str(tmp_path))
    (note,) = run.notes
    assert said in note.message and "its reader failed" not in note.message
