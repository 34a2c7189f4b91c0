"""When all runs are judged: compare each with the last audit and with the other runs, publish, then remember."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from analyzer.auditing.cache_key import CacheKey
from analyzer.auditing.cross_run import outlined
from analyzer.auditing.finding_history import HistoryUpdate, compare_with_last_audit
from analyzer.auditing.jobs import nightly_jobs
from analyzer.auditing.record_store import RecordStore, Results
from analyzer.auditing.related_runs import CrossRunView, cross_run_view
from analyzer.auditing.shard import Head
from analyzer.auditing.state import State
from analyzer.auditing.totals import Count, clock_back, trend
from analyzer.model.result import AuditResult, Result
from analyzer.model.run import Note
from analyzer.model.summary import label
from analyzer.settings import Settings
from analyzer.writers.page import page_name
from analyzer.writers.site import Site

OnPublished = Callable[[AuditResult], object]
"""Called with an audit when its site is written and before the state remembers it."""

Turns = Mapping[int, tuple[tuple[str, str], tuple[str, str]]]
"""Page and name of the previous and of the next run with problems, by a run's number."""

NOWHERE = ("", "")


@dataclass(slots=True)
class _Compared:
    """What stays in memory of the runs of an audit after each was compared with the last audit."""

    count: Count = field(default_factory=Count)
    updates: list[HistoryUpdate] = field(default_factory=list)
    resolved: list[Mapping[str, str | bool]] = field(default_factory=list)
    rejudged: str = ""


def publish(
    head: Head,
    records: RecordStore,
    site: Site,
    *,
    state: State | None,
    now: float,
    settings: Settings,
    on_published: OnPublished | None,
) -> AuditResult:
    """Write the site, call back, and only then let the state remember the audit; return it."""
    outlines, sick = list[Result](), list[tuple[int, str, str]]()
    for number in range(len(records)):
        record = records[number]
        outlines.append(outlined(record.result))
        if record.page and record.result.verdict == "problems":
            sick.append((number, page_name(record.result.run), label(record.result)))
    view = cross_run_view(outlines, records)
    compared = _compared(head, records, view, site, _turns(sick), state=state, now=now)
    tally = compared.count.tally(head.at)
    audits = trend(state, tally, head.asked)
    jobs = nightly_jobs(outlines, settings.history, state, head.asked, now)
    audited = AuditResult(
        head.version,
        head.sources,
        Results(records, range(len(records))),
        resolved=tuple(compared.resolved),
        vanished=() if state is None else tuple(state.vanished(head.asked, (one.run for one in compared.updates))),
        judged_anew=compared.rejudged,
        stale=head.stale,
        across=(*view.across, *jobs.entries),  # in this order: runs name their entries by index
        trend=audits,
        at=tally.at,
        statuses=compared.count.statuses,
        histories=jobs.histories,
        costs=tuple(compared.count.costs),
        clock=clock_back(audits),
    )
    warnings = [*head.stale, *([audited.clock] if audited.clock else [])]
    notes = [*head.notes, *(Note("layout", text) for text in warnings), *view.notes, *jobs.notes]
    site.finish(audited, notes, scores=view.scores)
    if on_published:
        on_published(audited)
    if state is not None:
        state.commit_audit(compared.updates, now, tally, head.asked, reported=jobs.reported, job_runs=jobs.runs)
    return audited


def _compared(
    head: Head, records: RecordStore, view: CrossRunView, site: Site, turns: Turns, *, state: State | None, now: float
) -> _Compared:
    """Compare each run with the last audit and with its siblings, in order, and hand it to the site."""
    compared, judging = _Compared(), CacheKey.parsed(head.judging)
    for number in range(len(records)):
        record = records[number]
        result = with_siblings = view.with_siblings(number, record.result)
        if state is not None:
            one = compare_with_last_audit(result, state.previous_run(result.run), judging, now)
            compared.updates.append(one.update)
            compared.resolved += one.resolved
            compared.rejudged = compared.rejudged or one.rejudged
            result = one.result if one.result.findings else result
        if result is not record.result:
            record = replace(record, result=result, fits=False if view.changes(number) else record.fits)
            records.put(number, record.text())
        if record.page and not record.fault:
            before, after = turns.get(number, (NOWHERE, NOWHERE))
            related = replace(view.related(number, with_siblings), before=before, after=after)
            changed = view.changes(number)
            site.add_related(with_siblings, related, record.making, changed=changed, key=record.page)
        site.add_row(record.result, record.picture, fault=record.fault, paged=bool(record.page), fits=record.fits)
        compared.count.add(record.result)
    return compared


def _turns(sick: Sequence[tuple[int, str, str]]) -> Turns:
    """Return the run with problems before and after each run with problems, in the order of the runs."""
    places = [NOWHERE, *((page, label) for _, page, label in sick), NOWHERE]
    return {number: (places[i], places[i + 2]) for i, (number, _, _) in enumerate(sick)}
