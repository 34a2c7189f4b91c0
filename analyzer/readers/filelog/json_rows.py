"""JSON rows: one object a line, numbers of nested objects under `outer/inner`, everything else left out.

An object that is closed is whole, also without a line's end behind it. Several objects in one line (an end of line was
lost) are several rows. NaN and ±Infinity, which Python's writers leave bare, are values.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from typing import Any

from analyzer.model.formatting import counted
from analyzer.model.run import Note
from analyzer.readers.filelog import labels
from analyzer.readers.filelog.cells import number_in
from analyzer.readers.filelog.encodings import text_of
from analyzer.readers.filelog.rows import Gathered, Table
from analyzer.readers.sanitize import distinct

LONGEST_LINE = 1 << 24  # characters: RLlib writes its whole configuration into each line
MOST_KEYS = 5_000  # numbers of one row
DEEPEST = 12  # objects inside each other
NAMED = 5  # damaged lines named one by one
_DECODER = json.JSONDecoder()
_FAILURES = (ValueError, RecursionError, MemoryError)


def rows_of(raw: bytes, shown: str) -> tuple[list[Mapping[str, Any]], list[Note]]:
    """Return the objects of a file in their order and what could not be read. Never raises for what it holds."""
    text = text_of(raw)
    if spread_out(text):
        return _one_behind_the_other(text, shown)
    lines = text.split("\n")
    rows: list[Mapping[str, Any]] = []
    damaged: list[int] = []
    notes = []
    for number, line in enumerate(lines, 1):
        stripped = line.strip(" \t\r\0\x1e")  # \x1e begins records of RFC 7464
        if not stripped:
            if "\0" in line:
                damaged.append(number)
            continue
        found, whole = _objects(stripped)
        rows += found
        if whole:
            continue
        if number == len(lines):
            size = len(line.encode("utf-8", "surrogateescape"))
            text = f"{shown}: the last line ({number}) is cut; its {size} bytes were not read"
            notes.append(Note("torn-tail", text, shown, size=size))
        else:
            damaged.append(number)
    notes += [
        Note("damage", f"{shown}: line {n} is not a JSON object and was left out", shown) for n in damaged[:NAMED]
    ]
    if len(damaged) > NAMED:
        text = f"{shown}: {len(damaged) - NAMED} further damaged lines were left out, the last is line {damaged[-1]}"
        notes.append(Note("damage", text, shown))
    return rows, notes


def spread_out(text: str) -> bool:
    """Whether each object goes on over several lines, and another one follows the first."""
    begin, end = text.lstrip(" \t\r\n\0\x1e").split("\n", 1)[0].rstrip(), text.find("\n}")
    return begin[:1] == "{" and begin[-1] in "{[," and text[end + 2 :].lstrip(", \t\r\n")[:1] == "{" and end >= 0


class _Uncounted(str):
    """A text in which an error of the decoder counts no lines in front of it: there may be an error in every line."""

    __slots__ = ()

    def count(self, *_: object) -> int:
        """Return nothing that is looked at."""
        return 0

    rfind = count


def _one_behind_the_other(text: str, shown: str) -> tuple[list[Mapping[str, Any]], list[Note]]:
    """Return the objects of a text in which they go on over several lines; behind damage the next one is looked for."""
    rows: list[Mapping[str, Any]] = []
    notes: list[Note] = []
    at, last, uncounted = text.find("{"), 0, _Uncounted(text)
    while at >= 0:
        try:
            value, last = _DECODER.raw_decode(uncounted, at)
            rows.append(value)
            at = text.find("{", last)
            continue
        except _FAILURES:
            again = text.find("\n{", at + 1)
        size = len(text[at : again if again >= 0 else None].encode("utf-8", "surrogateescape"))
        if again < 0:
            what = f"{shown}: the last object is cut; its {size} bytes were not read"
            notes.append(Note("torn-tail", what, shown, size=size))
        elif len(notes) < NAMED:
            line = text.count("\n", 0, at) + 1
            notes.append(Note("damage", f"{shown}: the object in line {line} was left out ({size} bytes)", shown))
        at = again + 1 if again >= 0 else -1
    return rows, notes


def _objects(line: str) -> tuple[list[Mapping[str, Any]], bool]:
    """Return the objects of one line from its beginning on, and whether they are all of it."""
    if len(line) > LONGEST_LINE:
        return [], False
    found: list[Mapping[str, Any]] = []
    at = 0
    try:
        if line[-1] == "}":
            return [_object(line)], True
    except _FAILURES:
        pass  # not one object: several, or one that is damaged
    try:
        while at < len(line):
            value, at = _DECODER.raw_decode(line, at)
            if not isinstance(value, Mapping):
                return found, False
            found.append(value)
            while at < len(line) and line[at] in " \t,":
                at += 1
    except _FAILURES:
        return found, False
    return found, True


def _object(line: str) -> Mapping[str, Any]:
    found = _DECODER.decode(line)
    if not isinstance(found, dict):
        raise ValueError("no object")
    return found


def numbers_of(row: Mapping[str, Any], skip: Collection[str] = ()) -> dict[str, float]:
    """Return the numbers of a row under their paths; booleans, lists and texts that are no numbers are none."""
    return _bounded(_every_number(row, skip))


def _bounded(numbers: dict[str, float]) -> dict[str, float]:
    return numbers if len(numbers) <= MOST_KEYS else dict(islice(numbers.items(), MOST_KEYS))


def _every_number(row: Mapping[str, Any], skip: Collection[str]) -> dict[str, float]:
    """Return the numbers of a row, and one more than MOST_KEYS where it has more than that."""
    if all(type(value) is float or type(value) is int for value in row.values()) and len(row) <= MOST_KEYS:
        with suppress(OverflowError):
            return {key: float(value) for key, value in row.items()}
    found: dict[str, float] = {}
    for path, value in islice(_numbers(row, "", 0, skip), MOST_KEYS + 1):
        found[distinct(path, found)] = value  # {"train": {"loss": 1}, "train/loss": 2} are two
    return found


def _numbers(row: Mapping[str, Any], prefix: str, depth: int, skip: Collection[str]) -> Iterator[tuple[str, float]]:
    for key, value in row.items():
        kind = type(value)
        if kind is float:
            yield prefix + key, value
        elif kind is dict:
            if depth < DEEPEST and not (depth == 0 and key in skip):
                yield from _numbers(value, f"{prefix}{key}/", depth + 1, skip)
        elif not (kind is str and key.lower() in labels.NAMES) and (number := number_in(value)) is not None:
            yield prefix + key, number


def table_of(rows: list[Mapping[str, Any]], notes: list[Note], skip: Collection[str] = ()) -> Table:
    """Return the numbers of rows as a table, divided by its labels; a note says how many rows had too many."""
    gathered, cut = Gathered(), 0
    words: dict[str, list[str]] = {}
    for row in rows:
        found = _every_number(row, skip)
        cut += len(found) > MOST_KEYS
        for key, value in row.items() if len(found) < len(row) else ():
            if type(value) is str and key.lower() in labels.NAMES:
                own = words.setdefault(key, [])
                own += [*[""] * (gathered.size - len(own)), value]
        gathered.add(_bounded(found))
    if cut:
        notes.append(
            Note("limit", f"{counted(cut, 'row')} with more than {MOST_KEYS:,} numbers: the rest was left out")
        )
    for own in words.values():
        own.extend([""] * (gathered.size - len(own)))
    return labels.spread(Table(gathered.size, gathered.columns(), notes, labels=words))
