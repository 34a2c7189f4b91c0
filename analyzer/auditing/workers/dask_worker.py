"""What one night has on a machine of the cluster: the supervised processes that judge here, too, and what they need.

Chunks of runs come in, rows go back. The processes stay from one chunk to the next, for starting one costs as much as
judging dozens of small runs; they end with the night, with the machine's Dask worker, or when nothing comes any more.
Pages are written into the site's folder when this machine sees it; else they go back with the rows.
"""

from __future__ import annotations

import pickle
import tempfile
import threading
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from analyzer.auditing import cache_key
from analyzer.auditing.judge_one import Job, Task
from analyzer.auditing.workers import posix_limits
from analyzer.auditing.workers.processes import ProcessPool
from analyzer.auditing.workers.supervision import Limits, records_by_workers
from analyzer.errors import PosthocError
from analyzer.writers.page import page_name

IDLE = 120.0
"""Seconds after which a night that sends nothing any more is given up: whoever sent was killed."""

AT_ONCE = 8
"""Runs between two looks at the clock."""

Judged = tuple[int, str, bytes | None]
"""A task's number, its row's text, and its page (packed) when this machine does not see the site's folder."""


@dataclass(frozen=True, slots=True)
class JobSpec:
    """What all chunks of a night have in common.

    `night` names it; `sign` is a file that lies in the site's folder as long as it is judged, by which another
    machine knows that folder; `place` is where relative paths begin; `seconds` is when a chunk goes back as far as it
    is done, so that rows arrive steadily whatever its runs take.
    """

    night: str
    job: Job
    sign: str
    place: str
    seconds: float


@dataclass(frozen=True, slots=True)
class WorkerInfo:
    """What Dask says of its worker: its address, bytes that a run may use there (None: unknown), a scratch folder."""

    name: str
    memory: int | None
    scratch: str | None


class HostWorkers:
    """One night in this process."""

    def __init__(self, orders: JobSpec, here: WorkerInfo) -> None:
        """Start nothing yet; make a folder for pages that go back, if they have to."""
        self._job, self._seconds = orders.job, orders.seconds
        self._staff = ProcessPool(orders.place if Path(orders.place).is_dir() else None)
        self._pages: tempfile.TemporaryDirectory[str] | None = None
        if not (orders.job.folder / orders.sign).is_file():
            self._pages = tempfile.TemporaryDirectory(prefix="posthoc-", dir=here.scratch, ignore_cleanup_errors=True)
            self._job = replace(orders.job, folder=Path(self._pages.name))
            (self._job.folder / "runs").mkdir()
        memory = orders.job.settings.run_memory or here.memory
        self._limits = Limits(1, orders.job.settings.run_timeout, memory)
        self.busy = 0

    def rows(self, chunk: Sequence[Task]) -> Iterator[Judged]:
        """Judge runs one after the other, each under its deadline and memory limit, until the chunk's time is up.

        At least some runs are judged. Several threads may call it.
        """
        enough = time.monotonic() + self._seconds
        for at in range(0, len(chunk), AT_ONCE):
            if at and time.monotonic() > enough:
                return
            for task, text in records_by_workers(chunk[at : at + AT_ONCE], self._job, self._limits, self._staff):
                yield task.number, text, self._packed(task)

    def end(self) -> None:
        """End the processes, also those at work, and remove what is left of pages."""
        self._staff.end()
        if self._pages is not None:
            self._pages.cleanup()

    def _packed(self, task: Task) -> bytes | None:
        page = self._job.folder / "runs" / page_name(task.ref.id)
        if self._pages is None or not page.is_file():
            return None
        packed = zlib.compress(page.read_bytes(), 6)
        page.unlink()
        return packed


_nights: dict[str, HostWorkers] = {}
_timers: dict[str, threading.Timer] = {}
_lock = threading.Lock()


def judged(code: str, orders: bytes, chunk: bytes, here: WorkerInfo) -> list[Judged] | str:
    """Return what became of a chunk's runs, the first of them when time is up, or why this machine can judge none.

    `code` is that of whoever sends; what is packed in the other two is looked at only when ours is the same.
    """
    if code != cache_key.code():
        what = "has another version of posthoc, or other detectors, than the machine that audits"
        return f"the cluster's worker {here.name} {what}; install the same on both"
    # from our own audit by way of the cluster's scheduler, which may run any code on this machine anyway
    known: JobSpec = pickle.loads(orders)  # noqa: S301 - as above
    tasks: list[Task] = pickle.loads(chunk)  # noqa: S301 - as above
    host_workers = _entered(known, here)
    try:
        return list(host_workers.rows(tasks))
    except PosthocError as error:
        return f"the cluster's worker {here.name}: {error}"
    except OSError as error:
        return f"the cluster's worker {here.name} cannot judge: {error}"
    finally:
        _left(known.night, host_workers)


def end(night: str) -> None:
    """End a night here, if there is one."""
    with _lock:
        host_workers = _nights.pop(night, None)
        timer = _timers.pop(night, None)
    if timer is not None:
        timer.cancel()
    if host_workers is not None:
        host_workers.end()


def share(memory: int | None, threads: int) -> int | None:
    """Return the bytes that a run may take on a worker of so many threads that was given so much memory."""
    if memory is None:
        return posix_limits.share_of_memory(threads)
    return max(posix_limits.LEAST_MEMORY, memory // max(1, threads))


def _entered(orders: JobSpec, here: WorkerInfo) -> HostWorkers:
    with _lock:
        timer = _timers.pop(orders.night, None)
        if timer is not None:
            timer.cancel()
        host_workers = _nights.get(orders.night)
        if host_workers is None:
            host_workers = _nights[orders.night] = HostWorkers(orders, here)
        host_workers.busy += 1
        return host_workers


def _left(night: str, host_workers: HostWorkers) -> None:
    with _lock:
        host_workers.busy -= 1
        if host_workers.busy or _nights.get(night) is not host_workers:
            return
        timer = _timers[night] = threading.Timer(IDLE, end, (night,))
        timer.daemon = True
        timer.start()
