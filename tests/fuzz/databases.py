"""Small sqlite files: rows of any type in the tables of a schema, and bytes of the file itself changed."""

from __future__ import annotations

import os
import sqlite3
import struct
from contextlib import closing
from functools import cache
from pathlib import Path

from tests.fuzz.inputs import Taken, Value, edited

PAGE = 512  # bytes, the least that sqlite takes
MOST_ROWS = 64
COMMANDS = b"\xff"
Row = tuple[Value, ...]


@cache
def empty(schema: str, first: str = "") -> bytes:
    """Return a file with the tables of a schema, and what `first` puts into them."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(f"PRAGMA page_size = {PAGE}")
        connection.executescript(schema + first)
        return connection.serialize()


def filled(path: Path, base: bytes, tables: dict[str, int], taken: Taken) -> dict[str, list[Row]]:
    """Write `base` with rows put into its tables, and return those that sqlite took, by table.

    `tables` gives the number of columns of each. The input chooses a table and its values, row by row, up to a byte of
    255; what follows edits the file: none of the rows is returned then.
    """
    rows: dict[str, list[Row]] = {name: [] for name in tables}
    path.write_bytes(base)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA synchronous = OFF")
        names = list(tables)
        for _ in range(MOST_ROWS):
            if not taken or taken.data[taken.at : taken.at + 1] == COMMANDS:
                break
            name = names[taken.number() % len(names)]
            row = tuple(taken.value() for _ in range(tables[name]))
            marks = ", ".join("CAST(? AS TEXT)" if isinstance(value, bytearray) else "?" for value in row)
            try:
                connection.execute(f"INSERT INTO {name} VALUES ({marks})", row)
            except (sqlite3.Error, OverflowError, UnicodeEncodeError):
                continue
            rows[name].append(row)
    was_edited = taken.bytes(1) == COMMANDS and bool(taken)
    if was_edited:
        path.write_bytes(edited(path.read_bytes(), taken))
    os.utime(path, (0, 0))  # a file that was just written to is read with pauses
    return {} if was_edited else rows


def row(table: int, *values: Value) -> bytes:
    """Return the input that makes a row of these values (inputs.Taken.value)."""
    out = bytes([table])
    for value in values:
        if value is None:
            out += b"\0"
        elif isinstance(value, int):
            out += bytes([1, value]) if 0 <= value < 256 else b"\2" + value.to_bytes(8, "little", signed=True)
        elif isinstance(value, float):
            out += b"\3" + struct.pack("<d", value)
        else:
            raw = value.encode() if isinstance(value, str) else bytes(value)
            out += (b"\5" if isinstance(value, bytes) else b"\6") + bytes([len(raw)]) + raw
    return out
