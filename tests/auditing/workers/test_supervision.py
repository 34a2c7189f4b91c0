"""Whatever a run does to the process that judges it costs that run alone."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from unittest.mock import Mock

import pytest

from analyzer.auditing.judge_one import Job, Task, records_here
from analyzer.auditing.judging import DiscoveredRuns
from analyzer.auditing.pipeline import Plan, run_audit
from analyzer.auditing.provenance import making
from analyzer.auditing.record import RunRecord
from analyzer.auditing.workers import processes, supervision
from analyzer.auditing.workers.supervision import Limits, records_by_workers
from analyzer.errors import OutputError, PosthocError
from analyzer.settings import RoleSetting, Settings
from analyzer.writers.site import Site
from tests.auditing.planted import planted

SETTINGS = Settings(roles={"loss": RoleSetting("loss", "train", "lower")})
pytestmark = pytest.mark.skipif(os.name != "posix", reason="processes are killed as POSIX does it")


@pytest.fixture
def job(tmp_path):
    Site(tmp_path / "site", {})
    return Job(SETTINGS, 1.79e9, tmp_path / "site")


def tasks(*names):
    return [Task(i, ref, making("1", "logs", ref.id, SETTINGS)) for i, ref in enumerate(planted(*names))]


def rows(given, job, jobs=2, timeout=30.0, memory=None):
    return {
        t.ref.id: RunRecord.parsed(text) for t, text in records_by_workers(given, job, Limits(jobs, timeout, memory))
    }


def test_workers_say_what_this_process_would_say(job):
    given = tasks(*(f"fine-{i}" for i in range(5)))
    here = {task.ref.id: text for task, text in records_here(given, job)}
    assert {t.ref.id: text for t, text in records_by_workers(given, job, Limits(2, 30.0))} == here
    assert len(list((job.folder / "runs").glob("*.html"))) == 5


def test_one_that_dies_and_one_that_exits_are_named_and_the_others_judged(job):
    found = rows(tasks("a", "dies", "b", "exits", "c", "prints", "d"), job)
    assert len(found) == 7 and {k for k, row in found.items() if row.result.status == "failed"} == {"dies", "exits"}
    assert "was killed (SIGKILL" in found["dies"].result.reason
    assert "ended with exit code 7" in found["exits"].result.reason
    assert found["dies"].result.findings[0].symptom == "detector-failed"
    assert len(list((job.folder / "runs").glob("*.html"))) == 7


def test_one_that_hangs_is_given_up_at_its_time(job):
    start = time.monotonic()
    found = rows(tasks("a", "hangs", "b"), job, timeout=6.0)
    assert time.monotonic() - start < 60
    assert "took longer than 6 seconds" in found["hangs"].result.reason
    assert found["a"].result.status == found["b"].result.status == "ok"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux bounds a process's memory")
def test_one_that_eats_memory_meets_its_limit(job):
    found = rows(tasks("a", "grows", "b"), job, memory=3 << 30)
    assert found["grows"].result.status == "failed" and "Memory" in found["grows"].result.reason
    assert found["b"].result.status == "ok"


def test_a_page_that_cannot_be_written_stops_all(job):
    (job.folder / "runs").rmdir()
    (job.folder / "runs").write_text("")
    with pytest.raises(OutputError):
        rows(tasks("a", "b", "c"), job)


def test_processes_that_cannot_start_are_told_once(job, monkeypatch):
    monkeypatch.setattr(supervision.posix_limits, "LEAST_MEMORY", 1)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(PosthocError, match="no process that judges could be started"):
        rows(tasks("a", "b", "c"), job)


def test_one_that_dies_before_it_is_ready_costs_nothing(job, monkeypatch):
    begin, dying = processes.started, [True]

    def first_dies(place):
        process = begin(place)
        if dying.pop() if dying else False:
            process.kill()
        return process

    monkeypatch.setattr(processes, "started", first_dies)
    assert {row.result.status for row in rows(tasks("a", "b"), job).values()} == {"ok"}


def test_a_machine_that_gives_no_process_is_told(job, monkeypatch):
    monkeypatch.setattr(processes.subprocess, "Popen", Mock(side_effect=BlockingIOError(11, "no more processes")))
    with pytest.raises(PosthocError, match="no more processes"):
        rows(tasks("a", "b"), job)


def test_no_process_is_left_when_nobody_wants_more(job):
    before = _children(os.getpid())
    found = records_by_workers(tasks("a", "hangs", "b", "c"), job, Limits(2, 600.0))
    next(found)
    started = _children(os.getpid()) - before
    found.close()
    assert started and not started & _children(os.getpid())


def _children(process):
    """Return the ids of the processes that a process has started."""
    words = ["pgrep", "-P", str(process)]
    return set(subprocess.run(words, capture_output=True, text=True, check=False).stdout.split())


LEFT_ALONE = """
import sys
sys.path[:0] = {path!r}
from tests.auditing.workers.test_supervision import tasks, Job, SETTINGS, Limits, records_by_workers
from pathlib import Path
job = Job(SETTINGS, 0.0, Path({folder!r}))
for task, text in records_by_workers(tasks("a", "hangs", "hangs-2"), job, Limits(2, 20.0)):
    print(task.ref.id, flush=True)
"""


def test_workers_whose_watcher_is_killed_end_by_themselves(job):
    program = LEFT_ALONE.format(path=sys.path, folder=str(job.folder))
    watcher = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert watcher.stdout.readline() == "a\n"
    found = _children(watcher.pid)
    watcher.send_signal(signal.SIGKILL)
    watcher.communicate()
    deadline = time.monotonic() + 90
    while any(Path(f"/proc/{pid}").exists() for pid in found) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert found and not [pid for pid in found if Path(f"/proc/{pid}").exists()]


@pytest.mark.guarded
def test_even_the_fewest_runs_are_judged_where_a_killer_does_no_harm(tmp_path, monkeypatch):
    found = DiscoveredRuns(tuple(planted("a", "dies", "b")), (("logs", "a"), ("logs", "dies"), ("logs", "b")), ())
    audited = run_audit(found, ["logs"], SETTINGS, site=Site(tmp_path / "site", {}), plan=Plan(), version="1")
    assert [result.status for result in audited.results] == ["ok", "failed", "ok"]
