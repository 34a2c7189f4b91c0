"""Audits are ordered as they came: a clock that was ahead, went back or left the calendar spoils nothing for good."""

import shutil

import numpy as np
import pytest

from analyzer import api
from analyzer.auditing.pipeline import Plan
from analyzer.auditing.state import State
from tests.auditing.test_equality import falling, write

DAY, NOW = 86_400.0, 1_790_100_000.0
AHEAD = {"a decade": NOW + 3_650 * DAY, "beyond the calendar": 1e12, "beyond any": 1e300}


@pytest.fixture
def logs(tmp_path):
    for name in ("a", "b", "c"):
        write(tmp_path / "logs" / name, falling(1, 60))
    write(tmp_path / "logs" / "sick", np.where(np.arange(200) > 150, np.nan, falling(2)))
    return tmp_path / "logs"


def audit(logs, now):
    return api.audit([logs], logs.parent / "site", plan=Plan(logs.parent / "s.db", now=now, jobs=0))


def vanished(night):
    return [one.run for one in night.vanished]


@pytest.mark.parametrize("ahead", AHEAD.values(), ids=AHEAD)
def test_one_audit_with_a_clock_ahead_leaves_the_memory_right(logs, ahead):
    for day in range(3):
        audit(logs, NOW + day * DAY)
    assert audit(logs, ahead).clock == ""
    shutil.rmtree(logs / "b")
    back = audit(logs, NOW + 4 * DAY)
    assert vanished(back) == ["b"]
    assert back.clock.startswith("the clock went back: this audit is dated 2026-") and "\n" not in back.clock
    assert back.clock in (logs.parent / "site" / "index.html").read_text("utf-8")
    (sick,) = [one for one in back.results if one.run == "sick"]
    assert {one.state for one in sick.findings} == {"persisting"}
    assert all(one.first_seen <= one.last_seen for one in sick.findings)
    assert len(back.trend) == 5  # no night was forgotten
    shutil.rmtree(logs / "c")
    later = audit(logs, NOW + 5 * DAY)
    assert vanished(later) == ["c"] and later.clock == ""
    assert [one.at for one in later.trend] != sorted(one.at for one in later.trend)  # as they came


def test_what_one_clock_says_forgets_nothing_and_what_two_say_does(logs):
    audit(logs, NOW)
    shutil.rmtree(logs / "sick")
    for day, known in ((1, True), (500, True), (501, False)):
        audit(logs, NOW + day * DAY)
        with State(logs.parent / "s.db") as state:
            assert (state.previous_run("sick") is not None) == known


def test_a_clock_that_was_behind_is_followed(logs):
    assert audit(logs, 1.0).clock == ""
    night = audit(logs, NOW)
    assert night.clock == "" and vanished(night) == []
    shutil.rmtree(logs / "b")
    assert vanished(audit(logs, NOW + DAY)) == ["b"]
