"""Cells of tables: the pattern of a plain number agrees with Python's float(), and no text takes long or raises."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import UTC

from analyzer.readers.filelog.cells import BLANKS, is_number, number_of, time_of
from analyzer.readers.filelog.delimited import SEPARATORS
from tests.fuzz.inputs import Taken, growing, grown


def one_input(data: bytes) -> None:
    """Ask what a text is as a cell under each separator; the first byte chooses it."""
    separator = SEPARATORS[Taken(data).number() % len(SEPARATORS)]
    text = grown(data[1:]).decode("utf-8", "surrogateescape")
    plain = _float(text)
    assert is_number(text) == (plain is not None)
    number = number_of(text, separator)
    if plain is not None:
        assert number is not None and (number == plain or math.isnan(plain))
    elif number is not None:
        assert re.search(r"[0-9]|nan|inf", text, re.ASCII | re.IGNORECASE), text  # a number is never made up
        assert text not in BLANKS
    for zone in (UTC, None):
        seconds = time_of(text, zone)
        assert seconds is None or math.isfinite(seconds)


def _float(text: str) -> float | None:
    """Return a number as C and other languages would read it: no blanks, no underscores, no digits beyond ASCII."""
    if not text.isascii() or "_" in text or any(letter.isspace() or letter == "\0" for letter in text):
        return None
    try:
        return float(text)
    except ValueError:
        return None


def seeds() -> Iterator[bytes]:
    """Yield numbers in all notations, and texts that are long."""
    texts = ("1.5e-3", "-.5", "nan", "+Infinity", "12,5", "3.5 %", "tensor(0.25, device='cuda:0')", "np.float32(1.)")
    for text in (*texts, "[0.5]", "2026-01-02T03:04:05.678+01:00", "0001-01-01", "--", "1_0"):
        yield b"\1\0" + text.encode()
    yield b"\0" + growing(b"", b"1", 1 << 15, b"x")
    yield b"\0" + growing(b"tensor(", b" ", 1 << 15, b"x)")
