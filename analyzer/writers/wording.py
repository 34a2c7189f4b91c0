"""Numbers, steps, times and foreign names, written as people read them."""

from __future__ import annotations

import math
import unicodedata

from analyzer.model.wording import duration, moment, number

__all__ = ["BARE", "duration", "measured", "moment", "number", "span", "visible", "whole"]

BARE = frozenset({"", "1", "ratio", "count", "correlation"})
"""Units that say nothing beside the measure's name."""

_JOINERS = "\u200c\u200d"  # zero-width joiners belong to words of several scripts and to emoji


def visible(text: str, keep: str = "") -> str:
    r"""Return the text with every character that hides, moves or controls text written out as an escape.

    Control and format characters (escape sequences, bidirectional overrides), line and paragraph
    separators become `\x1b` or `\u202e`; bytes that were no UTF-8 (surrogates) become `\xNN`. Characters in
    `keep` stay as they are. A printable text is returned unchanged.
    """
    if text.isprintable():
        return text
    return "".join(c if c in keep or c in _JOINERS else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    if unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Zl", "Zp", "Cn", "Co"}:
        return character
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was no UTF-8
        return f"\\x{code - 0xDC00:02x}"
    short = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(character)
    return short or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")


def whole(value: int) -> str:
    """Return a whole number with its thousands apart: 12,345."""
    return f"{value:,}".replace("-", "−")


def measured(value: float | None, unit: str = "") -> str:
    """Return a measure's value with its unit; a count or a ratio is a bare number."""
    if value is None:
        return "–"
    written = whole(int(value)) if math.isfinite(value) and value == int(value) and abs(value) < 1e7 else number(value)
    if unit in BARE:
        return written
    return f"{written} {unit.removesuffix('s')}" if value == 1 and unit in {"steps", "points"} else f"{written} {unit}"


def span(first: int | None, last: int | None) -> str:
    """Return where in the run something is: `step 400`, `steps 400 to 999`, or nothing."""
    if first is None:
        return ""
    if last is None or last == first:
        return f"step {whole(first)}"
    return f"steps {whole(first)} to {whole(last)}"
