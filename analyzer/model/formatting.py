"""Numbers as people write them, for sentences and tables."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime

LONGEST_ERROR = 200  # characters of another library's error in a sentence of ours


def in_one_line(error: Exception) -> str:
    """Return what another library's error says, in one line of bounded length: it may quote what a file holds."""
    return " ".join(str(error).split())[:LONGEST_ERROR] or type(error).__name__


def number(value: float, digits: int = 3) -> str:
    """Return the value with the digits that matter: 0.0312, 12,300, 1.2e-05, NaN, ∞."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 1e7 or size < 1e-4:
        mantissa, _, exponent = f"{value:.{max(0, digits - 1)}e}".partition("e")
        mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
        return f"{mantissa}e{int(exponent)}".replace("-", "−")
    if size >= 10 ** (digits - 1):
        return f"{value:,.0f}".replace("-", "−")
    places = digits - 1 - math.floor(math.log10(size))
    text = f"{value:.{max(0, places)}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-", "−")


def step(value: float) -> str:
    """Return a step or a count as people write it: 12,345."""
    return f"{round(value):,}"


def percent(share: float) -> str:
    """Return a share as a percentage: 7 %, 0.4 %; nobody reads more than thousands of them."""
    return f"{number(100 * share, 2)} %" if not share >= 100 else "over 10,000 %"


def times(factor: float) -> str:
    """Return a factor: 3.2 times, 1,400 times; what no one can picture as a power of ten."""
    return f"{number(factor, 2)} times"


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """Return a count with its noun: 1 point, 12 points, 3 series."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def duration(seconds: float | None) -> str:
    """Return a length of time in its two largest units: `3 h 20 min`, `12 s`; empty for none."""
    if seconds is None or not math.isfinite(seconds) or seconds < 0:
        return ""
    if seconds < 60:
        return f"{number(seconds, 2)} s"
    left = round(seconds)
    written: list[str] = []
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        amount, left = divmod(left, size)
        if amount or written:
            written.append(f"{step(amount)} {unit}" if amount else "")
        if len(written) == 2:
            break
    return " ".join(part for part in written if part)


def moment(unix: float | None) -> str:
    """Return a time as `2026-11-22 08:03 UTC`; empty for none, or one no calendar holds."""
    if unix is None or not math.isfinite(unix):
        return ""
    try:
        return datetime.fromtimestamp(unix, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (OverflowError, OSError, ValueError):
        return ""


def calendar(unix: float) -> datetime:
    """Return a time in Unix seconds as a date; one that no calendar holds (a clock that is off) is its nearest end."""
    try:
        return datetime.fromtimestamp(unix, UTC)
    except (OverflowError, OSError, ValueError):
        return (datetime.max if unix > 0 else datetime.min).replace(tzinfo=UTC)


def iso(unix: float) -> str:
    """Return a time in Unix seconds as programs read it, to the second: 2026-11-23T05:00:00Z.

    A time that no calendar holds is that of the calendar's nearest end: the years 1 and 9999.
    """
    return calendar(unix).isoformat(timespec="seconds").replace("+00:00", "Z")


class _Shown:
    """A number that a template shows as it asks for: `{x}`, `{x:2}` digits, `{x:%}`, `{x:step}`, `{x:count}`."""

    def __init__(self, value: float) -> None:
        self._value = float(value)

    def __format__(self, spec: str) -> str:
        if spec == "%":
            return percent(self._value)
        if spec in ("step", "count"):
            return step(self._value)
        return number(self._value, int(spec)) if spec else number(self._value)


def filled(template: str, tag: str, numbers: Mapping[str, float]) -> str:
    """Return a template with a tag and numbers filled in: `{tag}`, and each number by its name (see _Shown)."""
    return template.format(tag=tag, **{name: _Shown(value) for name, value in numbers.items()})
