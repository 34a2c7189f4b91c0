"""A night from beginning to end: what last night left is taken over, the rest is judged, and all of it is told."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from analyzer.errors import SourceError
from analyzer.fleet import cluster, shard, version
from analyzer.fleet.across import across
from analyzer.fleet.cores import jobs_for
from analyzer.fleet.making import making
from analyzer.fleet.memory import Compared, compared
from analyzer.fleet.night import Found, set_aside
from analyzer.fleet.row import Pages, Row, page_key, wants_page
from analyzer.fleet.state import State
from analyzer.fleet.suppression import stale
from analyzer.fleet.tally import tally_of, trend
from analyzer.fleet.version import Judging
from analyzer.fleet.work import Job, Task, rows_here
from analyzer.fleet.workers import Limits, rows_by_workers
from analyzer.model.result import Night, Result
from analyzer.model.run import Note
from analyzer.model.secrets import mask_text
from analyzer.settings import Settings
from analyzer.writers.file import write_text
from analyzer.writers.page import page_name
from analyzer.writers.site import Site

Progress = Callable[[int, int], None]
"""Called with the number of runs judged and the number of all."""

Tell = Callable[[Night], object]
"""Called with a night when its site is written and before it counts as told."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a night is gone about. `jobs` None: as many as pay; 0: in this process. `now` is in Unix seconds.

    `cluster` is the address of a Dask scheduler whose workers judge in place of this machine.
    """

    state: Path | None = None
    jobs: int | None = None
    share: shard.Share | None = None
    pages: Pages = "all"
    now: float | None = None
    cluster: str | None = None


class Audit:
    """One night, or a part of one, over the runs that were found."""

    def __init__(
        self, found: Found, sources: Sequence[str], settings: Settings, *, site: Site, plan: Plan, by: str
    ) -> None:
        """Plan the night; `by` is the version of posthoc."""
        self._found, self._settings, self._site, self._plan = found, settings, site, plan
        self._now = time.time() if plan.now is None else plan.now
        self._judging = version.judging(settings)
        self._version, self._sources = by, tuple(mask_text(source) for source in sources)
        self._tasks = [
            Task(i, ref, making(by, source, name, settings))
            for i, (ref, (source, name)) in enumerate(zip(found.refs, found.origins, strict=True))
            if plan.share is None or plan.share.holds(ref.id)
        ]

    def told(self, progress: Progress | None, tell: Tell | None) -> Night:
        """Judge and tell the night, or write the shard that was asked for; return the night, without states then."""
        with _opened(self._plan.state, self._settings) as state:
            if self._plan.share is None:
                self._site.begin()
            rows = self._rows(state, progress)
            if self._plan.share is not None:
                return self._part(rows, self._plan.share)
            head = self._head([row.result for row in rows], shard.Share(1, 1))
            return _told(head, rows, self._site, state=state, now=self._now, tell=tell)

    def _rows(self, state: State | None, progress: Progress | None) -> list[Row]:
        """Return the row of each run, with what was set aside marked."""
        rows: dict[int, Row] = {}
        stamps: dict[int, str | None] = {}
        if state is not None:
            stamps = {task.number: task.ref.stamp() for task in self._tasks}
            kept = ((task, self._kept(task, stamps[task.number], state)) for task in self._tasks)
            rows = {task.number: row for task, row in kept if row is not None}
        tell = progress or (lambda done, total: None)
        tell(len(rows), len(self._tasks))
        fresh = [task for task in self._tasks if task.number not in rows]
        with closing(self._judged(fresh)) as judged:
            for task, text in judged:
                if state is not None:
                    state.keep(task.ref.id, stamps[task.number], self._judging.key, text, self._now)
                rows[task.number] = self._set_aside(Row.parsed(text))
                tell(len(rows), len(self._tasks))
        return [rows[task.number] for task in self._tasks]

    def _kept(self, task: Task, stamp: str | None, state: State) -> Row | None:
        """Return the row of an earlier night if nothing that it depends on has changed, and its page is there."""
        row = state.row(task.ref.id, stamp, self._judging.key) if stamp is not None else None
        if row is None or not _settled(row.result):
            return None
        row = self._set_aside(row)
        if not wants_page(row.result, self._plan.pages):
            return replace(row, page="")
        stands = row.page == page_key(row.result, task.making) and self._site.has_page(row.result.run)
        return row if stands else None

    def _set_aside(self, row: Row) -> Row:
        return replace(row, result=set_aside(row.result, self._settings, self._now))

    def _judged(self, tasks: Sequence[Task]) -> Generator[tuple[Task, str], None, None]:
        job = Job(self._settings, self._now, self._site.folder, self._plan.pages)
        if self._plan.cluster is not None:
            if tasks:
                with closing(cluster.rows_by_cluster(tasks, job, self._plan.cluster)) as rows:
                    yield from rows
            return
        jobs = jobs_for(len(tasks), self._plan.jobs)
        if not jobs:
            yield from rows_here(tasks, job)
            return
        limits = Limits(jobs, self._settings.run_timeout, self._settings.run_memory)
        with closing(rows_by_workers(tasks, job, limits)) as rows:
            yield from rows

    def _head(self, results: Sequence[Result], share: shard.Share) -> shard.Head:
        names = [ref.id for ref in self._found.refs]
        today = datetime.fromtimestamp(self._now, UTC).date()
        return shard.Head(
            share=share,
            version=self._version,
            judging=self._judging.key,
            sources=self._sources,
            runs=len(names),
            names=shard.names_digest(names),
            notes=self._found.notes,
            stale=stale(results, self._settings.suppress, today),
            at=self._now,
        )

    def _part(self, rows: Sequence[Row], share: shard.Share) -> Night:
        results = tuple(row.result for row in rows)
        numbered = zip((task.number for task in self._tasks), rows, strict=True)
        shard.write_shard(self._site.folder, self._head(results, share), numbered)
        return Night(self._version, self._sources, results)


def merged(
    folders: Sequence[Path],
    site: Site,
    state: Path | None,
    settings: Settings,
    *,
    now: float | None = None,
    tell: Tell | None = None,
) -> Night:
    """Tell the night whose shards lie in the folders, their pages taken along.

    SourceError when a shard is missing, damaged, there twice, or of another night or version.
    """
    files = shard.shard_files(folders)
    shards = [(path, *shard.read_shard(path, version.code())) for path in files]
    head, rows = shard.whole_night(shards)
    for folder, row in rows:
        if row.page:
            _take_page(folder, site.folder, page_name(row.result.run))
    with _opened(state, settings) as memory:
        at = time.time() if now is None else now
        return _told(head, [row for _, row in rows], site, state=memory, now=at, tell=tell)


def _take_page(folder: Path, into: Path, name: str) -> None:
    page, target = folder / "runs" / name, into / "runs" / name
    if page.is_symlink() or not page.is_file():  # a link could lead to anything, and its text into the site
        raise SourceError(f"{page} is missing or no file; copy the shard's folder with its pages")
    try:
        if page.resolve() != target.resolve():
            write_text(target, page.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise SourceError(f"{page} is damaged; copy the shard's folder with its pages again") from error


def _told(
    head: shard.Head, rows: Sequence[Row], site: Site, *, state: State | None, now: float, tell: Tell | None
) -> Night:
    """Compare with last night, write the site, tell, and only then remember that it was told."""
    night, runs = _compared(head, [row.result for row in rows], state, now)
    seen, faults = across([row.result for row in rows])
    tally = tally_of(night.results, head.at)
    night = replace(night, at=tally.at, across=seen, trend=trend(state, tally, head.sources))
    for row, result in zip(rows, night.results, strict=True):
        site.take(result, row.picture, fault=row.fault, paged=bool(row.page), fits=row.fits)
    notes = [*head.notes, *(Note("layout", text) for text in head.stale), *faults]
    site.finish(night, notes)
    if tell:
        tell(night)
    if state is not None:
        state.close_night(runs, now, tally, head.sources)
    return night


def _compared(
    head: shard.Head, results: Sequence[Result], state: State | None, now: float
) -> tuple[Night, list[Compared]]:
    night = Night(head.version, head.sources, tuple(results), stale=head.stale)
    if state is None:
        return night, []
    judging = Judging.parsed(head.judging)
    runs = [compared(result, state.past(result.run), judging, now) for result in results]
    resolved = tuple(entry for one in runs for entry in one.resolved)
    anew = next((one.anew for one in runs if one.anew), "")
    return replace(night, results=tuple(one.result for one in runs), resolved=resolved, judged_anew=anew), runs


def _settled(result: Result) -> bool:
    """Whether a result stays as long as its log does: not of a run still going, nor of one that could not be read."""
    going_on = result.status in {"in-progress", "failed"}
    return not going_on and not any(note.kind == "unreadable" for note in result.notes)


@contextmanager
def _opened(path: Path | None, settings: Settings) -> Iterator[State | None]:
    with nullcontext() if path is None else State(path, timedelta(seconds=settings.retention)) as state:
        yield state
