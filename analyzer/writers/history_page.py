"""The page of nightly jobs: a chart a metric, what changed in a table, links to the runs on both sides."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzer.model.formatting import counted, iso, number
from analyzer.model.history import Change, History, Setting, Track
from analyzer.writers import template_environment
from analyzer.writers.axis import Axis, Tick, value_axis

SCHEMA = "posthoc-history/1"
WIDTH = 1000
"""Units of a chart's own space, which is stretched to its place."""
MOST_DOTS = 400
"""Nights that are dots of their own, with words on hover and a link; more are one path."""
MISSING = 1.5
"""Usual distances between nights from which a night is missing."""
DATES = 6
HEIGHT, SMALL = 220, 28
"""Pixels of a chart, and of the small one of the index."""
Link = Callable[[str], str]
"""Returns the address of a run's page, "" where it has none."""


@dataclass(frozen=True, slots=True)
class Dot:
    """A night in a chart: its place, words on hover, its run's page, and whether it stands alone."""

    x: float
    y: float
    words: str
    page: str
    alone: bool


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a chart from left to right, 0 to 1, with the severity of what it shows and words."""

    start: float
    end: float
    tone: str
    words: str


@dataclass(frozen=True, slots=True)
class Picture:
    """The chart of one metric: dots or one path of them, levels, onsets, flags of settings and missing nights."""

    track: Track
    words: str
    height: int
    dots: tuple[Dot, ...]
    path: str
    levels: str
    onsets: tuple[Stretch, ...]
    flags: tuple[Stretch, ...]
    gaps: tuple[Stretch, ...]
    ticks: tuple[Tick, ...]
    dates: tuple[Tick, ...]


def document(histories: Sequence[History], version: str) -> dict[str, Any]:
    """Return the histories as one JSON object; `changes` and `alarms` are those of all jobs."""
    own = [one.to_dict() for one in histories]
    return {
        "schema": SCHEMA,
        "tool": {"name": "posthoc", "version": version},
        "changes": [change for one in own for change in one["changes"]],
        "alarms": [alarm for one in own for alarm in one["alarms"]],
        "jobs": own,
    }


def page_of_job(job: str) -> str:
    """Return the file name of a job's page beside the index: a digest, never the name itself."""
    return f"history-{hashlib.sha256(job.encode('utf-8', 'surrogateescape')).hexdigest()[:16]}.html"


def history_page(
    histories: Sequence[History], version: str, *, link: Link = lambda run: "", home: str = "", stylesheet: str = ""
) -> str:
    """Return the page of one or several jobs; `link` gives the address of a run's page, `home` that of an index."""
    context = {
        "jobs": [_shown(one, link) for one in histories],
        "version": version,
        "home": home,
        "title": histories[0].job if len(histories) == 1 and histories[0].job else "Histories over nights",
    }
    return template_environment.render("history.html", context, stylesheet=stylesheet, more_style="history.css")


def fragment(history: History) -> str:
    """Return HTML for a notebook: sentences and charts, readable without a style sheet."""
    context = {"job": _shown(history, lambda run: "")}
    return template_environment.environment().get_template("history_fragment.html").render(context)


def small(history: History) -> str:
    """Return the path of the small chart of a job for the index: the first changed metric's nights."""
    changed = next((one.metric for one in history.changes), None)
    track = next((one for one in history.tracks if one.metric == changed), None) or history.tracks[0]
    here = np.isfinite(track.values)
    x = _across(history.times).place(history.times[here])
    y = value_axis(track.values[here], linear=True).place(track.values[here])
    return "M" + "L".join(f"{a * WIDTH:.0f} {(1 - b) * WIDTH:.0f}" for a, b in zip(x, y, strict=True))


def _shown(history: History, link: Link) -> Mapping[str, Any]:
    return {
        "history": history,
        "sentence": history.sentence,
        "tone": next((one.severity for one in history.changes if one.severity == "warning"),
                     "info" if history.changes else "healthy"),
        "pictures": [_picture(history, track, link) for track in history.tracks],
        "rows": [_row(history, change, link) for change in history.changes],
        "alarms": [(iso(float(history.times[one.told or 0]))[:10], one) for one in history.alarms],
        "nights": counted(len(history.times), "night"),
        "first": iso(float(history.times[0]))[:10] if len(history.times) else "",
        "last": iso(float(history.times[-1]))[:10] if len(history.times) else "",
        "outliers": [(track.metric, [iso(float(history.times[i]))[:10] for i in track.outliers])
                     for track in history.tracks if track.outliers],
    }  # fmt: skip


