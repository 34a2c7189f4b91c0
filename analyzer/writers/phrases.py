"""Numbers, steps, times and foreign names, written as people read them."""

from __future__ import annotations

import math
import re
import unicodedata

from analyzer.model.formatting import duration, moment, number

__all__ = [
    "BARE",
    "bare_limit",
    "beyond",
    "cell",
    "duration",
    "measured",
    "moment",
    "number",
    "span",
    "visible",
    "whole",
]

BARE = frozenset({"", "1", "count", "correlation"})
"""Units that say nothing beside the measure's name."""

MOST_PERCENT, MOST_TIMES = 2.0, 1_000_000
"""Shares up to the first are percentages, 572 % is said as 5.7 times; beyond the second nobody counts."""

_JOINERS = "\u200c\u200d"  # zero-width joiners belong to words of several scripts and to emoji
CHANGES = {"new": "new", "regressed": "back again", "resolved": "resolved", "persisting": "still there"}
"""What became of a finding since last time, in words."""


def visible(text: str, keep: str = "") -> str:
    r"""Return the text with every character that hides, moves or controls text written out as an escape.

    Control and format characters (escape sequences, bidirectional overrides), line and paragraph
    separators become `\x1b` or `\u202e`; bytes that were no UTF-8 (surrogates) become `\xNN`. Characters in
    `keep` stay as they are. A printable text is returned unchanged.
    """
    if text.isprintable():
        return text
    return "".join(c if c in keep or c in _JOINERS else _escaped(c) for c in text)


_FORMULA = re.compile(r"(^|;[\s\"']*)(?=[=+\-@\t\r])")


def cell(text: str) -> str:
    """Return a text as a cell of CSV that no spreadsheet takes for a formula, also when it divides cells at `;`."""
    return _FORMULA.sub(r"\1'", visible(text))


def _escaped(character: str) -> str:
    if unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Zl", "Zp", "Cn", "Co"}:
        return character
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was no UTF-8
        return f"\\x{code - 0xDC00:02x}"
    short = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(character)
    return short or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")


def percent_of(part: float) -> str:
    """Write a place in an SVG, 0 to 1, as a short percentage."""
    return f"{100 * part:.1f}".rstrip("0").rstrip(".") + "%"


def whole(value: int) -> str:
    """Return a whole number with its thousands apart: 12,345."""
    return f"{value:,}".replace("-", "−")


def measured(value: float | None, unit: str = "") -> str:
    """Return a measure's value with its unit, as people say it: 35 % of the best, 5.7 × the level, 2 h 10 min.

    A share of something is a percentage up to twice that thing, a multiple beyond; a bare ratio is a share; a
    count or a correlation is a bare number.
    """
    if value is None:
        return "–"
    if unit == "ratio" or unit.startswith("of "):
        return _share(value, unit.removeprefix("ratio"))
    if unit == "minutes" and value >= 1:
        return duration(value * 60) or number(value)
    if unit == "0 or 1":
        return "yes" if value else "no"
    written = whole(int(value)) if math.isfinite(value) and value == int(value) and abs(value) < 1e7 else number(value)
    if unit in BARE:
        return written
    return f"{written} {unit.removesuffix('s')}" if value == 1 and unit in {"steps", "points"} else f"{written} {unit}"


def _share(value: float, of_what: str) -> str:
    if abs(value) <= MOST_PERCENT or not math.isfinite(value):
        return f"{number(100 * value)} % {of_what}".rstrip()
    if abs(value) > MOST_TIMES:
        return f"over {MOST_TIMES:,} × {of_what.removeprefix('of ')}".rstrip()
    return f"{number(value)} × {of_what.removeprefix('of ')}".rstrip()


def beyond(value: float, limit: float | None, unit: str = "") -> str:
    """Return the limit that a value lies beyond: `above 8 %`, `below 0.13`, `3 or more` for what is counted."""
    if limit is None or unit == "0 or 1":
        return "–"
    if unit in {"count", "points"} and value > limit:
        return f"{whole(math.floor(limit) + 1)} or more"
    return f"{'above' if value > limit else 'below'} {bare_limit(limit, unit)}"


def bare_limit(limit: float | None, unit: str = "") -> str:
    """Return a limit without what it is a share of: that stands beside it."""
    if limit is None or unit == "0 or 1":
        return "–"
    if unit == "ratio" or unit.startswith("of "):
        return measured(limit, "ratio")
    if unit.startswith("×"):
        return f"{measured(limit)} ×"
    return measured(limit, unit if unit == "minutes" else "")


def span(first: int | None, last: int | None) -> str:
    """Return where in the run something is: `step 400`, `steps 400 to 999`, or nothing."""
    if first is None:
        return ""
    if last is None or last == first:
        return f"step {whole(first)}"
    return f"steps {whole(first)} to {whole(last)}"
