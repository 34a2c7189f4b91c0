"""Histories in one JSON document: a list of numbers for each name (Keras' `History.history`), or a list of objects."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np

from analyzer.model.formatting import counted
from analyzer.model.run import Note
from analyzer.readers.filelog.cells import number_in
from analyzer.readers.filelog.encodings import text_of
from analyzer.readers.filelog.json_rows import table_of
from analyzer.readers.filelog.kind import GENERIC, Candidate, Content, RowKind
from analyzer.readers.filelog.kinds.csv import is_training
from analyzer.readers.filelog.rows import Column, Table

_LIST = re.compile(r'"((?:[^"\\]|\\.)+)"\s*:\s*\[\s*"?(?:[-+\d.]|NaN|-?Infinity)')
_NESTED = ("history", "logs", "metrics", "results", "log_history")
_FAILURES = (ValueError, RecursionError, MemoryError)


class JsonDocument(RowKind):
    """A document whose lists of numbers or objects are a training's."""

    name = "json"
    names = ("*history*.json", "*log*.json", "*metrics*.json", "*results*.json", "*losses*.json", "*stats*.json")
    rank = GENERIC
    own_folder = False

    def is_one(self, candidate: Candidate) -> bool:
        """Whether its beginning has lists of numbers under names of a training, or objects with such names."""
        text = candidate.text.lstrip()
        if text.startswith("["):
            return is_training(_of_rows(_first_objects(text)), named=candidate.named)
        if not text.startswith("{"):
            return False
        names = [name for name in _LIST.findall(text) if not name.startswith("_")]
        if names:
            return is_training(Table(1, dict.fromkeys(names, _NOTHING)), named=candidate.named)
        inner = re.match(r'\{\s*"(?:' + "|".join(_NESTED) + r')"\s*:\s*(?=\[)', text)
        return inner is not None and is_training(_of_rows(_first_objects(text[inner.end() :])), named=candidate.named)

    def table(self, raw: bytes, shown: str, content: Content) -> Table:
        """Return the lists as columns, or the objects as rows; what is beside them may be settings."""
        text = text_of(raw)
        notes = []
        try:
            document = json.loads(text)
        except _FAILURES as error:
            why = str(error) if isinstance(error, json.JSONDecodeError) else "nested too deeply"
            document = _of_cut(text)
            if document is None:
                return Table(notes=[Note("unreadable", f"{shown}: no JSON document ({why}); it was not read", shown)])
            notes.append(Note("torn-tail", f"{shown}: its end is cut ({why}); what comes before was read", shown))
        inner = next((document[name] for name in _NESTED if name in document), document) if _is(document) else document
        table = _of_rows([row for row in inner if _is(row)]) if isinstance(inner, list) else _of_lists(inner, shown)
        return replace(table, notes=[*table.notes, *notes])


_NOTHING = Column(np.empty(0, np.int64), np.empty(0))


_ENDS = ("]", "}]", "]}", "]}}", "}", "}}", "}]}")


def _of_cut(text: str) -> Any:
    """Return a document whose end is cut, up to its last whole value; None where it is damaged elsewhere."""
    begun, comma, _ = text.rpartition(",")  # what stands behind the last comma may be the rest of another value
    for end in _ENDS if comma else ():
        with suppress(*_FAILURES):
            return json.loads(begun + end)
    return None


def _is(value: object) -> bool:
    return isinstance(value, Mapping)


def _of_rows(rows: list[Mapping[str, Any]]) -> Table:
    return table_of(rows, [], frozenset())


def _first_objects(text: str) -> list[Mapping[str, Any]]:
    """Return the whole objects at the beginning of a list, which may be cut."""
    found: list[Mapping[str, Any]] = []
    decoder, at = json.JSONDecoder(), 1
    while True:
        at += len(text[at:]) - len(text[at:].lstrip(" \t\r\n,"))
        if text[at : at + 1] != "{":
            return found
        try:
            one, at = decoder.raw_decode(text, at)
        except _FAILURES:
            return found
        found.append(one)


def _of_lists(document: object, shown: str) -> Table:
    """Return lists of numbers as columns; of lists of several lengths each begins with the first row."""
    left = 0
    if not isinstance(document, Mapping):
        return Table()
    columns: dict[str, Column] = {}
    for name, values in _flat(document):
        if values and set(map(type, values)) <= {float}:
            columns[name] = Column(np.arange(len(values)), np.array(values, np.float64))
            continue
        numbers = [(i, number) for i, value in enumerate(values) if (number := number_in(value)) is not None]
        if numbers:
            at, held = zip(*numbers, strict=True)
            columns[name] = Column(np.array(at, np.int64), np.array(held, np.float64))
            left += len(values) - len(numbers) - values.count(None)
    size = max((int(column.at[-1]) + 1 for column in columns.values()), default=0)
    text = f"{shown}: {counted(left, 'entry', 'entries')} that are no numbers were left out"
    return Table(size, columns, [Note("not-scalar", text, shown)] if left else [])


def _flat(document: Mapping[str, Any], prefix: str = "", depth: int = 0) -> list[tuple[str, list[Any]]]:
    found: list[tuple[str, list[Any]]] = []
    for name, value in document.items():
        if isinstance(value, list):
            found.append((f"{prefix}{name}", value))
        elif _is(value) and depth < 3:
            found += _flat(value, f"{prefix}{name}/", depth + 1)
    return found


KIND = JsonDocument()
