"""A real PostgreSQL is read in transactions that cannot write, whole, and no password of it is ever shown."""

import sys

import numpy as np
import pytest

from analyzer.cli import main
from analyzer.errors import NoRunsError, SourceError
from analyzer.readers import Choice, VerdictPayload, discover, open_source
from tests.readers.mlflow.servers import PASSWORD, free_port

psycopg = pytest.importorskip("psycopg", reason="the extra sql is not installed")
pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")

pytestmark = pytest.mark.xdist_group("postgres")
RUN, GONE, OTHER = "a" * 32, "b" * 32, "c" * 32
LARGEST = float(np.finfo(np.float64).max)
SCHEMA = """
CREATE TABLE experiments (experiment_id INTEGER PRIMARY KEY, name VARCHAR(256), lifecycle_stage VARCHAR(32));
CREATE TABLE runs (run_uuid VARCHAR(32) PRIMARY KEY, name VARCHAR(250), status VARCHAR(9), start_time BIGINT,
                   end_time BIGINT, lifecycle_stage VARCHAR(20), experiment_id INTEGER, artifact_uri VARCHAR(200));
CREATE TABLE metrics (key VARCHAR(250), value FLOAT NOT NULL, timestamp BIGINT, run_uuid VARCHAR(32), step BIGINT,
                      is_nan BOOLEAN, PRIMARY KEY (key, timestamp, step, run_uuid, value, is_nan));
CREATE TABLE latest_metrics (key VARCHAR(250), value FLOAT, timestamp BIGINT, step BIGINT, is_nan BOOLEAN,
                             run_uuid VARCHAR(32), PRIMARY KEY (key, run_uuid));
CREATE TABLE params (key VARCHAR(250), value VARCHAR(8000), run_uuid VARCHAR(32), PRIMARY KEY (key, run_uuid));
CREATE TABLE tags (key VARCHAR(250), value VARCHAR(8000), run_uuid VARCHAR(32), PRIMARY KEY (key, run_uuid));
"""


@pytest.fixture
def address(postgres):
    address = postgres()
    with psycopg.connect(address) as c:
        c.execute(SCHEMA)
        c.execute("INSERT INTO experiments VALUES (1, 'vision', 'active'), (2, 'speech', 'active')")
        runs = [(RUN, "calm-fox", "FINISHED", 1, 9, "active", 1), (GONE, "lost", "FINISHED", 2, 3, "deleted", 1)]
        for row in [*runs, (OTHER, "", "RUNNING", 3, None, "active", 2)]:
            c.execute("INSERT INTO runs VALUES (%s, %s, %s, %s, %s, %s, %s, 's3://bucket/x')", row)
        for row in [("loss", 0.5, 2000, 1, False), ("loss", 0.9, 1000, 0, False), ("loss", 0.0, 3000, 2, True),
                    ("loss", LARGEST, 4000, 3, False), ("loss", -LARGEST, 5000, 4, False)]:  # fmt: skip
            c.execute("INSERT INTO metrics VALUES (%s, %s, %s, %s, %s, %s)", (*row[:3], RUN, *row[3:]))
        c.execute("INSERT INTO latest_metrics VALUES ('loss', 1, 5000, 4, false, %s)", (RUN,))
        c.execute("INSERT INTO params VALUES ('lr', '0.1', %s), ('api_key', 'hunter2', %s)", (RUN, RUN))
        c.execute("INSERT INTO tags VALUES ('mlflow.runName', 'brisk-owl', %s)", (RUN,))
    return address


def test_a_run_comes_whole(address):
    run, other = open_source(address)
    assert (run.id, run.name, run.declared, run.experiment) == (
        RUN,
        "brisk-owl",
        "FINISHED",
        "vision",
    )
    assert dict(run.params) == {"api_key": "***", "lr": "0.1"}
    loss = run.series["loss"]
    assert loss.steps.tolist() == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(loss.values, [0.9, 0.5, np.nan, np.inf, -np.inf])
    assert loss.wall_times.tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert (other.id, other.declared, dict(other.series)) == (OTHER, "RUNNING", {})


