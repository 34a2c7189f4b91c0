"""The state file: ours alone, whole at every moment, shared by audits at the same time."""

import sqlite3
import stat
import threading
from contextlib import closing
from dataclasses import replace

import pytest

from analyzer.auditing.cache_key import CacheKey
from analyzer.auditing.finding_history import compare_with_last_audit
from analyzer.auditing.record import RunRecord
from analyzer.auditing.state import State, schema
from analyzer.auditing.state.stored import stored_result
from analyzer.errors import StateError
from analyzer.model.result import Vanished
from analyzer.model.totals import Tally
from analyzer.writers.index_row import Thumbnail
from tests import made

JUDGING, NOW = CacheKey("a", "b"), 1.79e9
ROW = RunRecord(made.overfitted().without_curves(), Thumbnail("M0", "AB"), "0" * 16)


def test_a_row_comes_back_as_long_as_log_and_judging_are_the_same(tmp_path):
    with State(tmp_path / "deep" / "s.db") as state:
        state.keep("x", "stamp", "key", ROW.text(), NOW)
    with State(tmp_path / "deep" / "s.db") as state:
        assert state.record("x", "stamp", "key") == (ROW, ROW.text())
        for key in (("x", "other", "key"), ("x", "stamp", "other"), ("y", "stamp", "key")):
            assert state.record(*key) == (None, "")


def test_only_its_owner_may_read_it(tmp_path):
    with State(tmp_path / "s.db") as state:
        state.keep("x", "stamp", "key", ROW.text(), NOW)
    (tmp_path / "s.db").chmod(0o644)
    with State(tmp_path / "s.db") as state:
        state.keep("y", "stamp", "key", ROW.text(), NOW)
        state.commit_audit([], NOW)
        modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {0o600}


@pytest.mark.parametrize("kind", ["text", "other database", "cut", "overwritten", "newer", "older"])
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
    if kind == "older":  # and what an older one has not is there
        path.write_bytes(raw[:60] + (schema.VERSION - 2).to_bytes(4, "big") + raw[64:])
    before = path.read_bytes()
    with pytest.raises(StateError) as error:
        State(path)
    assert path.read_bytes() == before and str(error.value).count("\n") == 0 and "--state" in str(error.value)
    assert ("its tables are not those of its version" in str(error.value)) == (kind == "older")
    assert [p.name for p in tmp_path.iterdir()] == ["s.db"]


def test_a_folder_is_no_state(tmp_path):
    with pytest.raises(StateError, match="cannot be used as state"):
        State(tmp_path)


