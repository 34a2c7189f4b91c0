"""The page of one run: one self-contained HTML file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from analyzer.model import summary
from analyzer.model.evidence import Mark
from analyzer.model.guide import Guide
from analyzer.model.redaction import mask_params
from analyzer.model.result import Checked, Event, Finding, Night, Result, SeriesRow
from analyzer.model.summary import title_of
from analyzer.writers import finding_tree, template_environment
from analyzer.writers.annotations import noise_band
from analyzer.writers.chart import Chart, chart, close_up, same_steps, share_a_panel, spark, varies
from analyzer.writers.code_lines import code_line, framework_of
from analyzer.writers.embed import SpillFile, json_for_html
from analyzer.writers.facts import facts
from analyzer.writers.folded_curve import folded
from analyzer.writers.links import links_of
from analyzer.writers.truncation import NAME, shortened

GROUPS = (
    ("loss", "Losses"),
    ("metric", "Metrics"),
    ("learning-rate", "Learning rate"),
    ("gradient-norm", "Gradient norm"),
    ("unknown", "Not recognised"),
    ("system", "System"),
    ("counter", "Counters"),
    ("constant", "Constants"),
)

FULL, GALLERY = 600, 200
"""Points of a curve in a finding, and in the list of all series."""

FULL_POINTS, GALLERY_POINTS = 7_800, 9_000
"""All curves in findings, and all in the list of series, share so many points: a page stays small whatever it holds."""

BELOW = ("learning-rate", "gradient-norm")
"""Roles that are drawn below the main curve, for causes show there."""

NOISE = 2.0
"""The band around a reward is so many standard deviations of its noise wide, to either side."""

MOST_CHARTS, MOST_LISTED = 300, 1000
"""A page shows so many series with a chart, and so many at all; findings.json has every one."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """How a page came about: the version, the command that makes it again, and limits that were changed.

    `changed` holds (symptom, limit, value, default), `title` is what the user calls the page ("": the run's name), and
    `links` are addresses of servers by their kind, "mlflow" or "tensorboard".
    """

    version: str
    command: str
    changed: tuple[tuple[str, str, float, float], ...] = ()
    title: str = ""
    links: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """A finding with all that stands beside it; `codes` has a line of code for each advice, "" where there is none."""

    finding: Finding
    guide: Guide | None
    chart: Chart | None
    close: Chart | None
    close_title: str
    title: str
    under: tuple[Finding, ...]
    silence: str
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Listed:
    """A series in the list of all: a small curve for its line and a chart to unfold."""

    row: SeriesRow
    spark: str
    chart: Chart | None


@dataclass(frozen=True, slots=True)
class Lane:
    """A finding in the timeline: `start` and `end` are 0 to 1 over the steps of the main curve."""

    finding: Finding
    title: str
    start: float
    end: float


def run_page(
    result: Result, guides: Mapping[str, Guide], making: Provenance, *, home: str = "", stylesheet: str = ""
) -> str:
    """Return the page. `home` and `stylesheet` are addresses beside it, for the pages of an audit."""
    shelf = SpillFile()
    whole, result = result, shortened(replace(result, series=result.series[:MOST_LISTED]))
    kinds = finding_tree.tree(result)
    each = max(GALLERY, min(FULL, FULL_POINTS // max(1, sum(len(f.tags) for f in kinds.leading))))
    findings = tuple(_shown(f, result, kinds, guides, shelf=shelf, points=each) for f in kinds.leading)
    main = main_chart(result, shelf)
    lanes = _lanes(kinds.leading, main) if main else ()
    listed = _listed(result, shelf)
    context = {
        "result": result,
        "tone": summary.tone(result),
        "first": finding_tree.first_things(result),
        "facts": facts(result),
        "links": links_of(result, making.links),
        "findings": findings,
        "kinds": kinds,
        "main": main,
        "lanes": lanes,
        "events": _event_places(result.events, main) if main else (),
        "placeless": tuple(f for f in kinds.leading if f.first_step is None),
        "groups": listed,
        "named": named(result.run, result.name),
        "checked": _checked(result.checked),
        "unchecked": finding_tree.unchecked(result),
        "params": mask_params(dict(result.params)),
        "titles": _titles(result),
        "points": sum(row.points for row in whole.series),
        "count": len(whole.series),
        "making": making,
        "home": home,
        "curves": json_for_html(shelf.curves),
        "embedded": json_for_html(Night(making.version, (), (result,)).to_dict()),
    }
    return template_environment.render("run.html", context, script="enhance.js", stylesheet=stylesheet)


def page_name(run: str) -> str:
    """Return the file name of a run's page: a hash, never the name."""
    return hashlib.sha256(run.encode("utf-8", "surrogateescape")).hexdigest()[:16] + ".html"


def _titles(result: Result) -> dict[str, str]:
    """Return the titles of all symptoms that the result speaks of."""
    found, fine, unknown = ([x.symptom for x in xs] for xs in (result.findings, result.checked, result.not_checked))
    return {symptom: title_of(symptom) for symptom in (*found, *fine, *unknown)}


def named(run: str, name: str) -> bool:
    """Whether a run's name tells more than its id, as with MLflow."""
    return bool(name) and name not in run


def _shown(
    finding: Finding,
    result: Result,
    kinds: finding_tree.Tree,
    guides: Mapping[str, Guide],
    *,
    shelf: SpillFile,
    points: int,
) -> Shown:
    rows = rows_of(result, finding.tags)
    marks = marks_of(finding)
    return Shown(
        finding,
        guides.get(finding.symptom),
        chart(f"f-{finding.fingerprint}", rows, shelf, marks, points=points),
        *(near(f"f-{finding.fingerprint}-close", rows, shelf, marks) if points == FULL else (None, "")),
        title_of(finding.symptom),
        kinds.under.get(finding.fingerprint, ()),
        silence(finding, result.run),
        tuple(code_line(line, framework_of(result)) for line in finding.advice),
    )


def near(key: str, rows: Sequence[SeriesRow], shelf: SpillFile, marks: Sequence[Mark]) -> tuple[Chart | None, str]:
    """Return a second picture of what is marked, and its title: a close-up, or the period that comes again."""
    again = folded(rows, marks)
    if again is None:
        return close_up(key, rows, shelf, marks), "Close-up"
    return chart(key, [again[0]], shelf, points=240, height=150), again[1]


def rows_of(result: Result, tags: Iterable[str]) -> list[SeriesRow]:
    """Return the series of these tags, in the tags' order; what the result does not have is left out."""
    by_tag = {row.tag: row for row in result.series}
    return [by_tag[tag] for tag in tags if tag in by_tag]


def marks_of(finding: Finding) -> tuple[Mark, ...]:
    """Return what its detector drew, or, when it drew nothing, at least where the finding lies."""
    if finding.marks or finding.first_step is None:
        return finding.marks
    last = finding.last_step if finding.last_step is not None else finding.first_step
    kind: Literal["step", "region"] = "step" if last == finding.first_step else "region"
    steps = (finding.first_step,) if kind == "step" else (finding.first_step, last)
    return tuple(Mark(kind, tag, "", steps) for tag in finding.tags)


def silence(finding: Finding, run: str) -> str:
    """Return the lines for posthoc.toml that set this finding aside; a name that was cut would match nothing."""
    named = [("run", run), *[("tag", tag) for tag in finding.tags[:1]]]
    lines = [("symptom", finding.symptom), *((key, text) for key, text in named if len(text) <= NAME)]
    written = "\n".join(f"{key} = {json.dumps(text, ensure_ascii=False)}" for key, text in lines)
    return f'[[suppress]]\n{written}\nreason = "why this is fine here"'


def main_chart(result: Result, shelf: SpillFile) -> Chart | None:
    """Return the main curve, its twin of another split where there is one, and below it what shows a cause."""
    main = next((row for row in result.series if row.tag == result.main_tag), None)
    if main is None:
        main = next((row for row in result.series if row.curve is not None and row.role in {"loss", "metric"}), None)
    if main is None or main.points < 2:
        return None
    judged = _judged_reward(result)
    others = [row for row in result.series if row.role == main.role and row.split not in {main.split, None}]
    if result.family == "rl":  # not every metric there is a reward: those are that were judged together
        named = (tag for f in finding_tree.tree(result).leading if main.tag in f.tags for tag in f.tags)
        others = [*judged, *rows_of(result, named)]
    twins = [row for row in others if row is not main and row.points > 2 and share_a_panel(main, row)]
    drawn = [main, *twins[:1]]
    witnesses = _witnesses(result, drawn)
    marks = [
        *(mark for row in judged if row in drawn for mark in _best(result, row)),
        *(mark for _, mark in witnesses if mark is not None),
    ]
    below = list(dict.fromkeys(row.tag for row, _ in witnesses))
    return chart("main", drawn, shelf, marks, points=FULL, height=230, below=rows_of(result, below))


def _witnesses(result: Result, drawn: Sequence[SeriesRow]) -> list[tuple[SeriesRow, Mark | None]]:
    """Return what is drawn below the main curve over the same steps, each with a line where it moved.

    First come the curves that findings name as what moved before the main curve did, and those of findings that
    follow from them; then the learning rate and the gradient norm.
    """
    main = drawn[0]
    by_tag = {row.tag: row for row in result.series}
    kinds = finding_tree.tree(result)
    found: list[tuple[SeriesRow, Mark | None]] = []
    for finding in (f for f in kinds.leading if main.tag in f.tags):
        moved = [(sign.tag, sign.numbers.get("step")) for sign in finding.signs]
        follow = [(tag, None) for one in kinds.under.get(finding.fingerprint, ()) for tag in one.tags]
        for tag, at in (*moved, *follow):
            if tag in by_tag and not any(share_a_panel(by_tag[tag], row) for row in drawn):
                mark = Mark("step", tag, "", (round(at),)) if at is not None else None
                found.append((by_tag[tag], mark))
    for role in BELOW:
        rows = [(row, None) for row in result.series if row.role == role]
        found += next(([one] for one in rows if _below(main, one[0])), [])
    return [one for one in found if _below(main, one[0])]


def _below(main: SeriesRow, row: SeriesRow) -> bool:
    """Whether a series can stand below the main curve over the same steps, and says anything."""
    return row is not main and row.points > 2 and varies(row) and same_steps(main, row)


def _judged_reward(result: Result) -> list[SeriesRow]:
    """Return the reward by which a run of reinforcement learning was found to have learnt, where there is one."""
    learnt = next((c for c in result.health if c.criterion == "learnt"), None)
    return rows_of(result, learnt.tags[:1]) if result.family == "rl" and learnt is not None else []


def _best(result: Result, row: SeriesRow) -> Iterator[Mark]:
    """Yield the best level of a judged reward and its noise; findings say themselves which checkpoint to keep."""
    numbers = next((c.numbers for c in result.health if c.criterion == "learnt"), {})
    if numbers.get("gain", 0.0) > 0:
        label = "best level" if result.verdict == "problems" else "best: keep this"
        yield Mark("step", row.tag, label, (round(numbers["best_step"]),))
    yield from noise_band(row, NOISE * numbers.get("noise", 0.0))


def _lanes(findings: Sequence[Finding], main: Chart) -> tuple[Lane, ...]:
    across = main.panels[0].across
    lanes = []
    for finding in findings:
        if finding.first_step is not None:
            last = finding.last_step if finding.last_step is not None else finding.first_step
            start, end = (min(1.0, max(0.0, float(p))) for p in across.place([finding.first_step, last]))
            alike = sum(other.symptom == finding.symptom for other in findings) > 1
            title = title_of(finding.symptom) + (f" · {', '.join(finding.tags[:1])}" if alike else "")
            lanes.append(Lane(finding, title, start, max(end, start)))
    return tuple(lanes)


def _event_places(events: Sequence[Event], main: Chart) -> tuple[tuple[Event, float], ...]:
    places = main.panels[0].across.place([event.step for event in events])
    return tuple((event, float(p)) for event, p in zip(events, places, strict=True) if 0 <= p <= 1)[:60]


def _listed(result: Result, shelf: SpillFile) -> tuple[tuple[str, tuple[Listed, ...]], ...]:
    """Return all series in groups by role; with very many, curves get fewer points and the last ones none."""
    drawn = [row.tag for row in result.series if row.role != "constant"][:MOST_CHARTS]
    each = max(24, min(GALLERY, GALLERY_POINTS // max(1, len(drawn))))
    number = {tag: i for i, tag in enumerate(drawn)}
    known = {role for role, _ in GROUPS}
    groups = []
    for role, title in GROUPS:
        rows = [r for r in result.series if r.role == role or (role == "unknown" and r.role not in known)]
        listed = tuple(
            Listed(row, spark(row.curve), chart(f"s-{number[row.tag]}", [row], shelf, points=each, height=170))
            if row.tag in number and row.points > 1
            else Listed(row, "", None)
            for row in rows
        )
        if listed:
            groups.append((title, listed))
    return tuple(groups)


def _checked(checked: Sequence[Checked]) -> tuple[tuple[str, tuple[Checked, ...]], ...]:
    """Return what was checked and is fine, by symptom."""
    grouped: dict[str, list[Checked]] = {}
    for one in checked:
        grouped.setdefault(one.symptom, []).append(one)
    return tuple((title_of(symptom), tuple(ones)) for symptom, ones in grouped.items())
