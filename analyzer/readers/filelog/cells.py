"""What the cell of a table says where it is no plain number: other notations, objects printed as text, times."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, tzinfo

BLANKS = frozenset({"", "NA", "N/A", "None", "none", "null", "NULL", "-", "--"})
"""What writers put where nothing was measured. `nan` is not among them: it is a value."""

_PLAIN = r"[+\-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+\-]?\d+)?|nan|inf|infinity)"
_NUMBER = re.compile(_PLAIN, re.ASCII | re.IGNORECASE)
_PRINTED = re.compile(  # tensor(0.25, device='cuda:0', grad_fn=<…>), np.float32(0.25), array([0.25]), [0.25]
    rf"(?:tensor|array|(?:np|numpy|jnp)\.\w+)\(\s*(?:\[\s*)?({_PLAIN})\s*\]?(?:,\s*\w+=[^()]*)?\)|\[\s*({_PLAIN})\s*\]",
    re.ASCII | re.IGNORECASE,
)
_GROUPED = re.compile(r"[+\-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?", re.ASCII)
_SCALED = re.compile(rf"({_PLAIN})\s*([%kKM])", re.ASCII)
_SCALES = {"%": 0.01, "k": 1e3, "K": 1e3, "M": 1e6}
_DECIMAL_COMMA = re.compile(r"[+\-]?\d+,\d+(?:[eE][+\-]?\d+)?", re.ASCII)


def is_number(text: str) -> bool:
    """Whether a cell is a plain number."""
    return _NUMBER.fullmatch(text) is not None


def number_of(text: str, separator: str) -> float | None:
    """Return the number that a cell says, None where it says none.

    Percentages are shares. A comma is one of decimals where another character separates cells, else one of thousands.
    `10k` and `1.5M` are counts. A tensor or array of one value that was printed counts as its value.
    """
    if is_number(text):
        return float(text)
    if text[-1:] in ")]":
        found = _PRINTED.fullmatch(text)
        return float(found[1] or found[2]) if found else None
    if text[-1:] in _SCALES:
        found = _SCALED.fullmatch(text)
        return float(found[1]) * _SCALES[found[2]] if found else None
    if separator != "," and _DECIMAL_COMMA.fullmatch(text):
        return float(text.replace(",", "."))
    return float(text.replace(",", "")) if _GROUPED.fullmatch(text) else None


def number_in(value: object) -> float | None:
    """Return the number that a value of JSON says, None where it says none.

    A list of one number and a text as a cell has it count. A whole number beyond all doubles is infinite, as 1e400 is.
    """
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if type(value) is str:
        return number_of(value, ",")
    if type(value) is not int and type(value) is not float:
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def time_of(text: str, zone: tzinfo | None = UTC) -> float | None:
    """Return the Unix seconds of an ISO 8601 time, None where it is none.

    `zone` is that of a time which names none; None for the one of this machine.
    """
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    try:
        return (found if found.tzinfo else found.replace(tzinfo=zone)).timestamp()
    except (OverflowError, ValueError, OSError):
        return None
