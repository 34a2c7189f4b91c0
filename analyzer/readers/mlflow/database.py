"""MLflow's sqlite database through the standard library, read-only, leaving its folder as it was.

A database in WAL mode opened read-only creates its `-wal` and `-shm` and leaves them. So: without these sidecars it is
opened as immutable and its size and time are looked at again afterwards; with both it is opened read-only; with a
`-wal` alone a private copy is read. A hot journal (a transaction that was cut off) would have to be rolled back by
its writer: it is named, not repaired. Runs are found by one query and read one by one by key, never ordered by time
in SQL, which would make sqlite read all runs for each.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from urllib.parse import quote

import numpy as np

from analyzer.errors import SourceError
from analyzer.model.run import Note, Run, Series
from analyzer.model.secrets import mask_params, mask_text
from analyzer.readers.mlflow.points import series_of, unstored
from analyzer.readers.naming import shown_path
from analyzer.readers.ref import RunRef

NAME = "mlflow"
MAGIC = b"SQLite format 3\x00"
ENDINGS = (".db", ".sqlite", ".sqlite3", ".db3")
WAIT = 5.0  # seconds for a lock that a writer holds


@dataclass(frozen=True)
class DatabaseRun(RunRef):
    """A run in a database file."""

    file: str

    def read(self) -> Run:
        """Return the run; a database that fails in the middle costs this run and says so."""
        try:
            with opened(Path(self.file)) as connection:
                return self._read(connection)
        except (sqlite3.Error, SourceError, OSError) as error:
            text = f"{shown_path(Path(self.file).name)}: run {self.id} could not be read ({error})"
            return Run(self.id, self.name, NAME, self.location, notes=(Note("unreadable", text),))

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

    def _read(self, connection: sqlite3.Connection) -> Run:
        notes: list[Note] = []
        series = dict(self._series(connection, notes))
        status = connection.execute("SELECT status FROM runs WHERE run_uuid = ?", (self.id,)).fetchone()
        params = mask_params(self._pairs(connection, "params"))
        tags = {name: str(text) for name, text in mask_params(self._pairs(connection, "tags")).items()}
        name = tags.get("mlflow.runName") or self.name
        declared = str(status[0]) if status and status[0] else None
        return Run(self.id, name, NAME, self.location, series, params, tags, notes=tuple(notes), declared=declared)

    def _pairs(self, connection: sqlite3.Connection, table: str) -> dict[str, object]:
        query = f"SELECT key, value FROM {table} WHERE run_uuid = ? ORDER BY key"  # noqa: S608 - one of two names above
        return {str(key): str(value) for key, value in connection.execute(query, (self.id,))}

    def _series(self, connection: sqlite3.Connection, notes: list[Note]) -> Iterator[tuple[str, Series]]:
        columns = _columns(connection, "metrics")
        step, is_nan = ("step" if "step" in columns else "0"), ("is_nan" if "is_nan" in columns else "0")
        query = f"SELECT key, timestamp, value, {step}, {is_nan} FROM metrics WHERE run_uuid = ? ORDER BY key"  # noqa: S608 - column names fixed above
        for key, rows in groupby(connection.execute(query, (self.id,)), key=lambda row: row[0]):
            tag = _shown_key(key)
            found = list(rows)
            good = [row for row in found if _is_point(row)]
            if len(good) < len(found):
                text = f"{tag}: {len(found) - len(good)} rows that are no numbers were left out"
                notes.append(Note("damage", f"{shown_path(Path(self.file).name)}: {text}"))
            if good:
                _, stamps, values, steps, nans = zip(*good, strict=True)
                logged = unstored(np.array(values, np.float64), np.array(nans, np.bool_))
                yield tag, series_of(tag, np.array(stamps, np.int64), logged, np.array(steps, np.int64))


def _shown_key(key: object) -> str:
    return key.decode("utf-8", "backslashreplace") if isinstance(key, bytes) else str(key)


def _is_point(row: tuple[object, ...]) -> bool:
    _, stamp, value, step, nan = row
    number = isinstance(value, (int, float)) or (value is None and bool(nan))
    return isinstance(stamp, int) and isinstance(step, int) and number


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
            tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if not {"runs", "metrics"} <= tables:
                return None
            needed = {"run_uuid", "status", "lifecycle_stage"} - _columns(connection, "runs")
            if needed:
                raise SourceError(
                    f"{shown}: an MLflow database of an unknown schema (runs lack {', '.join(sorted(needed))})"
                )
            rows = connection.execute(
                "SELECT run_uuid, name, lifecycle_stage FROM runs ORDER BY start_time, run_uuid"
            ).fetchall()
    except (sqlite3.Error, OSError) as error:
        raise SourceError(
            f"{shown}: the database cannot be read ({error}); copy it again or close what writes it"
        ) from error
    return [
        DatabaseRun(str(uuid), mask_text(str(name or uuid)), NAME, shown, os.fspath(path))
        for uuid, name, stage in rows
        if include_deleted or stage != "deleted"
    ]


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    return {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Yield a connection that reads and never writes, not even beside the file. SourceError as runs_in()."""
    beside = {suffix: Path(f"{path}{suffix}") for suffix in ("-wal", "-shm", "-journal")}
    if _size(beside["-journal"]):
        raise SourceError(
            f"{shown_path(path)}: a transaction was cut off (a journal lies beside it); open it with MLflow once"
        )
    wal = _size(beside["-wal"])
    if wal and not beside["-shm"].exists():
        with tempfile.TemporaryDirectory(prefix="posthoc-") as folder:
            copy = Path(folder) / "copy.db"
            shutil.copyfile(path, copy)
            shutil.copyfile(beside["-wal"], Path(f"{copy}-wal"))
            with closing(_connect(copy, "mode=ro")) as connection:
                yield connection
        return
    if wal:
        with closing(_connect(path, "mode=ro")) as connection:
            yield connection
        return
    before = path.stat()
    with closing(_connect(path, "immutable=1")) as connection:
        yield connection
    after = path.stat()
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise SourceError(f"{shown_path(path)}: it was written to while it was read; read it again")


def _connect(path: Path, how: str) -> sqlite3.Connection:
    connection = sqlite3.connect(f"file:{quote(os.fspath(path.absolute()))}?{how}", uri=True, timeout=WAIT)
    connection.text_factory = lambda raw: raw.decode("utf-8", "backslashreplace")
    return connection


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
