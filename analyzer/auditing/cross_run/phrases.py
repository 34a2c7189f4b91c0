"""How runs, names and values are written in sentences about many runs."""

from __future__ import annotations

import math
from collections.abc import Sequence

from analyzer.model import summary
from analyzer.model.result import Result

NAME = 80
"""Characters of a run's or setting's name, or of a value, in a sentence."""


def named(result: Result) -> str:
    """Return what people call a run, short enough for a sentence: of a long path its end, where runs differ."""
    label = summary.label(result)
    return label if len(label) <= NAME else "…" + label[1 - NAME :]


def listed(names: Sequence[str], of: int) -> str:
    """Return some of `of` names as a list in words: `a`, `a and b`, `a, b and 3 others`."""
    rest = of - len(names)
    parts = [*names, f"{rest:,} other{'s' * (rest > 1)}"] if rest else list(names)
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def chance(p_value: float) -> str:
    """Return a chance in words: `below 1 in a million`, `1 in 2,300`."""
    if p_value < 1e-6:
        return "less than 1 in a million"
    one_in = round(1 / p_value)
    digits = 10 ** max(0, len(str(one_in)) - 2)
    return f"about 1 in {one_in // digits * digits:,}"


def cut_between(low: float, high: float) -> float:
    """Return the number of the fewest digits above `low` and at or below `high`."""
    size = math.floor(math.log10(abs(high))) if high else 0
    for digits in range(1, 17):
        unit = 10.0 ** (size - digits + 1)
        nearest = (round(high / unit) + step for step in (0, -1))  # at or just below it
        found = [float(f"{count * unit:.{digits}g}") for count in nearest]
        fitting = [number for number in found if low < number <= high]
        if fitting:
            return max(fitting)
    return high


def plain_number(value: float) -> str:
    """Return a setting's number as somebody would type it: 0.001, 3e-05, 128."""
    text = repr(float(value))
    return text.removesuffix(".0") if abs(value) < 1e15 else text
