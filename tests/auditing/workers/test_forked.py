"""Workers are forked where this process has one thread, and behave as those that are started afresh."""

import json
import os
import subprocess
import sys

import pytest

from analyzer.auditing.workers import native_threads

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux says how many threads there are"
)

PROGRAM = """
import json, sys
sys.path[:0] = {path!r}
from unittest.mock import Mock
from pathlib import Path
from analyzer.auditing.workers import processes
from tests.auditing.workers.test_supervision import Job, Site, SETTINGS, rows, tasks
{setup}
Site(Path({folder!r}), {{}})
found = rows(tasks(*{names!r}), Job(SETTINGS, 1.79e9, Path({folder!r})), timeout=6.0, memory=3 << 30)
print(json.dumps({{name: [row.result.status, row.result.reason or ""] for name, row in found.items()}}))
"""
NO_INTERPRETER = 'processes.subprocess.Popen = Mock(side_effect=AssertionError("a new interpreter was started"))'


def judged(folder, *names, setup=""):
    """Return the status and the reason of each run, judged by workers of a process that has one thread."""
    program = PROGRAM.format(path=sys.path, folder=str(folder / "site"), names=names, setup=setup)
    environment = os.environ | dict.fromkeys(native_threads.POOLS, "1")
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=True, timeout=120)
    return json.loads(done.stdout.splitlines()[-1])


def test_the_first_workers_are_forked(tmp_path):
    assert judged(tmp_path, "a", "b", "c", setup=NO_INTERPRETER) == {name: ["ok", ""] for name in "abc"}


def test_whatever_a_run_does_to_a_forked_worker_costs_that_run_alone(tmp_path):
    found = judged(tmp_path, "a", "dies", "b", "exits", "c", "prints", "d", "hangs", "grows")
    assert {name for name, (status, _) in found.items() if status == "failed"} == {"dies", "exits", "hangs", "grows"}
    assert "was killed (SIGKILL" in found["dies"][1] and "ended with exit code 7" in found["exits"][1]
    assert "took longer than 6 seconds" in found["hangs"][1] and "Memory" in found["grows"][1]


ALONE = """
import json, os, sys
sys.path[:0] = {path!r}
from analyzer.auditing.workers.forked import fork
held = open(os.devnull)
def child():
    files = sorted(map(int, os.listdir("/proc/self/fd")))
    os.write(1, json.dumps([files, os.getcwd(), os.getsid(0) == os.getpid()]).encode())
    if {end!r}:
        raise {end}
print("before", end="")
process = fork(child, {place!r})
answer = process.stdout.read().decode()
print("|", answer, "|", process.wait(), process.wait())
"""


@pytest.mark.parametrize(("end", "code"), [("", 0), ("SystemExit(7)", 7), ("ValueError", 1)])
def test_a_forked_process_has_its_pipes_its_place_and_its_exit_code(tmp_path, end, code):
    program = ALONE.format(path=sys.path, end=end, place=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    before, answer, codes = done.stdout.split("|")
    files, place, own_session = json.loads(answer)
    assert before.strip() == "before" and codes.split() == [str(code)] * 2
    assert set(files) - {3} == {0, 1, 2} and place == str(tmp_path) and own_session  # 3 lists the folder itself
    assert ("ValueError" in done.stderr) == (end == "ValueError")


def test_a_process_with_more_threads_is_not_forked():
    program = "import threading; from analyzer.auditing.workers import native_threads as n; print(n.is_single()); "
    program += "threading.Thread(target=threading.Event().wait, daemon=True).start(); print(n.is_single())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["True", "False"]
