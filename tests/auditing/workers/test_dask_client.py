"""What a cluster says is what this machine would say; what goes wrong there is one clear sentence."""

import gc
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from analyzer.auditing.judge_one import Job, Task, records_here
from analyzer.auditing.provenance import making
from analyzer.auditing.record import RunRecord
from analyzer.auditing.workers import dask_client, dask_scheduler
from analyzer.auditing.workers.dask_client import chunk_size, records_by_cluster
from analyzer.auditing.workers.dask_scheduler import reach
from analyzer.cli import main
from analyzer.errors import PosthocError, UsageError
from analyzer.settings import RoleSetting, Settings
from analyzer.writers.page import page_name
from analyzer.writers.site import Site
from tests.auditing.planted import planted
from tests.auditing.workers.clusters import local_cluster, processes

SETTINGS = Settings(roles={"loss": RoleSetting("loss", "train", "lower")}, run_timeout=120.0, run_memory=3 << 30)
ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.xdist_group("cluster")


@pytest.fixture(scope="module")
def dask():
    with local_cluster() as found:
        yield found


@pytest.fixture
def job(tmp_path):
    return job_in(tmp_path / "site")


def job_in(folder):
    Site(folder, {})
    return Job(SETTINGS, 1.79e9, folder)


def tasks(*names):
    return [Task(i, ref, making("1", "logs", ref.id, SETTINGS)) for i, ref in enumerate(planted(*names))]


def pages(job):
    return {page.name: page.read_bytes() for page in (job.folder / "runs").iterdir()}


def far(dask, given, job):
    return {task.ref.id: text for task, text in records_by_cluster(given, job, dask.scheduler_address)}


@pytest.mark.parametrize("shared", [True, False])
def test_rows_and_pages_are_those_of_this_machine(dask, job, tmp_path, monkeypatch, shared):
    """Also where the workers do not see the site's folder: then the pages come back with the rows."""
    here = job_in(tmp_path / "here")
    given = tasks(*(f"fine-{i}" for i in range(9)))
    expected = {task.ref.id: text for task, text in records_here(given, here)}
    if not shared:
        orders = dask_client.JobSpec
        monkeypatch.setattr(dask_client, "JobSpec", lambda night, job, _, *rest: orders(night, job, "runs/none", *rest))
    assert far(dask, given, job) == expected
    assert pages(job) == pages(here) and len(pages(job)) == 9


def test_a_chunk_whose_time_is_up_comes_back_as_far_as_it_is_done(dask, job, monkeypatch):
    monkeypatch.setattr(dask_client, "SPAN", 0.0)
    monkeypatch.setattr(dask_client, "chunk_size", lambda runs, threads: 20)
    given = tasks(*(f"fine-{i}" for i in range(11)))
    found = [task.number for task, _ in records_by_cluster(given, job, dask.scheduler_address)]
    assert sorted(found) == [*range(11)] and len(pages(job)) == 11


def test_deadline_and_memory_limit_hold_there_and_a_death_costs_one_run(dask, job):
    strict = replace(job, settings=replace(SETTINGS, run_timeout=12.0))
    found = far(dask, tasks("a", "dies", "b", "hangs", "c", "grows", "d"), strict)
    rows = {run: RunRecord.parsed(text).result for run, text in found.items()}
    assert {run for run, result in rows.items() if result.status == "failed"} == {"dies", "hangs", "grows"}
    assert "was killed (SIGKILL" in rows["dies"].reason
    assert "took longer than 12 seconds" in rows["hangs"].reason
    assert "Memory" in rows["grows"].reason or not sys.platform.startswith("linux")
    assert len(pages(job)) == 7


def test_logs_that_only_this_machine_can_read_stop_the_night_by_name(dask, job, monkeypatch):
    monkeypatch.setenv("POSTHOC_TEST_HERE", "1")
    with pytest.raises(PosthocError, match="cannot read what this machine can: elsewhere: cannot be read"):
        far(dask, tasks("a", "elsewhere", "b"), job)


def test_logs_that_no_machine_can_read_are_told_as_here(dask, job, tmp_path):
    given = tasks("a", "elsewhere")
    assert far(dask, given, job) == {t.ref.id: text for t, text in records_here(given, job_in(tmp_path / "here"))}


def test_another_version_there_is_told(dask, job, monkeypatch):
    monkeypatch.setattr(dask_client.cache_key, "code", lambda: "another")
    with pytest.raises(PosthocError, match=r"worker tcp://.* has another version of posthoc"):
        far(dask, tasks("a"), job)


