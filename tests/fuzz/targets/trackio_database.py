"""Trackio's sqlite file: each row of a run with a number is a point, one that holds no object is counted.

The input puts rows of any type into Trackio's tables, and may then change bytes of the file (databases.filled).
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from analyzer.errors import SourceError
from analyzer.readers import discover
from analyzer.readers.filelog.cells import number_in
from tests.fuzz.databases import COMMANDS, empty, filled, row
from tests.fuzz.inputs import Taken
from tests.fuzz.laws import counted, only, sound

SCHEMA = """
CREATE TABLE metrics (id INTEGER PRIMARY KEY AUTOINCREMENT, timestamp TEXT, run_name TEXT, step INTEGER, metrics TEXT);
CREATE TABLE configs (run_name TEXT, config TEXT);
"""
TABLES = {"metrics": 5, "configs": 2}


def one_input(data: bytes) -> None:
    """Find the runs of a file and read each."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "project.db"
        intact = filled(path, empty(SCHEMA), TABLES, Taken(data))
        rows, objects, losses = _there(path) if intact else (0, 0, 0)
        runs = []
        with only(SourceError):
            runs = [sound(replace(ref.load({}).run, id=ref.id)) for ref in discover(folder)]
    if intact:
        assert counted((note for run in runs for note in run.notes), r"(\d+) row\(s\) hold no JSON") == rows - objects
        assert sum(run.series["loss"].points for run in runs if "loss" in run.series) == losses


def _there(path: Path) -> tuple[int, int, int]:
    """Return how many rows there are, how many of them are objects, and have a number called loss."""
    with closing(sqlite3.connect(path)) as connection:
        connection.text_factory = bytes
        texts = [text for (text,) in connection.execute("SELECT metrics FROM metrics")]
    found = [each for each in map(_object, texts) if each is not None]
    return len(texts), len(found), sum(1 for each in found if number_in(each.get("loss")) is not None)


def _object(text: object) -> dict[str, object] | None:
    try:
        found = json.loads(text) if isinstance(text, bytes) else None
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def seeds() -> Iterator[bytes]:
    """Yield rows, plain and odd, and changes of the file."""
    plain = row(0, 1, "2026-01-02T03:04:05", "a", 0, '{"loss": 0.5}') + row(0, 2, None, "a", 1, '{"loss": "NaN"}')
    yield plain + row(1, "a", '{"lr": 0.1, "in": {"b": 1}}')
    yield plain + row(0, 3, b"x", "b", "y", "no") + row(0, None, 7, "b", 1.5, b'{"loss": 1.5}')
    yield row(0, 1, "0001-01-01", bytearray(b"b\xff"), 0, '{"loss": 0.5}')
    yield row(0, 1, "9999-12-31T23:59:59", b"blob", 0, '{"loss": 0.5}') + row(0, 2, "", None, 0, '{"loss": 0.5}')
    yield plain + COMMANDS + b"\x10\x00\x02\x02\x01\x00"
