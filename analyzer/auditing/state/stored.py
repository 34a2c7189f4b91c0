"""Results from a state file, with their curves, for the processes that only draw their pages."""

from __future__ import annotations

import base64
import sqlite3
import zlib
from contextlib import closing
from pathlib import Path

from analyzer.auditing.record import RunRecord
from analyzer.auditing.state.schema import name_of
from analyzer.auditing.stored_curves import with_curves
from analyzer.model.result import Result

_QUERY = """
    SELECT judged.row, curves.data FROM judged JOIN curves USING (run) WHERE run = ? AND stamp = ? AND judging = ?
"""


def stored_result(state: Path, run: str, stamp: str, judging: str) -> Result | None:
    """Return the result that the state keeps of a run under this stamp and key, None where it cannot be had.

    The file is only read. Whoever gets None judges the run: that is always right.
    """
    try:
        with closing(sqlite3.connect(f"{state.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            found = connection.execute(_QUERY, (name_of(run), stamp, judging)).fetchone()
        if found is None:
            return None
        record = RunRecord.parsed(zlib.decompress(found[0]).decode())
        return with_curves(record.result, base64.b64encode(found[1]).decode("ascii"))
    except (sqlite3.Error, MemoryError, zlib.error, ValueError, TypeError):
        return None
