"""Tables with a separator: each line is a row, a header or named, and the fast way gives what the slow one gives.

The first byte chooses the name that the file bears, for each kind adds its own; the rest is the file (inputs.grown).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from analyzer.readers.filelog import delimited, labels
from analyzer.readers.filelog.encodings import text_of
from analyzer.readers.filelog.kind import TableKind
from analyzer.readers.filelog.kinds import known
from analyzer.readers.filelog.rows import Table
from tests.fuzz.files import read_as
from tests.fuzz.inputs import Taken, growing, grown
from tests.fuzz.laws import said

NAMES = {"dvclive": "plots/metrics/loss.tsv", "sb3": "0.monitor.csv", "tensorboard-csv": "run-a-tag-loss.csv"}
KINDS = tuple(name for name, kind in known().items() if isinstance(kind, TableKind))


def one_input(data: bytes) -> None:
    """Read a table as one kind would, and both ways."""
    name, raw = KINDS[Taken(data).number() % len(KINDS)], grown(data[1:])
    read_as(name, Path(NAMES.get(name, "log.csv")), raw)
    _every_line_counts(raw)
    _same_both_ways(raw)


def _every_line_counts(raw: bytes) -> None:
    table, damage, _ = delimited._parsed(text_of(raw), "t")
    lines = text_of(raw).replace("\r\n", "\n").split("\n")[:-1]
    start = delimited._begin(lines, delimited.Table())
    if start is None or any('"' in line for line in lines):
        return
    body = sum(1 for line in lines[start + 1 :] if line and not line.isspace())
    headers = body - table.size - len(damage.lines)
    assert headers == 0 or (headers > 0 and any("its header" in note.message for note in table.notes))
    assert _points(labels.spread(table)) == _points(table)


def _points(table: Table) -> int:
    return sum(column.at.size for column in table.columns.values())


def _same_both_ways(raw: bytes) -> None:
    fast = delimited.parse(raw, "t")
    said(fast.notes)
    plain, delimited._plain = delimited._plain, lambda *_: None
    try:
        slow = delimited.parse(raw, "t")
    finally:
        delimited._plain = plain
    assert fast.size == slow.size
    held = {name: column for name, column in slow.columns.items() if column.at.size}
    assert {name for name, column in fast.columns.items() if column.at.size} == set(held)
    for name, column in held.items():
        assert fast.columns[name].at.tolist() == column.at.tolist()
        assert fast.columns[name].values.tobytes() == column.values.tobytes()


def seeds() -> Iterator[bytes]:
    """Yield a table for each kind, and long ones."""
    tables = {
        "sb3": b'#{"t_start": 1.5}\nr,l,t\n1.5,10,0.1\n2,20,0.2\n',
        "dvclive": b"step\tloss\n0\t1.5\n1\t0.5\n",
        "tensorboard-csv": b"Wall time,Step,Value\n1788000000,0,1.5\n",
    }
    usual = b'step,loss,phase,run,date\n0,1.5,train,a,2026-01-02\n1,"nan",val,b,\nstep,loss\n2,1e-3\n3,[0.5]\n'
    for number, name in enumerate(KINDS):
        yield bytes([number, 0]) + tables.get(name, usual)
    monitor = bytes([KINDS.index("sb3")])
    for start, length, time in (
        (b"1e308", b"1e300", b"1.7e308"),
        (b"9" * 400, b"9e18", b"1"),
        (b"[]", b"4e18", b"inf"),
    ):
        rows = b"1.5,%s,%s\n" % (length, time) * 2
        yield monitor + b'\0#{"t_start": ' + start + b"}\nr,l,t\n" + rows
    yield b"\0\0step,\xff,\\xff,loss,split\n0,1,2,3,a\n1,1,2,3,b\n2,1,2,3,\n"
    yield b"\0" + growing(b"a,b\n", b'1,"2\n', 1 << 12)
    yield b"\0" + growing(b"", b"a,", 1 << 12, b"\n1\n")
    yield b"\0" + growing(b"a,b\nx,", b"1", 1 << 15, b"x\n")