def test_a_page_that_cannot_be_written_stops_all(dask, job):
    (job.folder / "runs" / page_name("b")).mkdir()
    with pytest.raises(PosthocError, match="is a folder"):
        far(dask, tasks("a", "b", "c"), job)


def within(seconds, come_true):
    """Wait until something has come true; return whether it has."""
    deadline = time.monotonic() + seconds
    while not come_true() and time.monotonic() < deadline:
        time.sleep(0.1)
    return come_true()


def test_no_process_is_left_when_nobody_wants_more(dask, job):
    given = tasks("a", "b", "hangs", "hangs-2", "c")  # one chunk hangs on one worker, the other worker is free
    rows = records_by_cluster(given, job, dask.scheduler_address)
    next(rows)
    began = within(30, lambda: bool(children(dask)))  # of the runs that hang, perhaps only about to be started
    rows.close()
    ended = within(30, lambda: not children(dask))  # far less than what a run that hangs may take
    assert began and ended


def children(dask):
    words = [["pgrep", "-P", str(pid), "-f", "analyzer.auditing.workers.worker"] for pid in processes(dask)]
    found = [subprocess.run(one, capture_output=True, check=False).stdout for one in words]
    return [line for out in found for line in out.split()]


def test_a_cluster_without_workers_is_given_up(job, monkeypatch):
    monkeypatch.setattr(dask_client, "PATIENCE", 0.5)
    monkeypatch.setattr(dask_client, "LOOK", 0.2)
    with local_cluster(workers=0) as empty, pytest.raises(PosthocError, match=r"has had no worker for 0\.5 seconds"):
        far(empty, tasks("a"), job)


def test_a_scheduler_that_is_not_there_is_told_within_seconds(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    start = time.monotonic()
    code = main(["audit", str(ROOT / "examples"), "--cluster", "tcp://someone:hunter2@127.0.0.1:9"])
    said = capsys.readouterr().err
    assert code == 2 and said.count("\n") == 1 and "hunter2" not in said
    assert main(["audit", str(ROOT / "examples"), "--cluster", "tcp://127.0.0.1:9"]) == 2
    said = capsys.readouterr().err
    assert "no Dask scheduler answers at tcp://127.0.0.1:9" in said and said.count("\n") == 1
    assert time.monotonic() - start < 20 and not (tmp_path / "posthoc-site").exists()


@pytest.mark.parametrize("says", [b"", b"\x00\xff" * 5_000])
def test_who_listens_and_is_no_scheduler_is_told_within_seconds(capfd, monkeypatch, says):
    """Also one who never says a word: Dask's own client would wait for that without end."""
    pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")
    monkeypatch.setattr(dask_scheduler, "REACH", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        kept = []

        def listen():
            with suppress(OSError):  # the server has been closed
                while True:
                    kept.append(server.accept()[0])
                    kept[-1].sendall(says)

        threading.Thread(target=listen, daemon=True).start()
        start = time.monotonic()
        with pytest.raises(PosthocError, match=r"no Dask scheduler answers|cannot be reached as a Dask scheduler"):
            reach(f"tcp://127.0.0.1:{server.getsockname()[1]}")
        assert time.monotonic() - start < 10
        server.shutdown(socket.SHUT_RDWR)
        for one in kept:
            one.close()
    gc.collect()
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("address", ["nonsense", "nonsense://h:1", "tcp://a:b", "tcp://h", "", "h:99999"])
def test_what_is_no_address_is_told(address):
    pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")
    with pytest.raises(UsageError, match="is not the address of a Dask scheduler"):
        reach(address)


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match=r"posthoc\[cluster\]"):
        reach("tcp://127.0.0.1:9")


def test_jobs_are_for_this_machine(capsys):
    assert main(["audit", "x", "--cluster", "h:1", "--jobs", "2"]) == 2
    assert "--jobs is for this machine" in capsys.readouterr().err


def test_dask_is_imported_only_for_a_cluster():
    program = "import sys, analyzer.cli.commands; print({'distributed', 'dask', 'fsspec', 'apprise'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_chunks_are_large_where_there_is_enough_and_small_where_there_is_not():
    assert chunk_size(100_000, 64) == 200 and chunk_size(100_000, 320) == 78
    assert chunk_size(13, 2) == 4 and chunk_size(1, 64) == 1 and chunk_size(1000, 64) == 8
    assert chunk_size(10_000, 0) == 200 and chunk_size(150, 2) == 38
