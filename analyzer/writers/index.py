"""The index of an audit: counts, and every run, worst first, to search, sort and filter."""

from __future__ import annotations

import math
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from analyzer.model.cost import HOUR, Cost
from analyzer.model.cross_run import Across
from analyzer.model.evidence import SEVERITIES, Severity
from analyzer.model.formatting import counted
from analyzer.model.history import History
from analyzer.model.result import STATUSES, Vanished
from analyzer.model.run import Note
from analyzer.model.summary import TONES
from analyzer.model.totals import Tally
from analyzer.writers import since_last_audit, template_environment
from analyzer.writers.cross_run import Link, kinds, link
from analyzer.writers.embed import json_for_html
from analyzer.writers.facts import in_words
from analyzer.writers.history_page import page_of_job, small
from analyzer.writers.index_row import Entry
from analyzer.writers.phrases import CHANGES, visible, whole
from analyzer.writers.single_values import Table
from analyzer.writers.trend import trend_of
from analyzer.writers.truncation import short

STYLESHEET, STYLE = "report.css", "index.css"
"""Beside all pages of a site, and what the index and its further pages have besides; both stand in the pages, too."""

STATIC_ROWS = 130
"""Rows in the page itself: with 5,000 runs they and the data for all rows stay below 600 KB."""

MOST_JOBS = 40
"""Nightly jobs with a line and a small chart; each has a page of its own."""
FURTHER_ROWS = 500
MOST_SEARCHED = 5_000
"""More runs than these are on further pages and in findings.json, but not in the index's search."""

MOST_EXPERIMENTS = 300

MOST_NAMED = 5
"""Runs in the verdict that have something new, and findings there that are resolved."""

PATH_PARTS = 2
"""Of an absolute path, so many of its last parts are a title: the folder and what it lies in."""

MOST_CURVES = 200
"""Names of curves in the index's JSON: a training logs a handful, whatever is hostile any number."""

STATES = ("new", "regressed", "persisting")
"""What became of a finding since last time, as the index counts and filters."""

MINUTE = 60.0
CALENDAR = 253_402_300_800.0
"""Seconds: the end of the year 9999."""

UNKNOWN_END, UNKNOWN_RAN = 0xFFFFFF, 0xFFFF
"""What stands for a time that is not known, in 3 and in 2 bytes."""

SENTENCE_BYTES = 5_000
"""So much room have the sentences of the rows that only the script shows; the worst runs come first."""


@dataclass(frozen=True, slots=True)
class SymptomCount:
    """How many runs have a symptom, and its worst severity among them."""

    symptom: str
    severity: Severity
    runs: int


PARTS = (
    ("nights", "trend", "trends"),
    ("jobs", "jobs", "nightly jobs"),
    ("across", "across", "across runs"),
    ("scores", "scores", "runs with one value a metric"),
    ("unread", "unread", "runs that could not be read"),
    ("notes", "notes", "what was not read"),
    ("experiments", "experiments", "experiments"),
)
"""Parts of the index below the rows: id of the heading, name in the template's context, and what it is called."""

UNJUDGED = {
    "skipped": "without scalar series",
    "failed": "unreadable",
    "in-progress": "still running",
    "ok": "without enough evidence",
    "partial": "without enough evidence",
}
"""Why a run was not judged, by its status."""


def index_pages(
    entries: Sequence[Entry],
    sources: Sequence[str],
    notes: Sequence[Note] = (),
    *,
    version: str,
    title: str = "",
    at: str = "",
    resolved: Sequence[Mapping[str, Any]] = (),
    vanished: Sequence[Vanished] = (),
    across: Sequence[Across] = (),
    nights: Sequence[Tally] = (),
    scores: Sequence[Table] = (),
    histories: Sequence[History] = (),
    costs: Sequence[Cost] = (),
) -> Iterator[tuple[str, str]]:
    """Yield the index and its further pages as file name and text, one after the other; the index is the last.

    `title` is what the user calls the audit ("": its sources), `at` when the night was judged (ISO 8601), `resolved`
    and `vanished` as of the night, `across` what was seen across runs, `nights` what the last nights came to,
    tonight's being the last, `scores` the tables of runs that log one value a metric, `histories` those of jobs,
    `costs` what the runs with a cost have.
    """
    first_night = since_last_audit.first_night(
        nights, len(resolved), (state for entry in entries for state in entry.states)
    )
    entries = [entry.without_states() if entry.states else entry for entry in entries] if first_night else entries
    ordered = sorted(regrouped(entries), key=lambda entry: entry.order)
    tones = _tones(ordered)
    rest = ordered[STATIC_ROWS:]
    further = [rest[i : i + FURTHER_ROWS] for i in range(0, len(rest), FURTHER_ROWS)]
    names = [f"rows-{i + 2}.html" for i in range(len(further))]
    common = {"version": version, "at": at, "names": names, "total": len(ordered)}
    for name, rows in zip(names, further, strict=True):
        part = {**common, "rows": rows, "current": name}
        yield name, template_environment.render("rows.html", part, stylesheet=STYLESHEET, more_style=STYLE)
    context = {
        **common,
        "rows": ordered[:STATIC_ROWS],
        "sources": sources,
        "title": title or title_of_sources(sources),
        "notes": notes,
        "headline": headline(tones),
        "tone": next((tone for tone in TONES if tones[tone]), "unjudged"),
        "tones": tones,
        "statuses": [(s, n) for s, n in _statuses(ordered).items() if n],
        "symptoms": _symptoms(ordered),
        "experiments": _experiments(ordered),
        "unread": [e for e in ordered if e.status in {"failed", "skipped"}],
        "changes": _changes(ordered, len(resolved)),
        "first_night": first_night,
        "why_unjudged": _why_unjudged(ordered),
        "fresh": [entry for entry in ordered if entry.fresh],
        "most_named": MOST_NAMED,
        "cost": in_words(costs),
        "lost": HOUR * math.fsum(one.hours for one in costs),
        "gone": _gone(resolved, ordered),
        "vanished": since_last_audit.vanished(vanished),
        "across": kinds(across, ordered),
        "scores": scores,
        "paged": {entry.page for entry in ordered},
        "trend": trend_of(nights),
        "jobs": [(one, page_of_job(one.job), small(one)) for one in _changed_first(histories)[:MOST_JOBS]],
        "more_jobs": max(0, len(histories) - MOST_JOBS),
        "data": json_for_html(_columns(ordered[:MOST_SEARCHED])),
        "beyond": max(0, len(ordered) - MOST_SEARCHED),
    }
    context["parts"] = [(name, word) for name, key, word in PARTS if context[key]]
    page = template_environment.render(
        "index.html", context, script="index.js", stylesheet=STYLESHEET, more_style=STYLE
    )
    yield "index.html", page


