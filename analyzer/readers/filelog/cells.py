"""What the cell of a table says where it is no plain number: other notations, objects printed as text, times."""

from __future__ import annotations

import re
from datetime import UTC, datetime

BLANKS = frozenset({"", "NA", "N/A", "None", "none", "null", "NULL", "-", "--"})
"""What writers put where nothing was measured. `nan` is not among them: it is a value."""

_PLAIN = r"[+\-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+\-]?\d+)?|nan|inf|infinity)"
_NUMBER = re.compile(_PLAIN, re.ASCII | re.IGNORECASE)
_PRINTED = re.compile(  # tensor(0.25, device='cuda:0', grad_fn=<…>), np.float32(0.25), array([0.25]), [0.25]
    rf"(?:tensor|array|(?:np|numpy|jnp)\.\w+)\(\s*\[?\s*({_PLAIN})\s*\]?(?:,\s*\w+=[^()]*)?\)|\[\s*({_PLAIN})\s*\]",
    re.ASCII | re.IGNORECASE,
)
_PERCENT = re.compile(rf"({_PLAIN})\s*%", re.ASCII | re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"[+\-]?\d+,\d+(?:[eE][+\-]?\d+)?", re.ASCII)


def is_number(text: str) -> bool:
    """Whether a cell is a plain number."""
    return _NUMBER.fullmatch(text) is not None


def number_of(text: str, separator: str) -> float | None:
    """Return the number that a cell says, None where it says none.

    Percentages are shares. A decimal comma is read where another character separates cells. A tensor or array of one
    value that was printed counts as its value.
    """
    if is_number(text):
        return float(text)
    if found := _PERCENT.fullmatch(text):
        return float(found[1]) / 100
    if separator != "," and _DECIMAL_COMMA.fullmatch(text):
        return float(text.replace(",", "."))
    if text[-1:] in ")]" and (found := _PRINTED.fullmatch(text)):
        return float(found[1] or found[2])
    return None


def time_of(text: str) -> float | None:
    """Return the Unix seconds of an ISO 8601 time (UTC where it names no zone), None where it is none."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    try:
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (OverflowError, ValueError):
        return None
