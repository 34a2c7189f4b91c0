"""Runs judged by a Dask cluster: chunks go out, rows come back as they get done.

Each chunk is judged by outpost.py, on whichever machine takes it, in processes with the same deadline and memory limit
as here. A machine that is lost costs nothing but time: Dask gives its chunks to another. What a machine cannot read is
looked at here, too, so that a folder it does not see is never told as damage. Dask is imported here and in
scheduler.py, and only when a cluster was asked for.
"""

from __future__ import annotations

import os
import pickle
import queue
import threading
import time
import uuid
import zlib
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analyzer.auditing import cache_key
from analyzer.auditing.judge_one import Job, RunJudge, Task
from analyzer.auditing.record import RunRecord
from analyzer.auditing.workers.dask_scheduler import REACH, connected, one_line
from analyzer.auditing.workers.dask_worker import JobSpec, Judged
from analyzer.auditing.workers.supervision import Limits, records_by_workers
from analyzer.errors import PosthocError
from analyzer.model.formatting import number
from analyzer.model.redaction import mask_text
from analyzer.model.run import Note
from analyzer.writers.page import page_name
from analyzer.writers.text_file import write_text

if TYPE_CHECKING:
    from distributed import Client, Future

PATIENCE = 300.0
"""Seconds without any worker after which a night is given up: it goes on, from its state, when there are some."""

LARGEST, SMALLEST, EACH = 200, 50, 4
"""Runs a chunk, at most and (where there are enough for so many chunks a thread) at least."""

SPAN = 20.0
"""Seconds after which a chunk comes back as far as it is done: an end in the middle costs no more than that."""

LOOK = 2.0
"""Seconds between two looks at whether the cluster is still there, when no chunk comes back."""


def records_by_cluster(tasks: Sequence[Task], job: Job, address: str) -> Generator[tuple[Task, str], None, None]:
    """Yield each task with its row's text, in the order in which they get done; each once, whatever machines die.

    PosthocError, in one sentence: no scheduler or worker there, another version there, a worker that cannot read
    what this machine can, a page that cannot be written. What is under way is cancelled when the iterator is closed.
    """
    whole = replace(job.sendable(), folder=job.folder.resolve())
    with connected(address) as client, _signed(whole.folder) as sign:
        night = _Night(client, address, JobSpec(uuid.uuid4().hex, whole, sign, str(Path.cwd()), SPAN))
        try:
            yield from night.rows(tasks)
        finally:
            night.end()


@dataclass(frozen=True, slots=True)
class _Done:
    """A chunk that came back or failed."""

    chunk: tuple[Task, ...]
    future: Future[Any]


