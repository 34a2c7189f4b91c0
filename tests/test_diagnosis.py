"""From readings to a verdict: isolation, corrected chances, explanations, statuses and sentences."""

import graphlib
import json
from dataclasses import dataclass, replace
from importlib import metadata

import numpy as np
import pytest

from analyzer import detectors
from analyzer.detectors import Detector
from analyzer.diagnosis import judge_run, status_of
from analyzer.model.case import falling, made_run, noise
from analyzer.model.evidence import Evidence, Measure
from analyzer.model.result import fingerprint
from analyzer.model.run import Note, Run, Series
from analyzer.settings import RoleSetting, Settings

PAGE = detectors.known()["plateau"].page


@dataclass(frozen=True)
class NoLimits:
    pass


def with_detectors(monkeypatch, *extra):
    found = {**detectors.known(), **{d.symptom: d for d in extra}}
    monkeypatch.setattr(detectors, "known", lambda: found)


def test_a_detector_that_crashes_is_a_finding_and_the_others_go_on(monkeypatch):
    def crash(features):
        raise RuntimeError("boom")

    with_detectors(monkeypatch, Detector("always-crashing", PAGE, crash, NoLimits(), ()))
    result = judge_run(made_run({"train/loss": np.full(50, np.nan)}), now=2e9)
    assert [f.symptom for f in result.findings] == ["detector-failed", "non-finite"]
    assert "boom" in result.findings[0].summary
    assert {n.symptom for n in result.not_checked} >= {"always-crashing"}


def test_chances_are_corrected_for_all_tests_of_the_run(monkeypatch):
    def many(features):
        for i in range(20):
            yield Evidence((f"t{i}",), (Measure("x", 1.0),), "warning", "seen", p_value=0.002)

    with_detectors(monkeypatch, Detector("many-tests", PAGE, many, NoLimits(), ()))
    run = made_run({"train/loss": falling(60)})
    assert not [f for f in judge_run(run, now=2e9).findings if f.symptom == "many-tests"]
    loose = judge_run(run, Settings(alpha=0.05), now=2e9)
    (finding,) = [f for f in loose.findings if f.symptom == "many-tests"]
    assert finding.p_value == pytest.approx(0.04, rel=0.2)
    assert len(finding.also) == 19


def test_a_detector_of_another_package_joins_by_its_entry_point(monkeypatch):
    mine = Detector("made-elsewhere", PAGE, lambda features: iter(()), NoLimits(), ())

    class Entry:
        name = "made-elsewhere"

        def load(self):
            return mine

    monkeypatch.setattr(metadata, "entry_points", lambda group: [Entry()] if group == "posthoc.detectors" else [])
    detectors.known.cache_clear()
    try:
        assert detectors.known()["made-elsewhere"] is mine
    finally:
        monkeypatch.undo()
        detectors.known.cache_clear()


def exploded():
    values = falling(300) * np.exp(noise(300, 0.05))
    values[200:240] = np.exp(np.linspace(0, 60, 40))
    values[240:] = np.nan
    return made_run({"train/loss": values})


def test_an_explosion_explains_the_nan_after_it_and_leads():
    first, second, *_ = judge_run(exploded(), now=2e9).findings
    assert (first.symptom, second.symptom) == ("exploding-loss", "non-finite")
    assert second.explained_by == first.fingerprint
    assert not second.counts


def test_select_and_ignore_choose_the_detectors():
    assert {
        f.symptom for f in judge_run(exploded(), Settings(ignore=frozenset({"exploding-loss"})), now=2e9).findings
    } == {"non-finite"}
    result = judge_run(exploded(), Settings(select=frozenset({"plateau"})), now=2e9)
    assert not result.findings


def test_limits_and_roles_of_the_user_count():
    run = made_run({"train/quantity_1": np.full(60, np.nan)})
    assert judge_run(run, now=2e9).verdict == "unjudged"
    given = Settings(roles={"train/quantity_1": RoleSetting("loss", "train")})
    assert judge_run(run, given, now=2e9).verdict == "problems"
    patient = replace(given, limits={"non-finite": {"count": 1000.0}})
    assert judge_run(run, patient, now=2e9).verdict == "unjudged"


@pytest.mark.parametrize("points", [1, 2, 4])
def test_a_run_that_is_too_short_is_unjudged_and_says_why(points):
    result = judge_run(made_run({"train/loss": falling(points)}), now=2e9)
    assert result.verdict == "unjudged"
    assert "8 are needed" in result.sentence and "8 are needed" in result.to_dict()["reason"]


def test_a_fingerprint_depends_on_symptom_run_and_tags_alone():
    assert fingerprint("plateau", "a/b", ("x", "y")) == fingerprint("plateau", "a/b", ("y", "x"))
    assert fingerprint("plateau", "a/b", ("x",)) != fingerprint("plateau", "a/c", ("x",))
    assert len(fingerprint("plateau", "a", ())) == 16


def logged(*notes, declared=None, at=1000.0):
    series = {"loss": Series("loss", np.arange(3), np.ones(3), np.full(3, at))}
    return Run("r", "r", "mlflow", "x", series, notes=notes, declared=declared)


