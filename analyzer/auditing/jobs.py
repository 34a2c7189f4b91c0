"""Jobs in an audit: their histories with the runs of earlier nights, and which changes have been told before."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace

from analyzer.auditing.cross_run.phrases import chance
from analyzer.auditing.cross_run.recurring_jobs import Jobs, Logged, jobs, logged
from analyzer.auditing.state import State
from analyzer.auditing.state.store import ReportedChange
from analyzer.histories import job_history
from analyzer.model.cross_run import Across
from analyzer.model.formatting import iso, number
from analyzer.model.history import Change, History
from analyzer.model.result import Result
from analyzer.model.run import Note
from analyzer.settings import Histories

BACK = 0.5
"""Share of a change that a later one must take back for the first to be resolved."""

LINKED = 2
"""Runs that an entry names: the last one before the change and the first one of it."""


@dataclass(frozen=True, slots=True)
class NightlyJobs:
    """What an audit says of jobs, and what is to be remembered: changes told tonight, and each run by its id."""

    histories: tuple[History, ...] = ()
    entries: tuple[Across, ...] = ()
    reported: tuple[ReportedChange, ...] = ()
    runs: tuple[tuple[str, str], ...] = ()
    notes: tuple[Note, ...] = ()


def nightly_jobs(
    results: Iterable[Result], settings: Histories, state: State | None, sources: Sequence[str], now: float
) -> NightlyJobs:
    """Return the histories of tonight's jobs; what fails costs them alone, and is named in a note."""
    try:
        return _nightly_jobs(results, settings, state, sources, now)
    except Exception as error:  # whatever logs hold, the night is told
        what = f"{type(error).__name__}: {error}".splitlines()[0][:300]
        return NightlyJobs(notes=(Note("limit", f"histories were not looked at: {what}; please report this"),))


def _nightly_jobs(
    results: Iterable[Result], settings: Histories, state: State | None, sources: Sequence[str], now: float
) -> NightlyJobs:
    tonight = [run for result in results if (run := logged(result, settings)) is not None]
    earlier = [] if state is None else _earlier(state, sources, {one.run for one in tonight})
    found = jobs([*tonight, *earlier], settings)
    known = () if state is None else tuple(state.reported_changes(sources))
    histories, told = list[History](), list[ReportedChange]()
    for job in found.found:
        one = replace(job_history.history(job, job_history.limits_of(dict(settings.limits))), names=found.names)
        changes = one.changes if state is None else tuple(_remembered(change, one, known) for change in one.changes)
        histories.append(replace(one, changes=changes))
        told += [ReportedChange(c.job, c.metric, iso(c.night), iso(now)) for c in changes if c.state == "new"]
    entries = [_entry(change, one, found) for one in histories for change in one.changes if change.told is not None]
    entries.sort(key=lambda one: (not one.regressed, one.history is not None and one.history.severity != "warning"))
    members = {run for one in histories for run in one.runs}
    kept = () if state is None else tuple((one.run, _text(one)) for one in tonight if one.run in members)
    return NightlyJobs(tuple(histories), tuple(entries), tuple(told), kept)


def _text(one: Logged) -> str:
    return json.dumps(asdict(one))


def _earlier(state: State, sources: Sequence[str], there: set[str]) -> list[Logged]:
    """Return runs of earlier nights that are not there any more."""
    found = []
    for run, text in state.kept_runs(sources):
        if run not in there:
            plain = json.loads(text)
            plain["values"] = {tag: (value, better) for tag, (value, better) in plain["values"].items()}
            found.append(Logged(**plain))
    return found


def _remembered(change: Change, history: History, known: Sequence[ReportedChange]) -> Change:
    """Return the change with what became of it: new when it is told tonight for the first time."""
    if change.told is None:
        return change
    first, last = (
        max(0, change.interval[0] - job_history.PARAMS.same),
        (change.until or change.interval[1]) + job_history.PARAMS.same,
    )
    span = (iso(float(history.times[first])), iso(float(history.times[min(last, len(history.times) - 1)])))
    metrics = {change.metric, *(one.metric for one in change.also)}
    before = any(one.job == change.job and one.metric in metrics and span[0] <= one.onset <= span[1] for one in known)
    if not before:
        return replace(change, state="new")
    return replace(change, state="resolved" if _taken_back(change, history) else "persisting")


def _taken_back(change: Change, history: History) -> bool:
    """Whether a later change of the same metric took back at least half of this one."""
    later = [one for one in history.changes if one.metric == change.metric and one.index > change.index]
    return any(one.difference * change.difference < 0 and
               abs(one.difference) >= BACK * abs(change.difference) for one in later)  # fmt: skip


def _entry(change: Change, history: History, found: Jobs) -> Across:
    """Return a change as one thing seen across runs."""
    before = history.runs[max(0, change.interval[0] - 1)]
    fresh = change.state == "new" if change.state is not None else change.told == len(history.times) - 1
    rows = [(change.metric, number(change.before, 4), number(change.after, 4))]
    rows += [(one.metric, number(one.before, 4), number(one.after, 4)) for one in change.also]
    evidence = f"{change.nights} nights, which scatter by {number(change.sd)} (standard deviation)"
    if change.p_value:
        evidence += f"; two levels this far apart by luck: {chance(max(change.p_value, 1e-300))}"
    if change.state is not None:
        evidence += f"; {change.state}"
    return Across(
        "history",
        change.job,
        change.sentence,
        tuple(dict.fromkeys((change.run, before)))[:LINKED],
        ("metric", "before", "after"),
        tuple(rows),
        evidence,
        ("What came with a change need not be its cause: compare the runs before and after it.",),
        change.p_value,
        history=change,
        regressed=fresh and change.severity == "warning",
    )
