"""The state file: ours alone, whole at every moment, shared by audits at the same time."""

import sqlite3
import stat
import threading
from contextlib import closing

import made
import pytest

from analyzer.errors import StateError
from analyzer.fleet.memory import compared
from analyzer.fleet.row import Row
from analyzer.fleet.state import State, schema
from analyzer.fleet.version import Judging
from analyzer.writers.entry import Thumbnail

JUDGING, NOW = Judging("a", "b"), 1.79e9
ROW = Row(made.overfitted().without_curves(), Thumbnail("M0", "AB"), "0" * 16)


def test_a_row_comes_back_as_long_as_log_and_judging_are_the_same(tmp_path):
    with State(tmp_path / "deep" / "s.db") as state:
        state.keep("x", "stamp", "key", ROW.text(), NOW)
    with State(tmp_path / "deep" / "s.db") as state:
        assert state.row("x", "stamp", "key") == ROW
        for key in (("x", "other", "key"), ("x", "stamp", "other"), ("y", "stamp", "key")):
            assert state.row(*key) is None


def test_only_its_owner_may_read_it(tmp_path):
    with State(tmp_path / "s.db") as state:
        state.keep("x", "stamp", "key", ROW.text(), NOW)
    (tmp_path / "s.db").chmod(0o644)
    with State(tmp_path / "s.db") as state:
        state.keep("y", "stamp", "key", ROW.text(), NOW)
        state.close_night([], NOW)
        modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {0o600}


@pytest.mark.parametrize("kind", ["text", "other database", "cut", "overwritten", "newer"])
def test_a_foreign_or_damaged_file_is_told_and_left_as_it_is(tmp_path, kind):
    path = tmp_path / "s.db"
    if kind == "text":
        path.write_text("my thesis")
    elif kind == "other database":
        with closing(sqlite3.connect(path)) as other:
            other.execute("CREATE TABLE runs (x)")
    else:
        with State(path) as state:
            for i in range(200):
                state.keep(f"run{i}", "stamp", "key", ROW.text(), NOW)
    raw = path.read_bytes()
    if kind == "cut":
        path.write_bytes(raw[: len(raw) // 2])
    if kind == "overwritten":
        path.write_bytes(raw[:4096] + b"\xff" * 20_000 + raw[24_096:])
    if kind == "newer":
        path.write_bytes(raw[:60] + (schema.VERSION + 1).to_bytes(4, "big") + raw[64:])
    before = path.read_bytes()
    with pytest.raises(StateError) as error:
        State(path)
    assert path.read_bytes() == before and str(error.value).count("\n") == 0 and "--state" in str(error.value)
    assert [p.name for p in tmp_path.iterdir()] == ["s.db"]


def test_a_folder_is_no_state(tmp_path):
    with pytest.raises(StateError, match="cannot be used as state"):
        State(tmp_path)


def test_two_nights_at_once_lose_nothing(tmp_path):
    def night(name):
        with State(tmp_path / "s.db") as state:
            for i in range(30):
                state.keep(f"{name}{i}", "stamp", "key", ROW.text(), NOW)
                state.close_night([compared(made.overfitted(f"{name}{i}"), None, JUDGING, NOW)], NOW)

    threads = [threading.Thread(target=night, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with State(tmp_path / "s.db") as state:
        for name in "abcd":
            for i in range(30):
                assert state.row(f"{name}{i}", "stamp", "key") == ROW
                assert len(state.past(f"{name}{i}").findings) == 4


def test_rows_of_runs_that_vanished_long_ago_go_and_what_was_found_stays(tmp_path):
    with State(tmp_path / "s.db") as state:
        state.keep("x", "stamp", "key", ROW.text(), NOW)
        state.close_night([compared(made.overfitted("x"), None, JUDGING, NOW)], NOW)
        state.close_night([], NOW + 29 * 86_400)
        assert state.row("x", "stamp", "key")
        state.close_night([], NOW + 31 * 86_400)
        assert state.row("x", "stamp", "key") is None and len(state.past("x").findings) == 4
