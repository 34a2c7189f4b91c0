"""One call over one or several sources: every run found is judged, and nothing that one run holds stops the others."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from analyzer.auditing.crash_report import failed_judgement, told
from analyzer.auditing.overlapping_sources import once, without_overlap
from analyzer.auditing.run_names import distinct
from analyzer.auditing.suppression import suppressed, without
from analyzer.diagnosis import judge_run
from analyzer.errors import PosthocError
from analyzer.model.formatting import calendar
from analyzer.model.result import Result
from analyzer.model.run import Note, Run
from analyzer.readers import EVERY, Choice, Discovery, Memo, RunRef, discover
from analyzer.settings import Settings


@dataclass(frozen=True, slots=True)
class DiscoveredRuns:
    """All runs of a call, each with its source and its name there; `notes` on the rest, `failures` of whole sources.

    `choice` is which runs were looked for.
    """

    refs: tuple[RunRef, ...]
    origins: tuple[tuple[str, str], ...]
    notes: tuple[Note, ...]
    failures: tuple[str, ...] = ()
    choice: Choice = EVERY


def find_runs(
    sources: Sequence[str], *, tracking_uri: str | None = None, choice: Choice = EVERY, memo: Memo | None = None
) -> DiscoveredRuns:
    """Return references to the runs of all sources, their ids made distinct.

    A source that cannot be read is a note as long as another one can; its error is raised when none can. What
    several sources hold in common is there once, under the first of them, with a note. `memo` as for discover().
    """
    discoveries: list[tuple[str, Discovery]] = []
    notes: list[Note] = []
    failures: list[PosthocError] = []
    given, repeated = once(sources)
    for source in given:
        try:
            discovery = discover(source, tracking_uri=tracking_uri, choice=choice, memo=memo)
        except PosthocError as error:
            failures.append(error)
            notes.append(Note("unreadable", str(error)))
        else:
            discoveries.append((source, discovery))
            notes += discovery.notes
    if failures and not discoveries:
        raise failures[0]
    found, overlapping = joined(discoveries)
    notes += [*repeated, *overlapping]
    origins = tuple((source, own) for source, _, own in found)
    return DiscoveredRuns(tuple(ref for _, ref, _ in found), origins, tuple(notes), tuple(map(str, failures)), choice)


def joined(discoveries: Sequence[tuple[str, Discovery]]) -> tuple[list[tuple[str, RunRef, str]], list[Note]]:
    """Return what the sources hold, each run once: its source, its reference under a distinct id, its own id there.

    The notes say what several sources hold in common.
    """
    kept, notes = without_overlap(discoveries)
    names = distinct([[ref.id for ref in one.refs] for _, one in kept], [source for source, _ in kept])
    own = [(source, ref) for source, one in kept for ref in one.refs]
    told_apart = zip(own, chain.from_iterable(names), strict=True)
    return [(source, replace(ref, id=name), ref.id) for (source, ref), name in told_apart], notes


def judged(refs: Sequence[RunRef], settings: Settings, now: float | None = None) -> Iterator[Result]:
    """Yield the result of each run in turn; a reader that raises makes its own run a failed one."""
    at = time.time() if now is None else now
    for ref in refs:
        yield judge(read(ref), settings, at)


def judge(run: Run, settings: Settings, now: float) -> Result:
    """Return the result of one run, with the findings that the user has suppressed marked."""
    return suppress(judge_plainly(run, settings, now), settings, now)


def suppress(result: Result, settings: Settings, now: float) -> Result:
    """Return the result with the findings marked that the user has suppressed as of `now`."""
    return suppressed(result, settings.suppress, calendar(now).date())


def judge_plainly(run: Run, settings: Settings, now: float) -> Result:
    """Return the result of one run as if nothing had been suppressed: what the state keeps."""
    try:
        result = judge_run(run, settings, now)
        json.dumps(result.to_dict(), allow_nan=False)  # a detector of another package may hand over what no page holds
    except Exception as error:  # whatever one run holds, the others are judged
        result = failed_judgement(run, error)
    return without(result, settings.ignore)


def read(ref: RunRef) -> Run:
    """Return the run; a reader that raises makes it one of which nothing could be read."""
    try:
        return ref.read()
    except Exception as error:  # a fault of a reader costs the run that it met, too
        return Run(ref.id, ref.name, ref.source, ref.location, notes=(Note("unreadable", told(error)),))
