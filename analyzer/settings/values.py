"""Single values of a settings file: what each may be, and what is said of one that means nothing."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable
from datetime import date
from typing import Any

from analyzer.errors import SettingsError

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|min|m|h|d)")
_MEMORY = re.compile(r"(\d+(?:\.\d+)?)\s*(GiB|MiB)")
_SECONDS = {"s": 1, "min": 60, "m": 60, "h": 3600, "d": 86400}


def suggestion(word: str, words: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` for the nearest known word, or nothing."""
    import difflib  # noqa: PLC0415 - needed for mistakes only

    near = difflib.get_close_matches(word, list(words), 1, 0.5)
    return f"; did you mean {near[0]!r}?" if near else ""


def only(table: Any, keys: Collection[str], where: str) -> None:
    """Refuse what is no table, or has a key that is not among these. SettingsError."""
    if not isinstance(table, dict):
        raise SettingsError(f"{where} must be a table")
    for key in table:
        if key not in keys:
            raise SettingsError(f"{where}: unknown key {key!r}{suggestion(key, keys)}")


def listed(value: Any, where: str) -> list[Any]:
    """Return a list as it is. SettingsError for anything else."""
    if not isinstance(value, list):
        raise SettingsError(f"{where} must be a list")
    return value


def text(value: Any, where: str) -> str:
    """Return a text that is not empty. SettingsError, which does not repeat it, for anything else."""
    if not isinstance(value, str) or not value.strip():
        raise SettingsError(f"{where}: each entry must be a text")
    return value


def number(value: Any, where: str, *, above: float = -math.inf, below: float = math.inf) -> float:
    """Return a number between the two, which are not allowed themselves. SettingsError for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:  # noqa: PLR0124 - NaN
        raise SettingsError(f"{where} must be a number, not {value!r}")
    try:
        read = float(value)
    except OverflowError:  # a whole number of hundreds of digits
        read = math.inf
    if math.isinf(read):
        raise SettingsError(f"{where} is larger than any number that is worked with")
    if not above < read < below:
        wanted = f"be more than {above:g}" if math.isinf(below) else f"lie between {above:g} and {below:g}"
        raise SettingsError(f"{where} is {read:g}; it must {wanted}")
    return read


def seconds(value: Any, where: str, *, above: float = -1.0) -> float:
    """Return a duration, a number of seconds or a text like "6h", in seconds. SettingsError for anything else."""
    if isinstance(value, str):
        match = _DURATION.fullmatch(value.strip())
        if match is None:
            raise SettingsError(f'{where} is {value!r}; write it like "6h", "90min" or "2d"')
        value = float(match[1]) * _SECONDS[match[2]]
    return number(value, where, above=above)


def byte_count(value: Any, where: str) -> int:
    """Return a size like "4GiB" in bytes. SettingsError for anything else."""
    match = _MEMORY.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise SettingsError(f'{where} is {value!r}; write it like "4GiB" or "800MiB"')
    return int(number(float(match[1]) * (1 << 30 if match[2] == "GiB" else 1 << 20), where))


def day(value: Any) -> date | None:
    """Return a TOML date or a text as a day. ValueError for anything else."""
    if value is None or (isinstance(value, date) and type(value) is date):
        return value
    return date.fromisoformat(str(value))
