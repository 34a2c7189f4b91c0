"""What a run's page says of other runs: filled into the places that the page keeps for it, once all runs are judged.

A page is written when its run is judged, before anything is known of the others. It keeps empty places between pairs of
comments, and a digest of what they hold in its head, so that a page whose siblings say the same is not written again.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import escape

from analyzer.model.formatting import number
from analyzer.model.result import Finding, Result, Sibling
from analyzer.model.run import Series
from analyzer.model.thinning import thin
from analyzer.writers import finding_tree
from analyzer.writers.axis import Axis
from analyzer.writers.curve import strokes
from analyzer.writers.embed import json_for_html, packed
from analyzer.writers.phrases import visible
from analyzer.writers.text_file import write_text
from analyzer.writers.truncation import short

POINTS = 160
"""Points of a run's main curve that are kept for the pages of its siblings."""

HEAD = 1000
"""Bytes at the beginning of a page among which its digest is."""

CHANGED = "a"
"""Before the digest of a page whose result siblings changed."""

NAME = 60
"""Characters of a sibling's name in a chart."""

_DIGEST = re.compile(rb'<meta name="posthoc-beside" content="([0-9a-f]*)">')
_PLOT = re.compile(r'id="c-main">.*?data-x="(\S+) (\S+)" data-y="(\S+) (\S+)" data-log="([01])"', re.DOTALL)
_CURVES = re.compile(r'(<script type="application/json" id="curves">)(.*?)(</script>)', re.DOTALL)


@dataclass(frozen=True)
class RelatedRuns:
    """What is said of other runs on a run's page: the sibling with its packed curve, and sentences by finding.

    `changed` is the run's line in findings.json where siblings changed the result itself, else "". `before` and `after`
    are page and name of the previous and the next run with problems, `compare` the command that compares both.
    """

    sibling: Sibling | None = None
    page: str = ""
    course: str = ""
    sentences: Mapping[str, Sequence[str]] = field(default_factory=dict)
    changed: str = ""
    before: tuple[str, str] = ("", "")
    after: tuple[str, str] = ("", "")
    compare: str = ""

    @property
    def digest(self) -> str:
        """Return what tells whether a page says the same already, "" where there is nothing to say."""
        turns = (self.before, self.after)
        if self.sibling is None and not self.sentences and not self.changed and not any(page for page, _ in turns):
            return ""
        told = (
            self.changed,
            self.sibling,
            self.page,
            self.course,
            turns,
            self.compare,
            sorted((k, tuple(v)) for k, v in self.sentences.items()),
        )
        digest = hashlib.sha256(repr(told).encode("utf-8", "surrogateescape")).hexdigest()[:16]
        return CHANGED * bool(self.changed) + digest


def digest_of(page: Path) -> str | None:
    """Return the digest of what a page says of other runs, None where the page is not there or has no place for it."""
    try:
        with page.open("rb") as file:
            known = _DIGEST.search(file.read(HEAD))
    except OSError:  # another night removed it
        return None
    return None if known is None else known[1].decode()


def course_of(result: Result) -> str:
    """Return the main curve of a result, thinned and packed as JSON, "" where it has none of two points or more."""
    main = next((row for row in result.series if row.tag == result.main_tag), None)
    if main is None or main.curve is None or main.curve.points < 2:
        return ""
    return json.dumps(packed(thin(main.curve, POINTS)), separators=(",", ":"))


def unpacked(text: str, tag: str = "") -> Series:
    """Return the series of course_of(); times are unknown (NaN)."""
    data: dict[str, Any] = json.loads(text)
    if "r" in data:
        first, stride, count = data["r"]
        steps = first + stride * np.arange(count, dtype=np.int64)
    else:
        steps = np.cumsum(np.array(data["s"], dtype=np.int64))
    if "v" in data:
        three = np.frombuffer(base64.b64decode(data["v"]), np.uint8).reshape(-1, 3)
        bits = np.zeros((three.shape[0], 4), np.uint8)
        bits[:, :3] = three
        values = bits.reshape(-1).view(">f4").astype(np.float64)
    else:
        values = np.array([float(value) for value in data["n"]], dtype=np.float64)
    return Series(tag, steps, values, np.full(steps.size, np.nan))


def put_beside(page: Path, beside: RelatedRuns) -> None:
    """Fill the places of a page."""
    try:
        text = page.read_text(encoding="utf-8")
    except OSError:  # another night removed it
        return
    write_text(page, _filled(text, beside))


def _filled(text: str, beside: RelatedRuns) -> str:
    text = _DIGEST_TEXT.sub(lambda _: f'<meta name="posthoc-beside" content="{beside.digest}">', text, count=1)
    curve, number_ = _curve(text, beside)
    text = _CURVES.sub(lambda found: found[1] + _curves(found[2], curve) + found[3], text, count=1)
    text = _put(text, "curve", _path(text, beside, number_) if curve else "")
    text = _put(text, "key", _key(beside) if curve else "")
    text = _put(text, "beside", _section(beside))
    text = _put(text, "turn", _turns(beside))
    for name in re.findall(r"<!--posthoc:(f-[0-9a-f]+)-->", text):
        said = beside.sentences.get(name.removeprefix("f-"), ())
        text = _put(text, name, "".join(f'<p class="soft across">{escape(visible(one))}</p>' for one in said))
    return text


