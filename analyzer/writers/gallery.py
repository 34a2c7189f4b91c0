"""The gallery of symptoms: a page for each with its guide and its cases drawn, and an index of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from analyzer.model.formatting import counted
from analyzer.model.guide import Guide
from analyzer.model.result import Checked, Finding, Result
from analyzer.model.summary import title_of
from analyzer.writers import template_environment
from analyzer.writers.chart import Chart, chart, spark
from analyzer.writers.embed import SpillFile, json_for_html
from analyzer.writers.explanation import SECTIONS
from analyzer.writers.output_folder import claim
from analyzer.writers.page import marks_of, near, rows_of
from analyzer.writers.text_file import write_text

MARKER = ".posthoc-gallery"
"""The file that says that a folder is ours to write in again."""

STYLESHEET = "report.css"

KINDS = (
    ("fires", "What is found"),
    ("almost", "What looks like it and raises no alarm"),
    ("quiet", "What is quiet"),
)


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A case of a symptom and what was said of it."""

    name: str
    expect: Literal["fires", "quiet", "almost"]
    result: Result


@dataclass(frozen=True, slots=True)
class Hung:
    """An exhibit with its picture: `finding` is the symptom's own, `why` says why there is none, or no alarm."""

    exhibit: Exhibit
    finding: Finding | None
    checked: Checked | None
    why: str
    picture: Chart | None
    close: Chart | None
    close_title: str


def write_gallery(
    folder: Path, guides: Mapping[str, Guide], exhibits: Mapping[str, Sequence[Exhibit]], version: str
) -> Path:
    """Write the gallery and return its index; pages link to each other and to nothing else.

    OutputError when the folder is not empty and no gallery, or cannot be written.
    """
    claim(folder, MARKER, "posthoc gallery")
    write_text(folder / STYLESHEET, str(template_environment.asset("style.css")) + "\n")
    ordered = sorted(guides)
    for i, symptom in enumerate(ordered):
        around = (ordered[i - 1] if i else None, ordered[i + 1] if i + 1 < len(ordered) else None)
        page = symptom_page(guides[symptom], exhibits.get(symptom, ()), version, around=around)
        write_text(folder / f"{symptom}.html", page)
    write_text(folder / "index.html", gallery_index(guides, exhibits, version))
    return folder / "index.html"


def gallery_index(guides: Mapping[str, Guide], exhibits: Mapping[str, Sequence[Exhibit]], version: str) -> str:
    """Return the index: every symptom with what one sees and a small curve of its first case."""
    rows = [(guides[symptom], title_of(symptom), _sketch(exhibits.get(symptom, ()))) for symptom in sorted(guides)]
    context = {"rows": rows, "version": version}
    return template_environment.render("gallery.html", context, stylesheet=STYLESHEET)


def symptom_page(
    guide: Guide, exhibits: Sequence[Exhibit], version: str, *, around: tuple[str | None, str | None] = (None, None)
) -> str:
    """Return the page of one symptom; `around` names the symptoms before and after it."""
    shelf = SpillFile()
    hung = [_hung(guide.symptom, exhibit, shelf, f"case-{i}") for i, exhibit in enumerate(exhibits)]
    context = {
        "guide": guide,
        "title": title_of(guide.symptom),
        "kinds": [(title, [h for h in hung if h.exhibit.expect == kind]) for kind, title in KINDS],
        "sections": [(heading, getattr(guide, name)) for heading, name in SECTIONS],
        "around": [(symptom, title_of(symptom)) if symptom else None for symptom in around],
        "curves": json_for_html(shelf.curves),
        "version": version,
    }
    return template_environment.render("symptom.html", context, script="enhance.js", stylesheet=STYLESHEET)


def _hung(symptom: str, exhibit: Exhibit, shelf: SpillFile, key: str) -> Hung:
    result = exhibit.result
    finding = next((f for f in result.findings if f.symptom == symptom), None)
    checked = next((c for c in result.checked if c.symptom == symptom), None)
    tags = finding.tags if finding else checked.tags if checked else ()
    rows = rows_of(result, tags) or list(result.series[:4])
    marks = marks_of(finding) if finding else ()
    own = SpillFile(shelf.curves)  # cases share tags, not curves
    picture = chart(f"c-{key}", rows, own, marks, points=300, height=190)
    return Hung(exhibit, finding, checked, _why(result, finding), picture, *near(f"c-{key}-close", rows, own, marks))


def _why(result: Result, finding: Finding | None) -> str:
    """Say why a case without the symptom, or with a harmless one, raises no alarm."""
    if finding is not None and finding.explained_by:
        event = next((e for e in result.events if finding.explained_by == f"event:{e.kind}@{e.step}"), None)
        return f"No alarm: explained by {event.text if event else finding.explained_by}."
    if finding is not None:
        return "Worth knowing, no alarm." if finding.severity == "info" else ""
    if result.not_checked:
        return f"Not judged: {result.not_checked[0].reason}."
    return f"Clear: at least one of {counted(len(_limited(result)), 'measure')} stays within its limit."


def _limited(result: Result) -> list[str]:
    return [m.name for c in result.checked[:1] for m in c.measures if m.limit is not None]


def _sketch(exhibits: Sequence[Exhibit]) -> str:
    """Return the path of the first curve of the first case that fires."""
    for exhibit in exhibits:
        for finding in exhibit.result.findings:
            for row in rows_of(exhibit.result, finding.tags):
                return spark(row.curve, 60)
    return ""
