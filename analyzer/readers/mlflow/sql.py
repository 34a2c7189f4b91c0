"""MLflow's database on a PostgreSQL or MySQL server, through SQLAlchemy (extra `sql`), in transactions that only read.

An engine with one connection is kept in each process, so that a thousand runs do not log in a thousand times; no more
than one run's points are on their way at a time.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from analyzer.errors import SourceError
from analyzer.model.redaction import mask_text
from analyzer.readers.formats import Choice
from analyzer.readers.mlflow import tables
from analyzer.readers.mlflow.run_metadata import NAME, TrackedRun
from analyzer.readers.run_ref import Update, VerdictPayload

BATCH = 20_000  # rows
CONNECTING, ASKING = 10, 120  # seconds
_DRIVERS = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg", "mysql": "mysql+pymysql"}
_NAMED = re.compile(r":(\w+)")  # values in our queries, to be written as drivers of both kinds want them
_EXTRA = "pip install 'posthoc[sql]'"


@dataclass(frozen=True)
class SqlRun(TrackedRun):
    """A run in a database server. The address may hold a password and is not shown; `state` is the stamp."""

    address: str = field(repr=False)
    state: str | None = None

    def load(self, marks: Mapping[str, str]) -> Update:
        """Return the run, always all of it; a server that fails in the middle costs this run and says so."""
        try:
            with opened(self.address) as known:
                run = tables.run_of(known, self)
        except SourceError as error:
            return self.lost(f"run {self.key}: {error}")
        return Update(run, {}, whole=True)

    def write_back(self, word: VerdictPayload) -> str | None:
        """Write the verdict as tags; a database has no place for the page."""
        from analyzer.readers.mlflow import write_back  # noqa: PLC0415 - only when asked for

        with opened(self.address) as known:
            place, tags = tables.page_place(known, self.key)
        wanted = write_back.tags_of(word)
        if tags != wanted:
            _upsert(self.address, known.where, self.key, wanted)
        return None if word.page is None else write_back.kept_elsewhere(known.where, self.key, place)

    def stamp(self) -> str | None:
        """Return what the list of runs said of one that has ended: its end and the last values of its metrics."""
        return self.state


@dataclass
class SqlTables:
    """The tables of a connection to a database server (analyzer.readers.mlflow.tables.Tables)."""

    connection: Any
    where: str
    known: Mapping[str, frozenset[str]]
    unindexed: str = ""
    counting: bool = False
    whole_id: str = "runs.run_uuid"

    def columns(self, table: str) -> frozenset[str]:
        """Return the columns of a table; none when it is absent or a view."""
        return self.known.get(table, frozenset())

    def batches(self, query: str, **values: str) -> Iterator[Sequence[Sequence[object]]]:
        """Yield the answer some ten thousand rows at a time. SourceError for whatever the server says."""
        driver = self.connection.connection  # rows as the driver makes them: half as dear as SQLAlchemy's
        try:
            with closing(driver.cursor()) as cursor:
                cursor.execute(_NAMED.sub(r"%(\1)s", query), values)
                while rows := cursor.fetchmany(BATCH):
                    yield rows
        except (*_failures(), self.connection.dialect.dbapi.Error) as error:
            raise SourceError(f"{self.where}: {told(error)}") from error


def runs_at(address: str, choice: Choice) -> list[SqlRun]:
    """Return references to the runs in a database, by start.

    SourceError when it cannot be reached or read, is none of MLflow's, or the extra is missing.
    """
    with opened(address) as known:
        if not tables.check(known):
            raise SourceError(f"{known.where}: this is not an MLflow database (it has no tables runs and metrics)")
        every = [one for one in tables.listed(known) if choice.deleted or not one.deleted]
        last = tables.last_values(known)
    return [
        SqlRun(
            one.key,
            one.name,
            NAME,
            f"{known.where}#{one.key}",
            one.key,
            address,
            f"{one.state}|{last[one.key]}" if one.ended and one.key in last else None,
            experiment=one.experiment,
            experiment_id=one.experiment_id,
        )
        for one in every
    ]


@contextmanager
def opened(address: str) -> Iterator[SqlTables]:
    """Yield the tables behind a read-only transaction. SourceError, without any secret, for whatever goes wrong."""
    where = mask_text(address).partition("?")[0]
    engine = engine_of(address, where, os.getpid())
    try:
        with engine.connect() as connection:
            _only_reads(connection)
            yield SqlTables(connection, where, _known(engine))
    except _failures() as error:
        raise SourceError(f"{where}: {told(error)}") from error


def _upsert(address: str, where: str, key: str, wanted: Mapping[str, str]) -> None:
    """Write tags in one transaction. SourceError when the server refuses."""
    import sqlalchemy  # noqa: PLC0415 - an extra

    row = sqlalchemy.table("tags", *(sqlalchemy.column(name) for name in ("key", "value", "run_uuid")))
    try:
        with engine_of(address, where, os.getpid()).begin() as connection:
            for name, value in wanted.items():
                there = sqlalchemy.and_(row.c.key == name, row.c.run_uuid == key)
                if connection.execute(row.update().where(there).values(value=value)).rowcount == 0:
                    connection.execute(row.insert().values(key=name, value=value, run_uuid=key))
    except _failures() as error:
        raise SourceError(f"{where}: the tags of run {key} cannot be written; {told(error)}") from error


def _failures() -> tuple[type[Exception], ...]:
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - an extra, here since an engine is

    return SQLAlchemyError, OSError


def told(error: Exception) -> str:
    """Return what a driver says in one line without addresses' secrets and SQLAlchemy's own links."""
    original = getattr(error, "orig", None) or error
    lines = [line.strip() for line in str(original).splitlines() if line.strip()]
    return "the database server refuses or failed: " + mask_text(" ".join(lines)[:300])


@cache
def engine_of(address: str, where: str, process: int) -> Any:
    """Return the engine of this process for an address. SourceError when the extra or its driver is not installed."""
    try:
        import sqlalchemy  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise SourceError(f"{where}: reading database servers needs an extra; {_EXTRA}") from error
    scheme, _, rest = address.partition("://")
    try:
        url = sqlalchemy.make_url(f"{_DRIVERS.get(scheme, scheme)}://{rest}")
        return sqlalchemy.create_engine(url, pool_size=1, pool_pre_ping=True, connect_args=_patience(url))
    except ImportError as error:
        raise SourceError(f"{where}: the driver {error.name} is not installed; {_EXTRA}") from error
    except (sqlalchemy.exc.SQLAlchemyError, ValueError) as error:
        raise SourceError(f"{where}: this is not a database address ({type(error).__name__})") from error


def _patience(url: Any) -> dict[str, object]:
    if url.get_backend_name() == "mysql":
        return {"connect_timeout": CONNECTING, "read_timeout": ASKING} if url.get_driver_name() == "pymysql" else {}
    return {} if "connect_timeout" in url.query else {"connect_timeout": CONNECTING}


def _only_reads(connection: Any) -> None:
    """Begin a transaction in which the server itself refuses to write, and that ends when it takes too long."""
    if connection.dialect.name == "mysql":
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        return
    connection.exec_driver_sql("SET TRANSACTION READ ONLY")
    connection.exec_driver_sql(f"SET LOCAL statement_timeout = {ASKING * 1000}")


@cache
def _known(engine: Any) -> Mapping[str, frozenset[str]]:
    from sqlalchemy import inspect  # noqa: PLC0415 - an extra

    found = inspect(engine)
    wanted = tables.ASKED & set(found.get_table_names())
    return {table: frozenset(column["name"] for column in found.get_columns(table)) for table in wanted}
