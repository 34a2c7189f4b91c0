"""The processes that judge: started when they are wanted, kept between two runs or chunks, ended together."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import BinaryIO, cast

from analyzer.auditing import judge_one
from analyzer.auditing.workers import native_threads, worker
from analyzer.auditing.workers.forked import ForkedProcess, fork

Process = subprocess.Popen[bytes] | ForkedProcess


class ProcessPool:
    """Processes that have the same job; those without work wait for the next. Any thread may ask."""

    def __init__(self, place: str | None = None) -> None:
        """`place` is the folder in which they work, where relative paths begin; None: that of this process."""
        self._place = place
        self._lock = threading.Lock()
        self._all: set[Process] = set()
        self._idle: list[Process] = []
        self._fresh: list[Process] = []
        self._over = False

    def fork(self, count: int) -> None:
        """Fork so many new processes for begun() where this process has a single thread; otherwise do nothing.

        OSError when there can be no process.
        """
        if not native_threads.is_single():
            return
        judge_one.prepare()
        with self._lock:
            while len(self._idle) + len(self._fresh) < count:
                self._fresh.append(fork(worker.main, self._place))
                self._all.add(self._fresh[-1])

    def begun(self) -> Process | None:
        """Return a new process, which has not been told its job; None when all is over. OSError when there is none."""
        with self._lock:
            if self._over:
                return None
            if self._fresh:
                return self._fresh.pop()
            process = started(self._place)
            self._all.add(process)
            return process

    def idle(self) -> Process | None:
        """Return a process that knows its job and waits, if there is one."""
        with self._lock:
            return self._idle.pop() if self._idle else None

    def rest(self, process: Process) -> None:
        """Let a process wait for its next run."""
        with self._lock:
            self._idle.append(process)

    def dismiss(self, process: Process) -> None:
        """End a process and close what led to it."""
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            try:
                cast(BinaryIO, pipe).close()
            except OSError:  # what was still to be sent to it
                continue
        with self._lock:
            self._all.discard(process)

    def end(self) -> None:
        """End every process: idle ones are dismissed, whoever waits for one at work sees it die. No more are begun."""
        with self._lock:
            self._over = True
            idle, self._idle, self._fresh = [*self._idle, *self._fresh], [], []
            for process in self._all:
                process.kill()
        for process in idle:
            self.dismiss(process)


def started(place: str | None) -> Process:
    """Return a new interpreter in a session of its own, so that Ctrl-C reaches only whoever watches over it."""
    path = os.pathsep.join(os.path.abspath(place) for place in sys.path if isinstance(place, str))  # noqa: PTH100
    environment = dict.fromkeys(native_threads.POOLS, "1") | os.environ | {"PYTHONPATH": path}
    command = [sys.executable, "-P", "-c", "from analyzer.auditing.workers.worker import main; main()"]
    return subprocess.Popen(  # noqa: S603 - our own interpreter and our own code
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, cwd=place, start_new_session=True
    )
