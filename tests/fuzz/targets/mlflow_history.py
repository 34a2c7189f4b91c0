"""A metric's file in MLflow's file store: each line is a point or counted as lost, and both ways of reading agree."""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.readers.mlflow import metric_history
from analyzer.readers.mlflow.points import series_of
from tests.fuzz.inputs import growing, grown
from tests.fuzz.laws import counted, said


def one_input(data: bytes) -> None:
    """Read a history; the input is the file (inputs.grown)."""
    raw = grown(data)
    found = metric_history.parse_history(raw, "t")
    said(found.notes)
    lines = sum(1 for line in raw.split(b"\n")[:-1] if line.strip())
    lost = counted(found.notes, r"a line that is not") + counted(found.notes, r"(\d+) lines that are not")
    assert found.steps.size + lost == lines
    assert counted(found.notes, "last line has no end") == (raw.rfind(b"\n") + 1 < len(raw))
    assert series_of("loss", found.stamps, found.values, found.steps).points == found.steps.size
    _same_both_ways(raw[: raw.rfind(b"\n") + 1])


def _same_both_ways(whole: bytes) -> None:
    quick = metric_history._columns(whole)
    if quick is None:
        return
    slow = metric_history._line_by_line(whole, "t", [])
    assert not slow.notes
    for one, other in zip(quick, (slow.stamps, slow.values, slow.steps), strict=True):
        assert one.tobytes() == other.tobytes() or (one != one).any()  # NaNs may differ in their sign


def seeds() -> Iterator[bytes]:
    """Yield histories of all versions, and long ones."""
    yield b"\0" + b"1000 0.5 0\n2000 nan 1\n3000 -inf 2\n"
    yield b"\0" + b"1000 0.5\n\n1000 1e5 -3 name digest\r\nx\n99999999999999999999 1 1\n5 1_0 3\n1 2 3 4\n7 8"
    yield growing(b"1 2 3\n", b"9", 1 << 13, b" 1 1\n")
    yield growing(b"", b"1 2 3\n", 1 << 11)
    yield growing(b"", b" ", 1 << 13, b"\n")
