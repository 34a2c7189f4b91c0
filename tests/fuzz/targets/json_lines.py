"""JSON lines: every line that is an object is a row, every other one is named, and every kind of such logs reads them.

The first byte chooses the kind; the rest is the file (inputs.grown).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from analyzer.readers.filelog import json_rows
from analyzer.readers.filelog.encodings import text_of
from analyzer.readers.filelog.kind import LineKind
from analyzer.readers.filelog.kinds import known
from tests.fuzz.files import read_as
from tests.fuzz.inputs import Taken, growing, grown
from tests.fuzz.laws import counted, said

NAMES = {"rllib": "result.json", "detectron2": "metrics.json", "mmengine": "scalars.json"}
KINDS = tuple(name for name, kind in known().items() if isinstance(kind, LineKind))


def one_input(data: bytes) -> None:
    """Read lines as one kind would, and count them."""
    name, raw = KINDS[Taken(data).number() % len(KINDS)], grown(data[1:])
    read_as(name, Path(NAMES.get(name, "log.jsonl")), raw)
    rows, notes = json_rows.rows_of(raw, "t")
    said(notes)
    if not json_rows.spread_out(text_of(raw)):
        lines = [line.strip(" \t\r\0\x1e") for line in text_of(raw).split("\n")]
        objects = sum(map(_is_object, lines))
        lost = counted(notes, r"line \d+ is not|last line \(") + counted(notes, r"(\d+) further")
        assert len(rows) >= objects
        assert lost >= sum(1 for line in lines if line) - len(rows)
    table = json_rows.table_of(rows, [])
    numbers = [list(_values(row, 0)) for row in rows]
    assert table.size == len(rows)
    if max(map(len, numbers), default=0) <= json_rows.MOST_KEYS:
        plain = sum(1 for row in numbers for value in row if type(value) in (int, float))
        assert plain <= sum(column.at.size for column in table.columns.values()) <= sum(map(len, numbers))


def _values(row: Mapping[str, object], depth: int) -> Iterator[object]:
    """Yield the values that are numbers, or may hold one."""
    for value in row.values():
        if type(value) in (int, float, str, list):
            yield value
        elif isinstance(value, dict) and depth < json_rows.DEEPEST:
            yield from _values(value, depth + 1)


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def seeds() -> Iterator[bytes]:
    """Yield lines for each kind, and deep and long ones."""
    usual = b'{"step": 1, "loss": 1.5, "in": {"a": 1}, "phase": "val", "t": [1]}\n{"step": 2}{"step": 3}\n{"loss": NaN'
    for number in range(len(KINDS)):
        yield bytes([number, 0]) + usual
        yield bytes([number, 0]) + b'{"iteration": 3, "loss": -Infinity, "training_iteration": 1e400, "cfg": {}}\n'
    yield b"\0\0" + b'{"step": 1, "\\ud800": 1, "a/b": 2, "a": {"b": 3}, "loss": ' + b"9" * 400 + b"}\n"
    yield b"\0\0" + b"".join(b'{"step": 1, "loss": 1, "run": "\\udfff%s"}\n' % run for run in (b"a", b"b", b"a", b"b"))
    yield b"\0" + growing(b"", b'{"a":', 1 << 12, b"1\n")
    yield b"\0" + growing(b'{"step": ', b"9", 1 << 12, b"}\n")
    yield b"\0" + growing(b"", b'{"a":1}', 1 << 12, b"x\n")
