"""What a night comes to, and which nights are told: each once, none that was killed, tonight's last."""

from dataclasses import replace

import numpy as np
import pytest

from analyzer import api
from analyzer.auditing.pipeline import Plan
from analyzer.auditing.shard import ShardPart
from analyzer.auditing.totals import NIGHTS, Count, trend
from analyzer.model.result import Checked
from analyzer.model.totals import Tally
from benchmarks.truth.events import Curve, write_events
from tests import made

DAY, NOW = 86_400.0, 1.79e9


@pytest.fixture
def logs(tmp_path):
    for name in ("a", "b"):
        values = made.falling(100)
        steps = np.arange(100)
        write_events(tmp_path / "logs" / name, [Curve("loss", steps, values, steps)], start=NOW, pace=1.0)
    return tmp_path / "logs"


def night(logs, day, **plan):
    where = logs.parent
    return api.audit(logs, where / "site", plan=Plan(where / "s.db", jobs=0, now=NOW + day * DAY, **plan))


def tally_of(results, now):
    count = Count()
    for result in results:
        count.add(result)
    return count.tally(now)


def test_counts_are_those_of_the_index():
    told = tally_of([made.overfitted(), made.exploded(), made.healthy(), made.unjudged(), made.failed()], NOW)
    assert (told.runs, told.failed, told.at) == (5, 1, "2026-09-21T14:13:20Z")
    assert told.verdicts == {"error": 3, "warning": 0, "unjudged": 1, "suppressed": 0, "healthy": 1}
    assert told.symptoms["overfitting"] == 1 and "wasted-tail" not in told.symptoms  # explained


@pytest.mark.parametrize(("minutes", "hours"), [(90.0, 1.5), (float("inf"), 0.0)])
def test_hours_past_the_best_step_are_those_of_runs_that_overfitted_or_got_no_better(minutes, hours):
    spent = (made.measure("time after the last gain", minutes, 10, "minutes"),)
    sick = made.overfitted()
    found = tuple(replace(f, measures=spent) if f.symptom == "wasted-tail" else f for f in sick.findings)
    well = replace(made.healthy(), checked=(Checked("wasted-tail", ("loss",), spent),))
    overfitted = replace(sick, findings=sick.findings[:1], checked=well.checked)
    assert tally_of([replace(sick, findings=found)], NOW).hours == hours
    assert tally_of([overfitted], NOW).hours == hours and tally_of([well], NOW).hours == 0.0


def test_each_night_adds_a_point_and_the_first_has_no_other(logs):
    assert len(night(logs, 0).trend) == 1
    assert "Over the last" not in (logs.parent / "site" / "index.html").read_text("utf-8")
    second = night(logs, 1)
    assert [told.at[:10] for told in second.trend] == ["2026-09-21", "2026-09-22"]
    assert "Over the last 2 nights" in (logs.parent / "site" / "index.html").read_text("utf-8")
    assert api.audit(logs, logs.parent / "other").trend == ()


def test_a_night_that_was_not_told_adds_none(logs):
    night(logs, 0)
    with pytest.raises(KeyboardInterrupt):
        api.audit(logs, logs.parent / "site", plan=Plan(logs.parent / "s.db", now=NOW + DAY), tell=_killed)
    assert [told.at[:10] for told in night(logs, 2).trend] == ["2026-09-21", "2026-09-23"]


def _killed(_):
    raise KeyboardInterrupt


def test_a_night_merged_twice_adds_one(logs):
    parts = [logs.parent / f"part{i}" for i in (1, 2)]
    for i, part in enumerate(parts, 1):
        api.audit(logs, part, plan=Plan(jobs=0, share=ShardPart(i, 2), now=NOW + 60 * i))
    for _ in range(2):
        told = api.merge(parts, logs.parent / "site", state=logs.parent / "s.db")
        assert [one.at for one in told.trend] == ["2026-09-21T14:14:20Z"]


def test_only_the_last_nights_are_told():
    class Remembering:
        def tallies(self, sources, most):
            return [Tally(f"{i:04d}", 0, {}, 0, {}, 0.0) for i in range(200)][-most:]

    told = trend(Remembering(), Tally("0199", 5, {}, 0, {}, 0.0), ())
    assert len(told) == NIGHTS and told[-1].runs == 5 and told[-2].at == "0198"
