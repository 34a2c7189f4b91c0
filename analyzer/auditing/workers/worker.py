"""A process that judges runs for another one: tasks come in through standard input, rows go out where output went.

It ignores what a terminal sends to everybody (Ctrl-C): whoever started it ends it. When that one is gone, so is
its pipe, and the worker ends with the run it is at, or when that run's time is up.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import struct
from typing import BinaryIO

from analyzer.auditing.judge_one import Job, RunJudge, Task
from analyzer.auditing.workers import posix_limits
from analyzer.errors import PosthocError
from analyzer.model.redaction import mask_text

ROW, REFUSED, READY = b"r", b"x", b"!"
SPARE = 3.0
"""Seconds after a run's time is up in which whoever watches over the worker ends it, before it ends itself."""


def send(file: BinaryIO, kind: bytes, message: bytes) -> None:
    """Write one message: a letter, its length in 8 bytes, itself."""
    file.write(kind + struct.pack(">Q", len(message)) + message)
    file.flush()


def receive(file: BinaryIO) -> tuple[bytes, bytes] | None:
    """Return the letter and the message that send() wrote; None when the other side is gone."""
    head = file.read(9)
    if len(head) < 9:
        return None
    (size,) = struct.unpack(">Q", head[1:])
    message = file.read(size)
    return (head[:1], message) if len(message) == size else None


def main() -> None:
    """Judge what comes until nothing comes any more. The first message is the job with its limits."""
    tasks, rows = os.fdopen(0, "rb", closefd=False), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints while it judges must not come between the rows
    first = receive(tasks)
    if first is None:
        return
    # from our own supervisor, through a pipe that nobody else has: never from a log or a file
    job, timeout, memory = pickle.loads(first[1])  # noqa: S301 - as above
    bench = RunJudge(job)
    if memory:
        posix_limits.limit_memory(memory)
    with contextlib.suppress(BrokenPipeError):
        send(rows, READY, b"")
        while (message := receive(tasks)) is not None:
            posix_limits.end_after(timeout + SPARE)
            answer = _answer(bench, pickle.loads(message[1]))  # noqa: S301 - as above
            posix_limits.end_after(0)
            send(rows, *answer)


def _answer(bench: RunJudge, task: Task) -> tuple[bytes, bytes]:
    try:
        return ROW, bench.text(task).encode()
    except PosthocError as error:  # a page that cannot be written stops the audit, wherever it is judged
        return REFUSED, mask_text(str(error)).encode("utf-8", "backslashreplace")


def started(job: Job, timeout: float, memory: int | None) -> bytes:
    """Return the first message to a worker."""
    return pickle.dumps((job.sendable(), timeout, memory))