class _Night:
    """The chunks of one night that are with the cluster."""

    def __init__(self, client: Client, address: str, orders: JobSpec) -> None:
        self._client, self._address, self._orders = client, mask_text(address), orders
        self._packed = pickle.dumps(orders)
        self._done: queue.Queue[_Done] = queue.Queue()
        self._out: set[Future[Any]] = set()
        self._judged = _carried()
        self._alone = time.monotonic()
        self._bench: RunJudge | None = None

    def rows(self, tasks: Sequence[Task]) -> Iterator[tuple[Task, str]]:
        threads = self._threads()
        size = chunk_size(len(tasks), threads)
        chunks = (tuple(tasks[at : at + size]) for at in range(0, len(tasks), size))
        for _, chunk in zip(range(max(64, 4 * threads)), chunks, strict=False):
            self._send(chunk)
        while self._out:
            done = self._next()
            yield from self._answered(done)
            self._out.discard(done.future)
            following = next(chunks, None)
            if following is not None:
                self._send(following)

    def end(self) -> None:
        """Take back what is under way, and let every worker end its processes."""

        def told() -> None:
            with suppress(Exception):  # whatever fails here, the night is over for us, and workers give it up later
                self._client.cancel([*self._out], force=True)
                self._client.run(_ended(), self._orders.night, on_error="ignore")

        ending = threading.Thread(target=told, daemon=True)
        ending.start()
        ending.join(REACH)

    def _send(self, chunk: tuple[Task, ...]) -> None:
        packed = pickle.dumps([*chunk])
        future = self._client.submit(self._judged, cache_key.code(), self._packed, packed, pure=False)
        self._out.add(future)
        future.add_done_callback(lambda one: self._done.put(_Done(chunk, one)))

    def _next(self) -> _Done:
        while True:
            try:
                return self._done.get(timeout=LOOK)
            except queue.Empty:
                self._look()

    def _look(self) -> None:
        """Give up when nobody has been there to judge for too long."""
        if self._threads():
            self._alone = time.monotonic()
        elif time.monotonic() - self._alone > PATIENCE:
            what = f"the cluster at {self._address} has had no worker for {number(PATIENCE)} seconds"
            raise PosthocError(f"{what}; start some and call again")

    def _threads(self) -> int:
        try:
            return sum(self._client.nthreads().values())
        except Exception as error:
            raise self._lost() from error

    def _lost(self) -> PosthocError:
        what = f"the connection to the cluster at {self._address} was lost"
        return PosthocError(f"{what}; call again, with --state it goes on where it was")

    def _answered(self, done: _Done) -> Iterator[tuple[Task, str]]:
        from distributed import KilledWorker  # noqa: PLC0415 - only with a cluster

        try:
            found = done.future.result()
        except KilledWorker:
            yield from self._given_back(done.chunk)
            return
        except ModuleNotFoundError as error:
            what = f"a worker of the cluster at {self._address} cannot load posthoc ({error})"
            raise PosthocError(f"{what}; install the same version there") from error
        except Exception as error:  # what a task raises in our own code comes back as a sentence
            if done.future.status in {"cancelled", "lost"}:
                raise self._lost() from error
            raise PosthocError(f"the cluster at {self._address} failed ({mask_text(one_line(error))})") from error
        if isinstance(found, str):
            raise PosthocError(mask_text(found))
        yield from self._taken(done.chunk, found)

    def _given_back(self, chunk: tuple[Task, ...]) -> Iterator[tuple[Task, str]]:
        """Send runs whose workers died again and again one by one; a single one is given up."""
        if len(chunk) > 1:
            for task in chunk:
                self._send((task,))
            return
        self._bench = self._bench or RunJudge(self._orders.job)
        yield chunk[0], self._bench.lost(chunk[0], "every worker of the cluster that judged it died").text()

    def _taken(self, chunk: tuple[Task, ...], found: Sequence[Judged]) -> Iterator[tuple[Task, str]]:
        """Yield a chunk's rows, its pages put where they belong; what could not be read there is read here."""
        tasks = {task.number: task for task in chunk}
        doubtful: dict[int, str] = {}
        for which, text, page in found:
            task = tasks[which]
            if _unreadable(text):
                doubtful[which] = text
                continue
            if page is not None:
                self._put(task, page)
            yield task, text
        judged = {which for which, *_ in found}
        rest = tuple(task for task in chunk if task.number not in judged)
        half = -(-len(rest) // 2)
        for part in (rest[:half], rest[half:]):  # its time was up; others may help, the last chunks most of all
            if part:
                self._send(part)
        if doubtful:
            yield from self._looked_at([tasks[which] for which in doubtful], doubtful)

    def _put(self, task: Task, page: bytes) -> None:
        text = zlib.decompress(page).decode("utf-8")
        write_text(self._orders.job.folder / "runs" / page_name(task.ref.id), text)

    def _looked_at(self, tasks: Sequence[Task], there: dict[int, str]) -> Iterator[tuple[Task, str]]:
        settings = self._orders.job.settings
        limits = Limits(1, settings.run_timeout, settings.run_memory)
        for task, text in records_by_workers(tasks, self._orders.job, limits):
            here = {note.file for note in _unreadable(text)}
            for note in _unreadable(there[task.number]):
                if note.file not in here:
                    what = f"a worker of the cluster cannot read what this machine can: {note.message}"
                    raise PosthocError(f"{what}; give all machines the same logs under the same path and user")
            yield task, text


def chunk_size(runs: int, threads: int) -> int:
    """Return how many runs make a chunk, so that every thread of the cluster gets several."""
    fair = runs // (max(1, threads) * EACH)
    if fair < SMALLEST:  # too few for all: spread them
        return max(1, min(SMALLEST, -(-runs // (2 * max(1, threads)))))
    return min(LARGEST, fair)


def _unreadable(text: str) -> list[Note]:
    if '"unreadable"' not in text:
        return []
    return [note for note in RunRecord.parsed(text).result.notes if note.kind == "unreadable"]


def _carried() -> Callable[..., Any]:
    """Return what a worker runs. It has no module, so that a machine without posthoc can take it, and say so."""

    def judged(code: str, orders: bytes, chunk: bytes) -> Any:
        from distributed import get_worker  # noqa: PLC0415 - runs elsewhere

        from analyzer.auditing.workers import dask_worker  # noqa: PLC0415 - runs elsewhere

        worker = get_worker()
        memory = dask_worker.share(worker.memory_manager.memory_limit, worker.state.nthreads)
        return dask_worker.judged(
            code, orders, chunk, dask_worker.WorkerInfo(worker.address, memory, worker.local_directory)
        )

    return judged


def _ended() -> Callable[[str], None]:
    """Return what ends a night on a worker, without a module as above."""

    def ended(night: str) -> None:
        from analyzer.auditing.workers import dask_worker  # noqa: PLC0415 - runs elsewhere

        dask_worker.end(night)

    return ended


@contextmanager
def _signed(folder: Path) -> Iterator[str]:
    """Put an empty file into a site by which workers know the folder; its name counts as abandoned when we are gone."""
    name = f"runs/.{uuid.uuid4().hex}.{os.getpid()}.tmp"
    write_text(folder / name, "")
    try:
        yield name
    finally:
        with suppress(OSError):  # then it counts as abandoned later
            (folder / name).unlink(missing_ok=True)
