"""Coverage-guided fuzzing of the event reader: `python tests/fuzz/event_files.py [-max_total_time=600 …]`.

Needs atheris (`pip install atheris`). An input's first byte says how the rest becomes a file: as it stands, or cut into
payloads that get right lengths and checksums, each repeated, so that the parsers and templates behind the checksums
are reached too. The fast reading must agree with the plain one in points and gaps, and neither may raise.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import atheris  # noqa: E402 - the project's root must be on the path for what follows

with atheris.instrument_imports(include=["analyzer.readers"]):
    from analyzer.readers.tensorboard.file_reader import read_file

from tests.readers.tensorboard.plain import PlainReading, same  # noqa: E402 - after the instrumented imports
from tests.readers.tensorboard.records import VERSION, record, scalar, tensor  # noqa: E402

_LONGEST = 3000  # bytes of a file; the plain reading is quadratic where nothing is intact


def file_of_input(data: bytes) -> bytes:
    """Return the event file that an input stands for."""
    if not data or data[0] < 64:
        return data[1 : _LONGEST + 1]
    repeats, at, out = 1 + data[0] % 12, 1, [VERSION]
    while at < len(data) and sum(map(len, out)) < _LONGEST:
        size = data[at]
        out += [record(data[at + 1 : at + 1 + size])] * repeats
        at += 1 + size
    made = b"".join(out)
    return made[: -data[-1]] if data[0] > 192 and data[-1] else made


def check(path: Path, data: bytes) -> None:
    """Read an event file both ways; AssertionError when they disagree."""
    path.write_bytes(data)
    content, plain = read_file(path, "file"), PlainReading(data)
    if any(note.kind == "unreadable" for note in content.notes):
        assert not plain.points
        return
    assert same(content.points, plain.points)
    assert content.hparams == plain.hparams
    named = [(note.offset, note.size) for note in content.notes if note.kind in {"damage", "torn-tail"}]
    if len(plain.gaps) <= 50:
        assert named == [(start, stop - start) for start, stop, _ in plain.gaps]


def seeds(folder: Path) -> None:
    """Write a few inputs to begin with."""
    payloads = [scalar("loss", 5, 1.0), tensor("acc", 1, 0.5, plugin="scalars"), tensor("x", 1, [1.0, 2.0])]
    for number, payload in enumerate(payloads):
        (folder / f"payload{number}").write_bytes(b"\x7f" + bytes([len(payload)]) + payload)
        (folder / f"file{number}").write_bytes(b"\x00" + VERSION + record(payload) * 10)


def main() -> None:
    """Fuzz until the arguments say stop."""
    with tempfile.TemporaryDirectory() as place:
        corpus, path = Path(place) / "corpus", Path(place) / "events.out.tfevents.1"
        corpus.mkdir()
        seeds(corpus)
        atheris.Setup([*sys.argv, str(corpus)], lambda data: check(path, file_of_input(data)))
        atheris.Fuzz()


if __name__ == "__main__":
    main()
