"""A worker process that is forked from this one: it has imported everything already, and starts in milliseconds."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from typing import BinaryIO, NoReturn


class ForkedProcess:
    """A child process with the part of `subprocess.Popen` that a pool needs.

    `stdin` and `stdout` are pipes to it, `returncode` is None until wait() has returned. Any thread may call.
    """

    def __init__(self, pid: int, stdin: BinaryIO, stdout: BinaryIO) -> None:
        """`pid` is a child of this process."""
        self.pid, self.stdin, self.stdout = pid, stdin, stdout
        self.returncode: int | None = None
        self._waiting = threading.Lock()

    def kill(self) -> None:
        """End the process, if it has not ended."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> int:
        """Return the exit code once the process has ended; minus the signal that killed it."""
        with self._waiting:
            if self.returncode is None:
                self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.returncode


def fork(main: Callable[[], object], place: str | None) -> ForkedProcess:
    """Return a child that calls `main` with pipes as its standard input and output, in a session of its own.

    It works in the folder `place`; None: that of this process. Call this only where the process has a single thread: a
    lock that another thread holds would stay locked in the child for good. OSError when there can be no process.
    """
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()  # or the child would write it once more
    task_end, stdin = os.pipe()
    stdout, row_end = os.pipe()
    try:
        pid = os.fork()
    except OSError:
        for end in (task_end, stdin, stdout, row_end):
            os.close(end)
        raise
    if pid == 0:
        _run(main, task_end, row_end, place)
    os.close(task_end)
    os.close(row_end)
    return ForkedProcess(pid, os.fdopen(stdin, "wb"), os.fdopen(stdout, "rb"))


def _run(main: Callable[[], object], stdin: int, stdout: int, place: str | None) -> NoReturn:
    """Be the child: nothing of the parent's is closed, flushed or rolled back when it ends."""
    code = 1
    try:
        gc.freeze()  # what the parent left behind is not collected here, and its pages of memory stay shared
        os.setsid()
        for caught in (signal.SIGINT, signal.SIGTERM):
            signal.signal(caught, signal.SIG_DFL)
        os.dup2(stdin, 0)
        os.dup2(stdout, 1)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))  # the pipes of other workers, or they would outlive their ends
        if place is not None:
            os.chdir(place)
        main()
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stderr.flush()
        os._exit(code)
