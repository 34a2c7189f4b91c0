"""TensorBoard's event files: the fast reading agrees with the plain one in points and gaps, and neither raises.

The first byte says how the rest becomes a file: as it stands, as edits of an intact file, or cut into payloads that get
right lengths and checksums, each repeated, so that the parsers and templates behind the checksums are reached too.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from analyzer.errors import NoRunsError
from analyzer.readers import discover
from analyzer.readers.tensorboard.file_reader import read_file
from tests.fuzz.inputs import Taken, edited
from tests.fuzz.laws import only, said, sound
from tests.readers.tensorboard.plain import PlainReading, same
from tests.readers.tensorboard.records import VERSION, record, scalar, tensor

_LONGEST = 3000  # bytes of a file; the plain reading is quadratic where nothing is intact
_PAYLOADS = (
    scalar("loss", 5, 1.0),
    tensor("acc", 1, 0.5, plugin="scalars"),
    tensor("x", 1, [1.0, 2.0]),
    tensor("note", 1, b"text", dtype=object),
)
_INTACT = VERSION + b"".join(record(scalar("loss", step, 1.0 / (step + 1))) for step in range(12))
_NAMED = 50  # gaps that are named one by one


def file_of(data: bytes) -> bytes:
    """Return the event file that an input stands for."""
    taken = Taken(data)
    first = taken.number()
    if first < 64:
        return taken.rest()[:_LONGEST]
    if first < 128:
        return edited(_INTACT, taken)[:_LONGEST]
    out = [VERSION]
    while taken and sum(map(len, out)) < _LONGEST:
        out += [record(taken.piece())] * (1 + first % 12)
    made = b"".join(out)
    return made[: -data[-1]] if first > 192 and data[-1] else made


def one_input(data: bytes) -> None:
    """Read an event file both ways."""
    raw = file_of(data)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.out.tfevents.1"
        path.write_bytes(raw)
        content, plain = read_file(path, "file"), PlainReading(raw)
        with only(NoRunsError):
            for ref in discover(str(path)):
                sound(ref.load({}).run)
    said(content.notes)
    if any(note.kind == "unreadable" for note in content.notes):
        assert not plain.points
        return
    assert same(content.points, plain.points)
    assert content.hparams == plain.hparams
    named = [(note.offset, note.size) for note in content.notes if note.kind in {"damage", "torn-tail"}]
    if len(plain.gaps) <= _NAMED:
        assert named == [(start, stop - start) for start, stop, _ in plain.gaps]


def seeds() -> Iterator[bytes]:
    """Yield payloads, whole files and an edit."""
    for payload in _PAYLOADS:
        yield b"\x8b" + bytes([len(payload)]) + payload
        yield b"\x00" + VERSION + record(payload) * 3
    yield b"\x40" + b"\x50\x00\x03\x02ab"
