"""One run in the index of an audit: small enough to keep thousands of them."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from analyzer.model import summary
from analyzer.model.evidence import Severity
from analyzer.model.result import Result, SeriesRow
from analyzer.model.summary import TONES, experiment, headline, short_id
from analyzer.model.thinning import course, thin
from analyzer.writers.chart import spark
from analyzer.writers.facts import best_of
from analyzer.writers.page import named, page_name
from analyzer.writers.scale import calm_axis
from analyzer.writers.truncation import short, shortened

"""Verdicts as the index sorts them, worst first."""

DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
SPARK, SKETCH = 28, 14
"""Points of a curve in a row, and in the index's JSON."""

NOISY = 0.15
"""Part of its height by which neighbouring points of a small picture typically differ when it shows but noise."""

TAG = 60
"""Characters of a tag that stand below its curve."""


FRESH = ("new", "regressed")
"""States of a finding that was not there last time, as a row marks them."""


class Chip(NamedTuple):
    """A symptom that counts; `state` is one of FRESH when it was not there last time, else empty."""

    symptom: str
    severity: Severity
    state: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """What the index tells of a run. `chips` are the symptoms that count, worst first; `sketch` is one letter a point.

    `states` are those of all findings that count, `page` is empty where the run has none, `curve` where the main
    curve is drawn. `ended` is in Unix seconds, `ran` in seconds, `best` the best held-out value and its tag.
    """

    run: str
    name: str
    experiment: str
    page: str
    status: str
    reason: str
    tone: str
    sentence: str
    chips: tuple[Chip, ...]
    states: tuple[str, ...]
    spark: str
    sketch: str
    curve: str
    ended: float | None
    ran: float | None = None
    best: str = ""

    @property
    def label(self) -> str:
        """What people call it: a tracker's name where the id tells nothing, else the id."""
        return self.name if named(self.run, self.name) else self.run

    @property
    def short_id(self) -> str:
        """The part of an id that stands beside a name, empty where the id is the label."""
        return short_id(self.run) if named(self.run, self.name) else ""

    @property
    def order(self) -> tuple[int, bool, int, int, str]:
        """Where it stands: by tone, what is new before the rest, then by how many errors and findings, then by name."""
        errors = sum(chip.severity == "error" for chip in self.chips)
        tone = TONES.index(self.tone) if self.tone in TONES else 1
        return (tone, not self.fresh, -errors, -len(self.chips), self.run)

    @property
    def fresh(self) -> bool:
        """Whether a problem of it was not there last time."""
        return any(chip.state and chip.severity != "info" for chip in self.chips)

    def without_states(self) -> Entry:
        """Return the line as it is when nothing is known of last time."""
        return replace(self, states=(), chips=tuple(chip._replace(state="") for chip in self.chips))


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """The curve that stands for a run in the index: a path for its row, and one letter a point; empty without a curve.

    `tag` names it when it is not the run's main one.
    """

    spark: str = ""
    sketch: str = ""
    tag: str = ""


def thumbnail(result: Result) -> Thumbnail:
    """Return the small picture of a result that still has its curves: what its worst problem speaks of, else its main.

    Of a problem's tags it is the first that has a curve with anything to draw.
    """
    main = main_row(result.series, result.main_tag)
    tags = _worst_tags(result)
    rows = {row.tag: row for row in result.series}
    for row in (rows[tag] for tag in tags if tag in rows):
        if picture := _picture(row, "" if row is main else short(row.tag, TAG)):
            return picture
    return (main and _picture(main if tags else _calm(main))) or Thumbnail()


def _calm(row: SeriesRow) -> SeriesRow:
    """Return a series as it runs beneath its noise, which in so small a picture would be all there is to see.

    Not for a run with problems: they may be just what looks like noise.
    """
    curve = thin(row.curve, SPARK) if row.curve is not None else None
    values = np.empty(0) if curve is None else curve.values[np.isfinite(curve.values)]
    if row.curve is None or values.size < SPARK // 2:
        return row
    jumps = np.abs(np.diff(calm_axis(values).place(values)))
    return replace(row, curve=course(row.curve, SPARK)) if float(np.nanmedian(jumps)) > NOISY else row


def _worst_tags(result: Result) -> tuple[str, ...]:
    problems = (finding for finding in result.findings if finding.alarms)
    return next((finding.tags for finding in problems), ())


def _picture(row: SeriesRow, tag: str = "") -> Thumbnail | None:
    """Return the picture of a series, None when there is nothing to draw."""
    path = spark(row.curve, SPARK)
    return Thumbnail(path, _sketch(row), tag) if path else None


def entry(result: Result, picture: Thumbnail | None = None, *, paged: bool = True, fits: bool = False) -> Entry:
    """Return the run's line in the index.

    `picture` stands in for curves that the result no longer has; `paged` False: the run has no page to link to;
    `fits`: it is known that no text is too long.
    """
    page = page_name(result.run) if paged else ""
    picture, result = picture or thumbnail(result), result if fits else shortened(result)
    counting = [finding for finding in result.findings if finding.counts]
    return Entry(
        run=result.run,
        name=result.name,
        experiment=experiment(result),
        page=page,
        status=result.status,
        reason=result.reason,
        tone=summary.tone(result),
        sentence=headline(result),
        chips=chips(result),
        states=tuple(finding.state for finding in counting if finding.state),
        spark=picture.spark,
        sketch=picture.sketch,
        curve=sys.intern(picture.tag),  # the same few in thousands of runs
        ended=result.ended,
        ran=None if result.started is None or result.ended is None else result.ended - result.started,
        best=best_of(result),
    )


def chips(result: Result) -> tuple[Chip, ...]:
    """Return each symptom that counts, once for each severity it has; new when one of its findings is."""
    found: dict[tuple[str, Severity], set[str | None]] = {}
    for finding in (finding for finding in result.findings if finding.counts):
        found.setdefault((finding.symptom, finding.severity), set()).add(finding.state)
    return tuple(
        Chip(symptom, severity, next((state for state in FRESH if state in states), ""))
        for (symptom, severity), states in found.items()
    )


def main_row(rows: Iterable[SeriesRow], tag: str | None) -> SeriesRow | None:
    """Return the series whose curve stands for the run."""
    drawn = [row for row in rows if row.curve is not None]
    return next((row for row in drawn if row.tag == tag), None) or next((r for r in drawn if r.role == "loss"), None)


def _sketch(row: SeriesRow) -> str:
    """Return the curve as letters for heights, `.` where it is not finite."""
    if row.curve is None or row.curve.points < 2:
        return ""
    values = thin(row.curve, SKETCH).values
    finite = values[np.isfinite(values)]
    if not finite.size:
        return ""
    heights = calm_axis(finite).place(values)
    return "".join("." if np.isnan(h) else DIGITS[int(np.clip(round(h * 63), 0, 63))] for h in heights[: SKETCH + 8])
