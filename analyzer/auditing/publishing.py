"""A night is told when all its runs are judged: each beside last night, then all of them together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from analyzer.auditing.cache_key import CacheKey
from analyzer.auditing.cross_run import outlined
from analyzer.auditing.finding_history import HistoryUpdate, compared
from analyzer.auditing.jobs import nightly
from analyzer.auditing.record_store import RecordStore, Results
from analyzer.auditing.related_runs import Neighbours, neighbours
from analyzer.auditing.shard import Head
from analyzer.auditing.state import State
from analyzer.auditing.totals import Count, clock_back, trend
from analyzer.model import summary
from analyzer.model.result import Night, Result
from analyzer.model.run import Note
from analyzer.settings import Settings
from analyzer.writers.page import page_name
from analyzer.writers.site import Site

Tell = Callable[[Night], object]
"""Called with a night when its site is written and before it counts as told."""


Turns = Mapping[int, tuple[tuple[str, str], tuple[str, str]]]
"""Page and name of the previous and of the next run with problems, by a run's number."""

NOWHERE = ("", "")


@dataclass(slots=True)
class _Gathered:
    """What is kept in memory of the runs of a night while they are gone through."""

    count: Count = field(default_factory=Count)
    lessons: list[HistoryUpdate] = field(default_factory=list)
    resolved: list[Mapping[str, str | bool]] = field(default_factory=list)
    anew: str = ""


def told(
    head: Head, rows: RecordStore, site: Site, *, state: State | None, now: float, tell: Tell | None, settings: Settings
) -> Night:
    """Compare with last night, write the site, tell, and only then remember that it was told; return the night."""
    outlines, sick = list[Result](), list[tuple[int, str, str]]()
    for number in range(len(rows)):
        row = rows[number]
        outlines.append(outlined(row.result))
        if row.page and row.result.verdict == "problems":
            sick.append((number, page_name(row.result.run), summary.label(row.result)))
    beyond = neighbours(outlines, rows)
    seen = _gathered(head, rows, beyond, site, _turns(sick), state=state, now=now)
    tally = seen.count.tally(head.at)
    audits = trend(state, tally, head.asked)
    nights = nightly(outlines, settings.history, state, head.asked, now)
    night = Night(
        head.version,
        head.sources,
        Results(rows, range(len(rows))),
        resolved=tuple(seen.resolved),
        vanished=() if state is None else tuple(state.vanished(head.asked, (one.run for one in seen.lessons))),
        judged_anew=seen.anew,
        stale=head.stale,
        across=(*beyond.across, *nights.entries),  # in this order: runs name their entries by index
        trend=audits,
        at=tally.at,
        statuses=seen.count.statuses,
        histories=nights.histories,
        costs=tuple(seen.count.costs),
        clock=clock_back(audits),
    )
    said = [*head.stale, *([night.clock] if night.clock else [])]
    noted = [*head.notes, *(Note("layout", text) for text in said), *beyond.notes, *nights.notes]
    site.finish(night, noted, scores=beyond.scores)
    if tell:
        tell(night)
    if state is not None:
        state.close_night(seen.lessons, now, tally, head.asked, told=nights.told, kept=nights.kept)
    return night


def _gathered(
    head: Head, rows: RecordStore, beyond: Neighbours, site: Site, turns: Turns, *, state: State | None, now: float
) -> _Gathered:
    """Go through the runs once, in order: each is put beside last night and its siblings, and handed to the site."""
    seen, judging = _Gathered(), CacheKey.parsed(head.judging)
    for number in range(len(rows)):
        row = rows[number]
        result = plain = beyond.told(number, row.result)
        if state is not None:
            one = compared(result, state.past(result.run), judging, now)
            seen.lessons.append(one.lesson)
            seen.resolved += one.resolved
            seen.anew = seen.anew or one.anew
            result = one.result if one.result.findings else result
        if result is not row.result:
            row = replace(row, result=result, fits=False if beyond.changes(number) else row.fits)
            rows.put(number, row.text())
        if row.page and not row.fault:
            before, after = turns.get(number, (NOWHERE, NOWHERE))
            related = replace(beyond.beside(number, plain), before=before, after=after)
            site.beside(plain, related, row.making, changed=beyond.changes(number), key=row.page)
        site.take(row.result, row.picture, fault=row.fault, paged=bool(row.page), fits=row.fits)
        seen.count.add(row.result)
    return seen


def _turns(sick: Sequence[tuple[int, str, str]]) -> Turns:
    """Return the run with problems before and after each run with problems, in the order of the runs."""
    places = [NOWHERE, *((page, label) for _, page, label in sick), NOWHERE]
    return {number: (places[i], places[i + 2]) for i, (number, _, _) in enumerate(sick)}


@contextmanager
def opened(path: Path | None, settings: Settings) -> Iterator[State | None]:
    """Open the state, if there is to be one."""
    with nullcontext() if path is None else State(path, timedelta(seconds=settings.retention)) as state:
        yield state
