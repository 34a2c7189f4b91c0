"""Several processes that judge, and one thread beside each that watches over it.

A worker that dies, or is at one run for too long and is ended, costs that run alone: the run gets a row that says
so, and another process takes the worker's place.
"""

from __future__ import annotations

import pickle
import queue
import threading
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, cast

from analyzer.auditing.judge_one import Job, RunJudge, Task
from analyzer.auditing.workers import posix_limits, worker
from analyzer.auditing.workers.processes import Process, ProcessPool
from analyzer.errors import OutputError, PosthocError
from analyzer.model.formatting import number

START = 60.0
"""Seconds in which a worker has to be ready."""

STARTS = 3
"""So many processes in a row must fail to start until it is told that none can."""

Answer = tuple[Task, str | Exception] | tuple[None, Exception]


@dataclass(frozen=True, slots=True)
class Limits:
    """How many processes judge; seconds and bytes that one run may take (None: as much as its share)."""

    jobs: int
    timeout: float
    memory: int | None = None


def records_by_workers(
    tasks: Sequence[Task], job: Job, limits: Limits, staff: ProcessPool | None = None
) -> Generator[tuple[Task, str], None, None]:
    """Yield each task with its row's text, in the order in which they get done.

    `staff` lends its processes, all for the same job and limits, and keeps them for the next call; without it none
    is left when the iterator is closed. PosthocError when no process can be started; OutputError when a page cannot be
    written.
    """
    count = min(limits.jobs, len(tasks))
    memory = limits.memory or posix_limits.share_of_memory(limits.jobs)
    own = ProcessPool() if staff is None else staff
    supervisor = _Supervisor(tasks, worker.started(job, limits.timeout, memory), limits.timeout, own)
    bench: RunJudge | None = None
    try:
        supervisor.start(count)
        for _ in tasks:
            task, answer = supervisor.answers.get()
            if task is None or isinstance(answer, Exception):
                raise cast(Exception, answer)
            if isinstance(answer, _Lost):
                bench = bench or RunJudge(job)
                answer = bench.lost(task, answer).text()
            yield task, answer
    finally:
        supervisor.end()
        if staff is None:
            own.end()


class _Lost(str):
    """Why a run has no row."""

    __slots__ = ()


class _Supervisor:
    """The threads, and the processes that they watch over. Tasks are handed out one by one."""

    def __init__(self, tasks: Sequence[Task], first: bytes, timeout: float, staff: ProcessPool) -> None:
        self.answers: queue.Queue[Answer] = queue.Queue()
        self._tasks = iter(tasks)
        self._first, self._timeout, self._staff = first, timeout, staff
        self._lock = threading.Lock()
        self._processes: set[Process] = set()
        self._threads: list[threading.Thread] = []
        self._over = False

    def start(self, count: int) -> None:
        try:
            self._staff.fork(count)  # before the first thread
        except OSError as error:
            raise _no_process(error) from error
        for _ in range(count):
            thread = threading.Thread(target=self._watch, daemon=True)
            self._threads.append(thread)
            thread.start()

    def end(self) -> None:
        with self._lock:
            self._over = True
            for process in self._processes:
                process.kill()
        for thread in self._threads:
            thread.join()

    def _next(self) -> Task | None:
        with self._lock:
            return None if self._over else next(self._tasks, None)

    def _watch(self) -> None:
        """Hand out tasks until there are none; whatever goes wrong here is raised where the rows are waited for."""
        try:
            self._work()
        except OSError as error:
            self.answers.put((None, _no_process(error)))
        except Exception as error:
            self.answers.put((None, error))

    def _work(self) -> None:
        process: Process | None = None
        while (task := self._next()) is not None:
            process = process or self._idle() or self._hired(task)
            if process is None:
                return
            answer = self._answer(process, task)
            if isinstance(answer, _Lost):
                self._dismissed(process)
                process = None
            self.answers.put((task, answer))
        if process is not None:
            self._rested(process)

    def _idle(self) -> Process | None:
        process = self._staff.idle()
        if process is not None:
            with self._lock:
                self._processes.add(process)
        return process

    def _hired(self, task: Task) -> Process | None:
        """Return a process that is ready; None, with the reason in the place of the row, when there is none."""
        code = 0
        for _ in range(STARTS):
            process = self._begun()
            if process is None:
                self.answers.put((None, PosthocError("judging was ended")))
                return None
            answer = self._asked(process, b"j", self._first, START)
            if answer is not None and answer[0] == worker.READY:
                return process
            self._dismissed(process)
            code = process.wait()
        why = f"no process that judges could be started (the last one {posix_limits.death(code)}); use --jobs 0"
        self.answers.put((task, PosthocError(why)))
        return None

    def _begun(self) -> Process | None:
        """Return a new process; None when nobody wants one any more."""
        with self._lock:
            process = None if self._over else self._staff.begun()
            if process is not None:
                self._processes.add(process)
            return process

    def _answer(self, process: Process, task: Task) -> str | PosthocError:
        late = threading.Event()
        found = self._asked(process, b"t", pickle.dumps(task), self._timeout, late)
        if found is not None:
            kind, message = found
            return OutputError(message.decode()) if kind == worker.REFUSED else message.decode()
        if late.is_set():
            return _Lost(f"it took longer than {number(self._timeout)} seconds (run-timeout) and was given up")
        return _Lost(f"the process that judged it {posix_limits.death(process.wait())}")

    def _asked(
        self,
        process: Process,
        kind: bytes,
        message: bytes,
        seconds: float,
        late: threading.Event | None = None,
    ) -> tuple[bytes, bytes] | None:
        """Send a message and return the answer; None when the process dies, or is killed as it takes too long."""

        def give_up() -> None:
            if late is not None:
                late.set()
            process.kill()

        timer = threading.Timer(seconds, give_up)
        timer.daemon = True
        timer.start()
        try:
            worker.send(cast(BinaryIO, process.stdin), kind, message)
            return worker.receive(cast(BinaryIO, process.stdout))
        except OSError:  # it died before it had read all
            return None
        finally:
            timer.cancel()

    def _dismissed(self, process: Process) -> None:
        self._staff.dismiss(process)
        with self._lock:
            self._processes.discard(process)

    def _rested(self, process: Process) -> None:
        with self._lock:
            self._processes.discard(process)
            if not self._over:
                self._staff.rest(process)
                return
        self._staff.dismiss(process)


def _no_process(error: OSError) -> PosthocError:
    return PosthocError(
        f"a process that judges could not be started ({error.strerror or error}); use fewer --jobs, or 0"
    )
