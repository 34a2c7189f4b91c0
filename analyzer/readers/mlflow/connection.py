"""A sqlite file is asked without leaving a trace, also while a server writes to it.

A database in WAL mode opened read-only creates its `-wal` and `-shm` and leaves them. So: without these sidecars it is
opened as immutable, and its size and time are looked at again afterwards; with both it is opened read-only; with a
`-wal` alone a private copy is read. A file without sidecars that somebody writes to is asked again, and at last under
the lock that sqlite's own readers hold, for as long as one run takes. A hot journal (a transaction that was cut off)
would have to be rolled back by its writer: it is named, not repaired.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from analyzer.errors import SourceError
from analyzer.model.formatting import in_one_line
from analyzer.readers.display_names import shown_path
from analyzer.readers.mlflow.tables import NEEDED

INSTRUCTIONS = 100_000  # of sqlite's machine between two looks at the clock
WAIT = 5.0  # seconds for a lock that a writer holds
LONGEST = 120.0  # seconds for all that is asked of one connection
LARGEST = 1 << 26  # bytes of one text or blob
BATCH = 20_000  # rows
GOES = 4  # at a file that is written to, before it is locked
TICK = 0.02  # seconds within which two changes of a file may bear the same time
FAILURES = (sqlite3.Error, UnicodeDecodeError)
"""What sqlite raises; the latter where its message would quote bytes of the file that are no text."""

Of = TypeVar("Of")


def answer(path: Path, ask: Callable[[sqlite3.Connection], Of]) -> Of:
    """Return what `ask` makes of a connection that reads and never writes, not even beside the file; texts are bytes.

    It may be asked several times. SourceError when a transaction was cut off; else whatever `ask` and sqlite raise.
    """
    wal, shm = Path(f"{path}-wal"), Path(f"{path}-shm")
    if not _size(wal):
        return _unlocked(path, ask)
    if shm.exists():
        return _asked(path, "mode=ro", ask)
    with tempfile.TemporaryDirectory(prefix="posthoc-") as folder:
        copy = Path(folder) / "copy.db"
        shutil.copyfile(path, copy)
        shutil.copyfile(wal, Path(f"{copy}-wal"))
        return _asked(copy, "mode=ro", ask)


def _unlocked(path: Path, ask: Callable[[sqlite3.Connection], Of]) -> Of:
    """Return the answer of a file that stayed as it was, or else the one under a lock."""
    for _ in range(GOES):
        before = _state(path)
        if before.journal:
            break
        if before.young:  # a further change may bear the same time
            time.sleep(TICK)
            continue
        try:
            found = _asked(path, "immutable=1", ask)
        except (*FAILURES, SourceError, MemoryError):
            if _state(path) == before:
                raise
        else:
            if _state(path) == before:
                return found
    return _locked(path, ask)


def _locked(path: Path, ask: Callable[[sqlite3.Connection], Of]) -> Of:
    try:
        return _asked(path, "mode=ro", ask)
    except (*FAILURES, SourceError) as error:
        if "readonly" not in str(error):  # what sqlite says when it would have to roll back
            raise
        why = "a transaction was cut off (a journal lies beside it); open it with MLflow once"
        raise SourceError(f"{shown_path(path)}: {why}") from error


def _asked(path: Path, how: str, ask: Callable[[sqlite3.Connection], Of]) -> Of:
    with closing(_connect(path, how)) as connection:
        return ask(connection)


@dataclass(frozen=True, slots=True)
class _State:
    """What changes with a file when it is written to."""

    size: int
    time: int
    journal: int

    @property
    def young(self) -> bool:
        return 0 <= time.time_ns() - self.time < TICK * 1e9


def _state(path: Path) -> _State:
    found = path.stat()
    return _State(found.st_size, found.st_mtime_ns, _size(Path(f"{path}-journal")))


@dataclass
class SqliteTables:
    """The tables of an open sqlite file (analyzer.readers.mlflow.tables.Tables)."""

    connection: sqlite3.Connection
    where: str
    unindexed: str = "metrics NOT INDEXED"
    counting: bool = True
    whole_id: str = "CAST(runs.run_uuid AS BLOB)"  # as text it would end at a byte of 0

    def __post_init__(self) -> None:
        self._columns: dict[str, frozenset[str]] = {}

    def columns(self, table: str) -> frozenset[str]:
        """Return the plain columns of a real table; none for a view, and generated columns do not count.

        SourceError for a view in the place of a table that must be there.
        """
        if table not in self._columns:
            kind = self.connection.execute("SELECT type FROM sqlite_master WHERE name = ?", (table,)).fetchone()
            if kind is not None and kind[0] != b"table" and table in NEEDED:
                made = f"{table} is a {kind[0].decode()}, not a table as MLflow makes it"
                raise SourceError(f"{self.where}: {made}; it was not read")
            plain = kind is not None and kind[0] == b"table"
            rows = self.connection.execute(f"PRAGMA table_xinfo({table})") if plain else ()
            self._columns[table] = frozenset(row[1].decode("utf-8", "replace") for row in rows if row[6] == 0)
        return self._columns[table]

    def batches(self, query: str, **values: str) -> Iterator[Sequence[Sequence[object]]]:
        """Yield the answer some ten thousand rows at a time. SourceError for whatever sqlite says."""
        try:
            cursor = self.connection.execute(_as_bytes(query, values), _bound(values))
            while rows := cursor.fetchmany(BATCH):
                yield rows
        except (*FAILURES, MemoryError) as error:
            why = f"the database cannot be read ({in_one_line(error)}); copy it again or close what writes it"
            raise SourceError(f"{self.where}: {why}") from error


def _bound(values: Mapping[str, str]) -> dict[str, str | bytes]:
    """Return values as sqlite takes them: a text with bytes that are not UTF-8 (lone surrogates) as these bytes."""
    return {name: value if _is_text(value) else value.encode("utf-8", "surrogateescape")
            for name, value in values.items()}  # fmt: skip


def _as_bytes(query: str, values: Mapping[str, str]) -> str:
    """Return the query with those values that go as bytes taken for text again."""
    for name, value in values.items():
        if not _is_text(value):
            query = query.replace(f":{name}", f"CAST(:{name} AS TEXT)")
    return query


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _connect(path: Path, how: str) -> sqlite3.Connection:
    address = f"file:{quote(os.fsencode(path.absolute()))}?{how}"
    connection = sqlite3.connect(address, uri=True, timeout=WAIT)
    connection.text_factory = bytes
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST)
    connection.execute("BEGIN")  # all questions see the same
    deadline = time.monotonic() + LONGEST
    connection.set_progress_handler(lambda: time.monotonic() > deadline, INSTRUCTIONS)
    return connection


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
