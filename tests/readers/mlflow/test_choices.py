"""One run by its id, experiments and filters mean the same at every kind of store, or are refused in a sentence."""

import sqlite3
from contextlib import closing

import pytest

from analyzer.cli import main
from analyzer.errors import NoRunsError, SourceError, UsageError
from analyzer.readers import Choice, discover, open_source
from tests.readers.mlflow.fake import Fake, run_json, serving
from tests.readers.mlflow.test_database import GONE, RUN, SCHEMA, make_database
from tests.readers.mlflow.test_file_store import make_run


@pytest.fixture(params=["folder", "file", "database", "database's path", "database's folder", "server"])
def tracker(request, tmp_path):
    """Return the address of a store with one run in the experiment `e`, and one that was deleted."""
    if request.param in ("folder", "file"):
        make_run(tmp_path / "ml runs", RUN, loss="1 2 3\n")
        make_run(tmp_path / "ml runs", GONE, stage="deleted", loss="1 2 3\n")
        place = str(tmp_path / "ml runs")
        yield f"file://{place}".replace(" ", "%20") if request.param == "file" else place
    elif request.param == "server":
        fake = Fake()
        fake.experiments = {"1": "e"}
        fake.runs = {RUN: run_json(RUN), GONE: run_json(GONE, stage="deleted")}
        with serving(fake) as address:
            yield address
    else:
        with closing(make_database(tmp_path / "mlflow.db")) as connection:
            connection.execute("CREATE TABLE experiments (experiment_id INTEGER, name TEXT, lifecycle_stage TEXT)")
            connection.execute("INSERT INTO experiments VALUES (1, 'e', 'active')")
            connection.commit()
        path = f"{tmp_path}/mlflow.db"
        yield {"database": f"sqlite:///{path}", "database's path": path}.get(request.param, str(tmp_path))


def test_a_run_is_had_by_its_id_from_every_store(tracker):
    (run,) = open_source(f"runs:/{RUN}", tracking_uri=tracker)
    assert (run.id, run.series["loss"].points > 0, run.experiment) == (RUN, True, "e")
    with pytest.raises(NoRunsError, match="no run has the id"):
        discover("runs:/" + "c" * 32, tracking_uri=tracker)


def test_who_names_a_deleted_run_asks_for_it(tracker):
    assert [r.id for r in discover(f"runs:/{GONE}", tracking_uri=tracker)] == [GONE]


def test_experiments_choose_and_a_filter_is_refused_where_one_run_is_named(tracker):
    for wanted in ("e", "1"):
        assert [r.id for r in discover(f"runs:/{RUN}", tracking_uri=tracker, choice=Choice((wanted,)))] == [RUN]
    with pytest.raises(NoRunsError, match="there are e"):
        discover(f"runs:/{RUN}", tracking_uri=tracker, choice=Choice(("zzz",)))
    with pytest.raises(UsageError, match="--filter"):
        discover(f"runs:/{RUN}", tracking_uri=tracker, choice=Choice(filter="metrics.loss < 1"))


def test_a_filter_is_put_to_a_server_and_refused_elsewhere(tracker):
    if tracker.startswith("http"):
        assert len(discover(tracker, choice=Choice(filter="metrics.loss < 1")).refs) == 1
        page = f"{tracker}/#/experiments/1/runs/{RUN}"
        with pytest.raises(UsageError, match="--filter"):
            discover(page, choice=Choice(filter="metrics.loss < 1"))
        with pytest.raises(NoRunsError, match="there are e"):
            discover(page, choice=Choice(("zzz",)))
    elif not tracker.startswith("file:"):
        with pytest.raises(UsageError, match="--filter"):
            discover(tracker, choice=Choice(filter="metrics.loss < 1"))


def test_what_is_no_tracking_address_says_so(tmp_path):
    (tmp_path / "text").write_text("no database")
    for tracker in (str(tmp_path / "absent"), str(tmp_path / "text"), "ftp://host/x", "file:///absent"):
        with pytest.raises(SourceError, match=r"kind|no such"):
            discover(f"runs:/{RUN}", tracking_uri=tracker)


