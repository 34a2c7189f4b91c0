"""A night from beginning to end: what last night left is taken over, the rest is judged, and all of it is told."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from analyzer.auditing import cache_key, shard
from analyzer.auditing.judge_one import Job, Task, rows_here
from analyzer.auditing.judging import DiscoveredRuns, suppress
from analyzer.auditing.provenance import making
from analyzer.auditing.publishing import Tell, opened, told
from analyzer.auditing.record import Pages, RunRecord, page_key, wants_page
from analyzer.auditing.record_store import RecordStore, Results
from analyzer.auditing.state import State
from analyzer.auditing.suppression import stale
from analyzer.auditing.workers import dask_client
from analyzer.auditing.workers.cpu_count import jobs_for
from analyzer.auditing.workers.supervision import Limits, rows_by_workers
from analyzer.model.formatting import calendar
from analyzer.model.redaction import mask_text
from analyzer.model.result import Night, Result
from analyzer.readers import EVERY
from analyzer.settings import Settings
from analyzer.writers.site import Site

Progress = Callable[[int, int], None]
"""Called with the number of runs judged and the number of all."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a night is gone about. `jobs` None: as many as pay; 0: in this process. `now` is in Unix seconds.

    `cluster` is the address of a Dask scheduler whose workers judge in place of this machine.
    """

    state: Path | None = None
    jobs: int | None = None
    share: shard.ShardPart | None = None
    pages: Pages = "all"
    now: float | None = None
    cluster: str | None = None


class Audit:
    """One night, or a part of one, over the runs that were found."""

    def __init__(
        self, found: DiscoveredRuns, sources: Sequence[str], settings: Settings, *, site: Site, plan: Plan, by: str
    ) -> None:
        """Plan the night; `by` is the version of posthoc."""
        self._found, self._settings, self._site, self._plan = found, settings, site, plan
        self._now = time.time() if plan.now is None else plan.now
        self._judging = cache_key.judging(settings)
        self._version, self._sources = by, tuple(mask_text(source) for source in sources)
        self._tasks = [
            Task(i, ref, making(by, source, name, settings))
            for i, (ref, (source, name)) in enumerate(zip(found.refs, found.origins, strict=True))
            if plan.share is None or plan.share.holds(ref.id)
        ]

    def told(self, progress: Progress | None, tell: Tell | None) -> Night:
        """Judge and tell the night, or write the shard that was asked for; return the night, without states then."""
        with opened(self._plan.state, self._settings) as state:
            if self._plan.share is None:
                self._site.begin()
            rows = self._rows(state, progress)
            if self._plan.share is not None:
                return self._part(rows, self._plan.share)
            head = self._head(Results(rows, range(len(rows))), shard.ShardPart(1, 1))
            return told(head, rows, self._site, state=state, now=self._now, tell=tell, settings=self._settings)

    def _rows(self, state: State | None, progress: Progress | None) -> RecordStore:
        """Return the row of each run by its number, with what was set aside marked."""
        rows = RecordStore(self._site.folder)
        tell = progress or (lambda done, total: None)
        stamps: dict[int, str | None] = {}
        fresh = []
        for task in self._tasks:
            stamp = None if state is None else task.ref.stamp()
            text = None if state is None or stamp is None else self._kept(task, stamp, state)
            if text is None:
                fresh.append(task)
                stamps[task.number] = stamp
            else:
                rows.put(task.number, text)
        tell(len(rows), len(self._tasks))
        with closing(self._judged(fresh)) as judged:
            for task, text in judged:
                if state is not None:
                    state.keep(task.ref.id, stamps[task.number], self._judging.key, text, self._now)
                rows.put(task.number, self._aside_marked(text))
                tell(len(rows), len(self._tasks))
        return rows

    def _kept(self, task: Task, stamp: str, state: State) -> str | None:
        """Return the row of an earlier night if nothing that it depends on has changed, and its page is there."""
        row, text = state.row(task.ref.id, stamp, self._judging.key) or (None, "")
        if row is None or not _settled(row.result):
            return None
        told = self._suppress(row)
        if not wants_page(told.result, self._plan.pages):
            return replace(told, page="").text()
        stands = row.page == page_key(told.result, task.making) and self._site.has_page(row.result.run)
        if not stands:
            return None
        return text if told is row else told.text()

    def _aside_marked(self, text: str) -> str:
        return self._suppress(RunRecord.parsed(text)).text() if self._settings.suppress else text

    def _suppress(self, row: RunRecord) -> RunRecord:
        result = suppress(row.result, self._settings, self._now)
        return row if result is row.result else replace(row, result=result)

    def _judged(self, tasks: Sequence[Task]) -> Generator[tuple[Task, str], None, None]:
        job = Job(self._settings, self._now, self._site.folder, self._plan.pages)
        if self._plan.cluster is not None:
            if tasks:
                with closing(dask_client.rows_by_cluster(tasks, job, self._plan.cluster)) as rows:
                    yield from rows
            return
        jobs = jobs_for(len(tasks), self._plan.jobs)
        if not jobs:
            yield from rows_here(tasks, job)
            return
        limits = Limits(jobs, self._settings.run_timeout, self._settings.run_memory)
        with closing(rows_by_workers(tasks, job, limits)) as rows:
            yield from rows

    def _head(self, results: Iterable[Result], share: shard.ShardPart) -> shard.Head:
        names = [ref.id for ref in self._found.refs]
        today = calendar(self._now).date()
        return shard.Head(
            share=share,
            version=self._version,
            judging=self._judging.key,
            sources=self._sources,
            asked=self._sources if self._found.choice == EVERY else (*self._sources, repr(self._found.choice)),
            runs=len(names),
            names=shard.names_digest(names),
            notes=self._found.notes,
            stale=stale(results, self._settings.suppress, today),
            at=self._now,
        )

    def _part(self, rows: RecordStore, share: shard.ShardPart) -> Night:
        numbers = [task.number for task in self._tasks]
        results = Results(rows, numbers)
        shard.write_shard(self._site.folder, self._head(results, share), ((n, rows[n]) for n in numbers))
        return Night(self._version, self._sources, results)


def _settled(result: Result) -> bool:
    """Whether a result stays as long as its log does: not of a run still going, nor of one that could not be read."""
    going_on = result.status in {"in-progress", "failed"}
    return not going_on and not any(note.kind == "unreadable" for note in result.notes)
