"""A night is told when all its runs are judged: each beside last night, then all of them together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from analyzer.fleet.across import across, outlined
from analyzer.fleet.jobs import nightly
from analyzer.fleet.memory import Lesson, compared
from analyzer.fleet.rows import Results, Rows
from analyzer.fleet.shard import Head
from analyzer.fleet.state import State
from analyzer.fleet.tally import Count, trend
from analyzer.fleet.version import Judging
from analyzer.model.result import Night, Result
from analyzer.model.run import Note
from analyzer.settings import Settings
from analyzer.writers.site import Site

Tell = Callable[[Night], object]
"""Called with a night when its site is written and before it counts as told."""


@dataclass(slots=True)
class _Gathered:
    """What is kept in memory of the runs of a night while they are gone through."""

    count: Count = field(default_factory=Count)
    outlines: list[Result] = field(default_factory=list)
    lessons: list[Lesson] = field(default_factory=list)
    resolved: list[Mapping[str, str | bool]] = field(default_factory=list)
    anew: str = ""


def told(
    head: Head, rows: Rows, site: Site, *, state: State | None, now: float, tell: Tell | None, settings: Settings
) -> Night:
    """Compare with last night, write the site, tell, and only then remember that it was told; return the night."""
    seen = _gathered(head, rows, site, state, now)
    tally = seen.count.tally(head.at)
    beyond, faults = across(seen.outlines)
    nights = nightly(seen.outlines, settings.history, state, head.asked, now)
    night = Night(
        head.version,
        head.sources,
        Results(rows, range(len(rows))),
        resolved=tuple(seen.resolved),
        vanished=() if state is None else tuple(state.vanished(head.asked, (one.run for one in seen.lessons))),
        judged_anew=seen.anew,
        stale=head.stale,
        across=(*nights.entries, *beyond),
        trend=trend(state, tally, head.asked),
        at=tally.at,
        statuses=seen.count.statuses,
        histories=nights.histories,
    )
    site.finish(night, [*head.notes, *(Note("layout", text) for text in head.stale), *faults, *nights.notes])
    if tell:
        tell(night)
    if state is not None:
        state.close_night(seen.lessons, now, tally, head.asked, told=nights.told, kept=nights.kept)
    return night


def _gathered(head: Head, rows: Rows, site: Site, state: State | None, now: float) -> _Gathered:
    """Go through the runs once, in order: each is put beside last night and handed to the site."""
    seen, judging = _Gathered(), Judging.parsed(head.judging)
    for number in range(len(rows)):
        row = rows[number]
        if state is not None:
            one = compared(row.result, state.past(row.result.run), judging, now)
            seen.lessons.append(one.lesson)
            seen.resolved += one.resolved
            seen.anew = seen.anew or one.anew
            if one.result.findings:
                row = replace(row, result=one.result)
                rows.put(number, row.text())
        site.take(row.result, row.picture, fault=row.fault, paged=bool(row.page), fits=row.fits)
        seen.count.add(row.result)
        seen.outlines.append(outlined(row.result))
    return seen


@contextmanager
def opened(path: Path | None, settings: Settings) -> Iterator[State | None]:
    """Open the state, if there is to be one."""
    with nullcontext() if path is None else State(path, timedelta(seconds=settings.retention)) as state:
        yield state