def test_two_nights_at_once_lose_nothing(tmp_path):
    def night(name):
        with State(tmp_path / "s.db") as state:
            for i in range(30):
                state.keep(f"{name}{i}", "stamp", "key", ROW.text(), NOW)
                state.commit_audit(
                    [compare_with_last_audit(made.overfitted(f"{name}{i}"), None, JUDGING, NOW).update], NOW
                )

    threads = [threading.Thread(target=night, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with State(tmp_path / "s.db") as state:
        for name in "abcd":
            for i in range(30):
                assert state.record(f"{name}{i}", "stamp", "key") == (ROW, ROW.text())
                assert len(state.previous_run(f"{name}{i}").findings) == 4


def test_rows_of_runs_that_vanished_go_first_and_what_was_found_at_the_end_of_its_retention(tmp_path):
    with State(tmp_path / "s.db") as state:
        state.keep("x", "stamp", "key", ROW.text(), NOW)
        state.commit_audit([compare_with_last_audit(made.overfitted("x"), None, JUDGING, NOW).update], NOW)
        state.commit_audit([], NOW + 29 * 86_400)
        assert state.record("x", "stamp", "key")[0]
        state.commit_audit([], NOW + 31 * 86_400)
        assert state.record("x", "stamp", "key") == (None, "") and len(state.previous_run("x").findings) == 4
        state.commit_audit([], NOW + 364 * 86_400)
        assert len(state.previous_run("x").findings) == 4
        state.commit_audit([], NOW + 366 * 86_400)
        assert state.previous_run("x") is None


def test_what_was_learnt_of_places_is_kept_as_long_as_somebody_asks_for_them(tmp_path):
    with State(tmp_path / "s.db") as state:
        state.keep_discoveries([("s3://a", "1", "text"), ("s3://b", "1", "text")], [], NOW)
        for day in (20, 40):
            state.keep_discoveries([], ["s3://a"], NOW + day * 86_400)
        assert state.discovered_at("s3://a", "1") == "text" and state.discovered_at("s3://a", "2") is None
        assert state.discovered_at("s3://b", "1") is None


def test_a_run_that_vanished_is_told_once_and_only_beside_nights_that_were_asked_for_the_same(tmp_path):
    def remembered(state, day, *names, asked=("logs",)):
        lessons = [
            compare_with_last_audit(made.overfitted(name), state.previous_run(name), JUDGING, NOW).update
            for name in names
        ]
        state.commit_audit(lessons, NOW + day * 86_400, TALLY, asked)

    with State(tmp_path / "s.db") as state:
        assert state.vanished(("logs",), []) == []
        remembered(state, 0, "a", "b", "c\udc80")
        remembered(state, 0, "elsewhere", asked=("other",))
        assert state.vanished(("logs",), ["a", "b", "c\udc80"]) == []
        assert state.vanished(("logs",), ["a", "c\udc80", "new"]) == [Vanished("b", 2)]  # of four, two are explained
        remembered(state, 1, "a", "c\udc80")
        assert state.vanished(("logs",), ["a", "c\udc80"]) == []
        assert {one.run for one in state.vanished(("other",), ["a"])} == {"elsewhere"}
        back = compare_with_last_audit(made.overfitted("b"), state.previous_run("b"), JUDGING, NOW + 2 * 86_400)
        assert {finding.state for finding in back.result.findings} == {"persisting"}


@pytest.mark.parametrize(
    "change", ["past SET judging = x'00'", "findings SET first_seen = x'00'", "findings SET absent = 'x'"]
)
def test_what_is_remembered_of_a_run_and_is_of_another_kind_is_told(tmp_path, change):
    with State(tmp_path / "s.db") as state:
        state.commit_audit(
            [compare_with_last_audit(made.overfitted(), None, JUDGING, NOW).update], NOW, TALLY, ("logs",)
        )
    with closing(sqlite3.connect(tmp_path / "s.db", isolation_level=None)) as other:
        other.execute(f"UPDATE {change}")
        other.execute("UPDATE nights SET at = x'00'")
    with State(tmp_path / "s.db") as state:
        with pytest.raises(StateError, match=r"what it holds of run .* is damaged; move the file away"):
            state.previous_run(made.overfitted().run)
        with pytest.raises(StateError, match="earlier nights is damaged; move the file away"):
            state.tallies(("logs",), 60)


OF_ANOTHER_KIND = {
    "comparisons": ("looks VALUES ('a', 'x', 2, 'now')", lambda state: state.looks("a")),
    "places": ("glimpses VALUES ('a', '1', x'00', '')", lambda state: state.discovered_at("a", "1")),
    "changes of jobs": (
        "told VALUES ('[\"logs\"]', 'job', 7, x'00', 'now')",
        lambda state: state.reported_changes(["logs"]),
    ),
    "runs of jobs": ("outcomes VALUES ('[\"logs\"]', 'run', x'00', 'now')", lambda state: state.kept_runs(["logs"])),
    "numbers of audits": (
        "nights VALUES ('a', '', '{}', 'x')",
        lambda state: state.commit_audit([], NOW, TALLY, ["a"]),
    ),
    "audits without end": (
        f"nights VALUES ('a', '', '{{}}', {2**63 - 1})",
        lambda state: state.commit_audit([], NOW, TALLY),
    ),
}


def test_what_sqlite_quotes_of_a_file_stays_in_one_line(tmp_path):
    with State(tmp_path / "s.db"), closing(sqlite3.connect(tmp_path / "s.db", isolation_level=None)) as other:
        other.execute("INSERT INTO outcomes VALUES ('[]', 'run', CAST(x'610aff' AS TEXT), 'now')")
    with State(tmp_path / "s.db") as state, pytest.raises(StateError, match="is damaged") as error:
        state.kept_runs([])
    assert "\n" not in str(error.value)


def test_a_state_that_asks_for_more_memory_than_there_is_is_damage(tmp_path):
    with State(tmp_path / "s.db"):
        pass
    raw = (tmp_path / "s.db").read_bytes()
    at = raw.index(b"tabletoldtold")  # the row of a table; lengths stand in front of it
    (tmp_path / "s.db").write_bytes(raw[: at - 11] + b"\xff" * 20 + raw[at + 9 :])
    assert stored_result(tmp_path / "s.db", "x", "1", "a") is None
    with pytest.raises(StateError, match="is damaged"):
        State(tmp_path / "s.db")


def test_bytes_that_are_no_text_in_the_names_of_tables_are_damage(tmp_path):
    with State(tmp_path / "s.db"), closing(sqlite3.connect(tmp_path / "s.db", isolation_level=None)) as other:
        other.execute("PRAGMA writable_schema = 1")
        row = "('table', CAST(x'ff' AS TEXT), CAST(x'ff' AS TEXT), 9, 'CREATE nonsense')"
        other.execute(f"INSERT INTO sqlite_master VALUES {row}")
    with pytest.raises(StateError, match="is damaged"):
        State(tmp_path / "s.db")


@pytest.mark.parametrize("name", OF_ANOTHER_KIND)
def test_a_value_of_another_kind_in_any_table_is_told(tmp_path, name):
    row, ask = OF_ANOTHER_KIND[name]
    with State(tmp_path / "s.db"), closing(sqlite3.connect(tmp_path / "s.db", isolation_level=None)) as other:
        other.execute(f"INSERT INTO {row}")
    with State(tmp_path / "s.db") as state, pytest.raises(StateError, match=r"is damaged.*; .*move"):
        ask(state)


TALLY = Tally(
    "2026-01-01T05:00:00Z", 9, {"error": 1, "warning": 2, "unjudged": 0, "healthy": 6}, 0, {"plateau": 3}, 1.5
)


def test_nights_come_in_the_order_of_the_audits_by_sources_and_the_same_night_is_there_once(tmp_path):
    with State(tmp_path / "s.db") as state:
        for day in (1, 3, 2, 2):
            tally = replace(TALLY, at=f"2026-01-0{day}T05:00:00Z", runs=day)
            state.commit_audit([], NOW, tally, ("logs",))
        state.commit_audit([], NOW, TALLY, ("other logs",))
        assert [night.runs for night in state.tallies(("logs",), 60)] == [1, 3, 2]
        assert [night.runs for night in state.tallies(("logs",), 2)] == [3, 2]
        assert state.tallies(("other logs",), 60) == [TALLY] and state.tallies(("none",), 60) == []


def of_the_first_kind(folder):
    path = folder / "s.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        for statement in schema._STEPS[0].split(";"):
            old.execute(statement)
        old.execute(f"PRAGMA application_id = {schema.APPLICATION}")
        old.execute("PRAGMA user_version = 1")
    return path


def test_a_state_of_the_first_kind_is_brought_up_to_date_with_all_it_holds(tmp_path):
    path = of_the_first_kind(tmp_path)
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        old.execute("INSERT INTO findings VALUES ('x', 'f', 'plateau', '2026-01-01', '2026-01-01', 0, NULL)")
    with State(path) as state:
        assert state.tallies(("logs",), 60) == [] and state.previous_run("x").findings[0].symptom == "plateau"
        state.commit_audit([], NOW, TALLY, ("logs",))
    with closing(sqlite3.connect(path)) as now, State(path) as state:
        assert now.execute("PRAGMA user_version").fetchone() == (schema.VERSION,)
        assert state.tallies(("logs",), 60) == [TALLY]


def test_two_audits_that_bring_an_old_state_up_to_date_at_once_do_it_once(tmp_path):
    path = of_the_first_kind(tmp_path)

    def night(number):
        with State(path) as state:
            state.commit_audit([], NOW, replace(TALLY, at=f"2026-01-0{number}T05:00:00Z"), ("logs",))

    threads = [threading.Thread(target=night, args=(i,)) for i in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with State(path) as state:
        assert len(state.tallies(("logs",), 60)) == 6
