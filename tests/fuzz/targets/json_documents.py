"""JSON documents, a Trainer's state above all: rows that are objects are read, others are named.

The first byte chooses the kind; the rest is the file (inputs.grown).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from analyzer.readers.filelog.encodings import text_of
from analyzer.readers.filelog.kinds import trainer_state
from tests.fuzz.files import read_as
from tests.fuzz.inputs import Taken, growing, grown

NAMES = {"trainer-state": "trainer_state.json", "json": "history.json"}
KINDS = tuple(NAMES)


def one_input(data: bytes) -> None:
    """Read a document as one kind would; of a whole state no row is lost without a word."""
    name, raw = KINDS[Taken(data).number() % len(KINDS)], grown(data[1:])
    read_as(name, Path(NAMES[name]), raw)
    _, rows, problem = trainer_state._parsed(raw)
    history = _history(text_of(raw))
    if history is not None:
        assert [row for row in history if isinstance(row, dict)] == rows or "nan" in repr(rows)
        assert bool(problem) == (len(rows) < len(history))
    elif text_of(raw).strip():
        assert problem


def _history(text: str) -> list[object] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    found = found.get("log_history") if isinstance(found, dict) else found
    return found if isinstance(found, list) else None


def seeds() -> Iterator[bytes]:
    """Yield states and histories, whole, cut and long."""
    state = b'{"log_history": [{"step": 1, "loss": NaN}, {"epoch": 2, "train_runtime": 1}, 5], "max_steps": 3}'
    yield b"\0\0" + state
    yield b"\0\0" + state[:50]
    yield b"\1\0" + b'{"loss": [1, 0.5, null, "x"], "in": {"acc": [0.1, 1e999]}}'
    yield b"\1\0" + b'{"history": [{"epoch": 1, "loss": 2}, {"epoch": 2, "lo'
    yield b"\1\0" + b'[{"step": 1, "loss": 99999999999999999999999}, 3]'
    for number in range(len(KINDS)):
        yield bytes([number]) + growing(b'{"log_history": [', b'{"step": ', 1 << 10)
        yield bytes([number]) + growing(b'{"loss": [', b"1,", 1 << 11)
        yield bytes([number]) + growing(b"", b"[", 1 << 12)