def test_a_broken_database_is_named_whatever_experiment_is_wanted(tmp_path, capsys):
    make_run(tmp_path / "mlruns", RUN, loss="1 2 3\n")
    (tmp_path / "bad.db").write_bytes(b"SQLite format 3\x00" + b"\xa5" * 4096)
    found = discover(str(tmp_path), choice=Choice(("e",)))
    assert {r.id for r in found} == {RUN, "bad.db"}
    with pytest.raises(NoRunsError, match=r"no run has the id.*bad\.db.*cannot be read"):
        discover("runs:/" + "c" * 32, tracking_uri=str(tmp_path))
    assert main(["audit", str(tmp_path), "-o", str(tmp_path / "site"), "--write-back", "-q"]) == 2
    assert "no verdict was written back" in capsys.readouterr().err


@pytest.mark.parametrize("column", ["lifecycle_stage", "name", "start_time", "end_time", "experiment_id"])
def test_a_column_of_runs_that_is_not_there_costs_no_run(tmp_path, column):
    with closing(make_database(tmp_path / "mlflow.db")) as connection:
        connection.execute(f"ALTER TABLE runs DROP COLUMN {column}")
        connection.commit()
    runs = {run.id: run for run in open_source(str(tmp_path))}
    assert runs[RUN].series["loss"].points == 5 and not runs[RUN].notes
    assert (GONE in runs) == (column == "lifecycle_stage")


def test_a_null_in_any_column_of_runs_costs_no_run(tmp_path):
    with closing(make_database(tmp_path / "mlflow.db")) as connection:
        empty = ("name", "status", "start_time", "lifecycle_stage", "experiment_id")
        connection.execute(f"UPDATE runs SET {', '.join(f'{column} = NULL' for column in empty)}")
        connection.execute("INSERT INTO tags VALUES ('note', NULL, ?)", (RUN,))
        connection.execute("INSERT INTO params VALUES ('none', NULL, ?)", (RUN,))
        connection.commit()
    runs = {run.id: run for run in open_source(f"sqlite:///{tmp_path}/mlflow.db")}
    assert runs[RUN].series["loss"].points == 5
    assert (runs[RUN].declared, runs[RUN].params["none"], runs[RUN].tags["note"]) == (None, "", "")


def test_runs_with_nothing_logged_are_there_in_every_store(tmp_path):
    place = tmp_path / "mlruns" / "1" / RUN
    (place / "artifacts").mkdir(parents=True)  # as git keeps it: no empty folders but one that somebody filled
    (place / "meta.yaml").write_text(f"run_id: {RUN}\nexperiment_id: '1'\nstatus: 4\n")
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as connection:
        connection.executescript(SCHEMA)
        connection.execute("INSERT INTO runs VALUES (?, '', 'FAILED', 1, 2, 'active', 1)", ("d" * 32,))
        connection.commit()
    fake = Fake()
    fake.runs = {"e" * 32: run_json("e" * 32, metrics=(), status="FAILED")}
    fake.runs["e" * 32]["data"] = {}
    with serving(fake) as address:
        runs = [*open_source(str(tmp_path)), *open_source(address)]
    assert {run.id: (run.declared, dict(run.series)) for run in runs} == {
        key: ("FAILED", {}) for key in (RUN, "d" * 32, "e" * 32)
    }
    assert not any(run.notes for run in runs)


def test_a_version_of_a_model_is_no_run(tmp_path):
    make_run(tmp_path / "mlruns", RUN, loss="1 2 3\n")
    version = tmp_path / "mlruns" / "models" / "net" / "version-1"
    (version / "tags").mkdir(parents=True)
    (version / "meta.yaml").write_text(f"name: net\nversion: 1\nrun_id: {RUN}\n")
    assert [run.id for run in open_source(str(tmp_path))] == [RUN]
