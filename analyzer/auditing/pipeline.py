"""An audit from beginning to end: reuse what has not changed, judge the rest, compare, publish, remember."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from analyzer.auditing import cache_key, shard
from analyzer.auditing.judge_one import Job, Task, records_here
from analyzer.auditing.judging import DiscoveredRuns
from analyzer.auditing.provenance import making
from analyzer.auditing.publishing import OnPublished, publish
from analyzer.auditing.record import Pages
from analyzer.auditing.record_store import RecordStore, Results
from analyzer.auditing.reuse import reuse_unchanged
from analyzer.auditing.state import open_state
from analyzer.auditing.suppression import stale, suppress_records
from analyzer.auditing.workers import dask_client
from analyzer.auditing.workers.cpu_count import jobs_for
from analyzer.auditing.workers.supervision import Limits, records_by_workers
from analyzer.model.formatting import calendar
from analyzer.model.redaction import mask_text
from analyzer.model.result import AuditResult, Result
from analyzer.readers import EVERY
from analyzer.settings import Settings
from analyzer.writers.site import Site

Progress = Callable[[int, int], None]
"""Called with the number of runs judged and the number of all."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How an audit is done.

    `state` is the file that remembers earlier audits. `jobs` is the number of worker processes; None: as many as pay;
    0: this process judges. `share` is the shard to judge. `now` is in Unix seconds; None: the clock's time. `cluster`
    is the address of a Dask scheduler whose workers judge in place of this machine.
    """

    state: Path | None = None
    jobs: int | None = None
    share: shard.ShardPart | None = None
    pages: Pages = "all"
    now: float | None = None
    cluster: str | None = None


def run_audit(
    found: DiscoveredRuns,
    sources: Sequence[str],
    settings: Settings,
    *,
    site: Site,
    plan: Plan,
    version: str,
    progress: Progress | None = None,
    on_published: OnPublished | None = None,
) -> AuditResult:
    """Judge the runs that were found and publish the site, or write the shard that the plan asks for.

    `version` is that of posthoc. `on_published` is called when the site is written and before the state remembers the
    audit, so that an interrupted notification is sent again. OutputError, StateError.
    """
    now = time.time() if plan.now is None else plan.now
    key = cache_key.judging(settings).key
    job = Job(settings, now, site.folder, plan.pages, plan.state)
    tasks = [
        Task(number, ref, making(version, source, name, settings))
        for number, (ref, (source, name)) in enumerate(zip(found.refs, found.origins, strict=True))
        if plan.share is None or plan.share.holds(ref.id)
    ]
    report = progress or (lambda done, total: None)
    with open_state(plan.state, settings.retention) as state:
        if plan.share is None:
            site.begin()
        records = RecordStore(site.folder)
        pending = tasks if state is None else reuse_unchanged(tasks, records, state, site=site, job=job, key=key)
        report(len(records), len(tasks))
        with closing(_judged(pending, job, plan)) as judged:
            for task, text in judged:
                if state is not None:
                    state.keep(task.ref.id, task.token, key, text, now)
                records.put(task.number, text.partition("\n")[0])
                report(len(records), len(tasks))
        numbers = [task.number for task in tasks]
        suppress_records(records, numbers, settings.suppress, calendar(now).date())
        results = Results(records, numbers)
        head = _head(found, sources, results, settings, plan, version=version, key=key, now=now)
        if plan.share is not None:
            shard.write_shard(site.folder, head, ((number, records[number]) for number in numbers))
            return AuditResult(head.version, head.sources, results)
        return publish(head, records, site, state=state, now=now, settings=settings, on_published=on_published)


def _judged(tasks: Sequence[Task], job: Job, plan: Plan) -> Generator[tuple[Task, str], None, None]:
    """Yield each task with its record's text: judged on the cluster, in worker processes or in this one."""
    if plan.cluster is not None:
        yield from records_here([task for task in tasks if task.stored], job)  # the state is on this machine
        remote = [task for task in tasks if not task.stored]
        if remote:
            with closing(dask_client.records_by_cluster(remote, job, plan.cluster)) as records:
                yield from records
        return
    jobs = jobs_for(len(tasks), plan.jobs)
    if not jobs:
        yield from records_here(tasks, job)
        return
    limits = Limits(jobs, job.settings.run_timeout, job.settings.run_memory)
    with closing(records_by_workers(tasks, job, limits)) as records:
        yield from records


def _head(
    found: DiscoveredRuns,
    sources: Sequence[str],
    results: Iterable[Result],
    settings: Settings,
    plan: Plan,
    *,
    version: str,
    key: str,
    now: float,
) -> shard.Head:
    """Return what the audit, or this shard of it, says of itself."""
    shown = tuple(mask_text(source) for source in sources)
    names = [ref.id for ref in found.refs]
    return shard.Head(
        share=plan.share or shard.ShardPart(1, 1),
        version=version,
        judging=key,
        sources=shown,
        asked=shown if found.choice == EVERY else (*shown, repr(found.choice)),
        runs=len(names),
        names=shard.names_digest(names),
        notes=found.notes,
        stale=stale(results, settings.suppress, calendar(now).date()),
        at=now,
    )
