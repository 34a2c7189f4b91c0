"""Trackio's local cache: an sqlite file per project, its rows as JSON; NaN and Infinity stand there as text."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any

from analyzer.errors import SourceError
from analyzer.model.formatting import in_one_line
from analyzer.model.run import Note
from analyzer.readers.display_names import shown_path
from analyzer.readers.filelog import config_files
from analyzer.readers.filelog.cells import time_of
from analyzer.readers.filelog.json_rows import numbers_of
from analyzer.readers.filelog.kind import Candidate, Content, Group, Kind, Listing, Reading
from analyzer.readers.filelog.labels import UNNAMED
from analyzer.readers.filelog.rows import Gathered, Table, chosen_axis, clock_of, series_of
from analyzer.readers.mlflow.connection import FAILURES, answer

_MAGIC = b"SQLite format 3\x00"
_COLUMNS = frozenset({b"run_name", b"step", b"timestamp", b"metrics"})
_NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_STEP, _TIME = "_step", "_timestamp"
_FAILURES = (*FAILURES, SourceError, OSError, MemoryError)


class Trackio(Kind):
    """A run for each name in the file's table `metrics`."""

    name = "trackio"
    names = ("*.db",)

    def is_one(self, candidate: Candidate) -> bool:
        """Whether it is an sqlite file; whether it is Trackio's is asked of its tables."""
        return candidate.head.startswith(_MAGIC)

    def groups(self, listing: Listing) -> Iterator[Group]:
        """Yield the runs of each file that has Trackio's table."""
        if listing.place.store is not None:
            return  # sqlite reads files of this machine only
        for candidate in listing.candidates(self):
            try:
                keys = answer(listing.place.path(candidate.path), _keys)
            except _FAILURES:
                continue  # MLflow's reader names databases that cannot be read
            for key in keys:
                yield Group(candidate.path, ((candidate.path, ""),), key=key)

    def read(self, reading: Reading) -> Content:
        """Return the rows of one run, and its configuration."""
        path, _ = reading.group.files[0]
        content, shown = Content(), shown_path(path)

        def ask(connection: sqlite3.Connection) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
            return _rows(connection, reading.group.key), _config(connection, reading.group.key)

        try:
            rows, configs = answer(reading.place.path(path), ask)
        except _FAILURES as error:
            content.notes.append(
                Note("unreadable", f"{shown}: the database cannot be read ({in_one_line(error)})", shown)
            )
            return content
        gathered, lost = Gathered(), 0
        for step, time, text in rows:
            row = _object(text)
            lost += row is None
            if row is not None:
                gathered.add({**_values(row), **_placed(step, time)})
        if lost:
            content.notes.append(Note("damage", f"{shown}: {lost} row(s) hold no JSON object and were left out", shown))
        for (text,) in configs:
            content.params |= {k: v for k, v in config_files.flat(_object(text) or {}).items() if not k.startswith("_")}
        table = Table(gathered.size, gathered.columns())
        walls, clock = clock_of(table, (_TIME,))
        content.series = series_of(table, chosen_axis(table, (_STEP,)), walls, without={*clock, _TIME})
        return content


def _columns(connection: sqlite3.Connection, table: str) -> set[bytes]:
    return {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}


def _keys(connection: sqlite3.Connection) -> list[str]:
    """Return the runs in the order of their beginning; none when the file is not Trackio's."""
    if not _columns(connection, "metrics") >= _COLUMNS:
        return []
    rows = connection.execute("SELECT run_name FROM metrics GROUP BY run_name ORDER BY min(id)")
    names = (UNNAMED.encode() if name is None else name for (name,) in rows)
    return list(dict.fromkeys(name.decode("utf-8", "surrogateescape") for name in names if isinstance(name, bytes)))


_OF_RUN = (
    f"run_name = CAST(:run AS TEXT) OR run_name = :run OR (run_name IS NULL AND :run = x'{UNNAMED.encode().hex()}')"
)
"""The rows of a run, whose name may be any bytes, kept as text or as a blob, or none."""


def _asked(key: str) -> dict[str, bytes]:
    return {"run": key.encode("utf-8", "surrogateescape")}


def _rows(connection: sqlite3.Connection, key: str) -> list[tuple[Any, ...]]:
    query = f"SELECT step, timestamp, metrics FROM metrics WHERE {_OF_RUN} ORDER BY id"  # noqa: S608 - fixed above
    return connection.execute(query, _asked(key)).fetchall()


def _config(connection: sqlite3.Connection, key: str) -> list[tuple[Any, ...]]:
    if not _columns(connection, "configs") >= {b"run_name", b"config"}:
        return []
    query = f"SELECT config FROM configs WHERE {_OF_RUN}"  # noqa: S608 - fixed above
    return connection.execute(query, _asked(key)).fetchall()


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _object(value: object) -> Mapping[str, Any] | None:
    try:
        found = json.loads(value) if isinstance(value, bytes) else None
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _values(row: Mapping[str, Any]) -> dict[str, float]:
    return numbers_of({key: _NON_FINITE.get(str(value), value) for key, value in row.items()})


def _placed(step: object, time: object) -> dict[str, float]:
    placed = {_STEP: float(step)} if isinstance(step, int) else {}
    seconds = time_of(_text(time), None) if isinstance(time, bytes) else None
    placed[_TIME] = math.nan if seconds is None else seconds
    return placed


KIND = Trackio()
