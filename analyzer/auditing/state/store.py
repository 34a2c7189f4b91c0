"""The state file open: rows of runs go in as they arrive, the memory changes once a night."""

from __future__ import annotations

import base64
import json
import sqlite3
import time
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType, UnionType
from typing import Any, Self

from analyzer.auditing.cache_key import CacheKey
from analyzer.auditing.finding_history import HistoryUpdate, KnownFinding, PreviousRun
from analyzer.auditing.record import RunRecord
from analyzer.auditing.state import schema
from analyzer.auditing.state.schema import name_of
from analyzer.errors import StateError
from analyzer.model.formatting import in_one_line, iso
from analyzer.model.result import Vanished
from analyzer.model.totals import Tally

PATIENCE = 120.0
"""Seconds that one audit waits for another to finish a transaction, each of which takes a moment."""

AGAIN = 0.01  # seconds until a lock is asked for again

EVERY = 0.5
"""Seconds between two transactions of arriving rows: a kill costs at most that much work."""

KEEP_VANISHED = timedelta(days=30)
"""For so long is kept what was read of a run or a place that is not there any more, in case it comes back."""

RETENTION = timedelta(days=365)
"""For so long is remembered what was found in a run that is not there any more, and what nights came to."""


@dataclass(frozen=True, slots=True)
class ReportedChange:
    """A change of a nightly job that has been told: its onset and the night on which it was told, in ISO 8601."""

    job: str
    metric: str
    onset: str
    night: str


@contextmanager
def open_state(path: Path | None, retention: float) -> Iterator[State | None]:
    """Open the state of a path; None where there is to be none. `retention` is in seconds. StateError as of State."""
    with nullcontext() if path is None else State(path, timedelta(seconds=retention)) as state:
        yield state