def title_of_sources(sources: Sequence[str]) -> str:
    """Return what an audit of these sources is called: no path of a machine, but its last parts."""
    names = [_called(source) for source in sources[:MOST_NAMED]]
    rest = len(sources) - len(names)
    return ", ".join(names) + (f" and {rest:,} more" if rest else "")


def _called(source: str) -> str:
    """Return an address as it is, and of an absolute path the last parts."""
    path = source.removeprefix("file://").removeprefix("sqlite://").replace("\\", "/")
    if "://" in path or not (path.startswith("/") or path[1:3] == ":/"):
        return source
    return "/".join(path.strip("/").split("/")[-PATH_PARTS:]) or source


def _changed_first(histories: Iterable[History]) -> list[History]:
    warned = {id(one): not any(c.severity == "warning" for c in one.changes) for one in histories}
    return sorted(histories, key=lambda one: (warned[id(one)], not one.changes, one.job))


def headline(tones: Mapping[str, int]) -> str:
    """Return the night in one sentence; `tones` are its runs by the colour of their verdict."""
    sick = tones["error"] + tones["warning"]
    runs = sum(tones[tone] for tone in TONES)
    if not runs:
        return "No run was found."
    if sick:
        verb = "has" if sick == 1 else "have"
        severe = f", {whole(tones['error'])} of them severe" if tones["error"] and tones["warning"] else ""
        severe = ", all of them severe" if tones["error"] == sick > 1 else severe
        judged = runs - tones["unjudged"]
        of = counted(runs, "run") if judged == runs else f"{counted(judged, 'judged run')}"
        return f"{whole(sick)} of {of} {verb} problems{severe}."
    if tones["unjudged"] == runs:
        return f"None of {counted(runs, 'run')} could be judged." if runs > 1 else "The one run could not be judged."
    rest = [f"{counted(tones['unjudged'], 'run')} could not be judged"] if tones["unjudged"] else []
    rest += [f"the findings of {counted(tones['suppressed'], 'run')} are suppressed"] if tones["suppressed"] else []
    return "; ".join((f"Nothing points to a problem in {counted(tones['healthy'], 'run')}", *rest)) + "."


def _why_unjudged(entries: Iterable[Entry]) -> list[tuple[str, int]]:
    """Return how many runs were not judged, by the reason in words, the commonest first."""
    return Counter(UNJUDGED[entry.status] for entry in entries if entry.tone == "unjudged").most_common()


def _tones(entries: Iterable[Entry]) -> dict[str, int]:
    counts = Counter(entry.tone for entry in entries)
    return {tone: counts[tone] for tone in TONES}


def _statuses(entries: Iterable[Entry]) -> dict[str, int]:
    counts = Counter(entry.status for entry in entries)
    return {status: counts[status] for status in STATUSES}


def _symptoms(entries: Iterable[Entry]) -> list[SymptomCount]:
    runs: Counter[str] = Counter()
    worst: dict[str, Severity] = {}
    for entry in entries:
        runs.update({chip.symptom for chip in entry.chips})
        for symptom, severity, _ in entry.chips:
            worst[symptom] = min(severity, worst.get(symptom, severity), key=SEVERITIES.index)
    found = [SymptomCount(symptom, worst[symptom], count) for symptom, count in runs.items()]
    return sorted(found, key=lambda one: (SEVERITIES.index(one.severity), -one.runs, one.symptom))


