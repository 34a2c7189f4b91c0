"""The last step of every reader: names and texts bounded and masked, before a Run leaves it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from analyzer.model.redaction import mask_name, mask_params, mask_text
from analyzer.model.run import Note, Run, Series

T = TypeVar("T")

MOST_NAME = 2_000  # characters of a tag, a run's name or a parameter's name
MOST_TEXT = 20_000  # characters of a parameter's or tag's value


def cleaned(run: Run) -> Run:
    """Return the run with secrets masked and texts cut in its names, parameters and tags; two tags never merge."""
    series: dict[str, Series] = {}
    for tag, one in run.series.items():
        name = distinct(clean_name(tag), series)
        series[name] = one if name == tag else Series(name, one.steps, one.values, one.wall_times)
    params = mask_params({clean_name(name): clean_value(value) for name, value in run.params.items()})
    tags = mask_params({clean_name(name): clean_value(value) for name, value in run.tags.items()})
    return replace(
        run,
        name=clean_name(run.name),
        experiment=clean_name(run.experiment),
        location=mask_text(encodable(run.location)),
        series=series,
        params=params,
        tags={name: str(value) for name, value in tags.items()},
        notes=tuple(_note(note) for note in run.notes),
    )


def _note(note: Note) -> Note:
    one_line = " ".join(note.message.splitlines())  # names may have any characters, also ends of lines
    message = mask_text(encodable(str(shortened(one_line, MOST_NAME))))
    return replace(note, message=message, file=None if note.file is None else clean_name(note.file))


def encodable(text: str) -> str:
    """Return a text that UTF-8 can hold: a lone surrogate, which no text has, is shown as its escape."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def clean_name(name: str) -> str:
    """Return a name bounded and with its secrets masked."""
    return mask_name(encodable(str(shortened(name, MOST_NAME))))


def clean_value(value: T) -> T | str:
    """Return a parameter's or tag's value: a text bounded and encodable, anything else as it is."""
    found = shortened(value, MOST_TEXT)
    return encodable(found) if isinstance(found, str) else found


def shortened(value: T, most: int) -> T | str:
    """Return a text of at most about `most` characters; what is cut is counted and told apart by a hash."""
    if not isinstance(value, str) or len(value) <= most:
        return value
    digest = hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{value[:most]}… ({len(value):,} characters, {digest})"


def distinct(name: str, taken: Mapping[str, object] | set[str]) -> str:
    """Return the name, with the first number behind it that is free; numbers are taken in order, without gaps.

    The free number is found by doubling and halving: names that are given out one after another cost O(log n) each.
    """
    if name not in taken:
        return name
    low, high = 1, 2  # `low` is taken
    while f"{name} ({high})" in taken:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if f"{name} ({middle})" in taken else (low, middle)
    return f"{name} ({high})"


def add_series(series: dict[str, Series], one: Series, notes: list[Note]) -> None:
    """Add a series under its tag; one whose tag is taken gets another, and a note: two series never become one."""
    name = distinct(one.tag, series)
    if name != one.tag:
        notes.append(Note("layout", f"two series are called {one.tag}; the second is read as “{name}”"))
        one = Series(name, one.steps, one.values, one.wall_times)
    series[name] = one
