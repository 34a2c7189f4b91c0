"""MLflow's sqlite file: each row of a run is a point or counted as lost, whatever types its columns hold.

The input puts rows of any type into the tables of MLflow, and may then change bytes of the file (databases.filled).
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from analyzer.errors import SourceError
from analyzer.readers.formats import Choice
from analyzer.readers.mlflow import database
from tests.fuzz.databases import COMMANDS, empty, filled, row
from tests.fuzz.inputs import Taken
from tests.fuzz.laws import counted, only, sound

SCHEMA = """
CREATE TABLE experiments (experiment_id INTEGER PRIMARY KEY, name VARCHAR(256), lifecycle_stage VARCHAR(32));
CREATE TABLE runs (run_uuid VARCHAR(32), name VARCHAR(250), status VARCHAR(9), start_time BIGINT, end_time BIGINT,
    lifecycle_stage VARCHAR(20), experiment_id INTEGER);
CREATE TABLE metrics (key VARCHAR(250), value FLOAT, timestamp BIGINT, run_uuid VARCHAR(32), step BIGINT,
    is_nan BOOLEAN);
CREATE TABLE params (key VARCHAR(250), value VARCHAR(8000), run_uuid VARCHAR(32));
CREATE TABLE tags (key VARCHAR(250), value VARCHAR(8000), run_uuid VARCHAR(32));
CREATE TABLE logged_models (model_id VARCHAR(500), name VARCHAR(500), source_run_id VARCHAR(32));
CREATE TABLE logged_model_metrics (model_id VARCHAR(500), metric_name VARCHAR(500), metric_timestamp_ms BIGINT,
    metric_step BIGINT, metric_value FLOAT, run_id VARCHAR(32));
"""
FIRST = "INSERT INTO runs VALUES ('a', 'fox', 'FINISHED', 1, 2, 'active', 1);"
TABLES = {"metrics": 6, "runs": 7, "params": 3, "tags": 3, "experiments": 3, "logged_models": 3,
          "logged_model_metrics": 6}  # fmt: skip


def one_input(data: bytes) -> None:
    """List the runs of a database and read each."""
    with tempfile.TemporaryDirectory() as folder, only(SourceError):
        path = Path(folder) / "mlflow.db"
        intact = filled(path, empty(SCHEMA, FIRST), TABLES, Taken(data))
        points = _rows_by_run(path) if intact else {}
        for ref in database.runs_in(path, Choice(deleted=True)) or ():
            run = sound(ref.load({}).run)
            kept = sum(one.points for one in run.series.values())
            if intact and run.could_be_read:
                assert kept + counted(run.notes, r": (\d+) rows that are not points") == points.get(ref.key, 0)


def _rows_by_run(path: Path) -> dict[str, int]:
    with closing(sqlite3.connect(path)) as connection:
        connection.text_factory = bytes
        query = "SELECT CAST(run_uuid AS BLOB), count(*) FROM metrics WHERE typeof(run_uuid) = 'text' GROUP BY run_uuid"
        return {key.decode("utf-8", "surrogateescape"): count for key, count in connection.execute(query)}


def seeds() -> Iterator[bytes]:
    """Yield points, plain and odd, everything that comes along with a run, and changes of the file."""
    plain = row(0, "loss", 0.5, 1000, "a", 0, 0) + row(0, "loss", 0.25, 1000, "a", 0, 0)
    yield plain
    yield (
        plain
        + row(0, "loss", 0.0, 3000, "a", 2, 1)
        + row(0, b"\xff", None, 1.5, "a", "x", 7)
        + row(0, "", 1, 1, "a", 1, None)
    )
    yield plain + row(2, "lr", "0.1", "a") + row(3, "mlflow.runName", b"owl", "a") + row(4, 1, "vision", "deleted")
    yield plain + row(5, "m", "one", "a") + row(5, "n", "two", "a") + row(6, "m", "loss", 1000, 0, 0.5, "a") + row(
        6, "n", "loss", 1000, 0, 0.25, "a")  # fmt: skip
    yield row(1, bytearray(b"b\xff"), None, 7, "x", 2.5, None, "1") + row(0, "x", 1.0, 1, bytearray(b"b\xff"), 0, 0)
    yield row(1, b"c", "blob", "RUNNING", 1, None, "active", 1) + row(0, "x", 1.0, 1, b"c", 0, 0)
    yield plain + COMMANDS + b"\x10\x00\x02\x02\x01\x00"
    yield plain + COMMANDS + b"\x60\x00\x04\x04\xff\xff\xff\xff"
