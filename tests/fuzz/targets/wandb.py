"""W&B's records: intact ones beside damage are read, what was damaged is named, and no record makes a reader raise.

The first byte says how the rest becomes a file: as it stands; as records that are framed with right lengths and
checksums; as such records with a stretch of the file overwritten; or as one record repeated (inputs.grown).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from analyzer.model.run import Note
from analyzer.readers.filelog import framing
from tests.fuzz.files import read_as
from tests.fuzz.inputs import LONGEST, Taken, growing, grown
from tests.fuzz.laws import said
from tests.readers.filelog import logs

_CHUNK = 7  # bytes in front of a record


def one_input(data: bytes) -> None:
    """Read a file of records."""
    taken = Taken(data)
    how = taken.number() % 4
    if how == 0:
        raw = taken.rest()
    elif how == 3:
        raw = logs.framed(*_pieces(Taken(grown(taken.rest()))))
    else:
        at, size = (taken.number(2), taken.number()) if how == 2 else (0, 0)
        records = _pieces(taken)
        raw = logs.framed(*records)
        at = _CHUNK + at % max(1, len(raw) - _CHUNK)
        raw = raw[:at] + b"\xa5" * len(raw[at : at + size]) + raw[at + size :]
        if len(raw) < framing.BLOCK:
            _kept(records, raw, range(at, at + size))
    read_as("wandb", Path("run-a/run-a.wandb"), raw)


def _kept(records: list[bytes], raw: bytes, damaged: range) -> None:
    """Every record that the damage does not touch is read, and the damage is named."""
    notes: list[Note] = []
    found = list(framing.records(raw, "t", notes))
    said(notes)
    at, intact = _CHUNK, []
    for one in records:
        stop = at + _CHUNK + len(one)
        if stop <= damaged.start or at >= damaged.stop:
            intact.append(one)
        at = stop
    if not set(damaged) <= set(range(at)) or any(raw[place] != 0xA5 for place in damaged if place < len(raw)):
        return
    assert found == intact or len(found) > len(intact)  # 0xA5 in the place of 0xA5 is no damage
    assert notes or len(found) == len(records)


def _pieces(taken: Taken) -> list[bytes]:
    found: list[bytes] = []
    while taken and len(found) < LONGEST // 8:
        found.append(taken.piece())
    return found


def _cut(*records: bytes) -> bytes:
    return b"".join(bytes([len(one)]) + one for one in records)


def seeds() -> Iterator[bytes]:
    """Yield a history with its settings and its end, framed in each way, and long ones."""
    metric = logs.message((12, logs.message((1, "lo*"), (4, "nest/a"), (5, 1))))
    config = logs.message((5, logs.message((1, logs.message((1, "lr"), (16, '{"value": 0.1}'))))))
    typed = logs.message((2, logs.message((1, logs.message((1, "x"), (5, 7))), (1, logs.message((1, "y"), (6, 0.5))))))
    run = logs.message((17, logs.message((3, "project"), (8, "fox"), (4, logs.message((1, b""))))))
    usual = (logs.history(0, loss=1.0), logs.history(1, loss="NaN", nest={"a": 1}), logs.exited(0))
    yield b"\0" + logs.framed(*usual)
    yield b"\1" + _cut(run, config, metric, *usual, typed)
    yield b"\2\x40\0\x09" + _cut(*usual)
    column = logs.message((2, logs.message((1, logs.message((1, "a"), (16, "1"))))))
    yield b"\3" + growing(_cut(logs.history(0, loss=1.0)), _cut(metric), 1 << 9)
    yield b"\3" + growing(b"", _cut(column), 1 << 10)
