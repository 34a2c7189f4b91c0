"""A table of nights for `posthoc history`: nights, or one sentence that says what is wrong with the table.

The input is the file (inputs.grown).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from analyzer.auditing.cross_run.run_settings import is_label
from analyzer.errors import PosthocError
from analyzer.histories.history_table import read_sheet
from tests.fuzz.inputs import growing, grown
from tests.fuzz.laws import only


def one_input(data: bytes) -> None:
    """Read a table, with the metrics that its columns show and with one that is asked for."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "nights.csv"
        path.write_bytes(grown(data))
        for metrics in (None, ("loss",)):
            with only(PosthocError):
                found = read_sheet(path, metrics=metrics, label=is_label)
                assert all(values.shape == found.times.shape for values in found.metrics.values())


def seeds() -> Iterator[bytes]:
    """Yield tables of enough nights, plain and odd."""
    rows = b"".join(b"2026-01-%02d,%d.5,a%d,x\n" % (day, day, day % 3) for day in range(1, 15))
    yield b"\0date,loss,commit,run\n" + rows
    yield b"\0time;loss\n" + b"".join(b"%d;%d,5\n" % (1_788_000_000 + day, day) for day in range(14))
    yield b'\0"a\nb",loss\n' + b"1,2\n" * 12
    yield b"\0time,loss,loss\n"
    yield growing(b"time,loss\n", b"1,2\n", 1 << 12)
    yield growing(b'time,loss\n1,"', b"9", 1 << 14, b'"\n')