def test_many_batches_lose_no_point(address):
    with psycopg.connect(address) as c:
        c.execute(
            "INSERT INTO metrics SELECT 'k' || i %% 3, i, i, %s, i, false FROM generate_series(1, 50001) i", (RUN,)
        )
    (run,) = open_source(address, run=RUN)
    assert {tag: s.points for tag, s in run.series.items()} == {"k0": 16667, "k1": 16667, "k2": 16667, "loss": 5}
    assert sorted(v for t in ("k0", "k1", "k2") for v in run.series[t].values) == list(range(1, 50002))


def test_the_transaction_itself_cannot_write(address):
    from analyzer.readers.mlflow.sql import opened

    with pytest.raises(SourceError, match="read-only transaction"), opened(address) as known:
        known.connection.exec_driver_sql("DELETE FROM tags")


def test_experiments_deleted_runs_and_one_run_are_chosen(address):
    assert [r.id for r in discover(address, choice=Choice(("speech",)))] == [OTHER]
    assert [r.id for r in discover(address, choice=Choice(deleted=True))] == [RUN, GONE, OTHER]
    assert [r.id for r in open_source(f"runs:/{RUN}", tracking_uri=address)] == [RUN]
    with pytest.raises(NoRunsError, match="did you mean 'vision'"):
        discover(address, choice=Choice(("visoin",)))


def test_the_stamp_changes_when_an_ended_run_is_logged_to(address):
    first, going = discover(address)
    assert first.stamp() == discover(address).refs[0].stamp() is not None and going.stamp() is None
    with psycopg.connect(address) as c:
        c.execute("UPDATE latest_metrics SET step = 9")
    assert discover(address).refs[0].stamp() != first.stamp()


def test_no_password_is_in_any_output(address, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    main(["audit", address, "-o", "site", "--json", "out.json"])
    main(["series", address])
    main(["dump", address + "_absent"])
    main(["series", address.replace(PASSWORD, PASSWORD + "-wrong")])
    main(["series", address.replace("postgresql:", "postgresql+absent:")])
    said = capsys.readouterr()
    assert "password authentication failed" in said.err and "does not exist" in said.out
    assert PASSWORD not in said.out + said.err + repr(discover(address).refs)
    assert not [p for p in tmp_path.rglob("*") if p.is_file() and PASSWORD.encode() in p.read_bytes()]


def test_a_verdict_goes_back_as_tags_and_only_once(address):
    ref = discover(address).refs[0]
    for word in (
        VerdictPayload("problems", ("plateau",), "page"),
        VerdictPayload("healthy", (), "page"),
        VerdictPayload("healthy", (), "page"),
    ):
        assert "was not stored" in str(ref.write_back(word))
        with psycopg.connect(address) as c:
            tags = dict(c.execute("SELECT key, value FROM tags WHERE run_uuid = %s", (RUN,)).fetchall())
        assert tags["posthoc.verdict"] == word.verdict and tags["mlflow.runName"] == "brisk-owl"


def test_what_is_no_mlflow_database_or_not_there_is_one_sentence(address, postgres):
    with pytest.raises(SourceError, match="not an MLflow database"):
        discover(postgres())
    with psycopg.connect(address) as c:
        c.execute("ALTER TABLE runs DROP COLUMN status")
    with pytest.raises(SourceError, match="unknown schema"):
        discover(address)
    with pytest.raises(SourceError, match="refuse"):
        discover(f"postgresql://ann:x@127.0.0.1:{free_port()}/mlflow")
    with pytest.raises(SourceError, match="not a database address"):
        discover("postgresql://ann:x@127.0.0.1:port/mlflow")


@pytest.mark.parametrize("missing", ["sqlalchemy", "psycopg"])
def test_a_missing_extra_is_named(monkeypatch, missing):
    from analyzer.readers.mlflow import sql

    sql.engine_of.cache_clear()
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(SourceError, match=r"posthoc\[sql\]"):
        discover("postgresql://ann:x@127.0.0.1:1/mlflow")
