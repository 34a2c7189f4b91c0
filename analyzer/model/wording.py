"""Numbers as people write them, for sentences and tables."""

from __future__ import annotations

import math


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
    """Return a share as a percentage: 7 %, 0.4 %."""
    return f"{number(100 * share, 2)} %"


def times(factor: float) -> str:
    """Return a factor: 3.2 times, 1,400 times; what no one can picture as a power of ten."""
    return f"{number(factor, 2)} times"


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """Return a count with its noun: 1 point, 12 points, 3 series."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"
