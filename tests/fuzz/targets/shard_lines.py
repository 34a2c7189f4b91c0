"""A shard's file: its head and rows, or one sentence; a row that is taken can be written again.

The first byte says whether the rest is the file as it stands or edits of an intact one.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from analyzer.auditing import cache_key
from analyzer.auditing.record import RunRecord
from analyzer.auditing.shard import Head, ShardPart, names_digest, read_head, read_rows, whole_night, write_shard
from analyzer.errors import SourceError
from analyzer.model.run import Note
from analyzer.writers.index_row import Thumbnail
from tests import made
from tests.fuzz.inputs import Taken, edited
from tests.fuzz.laws import only

HEAD = Head(
    ShardPart(1, 1), "0.1", "a:b", ("logs",), ("logs",), 2, names_digest(["a", "b"]), (Note("limit", "x"),), ("y",), 1.0
)


@cache
def _intact() -> bytes:
    results = made.unjudged("a"), made.healthy("b")
    with tempfile.TemporaryDirectory() as folder:
        rows = [
            (number, RunRecord(result.without_curves(), Thumbnail("M0", "AB"), ""))
            for number, result in enumerate(results)
        ]
        return write_shard(Path(folder), HEAD, rows).read_bytes()


def one_input(data: bytes) -> None:
    """Read a shard as the merge does."""
    taken = Taken(data)
    raw = taken.rest() if taken.number() % 2 else edited(_intact(), taken)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / HEAD.share.file
        path.write_bytes(raw)
        with only(SourceError):
            whole_night([(path, read_head(path, cache_key.code()))])
        with only(SourceError):
            for _, text in read_rows(path):
                again = RunRecord.parsed(text).text()
                assert RunRecord.parsed(again).text() == again


def seeds() -> Iterator[bytes]:
    """Yield edits of the head and of rows, and files of other kinds."""
    start = _intact().index(b"\n")
    for at, gone, new in (
        (start - 2, 1, b"NaN"),
        (start + 2, 1, b"-1"),
        (start + 3, 0, b"1"),
        (0, 1, b"{"),
        (start, 1, b""),
    ):
        yield b"\0" + at.to_bytes(2, "little") + bytes([gone, len(new)]) + new
    spot = _intact().index(b"M0")
    for gone, new in ((1, b"\\\\u0000"), (2, b"\\\\ud800"), (4, b""), (0, b"\xff"), (3, b'", null, "')):
        yield b"\0" + spot.to_bytes(2, "little") + bytes([gone, len(new)]) + new
    for text in (b"", b"[]\n", b"[1, 2, 3]\n[", b'["posthoc-shard/1", "x", "[]"]\n[0, "[]"]\n', b"[" * 99 + b"\n"):
        yield b"\1" + text
