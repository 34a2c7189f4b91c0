"""findings.json: a night as strict JSON, written run by run."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, TextIO

from analyzer.model.result import Night
from analyzer.writers.shortening import DOCUMENT, shortened


def write_document(night: Night, file: TextIO) -> None:
    """Write the document of a night, one run a line; UTF-8 safe and strict whatever the names hold."""
    head = replace(night, results=()).to_dict() | {"counts": night.counts}
    del head["runs"]
    for key, value in head.items():
        file.write(("{" if key == "schema" else ",\n ") + f"{_json(key)}: {_json(value)}")
    file.write(',\n "runs": [')
    for i, result in enumerate(night.results):
        file.write((",\n  " if i else "\n  ") + _json(shortened(result, DOCUMENT, DOCUMENT).to_dict()))
    file.write("\n ]}\n" if night.results else "]}\n")


def _json(value: Any) -> str:
    text = json.dumps(value, allow_nan=False, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")  # a lone surrogate becomes its JSON escape