class State:
    """A state file, open. Several audits may have it open at once. StateError when it cannot be read or written."""

    def __init__(self, path: Path, retention: timedelta = RETENTION) -> None:
        """Open or create it. StateError, the file untouched, when it is something else, damaged, or of a newer kind."""
        self._path, self._retention = path, retention
        schema.claim(path)
        self._waiting: list[tuple[str, str | None, str, bytes, str]] = []
        self._curves: list[tuple[str, bytes]] = []
        self._written = time.monotonic()
        with self._sqlite_errors():
            self._connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
        try:
            with self._sqlite_errors():
                self._prepare()
        except BaseException:
            self._connection.close()
            raise

    def _prepare(self) -> None:
        damage = self._connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if damage != "ok":
            raise sqlite3.DatabaseError(damage.splitlines()[-1])
        schema.migrate(self._connection)
        self._write_ahead()
        self._connection.execute("PRAGMA synchronous = FULL")

    def _write_ahead(self) -> None:
        """Let readers and one writer work side by side. sqlite does not wait for a lock when it changes to that."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(AGAIN)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._write_waiting()
        finally:
            self._connection.close()

    def record(self, run: str, stamp: str, judging: str) -> tuple[RunRecord | None, str]:
        """Return the record of a run and its text if it was judged from a log of this stamp in this way; else None."""
        with self._sqlite_errors():
            query = "SELECT row FROM judged WHERE run = ? AND stamp = ? AND judging = ?"
            found = self._connection.execute(query, (name_of(run), stamp, judging)).fetchone()
        if found is None:
            return None, ""
        try:
            text = zlib.decompress(found[0]).decode()
            return RunRecord.parsed(text), text
        except (zlib.error, ValueError, TypeError) as error:
            raise StateError(f"{self._path}: what it holds of run {run} is damaged; move the file away") from error

    def rows(self) -> Iterator[RunRecord]:
        """Yield the row of every run that was kept; one that another version wrote is passed over."""
        with self._sqlite_errors():
            kept = self._connection.execute("SELECT row FROM judged ORDER BY run").fetchall()
        for (packed,) in kept:
            try:
                yield RunRecord.parsed(zlib.decompress(packed).decode())
            except (zlib.error, ValueError, TypeError):
                continue

    def keep(self, run: str, stamp: str | None, judging: str, text: str, now: float) -> None:
        """Keep the row of a run, as text with its curves; it is on disk within a second, or at the end."""
        row, _, curves = text.partition("\n")
        self._waiting.append((name_of(run), stamp, judging, zlib.compress(row.encode(), 3), iso(now)))
        self._curves.append((name_of(run), base64.b64decode(curves)))
        if time.monotonic() - self._written > EVERY:
            self._write_waiting()

    def looks(self, pair: str) -> list[tuple[str, int, int]]:
        """Return when two sides were compared (ISO 8601) and with how many runs each, the earliest first."""
        with self._sqlite_errors():
            query = "SELECT at, base, candidate FROM looks WHERE pair = ? ORDER BY at, base + candidate"
            return self._as_kept(self._connection.execute(query, (pair,)), "comparisons", str, int, int)

    def keep_look(self, pair: str, base: int, candidate: int, now: float) -> None:
        """Remember that two sides were compared with so many runs each."""
        with self._sqlite_errors():
            told = (pair, base, candidate, iso(now))
            self._connection.execute("INSERT OR REPLACE INTO looks VALUES (?, ?, ?, ?)", told)

    def previous_run(self, run: str) -> PreviousRun | None:
        """Return what the last night that came to its end knew of a run."""
        with self._sqlite_errors():
            query = "SELECT judging, data FROM past WHERE run = ?"
            found = self._as_kept(self._connection.execute(query, (name_of(run),)), f"run {run}", str, str)
            asked = self._connection.execute(_FINDINGS, (name_of(run),))
            rows = self._as_kept(asked, f"run {run}", str, str, str, str, int, str | None, int)
        if not found and not rows:
            return None
        judging, data = found[0] if found else ("", "")
        return PreviousRun(
            CacheKey.parsed(judging), data, tuple(KnownFinding(run, *(*row[:6], bool(row[6]))) for row in rows)
        )

    def discovered_at(self, place: str, stamp: str) -> str | None:
        """Return what was learnt of a place when it had this stamp."""
        with self._sqlite_errors():
            query = "SELECT data FROM glimpses WHERE place = ? AND stamp = ?"
            found = self._as_kept(self._connection.execute(query, (place, stamp)), "places", str)
        return found[0][0] if found else None

    def keep_discoveries(self, learnt: Iterable[tuple[str, str, str]], places: Iterable[str], now: float) -> None:
        """Keep what was learnt, each as place, stamp and text; forget of places that nobody asked for in a while.

        `places` are those that were asked for at `now`, in Unix seconds.
        """
        seen = iso(now)
        with self._sqlite_errors(), self._transaction() as change:
            rows = [(*discovered_at, seen) for discovered_at in learnt]
            change.executemany("INSERT OR REPLACE INTO glimpses (place, stamp, data, seen) VALUES (?, ?, ?, ?)", rows)
            change.executemany("UPDATE glimpses SET seen = ? WHERE place = ?", [(seen, place) for place in places])
            change.execute("DELETE FROM glimpses WHERE seen < ?", (iso(now - KEEP_VANISHED.total_seconds()),))

    def tallies(self, sources: Sequence[str], most: int) -> list[Tally]:
        """Return what the last nights over the same sources came to, at most so many, in the order of the audits."""
        with self._sqlite_errors():
            query = "SELECT at, tally FROM nights WHERE sources = ? ORDER BY number DESC, at DESC LIMIT ?"
            asked = self._connection.execute(query, (json.dumps(sources), most))
            rows = self._as_kept(asked, "earlier nights", str, str)
        try:
            return [Tally(at, **json.loads(text)) for at, text in reversed(rows)]
        except (ValueError, TypeError) as error:
            raise StateError(f"{self._path}: what it holds of earlier nights is damaged; move the file away") from error

    def reported_changes(self, sources: Sequence[str]) -> list[ReportedChange]:
        """Return the changes of jobs that nights over the same sources have told."""
        with self._sqlite_errors():
            query = "SELECT job, metric, onset, night FROM told WHERE sources = ?"
            asked = self._connection.execute(query, (json.dumps(sources),))
            return [ReportedChange(*row) for row in self._as_kept(asked, "jobs", str, str, str, str)]

    def kept_runs(self, sources: Sequence[str]) -> list[tuple[str, str]]:
        """Return the runs of jobs that nights over the same sources had, each with what was kept of it."""
        with self._sqlite_errors():
            query = "SELECT run, data FROM outcomes WHERE sources = ? ORDER BY run"
            return self._as_kept(self._connection.execute(query, (json.dumps(sources),)), "jobs", str, str)

    def vanished(self, sources: Sequence[str], there: Iterable[str]) -> list[Vanished]:
        """Return the runs that the last night over the same sources had and that are not `there` any more."""
        query = """
            SELECT run, (SELECT count(*) FROM findings WHERE findings.run = past.run AND resolved IS NULL AND alarm),
                (SELECT row FROM judged WHERE judged.run = past.run) FROM past
            WHERE sources = ?1 AND audit = (SELECT max(number) FROM nights WHERE sources = ?1) ORDER BY run
        """
        names = set(map(name_of, there))
        with self._sqlite_errors():
            asked = self._connection.execute(query, (json.dumps(sources),))
            rows = self._as_kept(asked, "earlier runs", str, int, object)
            return [Vanished(run, count, _name_in(row)) for run, count, row in rows if run not in names]

    def commit_audit(
        self,
        updates: Iterable[HistoryUpdate],
        now: float,
        tally: Tally | None = None,
        sources: Sequence[str] = (),
        *,
        reported: Iterable[ReportedChange] = (),
        job_runs: Iterable[tuple[str, str]] = (),
    ) -> None:
        """Remember an audit that was published, in one transaction; forget runs that vanished long ago.

        `reported` are changes of jobs that it reported first, `job_runs` the runs of jobs as histories see them.
        `tally` is the audit in numbers; one that is published twice, with the same time of its own, is there once.
        """
        self._write_waiting()
        asked = json.dumps(sources)
        with self._sqlite_errors(), self._transaction() as change:
            ((number, before),) = self._as_kept(change.execute(_LAST_AUDIT), "earlier audits", int, object)
            for one in updates:
                run = name_of(one.run)
                for fingerprint in one.gone:
                    change.execute("DELETE FROM findings WHERE run = ? AND fingerprint = ?", (run, fingerprint))
                change.executemany(_REMEMBER, [_values(known) for known in one.known])
                if one.past:
                    found = (run, one.past.judging.key, one.past.data)
                    change.execute("INSERT OR REPLACE INTO past (run, judging, data) VALUES (?, ?, ?)", found)
                seen = (iso(now), asked, number + 1, run)
                change.execute("UPDATE past SET seen = ?, sources = ?, audit = ? WHERE run = ?", seen)
                change.execute("UPDATE judged SET seen = ? WHERE run = ?", (iso(now), run))
            if tally is not None:
                numbers = {name: value for name, value in asdict(tally).items() if name != "at"}
                night = (asked, tally.at, json.dumps(numbers), number + 1)
                change.execute("INSERT OR REPLACE INTO nights (sources, at, tally, number) VALUES (?, ?, ?, ?)", night)
            changes = [(asked, one.job, one.metric, one.onset, one.night) for one in reported]
            change.executemany("INSERT OR IGNORE INTO told VALUES (?, ?, ?, ?, ?)", changes)
            runs = [(asked, name_of(run), text, iso(now)) for run, text in job_runs]
            change.executemany("INSERT OR REPLACE INTO outcomes VALUES (?, ?, ?, ?)", runs)
            _forget(change, _cautious(now, before), self._retention)
            _bring_back(change, iso(now))

    def _write_waiting(self) -> None:
        self._written = time.monotonic()
        waiting, self._waiting = self._waiting, []
        curves, self._curves = self._curves, []
        if waiting:
            with self._sqlite_errors(), self._transaction() as change:
                change.executemany("INSERT OR REPLACE INTO judged VALUES (?, ?, ?, ?, ?)", waiting)
                change.executemany("DELETE FROM curves WHERE run = ?", [(run,) for run, _ in curves])
                change.executemany("INSERT OR REPLACE INTO curves VALUES (?, ?)", [one for one in curves if one[1]])

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def _as_kept(self, rows: Iterable[tuple[Any, ...]], what: str, *kinds: type | UnionType) -> list[Any]:
        """Return rows whose values are of these types. StateError for others: sqlite keeps any kind in any column."""
        found = list(rows)
        if not all(isinstance(value, kind) for row in found for value, kind in zip(row, kinds, strict=True)):
            raise StateError(f"{self._path}: what it holds of {what} is damaged; move the file away")
        return found

    @contextmanager
    def _sqlite_errors(self) -> Iterator[None]:
        """Turn what sqlite raises into one sentence."""
        try:
            yield
        except sqlite3.OperationalError as error:
            code = getattr(error, "sqlite_errorcode", None)  # Python's own errors have none: a text that is not UTF-8
            if code is None:
                raise StateError(f"{self._path} is damaged ({in_one_line(error)}); move the file away") from error
            if code == sqlite3.SQLITE_ERROR:  # what asks it is right, so it is not what it says
                what = f"{self._path} is damaged: its tables are not those of its version ({in_one_line(error)})"
                raise StateError(f"{what}; give another file with --state, or move it away") from error
            what = f"{self._path}: the state cannot be read or written ({in_one_line(error)})"
            raise StateError(f"{what}; see to its disk, or give another file with --state") from error
        except MemoryError as error:  # sqlite asks for as much as the file says
            what = f"{self._path} is damaged, or there is too little memory for it"
            raise StateError(f"{what}; give another file with --state, or move it away") from error
        except (sqlite3.Error, OverflowError, UnicodeDecodeError) as error:
            # a count goes beyond sqlite's largest number; its message would quote bytes of the file that are no text
            what = f"{self._path} is damaged ({in_one_line(error)}) and was left as it is"
            raise StateError(f"{what}; give another file with --state, or move it away") from error


def _cautious(now: float, before: str | None) -> float:
    """Return the time by which things are forgotten: the audit before has to agree that so much has passed.

    A single audit with a clock in the future would else forget everything.
    """
    try:
        return now if before is None else min(now, datetime.fromisoformat(before).timestamp())
    except (ValueError, OverflowError, TypeError):
        return now


def _forget(change: sqlite3.Connection, now: float, retention: timedelta) -> None:
    """Forget rows, and later findings, of runs that vanished, and nights of long ago."""
    change.execute("DELETE FROM judged WHERE seen < ?", (iso(now - KEEP_VANISHED.total_seconds()),))
    change.execute("DELETE FROM curves WHERE run NOT IN (SELECT run FROM judged)")
    long_ago = (iso(max(0.0, now - retention.total_seconds())),)
    change.execute("DELETE FROM past WHERE seen < ?", long_ago)
    change.execute("DELETE FROM findings WHERE last_seen < ? AND run NOT IN (SELECT run FROM past)", long_ago)
    change.execute("DELETE FROM nights WHERE at < ?", long_ago)
    change.execute("DELETE FROM outcomes WHERE seen < ?", long_ago)
    change.execute("DELETE FROM told WHERE night < ? AND onset < ?", (*long_ago, *long_ago))


def _bring_back(change: sqlite3.Connection, now: str) -> None:
    """Date to `now` what a clock that was ahead saw later than now: it would be kept until then."""
    for table, column in _CLOCKED:
        change.execute(f"UPDATE {table} SET {column} = ?1 WHERE {column} > ?1", (now,))  # noqa: S608 - names below


_CLOCKED = (("judged", "seen"), ("past", "seen"), ("findings", "first_seen"), ("findings", "last_seen"),
            ("outcomes", "seen"), ("glimpses", "seen"))  # fmt: skip
_LAST_AUDIT = """
    SELECT max(coalesce((SELECT max(number) FROM nights), 0), coalesce((SELECT max(audit) FROM past), 0)),
        (SELECT at FROM nights ORDER BY number DESC LIMIT 1)
"""
_FINDINGS = """
    SELECT symptom, fingerprint, first_seen, last_seen, absent, resolved, alarm FROM findings WHERE run = ?
"""
_REMEMBER = """
    INSERT INTO findings (run, symptom, fingerprint, first_seen, last_seen, absent, resolved, alarm)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (run, fingerprint) DO UPDATE SET first_seen = min(first_seen, excluded.first_seen),
        last_seen = excluded.last_seen, absent = excluded.absent, resolved = excluded.resolved,
        alarm = excluded.alarm
"""


def _values(known: KnownFinding) -> tuple[str, str, str, str, str, int, str | None, bool]:
    return (
        name_of(known.run), known.symptom, known.fingerprint, known.first_seen, known.last_seen, known.absent,
        known.resolved, known.alarm,
    )  # fmt: skip


def _name_in(row: bytes | None) -> str:
    """Return the name that a run's kept row has, "" where there is none or another version wrote it."""
    try:
        return RunRecord.parsed(zlib.decompress(row).decode()).result.name if row else ""
    except (zlib.error, ValueError, TypeError):
        return ""
