"""A watch reads on where it stopped, tells each thing once, and judges as if it had read everything anew."""

import shutil

import numpy as np
import pytest
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

import analyzer
from analyzer import api
from analyzer.auditing.pipeline import Plan
from analyzer.auditing.watcher import Watch
from analyzer.errors import SourceError
from analyzer.readers.run_ref import RunRef
from analyzer.settings import Settings

NOW = 1_800_000_000.0


class Training:
    """A training whose log grows: a loss that falls, and from `sick` on is NaN; a step a minute."""

    def __init__(self, folder, sick=10**9):
        folder.mkdir(parents=True)
        self.sick, self.step = sick, 0
        self.file = (folder / "events.out.tfevents.1800000000.host").open("ab")
        self.records = RecordWriter(self.file)

    def go_on(self, steps):
        for _ in range(steps):
            value = float("nan") if self.step >= self.sick else 0.2 + 2 * np.exp(-self.step / 60)
            summary = Summary(value=[Summary.Value(tag="loss", simple_value=value)])
            event = Event(wall_time=NOW + 60 * self.step, step=self.step, summary=summary)
            self.records.write(event.SerializeToString())
            self.step += 1
        self.records.flush()
        return NOW + 60 * self.step


@pytest.fixture
def sick(tmp_path):
    one = Training(tmp_path / "logs" / "a", sick=300)
    yield one
    one.file.close()


def symptoms(look):
    return [(one.result.run, one.finding.symptom) for one in look.sightings]


def test_what_comes_up_is_told_once_with_onset_and_cost(sick, tmp_path):
    watch = Watch([str(tmp_path / "logs")], Settings())
    assert watch.look(sick.go_on(250)).sightings == ()
    assert watch.look(sick.go_on(40)).sightings == ()
    look = watch.look(sick.go_on(130))
    assert symptoms(look) == [("a", "non-finite")]
    (one,) = look.sightings
    assert one.onset == NOW + 60 * 300 and one.hours == pytest.approx(119 / 60) and not one.at_start
    assert watch.look(sick.go_on(30)).sightings == ()


def test_an_untouched_log_is_neither_read_nor_judged(sick, tmp_path, monkeypatch):
    watch = Watch([str(tmp_path / "logs")], Settings())
    now = sick.go_on(400)
    assert watch.look(now).judged == 1
    monkeypatch.setattr(RunRef, "update", lambda self, marks: pytest.fail("it was read again"))
    assert watch.look(now + 60).judged == 0


def test_only_what_was_appended_is_read_and_judged_as_if_all_were(sick, tmp_path, monkeypatch):
    given, real = [], RunRef.update

    def update(self, marks):
        found = real(self, marks)
        given.append((found.whole, sum(s.points for s in found.run.series.values())))
        return found

    watch = Watch([str(tmp_path / "logs")], Settings())
    with monkeypatch.context() as patch:
        patch.setattr(RunRef, "update", update)
        for steps in (200, 50, 100, 70):
            now = sick.go_on(steps)
            watch.look(now)
    assert given == [(True, 200), (False, 50), (False, 100), (False, 70)]
    (run,) = analyzer.open_runs(tmp_path / "logs")
    assert watch.results[0].to_dict() == analyzer.analyze(run, now=now).without_curves().to_dict() | {"run": "a"}


def test_logs_that_vanish_and_appear_are_told_and_end_nothing(sick, tmp_path):
    watch = Watch([str(tmp_path / "logs")], Settings())
    now = sick.go_on(100)
    watch.look(now)
    other = Training(tmp_path / "logs" / "b")
    other.go_on(100)
    other.file.close()
    assert watch.look(now).appeared == ("b",)
    shutil.rmtree(tmp_path / "logs" / "a")
    assert watch.look(now).vanished == ("a",)
    shutil.rmtree(tmp_path / "logs")
    look = watch.look(now)
    assert look.runs == 0 and look.vanished == ("b",) and "does not exist" in look.notes[0]


def test_a_source_that_is_absent_at_the_start_is_an_error_and_an_empty_one_is_waited_for(tmp_path):
    with pytest.raises(SourceError, match="does not exist"):
        Watch([str(tmp_path / "typo")], Settings()).look(NOW)
    (tmp_path / "logs").mkdir()
    watch = Watch([str(tmp_path / "logs")], Settings())
    assert watch.look(NOW).runs == 0
    one = Training(tmp_path / "logs" / "a", sick=300)
    now = one.go_on(400)
    one.file.close()
    look = watch.look(now)
    assert look.appeared == ("a",) and symptoms(look) == [("a", "non-finite")] and not look.sightings[0].at_start


def test_a_run_that_falls_silent_is_judged_again_when_it_counts_as_ended(sick, tmp_path):
    watch = Watch([str(tmp_path / "logs")], Settings())
    now = sick.go_on(200)
    with next((tmp_path / "logs" / "a").iterdir()).open("ab") as file:
        file.write(b"\x18\0\0")  # the beginning of a record
    watch.look(now)
    assert watch.results[0].status == "in-progress"
    assert watch.look(now + 60).judged == 0
    look = watch.look(now + 7 * 3600)
    assert look.judged == 1 and [one.status for one in look.ended] == ["partial"]


def test_with_the_state_of_an_audit_the_rest_is_new(sick, tmp_path):
    state, logs = tmp_path / "state", str(tmp_path / "logs")
    now = sick.go_on(400)
    api.audit([logs], tmp_path / "site", plan=Plan(state=state, now=now))
    assert Watch([logs], Settings(), state=state).look(now).sightings == ()
    (alone,) = Watch([logs], Settings()).look(now).sightings
    assert alone.at_start
    other = Training(tmp_path / "logs" / "b", sick=300)
    other.go_on(400)
    other.file.close()
    look = Watch([logs], Settings(), state=state).look(now)
    assert symptoms(look) == [("b", "non-finite")] and not look.sightings[0].at_start
