"""A real MariaDB is read in transactions that cannot write, and takes a verdict back once."""

import numpy as np
import pytest

from analyzer.cli import main
from analyzer.errors import SourceError
from analyzer.readers import Choice, VerdictPayload, discover, open_source
from tests.readers.mlflow.peers import asked, compare
from tests.readers.mlflow.servers import PASSWORD

pymysql = pytest.importorskip("pymysql", reason="the extra sql is not installed")
sqlalchemy = pytest.importorskip("sqlalchemy", reason="the extra sql is not installed")

pytestmark = pytest.mark.xdist_group("mariadb")
RUN, GONE = "a" * 32, "b" * 32
LARGEST = float(np.finfo(np.float64).max)
SCHEMA = [
    "CREATE TABLE experiments (experiment_id INTEGER PRIMARY KEY, name VARCHAR(256), lifecycle_stage VARCHAR(32))",
    "CREATE TABLE runs (run_uuid VARCHAR(32) PRIMARY KEY, name VARCHAR(250), status VARCHAR(9), start_time BIGINT, "
    "end_time BIGINT, lifecycle_stage VARCHAR(20), experiment_id INTEGER, artifact_uri VARCHAR(200))",
    "CREATE TABLE metrics (`key` VARCHAR(250), value DOUBLE NOT NULL, timestamp BIGINT, run_uuid VARCHAR(32), "
    "step BIGINT NOT NULL DEFAULT 0, is_nan BOOLEAN NOT NULL DEFAULT 0)",
    "CREATE TABLE latest_metrics (`key` VARCHAR(250), value DOUBLE, timestamp BIGINT, step BIGINT, is_nan BOOLEAN, "
    "run_uuid VARCHAR(32))",
    "CREATE TABLE params (`key` VARCHAR(250), value VARCHAR(8000), run_uuid VARCHAR(32))",
    "CREATE TABLE tags (`key` VARCHAR(250), value VARCHAR(8000), run_uuid VARCHAR(32))",
    "INSERT INTO experiments VALUES (1, 'vision', 'active')",
    f"INSERT INTO runs VALUES ('{RUN}', 'calm-fox', 'FINISHED', 1, 9, 'active', 1, 's3://x')",
    f"INSERT INTO runs VALUES ('{GONE}', 'lost', 'FINISHED', 2, 3, 'deleted', 1, 's3://x')",
    f"INSERT INTO metrics VALUES ('loss', 0.5, 2000, '{RUN}', 1, 0), ('loss', 0.9, 1000, '{RUN}', 0, 0), "
    f"('loss', 0, 3000, '{RUN}', 2, 1), ('loss', {LARGEST}, 4000, '{RUN}', 3, 0), "
    f"('loss', {-LARGEST}, 5000, '{RUN}', 4, 0), ('a %s:run/损', -1, 1, '{RUN}', -7, 0)",
    f"INSERT INTO latest_metrics VALUES ('loss', 1, 5000, 4, 0, '{RUN}')",
    f"INSERT INTO params VALUES ('lr', '0.1', '{RUN}'), ('api_key', 'hunter2', '{RUN}')",
    f"INSERT INTO tags VALUES ('mlflow.runName', 'brisk-owl', '{RUN}')",
]


@pytest.fixture
def address(mariadb):
    address = mariadb()
    told(address, *SCHEMA)
    return address


def told(address, *statements):
    engine = sqlalchemy.create_engine(address.replace("mysql:", "mysql+pymysql:"), poolclass=sqlalchemy.pool.NullPool)
    with engine.begin() as connection:
        for statement in statements:
            result = connection.exec_driver_sql(statement.replace("%", "%%"))
        return result.fetchall() if result.returns_rows else None


def test_a_run_comes_whole(address):
    (run,) = open_source(address)
    assert (run.id, run.name, run.declared, run.experiment) == (RUN, "brisk-owl", "FINISHED", "vision")
    assert dict(run.params) == {"api_key": "***", "lr": "0.1"} and not run.notes
    loss, other = run.series["loss"], run.series["a %s:run/损"]
    assert loss.steps.tolist() == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(loss.values, [0.9, 0.5, np.nan, np.inf, -np.inf])
    assert (other.steps.tolist(), other.values.tolist()) == ([-7], [-1.0])
    assert [r.id for r in discover(address, choice=Choice(deleted=True))] == [RUN, GONE]
    assert [r.id for r in open_source(f"runs:/{GONE}", tracking_uri=address)] == [GONE]
    assert discover(address).refs[0].stamp() == discover(address).refs[0].stamp() is not None


def test_the_transaction_itself_cannot_write(address):
    from analyzer.readers.mlflow.sql import opened

    with pytest.raises(SourceError, match=r"(?i)read.only"), opened(address) as known:
        known.connection.exec_driver_sql("DELETE FROM tags")


def test_a_verdict_goes_back_as_tags_and_only_once(address):
    ref = discover(address).refs[0]
    for word in (
        VerdictPayload("problems", ("plateau",), "page"),
        VerdictPayload("healthy", (), "page"),
        VerdictPayload("healthy", (), "page"),
    ):
        assert "was not stored" in str(ref.write_back(word))
        rows = told(address, "SELECT `key`, value FROM tags")
        assert len(rows) == 3 and dict(rows)["posthoc.verdict"] == word.verdict


def test_no_password_is_in_any_output_and_failures_are_sentences(address, capsys):
    main(["series", address])
    main(["series", address + "_absent"])
    main(["series", address.replace(PASSWORD, PASSWORD + "-wrong")])
    said = capsys.readouterr()
    assert "loss" in said.out and "Unknown database" in said.err and "Access denied" in said.err
    assert PASSWORD not in said.out + said.err + repr(discover(address).refs)
    assert "Traceback" not in said.err


@pytest.mark.long
def test_random_runs_come_back_as_mlflow_reads_them(mariadb, mlflow_python, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    address = mariadb()
    uri = address.replace("mysql:", "mysql+pymysql:")
    compare(asked(mlflow_python, "log_and_read", uri, 5, 10), address)
