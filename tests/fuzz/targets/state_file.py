"""The state of earlier audits: whatever the file holds, it is used or refused in one sentence, and refused untouched.

The input edits a row of a run, puts rows of any type into the tables, and may then change bytes of the file
(databases.filled).
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from unittest import mock

from analyzer.auditing.cache_key import CacheKey
from analyzer.auditing.finding_history import compare_with_last_audit
from analyzer.auditing.record import RunRecord
from analyzer.auditing.state import State, schema
from analyzer.auditing.state.stored import stored_result
from analyzer.errors import StateError
from analyzer.model.totals import Tally
from analyzer.writers.index_row import Thumbnail
from tests import made
from tests.fuzz.databases import COMMANDS, PAGE, filled, row
from tests.fuzz.inputs import Taken, edited
from tests.fuzz.laws import only

NOW = 1.79e9
SOURCES = ("a",)
TABLES = {"judged": 5, "past": 6, "findings": 8, "glimpses": 4, "nights": 4, "told": 5, "outcomes": 4, "looks": 4,
          "curves": 2}  # fmt: skip
RESULT = made.unjudged("loss")
ROW = RunRecord(RESULT.without_curves(), Thumbnail("M0", "AB"), "0" * 16).text().encode()
NIGHT = "2026-09-20T00:00:00Z"


@cache
def _base() -> bytes:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute(f"PRAGMA page_size = {PAGE}")
        schema.migrate(connection)
        return connection.serialize()


def one_input(data: bytes) -> None:
    """Open a state, ask it for everything, and close an audit with it."""
    with tempfile.TemporaryDirectory() as folder, mock.patch("analyzer.auditing.state.store.PATIENCE", 0.0):
        path = Path(folder) / "state"
        taken = Taken(data)
        text = edited(ROW, Taken(taken.piece()))
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.deserialize(_base())
            connection.execute(
                "INSERT INTO judged VALUES (?, '1', 'a', ?, ?)", (RESULT.run, zlib.compress(text), NIGHT)
            )
            connection.execute("INSERT INTO curves VALUES (?, ?)", (RESULT.run, zlib.compress(text)))
            connection.commit()
            base = connection.serialize()
        filled(path, base, TABLES, taken)
        before = path.read_bytes()
        stored_result(path, "loss", "1", "a")
        try:
            state = State(path)
        except StateError as error:
            assert "\n" not in str(error)
            assert path.read_bytes() == before
            return
        with only(StateError), state:
            _everything(state)


def _everything(state: State) -> None:
    questions: tuple[Callable[[], object], ...] = (
        lambda: state.record("loss", "1", "a"),
        lambda: list(state.rows()),
        lambda: state.looks("a"),
        lambda: state.discovered_at("a", "1"),
        lambda: state.tallies(SOURCES, 9),
        lambda: state.reported_changes(SOURCES),
        lambda: state.kept_runs(SOURCES),
        lambda: state.vanished(SOURCES, ["x"]),
    )
    for question in questions:
        with only(StateError):
            question()
    with only(StateError):
        state.keep_look("a", 1, 2, NOW)
        state.keep_discoveries([("a", "1", "{}")], ["b"], NOW)
        past = state.previous_run("loss")
        found = compare_with_last_audit(RESULT, past, CacheKey("a", "b"), NOW)
        state.commit_audit([found.update], NOW, Tally("2026-09-21T14:13:20Z", 1, {}, 0, {}, 0.0), SOURCES)


def seeds() -> Iterator[bytes]:
    """Yield rows of each table, plain and odd, and changes of the file."""
    told, night = json.dumps(SOURCES), NIGHT
    for gone, new in ((0, b""), (1, b"["), (4, b"\xff"), (9, b"null")):
        yield bytes([4 + len(new)]) + b"\x05\0" + bytes([gone, len(new)]) + new
    yield b"\0" + row(0, "loss", "1", "a", b"x\x9c", night) + row(1, "loss", "a:b", "x", night, told, 1)
    yield b"\0" + row(2, "loss", "f", "plateau", night, night, 0, None, 1) + row(1, "loss", "a:b", b"\xff", 7, told, 1)
    yield b"\0" + row(4, told, night, "{}", 1) + row(4, told, 7, '{"runs": "x"}', None) + row(4, told, "x", "[]", 1.5)
    yield (
        b"\0"
        + row(5, told, "job", "loss", night, night)
        + row(6, told, bytearray(b"\xff"), "x", night)
        + row(3, "a", "1", None, 5)
    )
    yield b"\0" + row(7, "a", "x", 1.5, "y") + row(7, "a", b"1", None, b"z") + row(8, "loss", b"x")
    yield b"\0" + COMMANDS + b"\x10\x00\x02\x02\x01\x00"
    yield b"\0" + COMMANDS + b"\x3c\x00\x04\x04\x00\x00\x00\x03"
