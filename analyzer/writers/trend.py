"""The nights before this one, as small line pictures and a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from analyzer.model.formatting import counted, number
from analyzer.model.totals import Tally
from analyzer.writers.phrases import whole

MOST_SYMPTOMS = 6
MOST_ROWS = 21
"""Nights in the table; the pictures have all."""
WIDTH, HEIGHT = 1000, 100
"""The picture's own units; it is stretched to its place."""


@dataclass(frozen=True, slots=True)
class Line:
    """One number over the nights: its name, tonight's value, how it changed, its picture and that in words."""

    name: str
    symptom: bool
    tonight: str
    change: str
    path: str
    spoken: str


@dataclass(frozen=True, slots=True)
class Trend:
    """All that is told of the nights; `columns` and `rows` make the table, the last night first."""

    nights: int
    lines: tuple[Line, ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


Number = tuple[str, str, Callable[[Tally], float]]
"""A number of a night: its name beside a picture ("" for none), at the head of a column, and where it comes from."""

_NUMBERS: tuple[Number, ...] = (
    ("runs", "runs", lambda night: night.runs),
    ("runs with errors", "errors", lambda night: night.verdicts.get("error", 0)),
    ("runs with warnings", "warnings", lambda night: night.verdicts.get("warning", 0)),
    ("", "not judged", lambda night: night.verdicts.get("unjudged", 0)),
    ("", "suppressed", lambda night: night.verdicts.get("suppressed", 0)),
    ("", "healthy", lambda night: night.verdicts.get("healthy", 0)),
    ("unreadable runs", "unreadable", lambda night: night.failed),
    ("hours past the best step", "hours past the best", lambda night: night.hours),
)


def trend_of(nights: Sequence[Tally]) -> Trend | None:
    """Return what is told of the nights, tonight's being the last; None when there is no other.

    What was nought in every night is left out.
    """
    if len(nights) < 2:
        return None
    symptoms = _symptoms(nights)
    numbers = [*(one for one in _NUMBERS if any(map(one[2], nights))), *map(_of_symptom, symptoms)]
    shown = [
        _line(name, [value(night) for night in nights], symptom=name in symptoms) for name, _, value in numbers if name
    ]
    rows = tuple(
        (night.at.replace("T", " ")[:16], *(_value(value(night)) for _, _, value in numbers))
        for night in reversed(nights[-MOST_ROWS:])
    )
    return Trend(len(nights), tuple(shown), ("night", *(column for _, column, _ in numbers)), rows)


def _of_symptom(symptom: str) -> Number:
    return symptom, symptom, lambda night: night.symptoms.get(symptom, 0)


def _symptoms(nights: Sequence[Tally]) -> list[str]:
    """Return the symptoms that most runs had in any night."""
    most: dict[str, int] = {}
    for night in nights:
        for symptom, count in night.symptoms.items():
            most[symptom] = max(count, most.get(symptom, 0))
    return sorted(most, key=lambda symptom: (-most[symptom], symptom))[:MOST_SYMPTOMS]


def _line(name: str, values: Sequence[float], *, symptom: bool = False) -> Line:
    first, before, tonight = values[0], values[-2], values[-1]
    told = f"{name}: {_value(first)} {counted(len(values) - 1, 'night')} ago, {_value(tonight)} tonight"
    spoken = f"{told}; lowest {_value(min(values))}, highest {_value(max(values))}"
    apart = tonight - before
    change = f"{'+' if apart > 0 else '−'}{_value(abs(apart))}" if apart else ""
    return Line(name, symptom, _value(tonight), change, _path(values), spoken)


def _path(values: Sequence[float]) -> str:
    """Return the path of values from 0 up, evenly spaced."""
    top = max(*values, 1e-9)
    places = [f"{WIDTH * i / (len(values) - 1):.0f} {HEIGHT * (1 - value / top):.0f}" for i, value in enumerate(values)]
    return "M" + "L".join(places)


def _value(value: float) -> str:
    return whole(int(value)) if value == int(value) else number(value, 3)