def _experiments(entries: Iterable[Entry]) -> list[tuple[str, dict[str, int]]]:
    """Return counts by experiment, the sickest first; nothing when there is only one."""
    grouped: dict[str, list[Entry]] = {}
    for entry in entries:
        grouped.setdefault(entry.experiment, []).append(entry)
    if len(grouped) < 2:
        return []
    counts = [(name, _tones(group)) for name, group in grouped.items()]
    return sorted(counts, key=lambda one: (-one[1]["error"], -one[1]["warning"], one[0]))


def _changes(entries: Iterable[Entry], resolved: int) -> list[tuple[str, int, str]]:
    """Return what changed since last time, when a memory of last time was at hand: state, number, word."""
    states = Counter(state for entry in entries for state in entry.states) + Counter(resolved=resolved)
    return [(state, states[state], word) for state, word in CHANGES.items() if states[state] or state == "new"] * bool(
        states
    )


def _gone(resolved: Sequence[Mapping[str, Any]], entries: Iterable[Entry]) -> list[tuple[Link, str]]:
    """Return the first of what was resolved: its run and symptom."""
    first = resolved[:MOST_NAMED]
    runs = {short(one["run"]) for one in first}
    by_run = {entry.run: entry for entry in entries if entry.run in runs}
    return [(link(one["run"], by_run), one["symptom"]) for one in first]


def _columns(entries: Sequence[Entry]) -> Mapping[str, Any]:
    """Return the rows as short as the script can read them: names and chips by number."""
    chips = sorted({chip for entry in entries for chip in entry.chips})
    worded = [(symptom, severity, CHANGES.get(state, "")) for symptom, severity, state in chips]
    experiments = sorted({entry.experiment for entry in entries})
    number = {chip: i for i, chip in enumerate(chips)}
    place = {name: i for i, name in enumerate(experiments)}
    curves: dict[str, int] = {}
    room, rows = SENTENCE_BYTES, []
    for i, entry in enumerate(entries):
        row: list[Any] = [
            place[entry.experiment],
            _label(entry),
            b64encode(bytes.fromhex(entry.page.removesuffix(".html"))).decode(),
            _code(entry),
            [number[chip] for chip in entry.chips],
        ]
        if i >= STATIC_ROWS:  # the rows before are in the page, with their curves and sentences
            sentence = visible(entry.sentence)
            room -= len(sentence)
            row += [_sketch(entry, curves), sentence] if room > 0 else [_sketch(entry, curves)]
        rows.append(row)
    latest = max((_known(entry.ended, 0.0) for entry in entries), default=0.0)
    return {
        "chips": worded,
        "experiments": [visible(name) for name in experiments],
        "curves": [*curves],
        "latest": int(latest // MINUTE),
        "times": _times(entries, latest),
        "rows": rows,
    }


def _known(value: float | None, otherwise: float) -> float:
    """Return a time in seconds, or something else for none and for what no calendar holds."""
    return value if value is not None and 0 <= value < CALENDAR else otherwise


def _times(entries: Sequence[Entry], latest: float) -> str:
    """Return when each run ended, in minutes before the latest end (3 bytes), and how long it ran (2), in base64."""
    packed = bytearray()
    for entry in entries:
        before = (latest - ended) / MINUTE if (ended := _known(entry.ended, -1.0)) >= 0 else UNKNOWN_END
        ran = ran_for / MINUTE if (ran_for := _known(entry.ran, -1.0)) >= 0 else UNKNOWN_RAN
        packed += int(min(before, UNKNOWN_END)).to_bytes(3, "big") + int(min(ran, UNKNOWN_RAN)).to_bytes(2, "big")
    return b64encode(packed).decode()


def _sketch(entry: Entry, curves: dict[str, int]) -> str | tuple[str, int]:
    """Return a row's curve, with the number of its name in `curves` when it is not the main one."""
    name = visible(entry.curve)
    if not name or (name not in curves and len(curves) == MOST_CURVES):
        return entry.sketch
    return entry.sketch, curves.setdefault(name, len(curves))


def _label(entry: Entry) -> str | list[str]:
    """Return the run's name below its experiment, or a tracker's name and the beginning of its id."""
    if entry.short_id:
        return [visible(entry.name), visible(entry.short_id)]
    return visible(entry.run.removeprefix(entry.experiment + "/") if entry.experiment else entry.run)


def _code(entry: Entry) -> int:
    """Return tone, status and the states of its findings in one number, 3 bits each."""
    states = sum(1 << i for i, state in enumerate(STATES) if state in entry.states)
    return TONES.index(entry.tone) | STATUSES.index(entry.status) << 3 | states << 6


def regrouped(entries: Sequence[Entry]) -> Sequence[Entry]:
    """Return the entries under shallower experiments when there would be more than a filter can hold."""
    deepest = depth = max((entry.experiment.count("/") + 1 for entry in entries), default=0)
    while depth > 0 and len({_above(entry, depth) for entry in entries}) > MOST_EXPERIMENTS:
        depth -= 1
    if depth == deepest:
        return entries
    return [replace(entry, experiment=_above(entry, depth)) for entry in entries]


def _above(entry: Entry, depth: int) -> str:
    return "/".join(entry.experiment.split("/")[:depth])