TORN = Note("torn-tail", "torn")


@pytest.mark.parametrize(
    ("run", "now", "status"),
    [
        (logged(), 2000.0, "ok"),
        (logged(declared="FINISHED"), 2000.0, "ok"),
        (logged(declared="RUNNING"), 2000.0, "in-progress"),
        (logged(TORN), 2000.0, "in-progress"),
        (logged(TORN), 1e6, "partial"),
        (logged(declared="RUNNING"), 1e6, "partial"),
        (logged(Note("damage", "bad bytes")), 2000.0, "partial"),
        (Run("r", "r", "mlflow", "x", notes=(Note("unreadable", "gone"),)), 0.0, "failed"),
        (Run("r", "r", "mlflow", "x"), 0.0, "skipped"),
    ],
)
def test_the_status_of_a_log(run, now, status):
    assert status_of(run, now, 6 * 3600)[0] == status


def test_a_run_without_metrics_is_not_called_one_that_could_not_be_judged():
    result = judge_run(Run("r", "r", "mlflow", "x", declared="FINISHED"), now=2e9)
    assert (result.status, result.verdict) == ("skipped", "unjudged")
    assert "no metrics were logged" in result.sentence and "could not" not in result.sentence


def test_damage_and_unreadable_logs_are_findings():
    damaged = judge_run(logged(Note("damage", "12 bytes at offset 7"), Note("damage", "again")), now=2e9)
    assert [(f.symptom, f.severity) for f in damaged.findings] == [("damaged-log", "warning")]
    assert "12 bytes at offset 7" in damaged.findings[0].summary
    lost = judge_run(Run("r", "r", "mlflow", "x", notes=(Note("unreadable", "no permission"),)), now=2e9)
    assert [(f.symptom, f.severity) for f in lost.findings] == [("unreadable-log", "error")]
    assert lost.status == "failed"


def test_the_dictionary_is_strict_json_with_the_fields_of_the_contract():
    document = judge_run(exploded(), now=2e9).to_dict()
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert set(document) >= {
        "run",
        "name",
        "source",
        "location",
        "status",
        "reason",
        "verdict",
        "sentence",
        "series",
        "findings",
        "not_checked",
    }
    finding = document["findings"][0]
    expected = {
        "symptom",
        "severity",
        "tags",
        "first_step",
        "last_step",
        "summary",
        "cause",
        "advice",
        "measures",
        "p_value",
    }
    assert set(finding) >= expected | {"explained_by", "fingerprint", "state", "suppressed"}
    assert set(finding["measures"][0]) >= {"name", "value", "limit", "unit"}
    assert set(document["series"][0]) >= {"tag", "points", "role", "split", "first_step", "last_step"}


def test_a_run_of_which_no_point_could_be_read_has_failed():
    lost = judge_run(Run("r", "r", "mlflow", "x", notes=(Note("damage", "5,000 bytes at offset 40"),)), now=2e9)
    assert (lost.status, [f.symptom for f in lost.findings]) == ("failed", ["unreadable-log"])


def test_a_clock_that_runs_ahead_keeps_no_run_in_progress():
    assert status_of(logged(TORN, at=1.6e12), 1e9, 6 * 3600)[0] == "partial"


def test_many_tags_are_read_in_time_that_grows_with_their_number():
    one = np.zeros(1)
    series = {f"loss/{i}": Series(f"loss/{i}", one.astype(int), one, one) for i in range(20_000)}
    assert judge_run(Run("r", "r", "mlflow", "x", series), now=2e9).verdict == "unjudged"


def test_a_file_in_the_runs_own_folder_is_named_without_that_folder():
    lost = Run("deep/down/a", "a", "tensorboard", "x", notes=(Note("unreadable", "deep/down/a/events.1: no record"),))
    result = judge_run(lost, now=2e9)
    assert result.reason == "events.1: no record" and "nothing could be read: events.1" in result.sentence


def test_symptoms_follow_from_each_other_without_cycles():
    relation = {name: detector.yields_to for name, detector in detectors.known().items()}
    assert all(set(leaders) <= set(relation) for leaders in relation.values())
    graphlib.TopologicalSorter(relation).prepare()  # raises CycleError


def test_a_note_explains_no_warning_away(monkeypatch):
    def seen(severity):
        return lambda features: iter([Evidence(("loss",), (Measure("x", 1.0),), severity, severity)])

    leader = Detector("a-leader", PAGE, seen("info"), NoLimits(), ())
    follower = Detector("a-follower", PAGE, seen("warning"), NoLimits(), (), yields_to=("a-leader",))
    with_detectors(monkeypatch, leader, follower)
    found = {f.symptom: f for f in judge_run(made_run({"loss": falling(60)}), now=2e9).findings}
    assert found["a-follower"].explained_by is None
    with_detectors(monkeypatch, replace(leader, measure=seen("warning")), follower)
    found = {f.symptom: f for f in judge_run(made_run({"loss": falling(60)}), now=2e9).findings}
    assert found["a-follower"].explained_by == found["a-leader"].fingerprint