_DIGEST_TEXT = re.compile(r'<meta name="posthoc-beside" content="[0-9a-f]*">')


def _put(text: str, name: str, what: str) -> str:
    """Replace what stands between the comments of a place."""
    first, last = f"<!--posthoc:{name}-->", f"<!--/posthoc:{name}-->"
    head, found, rest = text.partition(first)
    _, closed, tail = rest.partition(last)
    return head + first + what + last + tail if found and closed else text


def _called(sibling: Sibling) -> str:
    return f"healthy sibling {short(sibling.name, NAME)}"


def _curve(text: str, beside: RelatedRuns) -> tuple[dict[str, Any] | None, int]:
    """Return the sibling's curve for the page's script, and its number there; None without a curve or a chart."""
    found = _CURVES.search(text)
    if beside.sibling is None or not beside.course or found is None or not _PLOT.search(text):
        return None, 0
    own = [one for one in json.loads(found[2]) if not one.get("sibling")]
    return {"t": visible(_called(beside.sibling)), "sibling": 1, **json.loads(beside.course)}, len(own)


def _curves(data: str, curve: dict[str, Any] | None) -> str:
    own = [one for one in json.loads(data) if not one.get("sibling")]
    return str(json_for_html([*own, curve] if curve else own))


def _path(text: str, beside: RelatedRuns, number_: int) -> str:
    """Return the sibling's curve over the axes of the page's main chart."""
    found = _PLOT.search(text)
    if found is None:
        return ""
    across = Axis(float(found[1]), float(found[2]))
    up = Axis(float(found[3]), float(found[4]), log=found[5] == "1")
    path = strokes(unpacked(beside.course), across, up, trend=False).path
    return (
        '<g class="sibling" fill="none" stroke="#8a929b" stroke-linejoin="round"><path class="line" '
        f'data-curve="{number_}" d="{path}" stroke-width="1.5" vector-effect="non-scaling-stroke"/></g>'
    )


def _key(beside: RelatedRuns) -> str:
    if beside.sibling is None:
        return ""
    line = '<line x1="1" x2="29" y1="5" y2="5" stroke="#8a929b" stroke-width="2"/>'
    svg = f'<svg class="key" width="30" height="10" aria-hidden="true">{line}</svg>'
    return f'<p class="soft sibling-key">{svg} grey: {escape(visible(_called(beside.sibling)))}</p>'


def _section(beside: RelatedRuns) -> str:
    """Return the section about the nearest healthy run."""
    one = beside.sibling
    if one is None:
        return ""
    name = escape(visible(short(one.name, NAME)))
    link = f'<a href="{escape(beside.page)}">{name}</a>' if beside.page else name
    rows = "".join(
        f'<tr><th scope="row">{escape(visible(setting))}</th><td>{escape(visible(this))}</td>'
        f"<td>{escape(visible(other))}</td></tr>"
        for setting, this, other in one.settings
    )
    if one.tag and (one.this is not None or one.value is not None):
        rows += (
            f'<tr><th scope="row"><code>{escape(visible(one.tag))}</code> at the end</th>'
            f"<td>{_value(one.this)}</td><td>{_value(one.value)}</td></tr>"
        )
    several = "More than one setting differs: which of them did it is not known." if len(one.settings) > 1 else ""
    none = "" if one.settings else "No setting that is logged differs: another seed, data or machine may."
    command = f"<p>Compare them:</p><pre>{escape(visible(beside.compare))}</pre>" if beside.compare else ""
    return (
        '<section aria-labelledby="sibling"><h2 id="sibling">The nearest healthy run</h2>'
        f"<p>{link} is healthy, and fewest settings differ. {several}{none}</p>"
        '<div class="scroll"><table class="roles"><thead><tr><th scope="col">Setting</th><th scope="col">This run</th>'
        f'<th scope="col">{name}</th></tr></thead><tbody>{rows}</tbody></table></div>{command}</section>'
    )


def without_turns(text: str) -> str:
    """Return a page without the links to other runs with problems, for a place where those are not."""
    return _put(text, "turn", "")


def _turns(beside: RelatedRuns) -> str:
    """Return the links to the previous and the next run with problems."""
    links = [
        f'<a rel="{rel}" href="{escape(page)}">{mark} {escape(visible(short(name, NAME)))}</a>'
        for rel, mark, (page, name) in (("prev", "←", beside.before), ("next", "→", beside.after))
        if page
    ]
    return f'<nav class="turn" aria-label="Other runs with problems">{" ".join(links)}</nav>' if links else ""


def _value(value: float | None) -> str:
    return "–" if value is None else number(value, 4)


def leading(result: Result) -> list[Finding]:
    """Return the findings of a run that stand on its page by themselves."""
    return list(finding_tree.tree(result).leading)
