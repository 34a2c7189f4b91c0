"""A night judges every run, whatever one of them holds."""

from dataclasses import dataclass, replace
from unittest.mock import Mock

import numpy as np
import pytest
from tensorboardX import SummaryWriter

from analyzer.auditing import judging
from analyzer.auditing.judging import find_runs, judged
from analyzer.errors import SourceError
from analyzer.model.result import Event
from analyzer.readers import RunRef
from analyzer.settings import Settings
from tests import made


@pytest.fixture
def logs(tmp_path):
    for name in ("a", "b"):
        with SummaryWriter(str(tmp_path / name / "run")) as writer:
            for i in range(60):
                writer.add_scalar("loss", float(np.exp(-i / 20)), i)
    return tmp_path


def test_sources_are_put_together_and_names_kept_apart(logs):
    found = find_runs([str(logs / "a"), str(logs / "b")])
    assert [ref.id for ref in found.refs] == ["a/run", "b/run"]
    assert found.origins == ((str(logs / "a"), "run"), (str(logs / "b"), "run"))
    assert [result.run for result in judged(found.refs, Settings(), 0.0)] == ["a/run", "b/run"]


def test_one_source_that_is_absent_does_not_stop_the_others(logs):
    found = find_runs([str(logs / "a"), str(logs / "absent")])
    assert len(found.refs) == 1 and len(found.failures) == 1 and "absent" in found.notes[-1].message
    with pytest.raises(SourceError):
        find_runs([str(logs / "absent")])


@dataclass(frozen=True)
class Broken(RunRef):
    """A run whose reader fails outright."""

    kind: type[BaseException] = OSError

    def load(self, marks):
        raise self.kind("the disk went away")


@pytest.mark.parametrize("kind", [OSError, ValueError, KeyError, AssertionError, MemoryError, RecursionError])
def test_a_reader_that_raises_costs_its_own_run_only(logs, kind):
    refs = (Broken("x", "x", "tensorboard", "x", kind), *find_runs([str(logs / "a")]).refs)
    first, second = judged(refs, Settings(), 0.0)
    assert first.status == "failed" and "the disk went away" in first.reason
    assert first.findings[0].symptom == "unreadable-log" and second.status == "ok"


def test_an_interruption_is_not_swallowed():
    with pytest.raises(KeyboardInterrupt):
        list(judged((Broken("x", "x", "tensorboard", "x", KeyboardInterrupt),), Settings(), 0.0))


@pytest.mark.parametrize("fault", [{"side_effect": ZeroDivisionError("at h")}, {"return_value": replace(made.healthy(), params=(("x", 1),), main_tag=None, events=(Event("restart", np.int64(3), "x"),))}])  # fmt: skip  # noqa: E501
def test_a_judgement_that_fails_costs_its_own_run_only(logs, monkeypatch, fault):
    refs = find_runs([str(logs / "a"), str(logs / "b")]).refs
    whole = judging.judge_run
    broken = Mock(**fault)
    monkeypatch.setattr(judging, "judge_run", lambda run, *a: (broken if run.id == "a/run" else whole)(run, *a))
    first, second = judged(refs, Settings(), 0.0)
    assert first.status == "failed" and first.verdict == "problems" and "judging this run failed" in first.sentence
    assert [f.symptom for f in first.findings] == ["detector-failed"] and second.status == "ok"


def test_what_several_sources_hold_is_judged_once(logs, monkeypatch):
    monkeypatch.chdir(logs)
    (logs / "link").symlink_to(logs / "a")
    found = find_runs(["a", "./a", str(logs / "a"), "link"])
    assert [ref.id for ref in found.refs] == ["run"] and len(found.notes) == 3
    assert found.notes[0].message == "./a is given more than once; it is read once"
    found = find_runs([".", "a/run", "b"])
    assert [ref.id for ref in found.refs] == ["a/run", "b/run"]
    assert found.origins == ((".", "a/run"), (".", "b/run"))
    assert [n.message for n in found.notes] == [
        "a/run: 1 run of it is in another source, too, and judged once",
        "b: 1 run of it is in another source, too, and judged once",
    ]
