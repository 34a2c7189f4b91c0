"""MLflow's sqlite database through the standard library, read-only, leaving its folder as it was."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from analyzer.errors import SourceError
from analyzer.model.formatting import in_one_line
from analyzer.readers.display_names import shown_path
from analyzer.readers.formats import Choice
from analyzer.readers.mlflow import tables
from analyzer.readers.mlflow.connection import FAILURES as OF_SQLITE
from analyzer.readers.mlflow.connection import SqliteTables, answer
from analyzer.readers.mlflow.run_metadata import NAME, TrackedRun
from analyzer.readers.run_ref import Update, VerdictPayload

MAGIC = b"SQLite format 3\x00"
FAILURES = (*OF_SQLITE, OSError, MemoryError)


@dataclass(frozen=True)
class DatabaseRun(TrackedRun):
    """A run in a database file."""

    file: str

    def load(self, marks: Mapping[str, str]) -> Update:
        """Return the run, always all of it; a database that fails in the middle costs this run and says so."""
        where = shown_path(Path(self.file).name)
        try:
            run = answer(Path(self.file), lambda one: tables.run_of(SqliteTables(one, where), self))
        except (*FAILURES, SourceError) as error:
            return self.lost(f"run {self.key} could not be read: {in_one_line(error)}")
        return Update(run, {}, whole=True)

    def write_back(self, word: VerdictPayload) -> str | None:
        """Write the verdict as tags, and the page where the artifacts lie beside the database."""
        from analyzer.readers.mlflow.write_back import into_sqlite  # noqa: PLC0415 - only when asked for

        return into_sqlite(Path(self.file), self.key, word)

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


def is_database(path: Path) -> bool:
    """Whether a regular file begins as sqlite's files do."""
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def runs_in(path: Path, choice: Choice) -> list[DatabaseRun] | None:
    """Return references to the runs in a database, by start; None when it is sqlite, but none of MLflow's.

    SourceError when it cannot be read: locked, corrupt, of an unknown schema, or cut off in a transaction.
    """
    shown = shown_path(path)

    def every(connection: sqlite3.Connection) -> list[tables.Listed] | None:
        known = SqliteTables(connection, shown)
        return list(tables.listed(known)) if tables.check(known) else None

    with _told(shown):
        found = answer(path, every)
    if found is None:
        return None
    return [
        DatabaseRun(
            one.shown,
            one.name,
            NAME,
            shown,
            one.key,
            os.fspath(path),
            experiment=one.experiment,
            experiment_id=one.experiment_id,
        )
        for one in found
        if choice.deleted or not one.deleted
    ]


@contextmanager
def _told(shown: str) -> Iterator[None]:
    try:
        yield
    except FAILURES as error:
        why = f"{shown}: the database cannot be read ({in_one_line(error)}); copy it again or close what writes it"
        raise SourceError(why) from error
