"""A connection to a sqlite file that reads and leaves no trace.

A database in WAL mode opened read-only creates its `-wal` and `-shm` and leaves them. So: without these sidecars it is
opened as immutable and its size and time are looked at again afterwards; with both it is opened read-only; with a
`-wal` alone a private copy is read. A hot journal (a transaction that was cut off) would have to be rolled back by
its writer: it is named, not repaired.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from analyzer.errors import SourceError
from analyzer.readers.mlflow.tables import NEEDED
from analyzer.readers.naming import shown_path

WAIT = 5.0  # seconds for a lock that a writer holds
LONGEST = 120.0  # seconds for all that is asked of one connection
LARGEST = 1 << 26  # bytes of one text or blob
BATCH = 20_000  # rows


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Yield a connection that reads and never writes, not even beside the file; texts come as bytes.

    SourceError when a transaction was cut off, or when the file was written to while it was read.
    """
    beside = {suffix: Path(f"{path}{suffix}") for suffix in ("-wal", "-shm", "-journal")}
    if _size(beside["-journal"]):
        why = "a transaction was cut off (a journal lies beside it); open it with MLflow once"
        raise SourceError(f"{shown_path(path)}: {why}")
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


@dataclass
class SqliteTables:
    """The tables of an open sqlite file (analyzer.readers.mlflow.tables.Tables)."""

    connection: sqlite3.Connection
    where: str
    unindexed: str = "metrics NOT INDEXED"
    counting: bool = True

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
            cursor = self.connection.execute(query, values)
            while rows := cursor.fetchmany(BATCH):
                yield rows
        except (sqlite3.Error, MemoryError) as error:
            why = f"{self.where}: the database cannot be read ({error}); copy it again or close what writes it"
            raise SourceError(why) from error


def _connect(path: Path, how: str) -> sqlite3.Connection:
    address = f"file:{quote(os.fsencode(path.absolute()))}?{how}"
    connection = sqlite3.connect(address, uri=True, timeout=WAIT)
    connection.text_factory = bytes
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST)
    connection.execute("BEGIN")  # all questions see the same
    deadline = time.monotonic() + LONGEST
    connection.set_progress_handler(lambda: time.monotonic() > deadline, 100_000)
    return connection


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
