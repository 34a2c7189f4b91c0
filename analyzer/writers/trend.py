"""The nights before this one, as small line pictures and a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from analyzer.model.tally import Tally
from analyzer.model.wording import counted, number
from analyzer.writers.wording import whole

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


def trend_of(nights: Sequence[Tally]) -> Trend | None:
    """Return what is told of the nights, tonight's being the last; None when there is no other."""
    if len(nights) < 2:
        return None
    symptoms = _symptoms(nights)
    kinds: list[tuple[str, Callable[[Tally], float]]] = [
        ("runs", lambda night: night.runs),
        ("runs with errors", lambda night: night.verdicts.get("error", 0)),
        ("runs with warnings", lambda night: night.verdicts.get("warning", 0)),
        ("unreadable runs", lambda night: night.failed),
        ("hours past the best step", lambda night: night.hours),
    ]
    shown = [_line(name, [value(night) for night in nights]) for name, value in kinds if any(map(value, nights))]
    shown += [_line(name, [night.symptoms.get(name, 0) for night in nights], symptom=True) for name in symptoms]
    columns = ("night", "runs", "errors", "warnings", "not judged", "healthy", "unreadable", "hours past the best")
    rows = tuple(_row(night, symptoms) for night in reversed(nights[-MOST_ROWS:]))
    return Trend(len(nights), tuple(shown), (*columns, *symptoms), rows)


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


def _row(night: Tally, symptoms: Sequence[str]) -> tuple[str, ...]:
    tones = (night.verdicts.get(tone, 0) for tone in ("error", "warning", "unjudged", "healthy"))
    counts = (night.runs, *tones, night.failed, night.hours, *(night.symptoms.get(s, 0) for s in symptoms))
    return (night.at.replace("T", " ")[:16], *map(_value, counts))


def _value(value: float) -> str:
    return whole(int(value)) if value == int(value) else number(value, 3)
