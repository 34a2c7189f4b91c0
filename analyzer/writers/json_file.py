"""findings.json: a night as strict JSON, written run by run."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, TextIO

from analyzer.model.result import Night, Result
from analyzer.writers.truncation import DOCUMENT, shortened

_LINE_ENDS = {end: f"\\u{ord(end):04x}" for end in "\x85\u2028\u2029"}
"""What some programs take for the end of a line, as JSON writes it inside a text."""


def write_document(night: Night, file: TextIO, lines: Iterable[str] | None = None) -> None:
    """Write the document of a night, one run a line; UTF-8 safe and strict whatever the names hold.

    `lines` are those that line_of() makes of the same night, where they are at hand.
    """
    head = replace(night, results=()).to_dict() | {"counts": night.counts}
    del head["runs"]
    for key, value in head.items():
        file.write(("{" if key == "schema" else ",\n ") + f"{_json(key)}: {_json(value)}")
    file.write(',\n "runs": [')
    for i, line in enumerate(map(line_of, night.results) if lines is None else lines):
        file.write((",\n  " if i else "\n  ") + line)
    file.write("\n ]}\n" if night.results else "]}\n")


def line_of(result: Result, *, fits: bool = False) -> str:
    """Return an element of `runs` as one line, for tools that read line by line; `fits`: no text is too long."""
    return _json((result if fits else shortened(result, DOCUMENT, DOCUMENT)).to_dict())


def _json(value: Any) -> str:
    text = json.dumps(value, allow_nan=False, ensure_ascii=False)
    for end, escape in _LINE_ENDS.items():  # far faster than str.translate() on what hardly ever holds one
        text = text.replace(end, escape)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")  # a lone surrogate becomes its JSON escape
