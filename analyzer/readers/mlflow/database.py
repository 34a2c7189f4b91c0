"""MLflow's sqlite database through the standard library, read-only, leaving its folder as it was.

Runs are found by one query and read one by one by key, never ordered by time in SQL, which would make sqlite read all
runs for each. Names are taken as bytes: what differs in the database stays apart. A database may have been made to
harm: only plain tables are asked, texts and time are bounded.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analyzer.errors import SourceError
from analyzer.model.run import Note, Run, Series
from analyzer.model.secrets import mask_params
from analyzer.readers.clean import MOST_TEXT, distinct
from analyzer.readers.mlflow.connection import opened, text
from analyzer.readers.mlflow.points import series_of, unstored
from analyzer.readers.naming import shown_bytes, shown_path
from analyzer.readers.ref import RunRef, Update

NAME = "mlflow"
MAGIC = b"SQLite format 3\x00"
ENDINGS = (".db", ".sqlite", ".sqlite3", ".db3")
NEEDED = {"runs": {"run_uuid", "status", "lifecycle_stage"}, "metrics": {"key", "value", "timestamp", "run_uuid"}}

Row = tuple[object, ...]


@dataclass(frozen=True)
class DatabaseRun(RunRef):
    """A run in a database file, under the key `uuid`."""

    file: str
    uuid: str

    def load(self, marks: Mapping[str, str]) -> Update:
        """Return the run, always all of it; a database that fails in the middle costs this run and says so."""
        try:
            with opened(Path(self.file)) as connection:
                run = self._run(connection)
        except (sqlite3.Error, SourceError, OSError, MemoryError) as error:
            why = f"{shown_path(Path(self.file).name)}: run {self.uuid} could not be read ({error})"
            run = Run(self.id, self.name, NAME, self.location, notes=(Note("unreadable", why),))
        return Update(run, {}, whole=True)

    def stamp(self) -> str | None:
        """Return size and time of the database and its WAL: any change in it makes all its runs new."""
        marks = []
        for suffix in ("", "-wal"):
            try:
                found = os.stat(self.file + suffix)  # noqa: PTH116 - a suffix behind the whole name
            except OSError:
                continue
            marks.append(f"{found.st_size}:{found.st_mtime_ns}:{found.st_ino}")
        return "|".join(marks) or None

    def _run(self, connection: sqlite3.Connection) -> Run:
        notes: list[Note] = []
        series = self._series(connection, notes)
        params = mask_params(self._pairs(connection, "params", notes))
        tags = {name: str(value) for name, value in mask_params(self._pairs(connection, "tags", notes)).items()}
        query = "SELECT substr(status, 1, 100) FROM runs WHERE run_uuid = ?"
        status = connection.execute(query, (self.uuid,)).fetchone()
        name = tags.get("mlflow.runName") or self.name
        declared = text(status[0]).upper() if status and status[0] else None
        return Run(self.id, name, NAME, self.location, series, params, tags, notes=tuple(notes), declared=declared)

    def _pairs(self, connection: sqlite3.Connection, table: str, notes: list[Note]) -> dict[str, object]:
        if "key" not in columns_of(connection, table):
            where = shown_path(Path(self.file).name)
            notes.append(Note("metadata", f"{where}: it has no table {table}; the metrics are whole"))
            return {}
        query = (
            f"SELECT substr(key, 1, {MOST_TEXT}), substr(value, 1, {MOST_TEXT}) FROM {table} "  # noqa: S608 - one of two
            "WHERE run_uuid = ? ORDER BY key LIMIT 10000"
        )
        return {text(key): text(value) for key, value in connection.execute(query, (self.uuid,))}

    def _series(self, connection: sqlite3.Connection, notes: list[Note]) -> dict[str, Series]:
        columns = columns_of(connection, "metrics")
        step, is_nan = ("step" if "step" in columns else "0"), ("is_nan" if "is_nan" in columns else "0")
        query = f"SELECT key, timestamp, value, {step}, {is_nan} FROM metrics WHERE run_uuid = ? ORDER BY key"  # noqa: S608 - column names fixed above
        rows: dict[object, list[Row]] = {}
        for key, *row in connection.execute(query, (self.uuid,)):
            rows.setdefault(key, []).append(tuple(row))
        series: dict[str, Series] = {}
        for key, found in rows.items():
            tag = distinct(_shown_key(key), series)
            good = [row for row in found if _is_point(row)]
            if len(good) < len(found):
                what = f"{tag}: {len(found) - len(good)} rows that are no points were left out"
                notes.append(Note("damage", f"{shown_path(Path(self.file).name)}: {what}"))
            if good:
                stamps, values, steps, nans = zip(*good, strict=True)
                logged = unstored(np.array([v or 0.0 for v in values], np.float64), np.array(nans, np.bool_))
                series[tag] = series_of(tag, np.array(stamps, np.int64), logged, np.array(steps, np.int64))
        return series


def _shown_key(key: object) -> str:
    return shown_bytes(key) if isinstance(key, bytes) else "(no name)" if key is None else str(key)


def _is_point(row: Row) -> bool:
    stamp, value, step, nan = row
    flag = nan in (0, 1, None) and not isinstance(nan, bytes)
    return isinstance(stamp, int) and isinstance(step, int) and flag and (isinstance(value, (int, float)) or nan == 1)


def is_database(path: Path) -> bool:
    """Whether a regular file begins as sqlite's files do."""
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def runs_in(path: Path, *, include_deleted: bool) -> list[RunRef] | None:
    """Return references to the runs in a database, by start; None when it is sqlite, but none of MLflow's.

    SourceError when it cannot be read: locked, corrupt, of an unknown schema, or cut off in a transaction.
    """
    shown = shown_path(path)
    try:
        with opened(path) as connection:
            if not _is_mlflow(connection, shown):
                return None
            rows = connection.execute(
                "SELECT substr(run_uuid, 1, 200), substr(name, 1, 2000), substr(lifecycle_stage, 1, 50) "
                "FROM runs ORDER BY start_time, run_uuid"
            ).fetchall()
    except (sqlite3.Error, OSError, MemoryError) as error:
        why = f"{shown}: the database cannot be read ({error}); copy it again or close what writes it"
        raise SourceError(why) from error
    return [
        DatabaseRun(text(uuid), text(name) or text(uuid), NAME, shown, os.fspath(path), text(uuid))
        for uuid, name, stage in rows
        if include_deleted or text(stage) != "deleted"
    ]


def _is_mlflow(connection: sqlite3.Connection, shown: str) -> bool:
    kinds = {text(name): text(kind) for name, kind in connection.execute("SELECT name, type FROM sqlite_master")}
    if not {"runs", "metrics"} <= set(kinds):
        return False
    for table, needed in NEEDED.items():
        if kinds[table] != "table":
            raise SourceError(f"{shown}: {table} is a {kinds[table]}, not a table as MLflow makes it; it was not read")
        lacking = needed - columns_of(connection, table)
        if lacking:
            raise SourceError(
                f"{shown}: an MLflow database of an unknown schema ({table} lacks {', '.join(sorted(lacking))})"
            )
    return True


def columns_of(connection: sqlite3.Connection, table: str) -> set[str]:
    """Return the plain columns of a real table; none for a view, and generated columns do not count."""
    kind = connection.execute("SELECT type FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    if kind is None or text(kind[0]) != "table":
        return set()
    return {text(row[1]) for row in connection.execute(f"PRAGMA table_xinfo({table})") if row[6] == 0}
