"""A night judges every run, whatever one of them holds."""

import numpy as np
import pytest
from tensorboardX import SummaryWriter

from analyzer.errors import SourceError
from analyzer.fleet.night import find_runs, judged
from analyzer.readers import RunRef
from analyzer.settings import Settings


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


class Broken(RunRef):
    """A run whose reader fails outright."""

    def load(self, marks):
        raise OSError("the disk went away")


def test_a_reader_that_raises_costs_its_own_run_only(logs):
    refs = (Broken("x", "x", "tensorboard", "x"), *find_runs([str(logs / "a")]).refs)
    first, second = judged(refs, Settings(), 0.0)
    assert first.status == "failed" and "the disk went away" in first.reason
    assert first.findings[0].symptom == "unreadable-log" and second.status == "ok"