def _row(history: History, change: Change, link: Link) -> Mapping[str, Any]:
    """Return a change as the table shows it; the runs on both sides with their pages."""
    before = max(0, change.interval[0] - 1)
    sides = [(history.runs[i], history.names.get(history.runs[i], history.runs[i])) for i in (before, change.index)]
    first, last = (iso(float(history.times[i]))[:10] for i in change.interval)
    return {
        "change": change,
        "night": iso(change.night)[:10],
        "interval": first if first == last else f"{first} to {last}",
        "until": iso(float(history.times[change.until]))[:10] if change.until is not None else "",
        "told": iso(float(history.times[change.told]))[:10] if change.told is not None else "",
        "runs": [(name, link(run)) for run, name in sides],
        "size": number(abs(change.difference) / change.sd, 2) if change.sd else "",
    }


def _across(times: NDArray[np.float64]) -> Axis:
    first, last = float(times[0]), float(times[-1])
    air = max((last - first) * 0.02, 1.0)
    return Axis(first - air, last + air)


def _picture(history: History, track: Track, link: Link) -> Picture:
    here = np.flatnonzero(np.isfinite(track.values))
    across, up = _across(history.times), value_axis(track.values[here], linear=True)
    x, y = across.place(history.times), up.place(track.values)
    many = here.size > MOST_DOTS
    alone = set(track.outliers)
    dots = tuple(Dot(float(x[i]), float(y[i]), _words(history, track, i), link(history.runs[i]), i in alone)
                 for i in here.tolist())  # fmt: skip
    path = "".join(f"M{a * WIDTH:.0f} {(1 - b) * WIDTH:.0f}h0" for a, b in zip(x[here], y[here], strict=True))
    own = [one for one in history.changes if track.metric in (one.metric, *(other.metric for other in one.also))]
    return Picture(
        track,
        f"{track.metric} over {counted(here.size, 'night')}, {counted(len(own), 'change')}",
        HEIGHT,
        () if many else dots,
        path if many else "",
        _levels(history, track, x, up),
        tuple(_onset(one, x) for one in own),
        _flags(history.flags, x),
        _gaps(history.times, across),
        up.ticks(4),
        _dates(history.times, across),
    )


def _words(history: History, track: Track, i: int) -> str:
    commit = history.commits[i] if i < len(history.commits) else ""
    name = history.names.get(history.runs[i], history.runs[i])
    parts = [iso(float(history.times[i]))[:10], number(float(track.values[i]), 5), name]
    return " · ".join([*parts, f"commit {commit[:8]}"] if commit else parts)


def _levels(history: History, track: Track, x: NDArray[np.float64], up: Axis) -> str:
    """Return the path of the levels, broken where a change is."""
    breaks = {one.index for one in history.changes if one.shape == "step"}
    y, drawn, pen = up.place(track.levels), "", False
    last = np.nan
    for i in range(x.size):
        if not np.isfinite(y[i]):
            continue
        moved = pen and abs(y[i] - last) > 1 / WIDTH and (i in breaks or track.sd == 0)
        drawn += f"{'L' if pen and not moved else 'M'}{x[i] * WIDTH:.0f} {(1 - y[i]) * WIDTH:.0f}"
        pen, last = True, y[i]
    return drawn


def _onset(change: Change, x: NDArray[np.float64]) -> Stretch:
    last = change.until if change.until is not None else change.interval[1]
    return Stretch(float(x[change.interval[0]]), float(x[last]), change.severity, change.sentence)


def _flags(flags: Sequence[tuple[int, Setting]], x: NDArray[np.float64]) -> tuple[Stretch, ...]:
    return tuple(
        Stretch(float(x[i]), float(x[i]), "", f"{one.name} {one.before} → {one.after}") for i, one in flags
    )  # fmt: skip


def _gaps(times: NDArray[np.float64], across: Axis) -> tuple[Stretch, ...]:
    """Return where nights are missing: between two that lie further apart than the usual distance."""
    apart = np.diff(times)
    usual = float(np.median(apart[apart > 0])) if (apart > 0).any() else np.inf
    found = []
    for i in np.flatnonzero(apart > MISSING * usual):
        start, end = across.place([times[i] + usual / 2, times[i + 1] - usual / 2])
        nights = round(float(apart[i]) / usual) - 1
        found.append(Stretch(float(start), float(end), "", f"{counted(max(1, nights), 'night')} missing"))
    return tuple(found)


def _dates(times: NDArray[np.float64], across: Axis) -> tuple[Tick, ...]:
    chosen = np.unique(np.linspace(0, times.size - 1, min(DATES, times.size)).astype(int))
    return tuple(Tick(float(across.place(times[i])), iso(float(times[i]))[2:10]) for i in chosen)
