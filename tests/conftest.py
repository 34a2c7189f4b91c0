"""What holds for every test: a busy machine is no reason to fail, and small audits need no process of their own."""

import signal
import threading
from pathlib import Path

import pytest
from hypothesis import settings

from analyzer.auditing.workers import cpu_count

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN and threading.current_thread() is threading.main_thread():
    # a shell starts background jobs deaf to interrupts, and their children inherit that; tests interrupt some of them
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture(autouse=True)
def few_runs_are_judged_here(request, monkeypatch):
    """A process a small audit would double the time of the tests; `guarded` ones do as users do."""
    if "guarded" not in request.keywords:
        monkeypatch.setattr(cpu_count, "LEAST", 0)


INTEGRATION = (
    "features/test_course.py",  # laws on many made curves
    "benchmarks",  # whole yardsticks on made data
    "browser",  # Chromium
    "comparing/test_command.py",  # processes
    "comparing/test_difference.py",  # many simulated groups
    "comparing/test_laws.py",  # many simulated groups
    "auditing/cross_run",  # audits of many runs
    "auditing/workers",  # worker processes, a Dask cluster
    "auditing/test_full_disk.py",  # processes with a limit
    "auditing/test_equality.py",  # the same audit in every way of running it
    "auditing/test_jobs.py",
    "auditing/test_run_names.py",
    "auditing/test_notification.py",  # a server that is notified
    "auditing/test_record_store.py",  # processes that are killed
    "auditing/test_state.py",  # two processes on one state
    "histories",  # many simulated jobs
    "laws",  # each law on every kind of run
    "readers/filelog/test_damage.py",  # every byte of a file damaged in turn
    "readers/filelog/test_fuzz.py",
    "readers/filelog/test_json_rows.py",  # a bucket's server
    "readers/mlflow/test_autologs.py",
    "readers/mlflow/test_choices.py",  # a tracking server
    "readers/mlflow/test_database.py",  # databases that another process locks
    "readers/mlflow/test_faults.py",
    "readers/mlflow/test_write_back.py",
    "readers/mlflow/test_mysql.py",  # a database's server
    "readers/mlflow/test_oracle.py",
    "readers/mlflow/test_peers.py",
    "readers/mlflow/test_proxy.py",
    "readers/mlflow/test_real_server.py",
    "readers/mlflow/test_server.py",
    "readers/mlflow/test_sql.py",
    "readers/tensorboard/test_faults.py",  # every byte of a file damaged in turn
    "readers/tensorboard/test_peers.py",
    "readers/test_object_store.py",
    "auditing/test_cache_key.py",  # audits of many runs
    "cli/test_watch_command.py",  # processes that are interrupted
    "test_action.py",  # the steps of the GitHub Action in a shell
    "test_cli.py",  # a process for each call
    "test_night.py",  # processes that are interrupted
    "test_packaging.py",  # builds wheels
)
"""Modules and folders below tests/ that are no part of the fast tier: what starts processes, servers or a browser,
fuzzes, or takes more than about ten seconds. A single slow test bears the marker itself."""

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items):
    """Mark the tests of these modules as `integration`."""
    for item in items:
        path = item.path.relative_to(HERE).as_posix() if item.path.is_relative_to(HERE) else ""
        if path.startswith(INTEGRATION):
            item.add_marker(pytest.mark.integration)
