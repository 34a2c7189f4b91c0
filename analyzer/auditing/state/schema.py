"""The state file's tables, how it is told from any other file, and how an older one becomes one of today.

`judged` holds the row of each run as it arrives, whether or not the night gets to its end. `past` and `findings` are
the memory: they change once a night, in one transaction, after everything has been told; so does `nights`, which has
what each night came to, for the same sources one after the other. `told` has the changes of nightly jobs that were
told, `outcomes` the runs of such jobs as histories see them, also after they have vanished. `glimpses` is what was
learnt of places by reading while runs were looked for. `curves` has the thinned curves of each run in `judged` that has
a page, so that the page can be drawn again without its log. `looks` has how many runs each comparison of two sides had.
Audits are numbered in the order in which they end (`number`, `audit`): these numbers order them, never a clock, which
may have been wrong.
"""

from __future__ import annotations

import os
import sqlite3
import struct
from pathlib import Path

from analyzer.errors import StateError

APPLICATION = int.from_bytes(b"post", "big")
"""Marks sqlite files that are ours (bytes 68 to 71 of the file)."""

_MAGIC = b"SQLite format 3\x00"
_STEPS = (
    """
    CREATE TABLE judged (run TEXT PRIMARY KEY, stamp TEXT, judging TEXT NOT NULL, row BLOB NOT NULL, seen TEXT NOT NULL)
        WITHOUT ROWID;
    CREATE TABLE past (run TEXT PRIMARY KEY, judging TEXT NOT NULL, data TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE findings (
        run TEXT NOT NULL, fingerprint TEXT NOT NULL, symptom TEXT NOT NULL, first_seen TEXT NOT NULL,
        last_seen TEXT NOT NULL, absent INTEGER NOT NULL, resolved TEXT, PRIMARY KEY (run, fingerprint)
    ) WITHOUT ROWID;
    """,
    """
    CREATE TABLE glimpses (place TEXT PRIMARY KEY, stamp TEXT NOT NULL, data TEXT NOT NULL) WITHOUT ROWID;
    """,
    """
    CREATE TABLE nights (sources TEXT, at TEXT, tally TEXT NOT NULL, PRIMARY KEY (sources, at)) WITHOUT ROWID;
    """,
    """
    ALTER TABLE past ADD COLUMN seen TEXT NOT NULL DEFAULT '';
    UPDATE past SET seen = coalesce((SELECT max(last_seen) FROM findings WHERE findings.run = past.run),
        strftime('%Y-%m-%dT%H:%M:%SZ', 'now'));
    """,
    """
    ALTER TABLE past ADD COLUMN sources TEXT NOT NULL DEFAULT '';
    """,
    """
    ALTER TABLE glimpses ADD COLUMN seen TEXT NOT NULL DEFAULT '';
    """,
    """
    ALTER TABLE findings ADD COLUMN alarm INTEGER NOT NULL DEFAULT 1;
    """,
    """
    CREATE TABLE told (sources TEXT, job TEXT, metric TEXT, onset TEXT, night TEXT NOT NULL,
        PRIMARY KEY (sources, job, metric, onset)) WITHOUT ROWID;
    CREATE TABLE outcomes (sources TEXT, run TEXT, data TEXT NOT NULL, seen TEXT NOT NULL, PRIMARY KEY (sources, run))
        WITHOUT ROWID;
    """,
    """
    CREATE TABLE looks (pair TEXT, base INTEGER, candidate INTEGER, at TEXT NOT NULL,
        PRIMARY KEY (pair, base, candidate)) WITHOUT ROWID;
    """,
    """
    CREATE TABLE curves (run TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;
    """,
    """
    ALTER TABLE nights ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
    UPDATE nights SET number = (SELECT count(*) FROM nights AS earlier WHERE earlier.at <= nights.at);
    ALTER TABLE past ADD COLUMN audit INTEGER NOT NULL DEFAULT 0;
    UPDATE past SET audit = coalesce((SELECT max(number) FROM nights WHERE nights.sources = past.sources), 0)
        WHERE (sources, seen) IN (SELECT sources, max(seen) FROM past GROUP BY sources);
    """,
)
"""What leads from each version to the next; the version is the number of steps taken. Never change one: add one."""

VERSION = len(_STEPS)


def claim(path: Path) -> None:
    """Make sure that a file is absent, empty or ours, and its owner's only; StateError leaves it untouched."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_file():  # a pipe would be waited for without end
            raise StateError(f"{path} cannot be used as state: it is not a file; give another --state")
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "rb") as file:
            head = file.read(100)
            if head:
                _refuse_other(path, head)
        path.chmod(0o600)
    except OSError as error:
        raise StateError(f"{path} cannot be used as state: {error.strerror or error}; give another --state") from error


def _refuse_other(path: Path, head: bytes) -> None:
    version, application = (struct.unpack(">I", head[at : at + 4].ljust(4, b"\0"))[0] for at in (60, 68))
    if not head.startswith(_MAGIC) or application != APPLICATION:
        raise StateError(f"{path} is not a posthoc state file and was left unchanged; give another file with --state")
    if version > VERSION:
        raise StateError(f"{path} is the state of a newer posthoc; upgrade, or give another file with --state")


def name_of(run: str) -> str:
    """Return the name under which a run is kept: sqlite takes no lone surrogates."""
    return run.encode("utf-8", "backslashreplace").decode()


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the tables up to date in one transaction, whoever else is about to do the same."""
    connection.execute("BEGIN IMMEDIATE")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    for step in _STEPS[version:]:
        for statement in step.split(";"):
            if statement.strip():
                connection.execute(statement)
    if version < VERSION:
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")
