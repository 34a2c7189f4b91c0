"""A metric's history in MLflow's file store: lines of `timestamp_ms value step`, every intact one, none invented.

A line counts only with its newline: of a last line that is cut short many beginnings are numbers as well, and
wrong ones. Such a line is work in progress. A line in the middle that is no metric is damage. Lines of two columns
are those of MLflow before 1.0 (step 0); further columns (a data set's name and digest, since MLflow 3) are left alone,
unless they begin with a number: then two lines have lost the end between them, and the step is no step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analyzer.model.run import Note

MOST_BYTES = 1 << 30
BLOCK = 1 << 22  # bytes that are parsed at once
MOST_DIGITS = 15  # that a float64 holds exactly
_SPACE, _NEWLINE, _ZERO = 0x20, 0x0A, 0x30
_PLAIN = b"0123456789+-.eE naifNAIFty\n"
"""What quick parsing looks at: other blanks would be columns to one way of parsing and none to another."""

Columns = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]


@dataclass(frozen=True)
class History:
    """The points of one metric as they stand in the store, int64 milliseconds, float64 values, int64 steps."""

    stamps: NDArray[np.int64]
    values: NDArray[np.float64]
    steps: NDArray[np.int64]
    notes: tuple[Note, ...] = ()


def parse_history(raw: bytes, file: str) -> History:
    """Return all intact points of a metric file and a note for each stretch that is none."""
    whole = raw.rfind(b"\n") + 1
    notes = []
    if whole < len(raw):
        size = len(raw) - whole
        text = f"{file}: the last line has no end yet; {size} bytes at offset {whole} are left out"
        notes.append(Note("torn-tail", text, file, whole, size))
    body = raw[:whole]
    quick = _columns(body)
    if quick is not None:
        return History(*quick, tuple(notes))
    return _line_by_line(body, file, notes)


def _columns(body: bytes) -> Columns | None:
    """Return the three columns when every line is exactly `digits number digits`, else None."""
    parts: list[Columns] = [(np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64))]
    begin = 0
    while begin < len(body):
        end = body.find(b"\n", begin + BLOCK) + 1 or len(body)
        part = _block(body[begin:end])
        if part is None:
            return None
        parts.append(part)
        begin = end
    stamps, values, steps = zip(*parts, strict=True)
    return np.concatenate(stamps), np.concatenate(values), np.concatenate(steps)


def _block(body: bytes) -> Columns | None:
    if body.translate(None, _PLAIN):
        return None
    marks, words = np.frombuffer(body, np.uint8), body.split()
    at = np.flatnonzero(marks <= _SPACE)
    line_ends, lines = marks[at] == _NEWLINE, at.size // 3
    if len(words) != at.size or at.size % 3 or line_ends.sum() != lines or not line_ends[2::3].all():
        return None
    first, second, third = at.reshape(-1, 3).T
    begins = np.concatenate(([0], third[:-1] + 1))
    stamps, steps = _whole(marks, begins, first), _whole(marks, second + 1, third)
    try:
        values = np.fromiter(map(float, words[1::3]), np.float64, lines)
    except ValueError:
        return None
    return None if stamps is None or steps is None else (stamps, values, steps)


def _whole(marks: NDArray[np.uint8], begins: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Return numbers of not too many digits, all those of one width at once; None when one is anything else."""
    numbers = np.empty(begins.size, np.int64)
    widths = ends - begins
    if widths.min() < 1 or widths.max() > MOST_DIGITS:
        return None
    for width in np.flatnonzero(np.bincount(widths)):
        some = widths == width
        digits = marks[begins[some][:, None] + np.arange(width)] - _ZERO  # below it they wrap round to large ones
        if digits.max() > 9:
            return None
        numbers[some] = digits.astype(np.float64) @ 10.0 ** np.arange(width - 1, -1, -1)
    return numbers


def _line_by_line(body: bytes, file: str, notes: list[Note]) -> History:
    stamps: list[int] = []
    values: list[float] = []
    steps: list[int] = []
    offset, bad_at, bad_size, bad_lines = 0, 0, 0, 0
    for line in body.splitlines(keepends=True) if b"\r" not in body else _kept(body):
        point = _point(line)
        if point is not None:
            stamps.append(point[0])
            values.append(point[1])
            steps.append(point[2])
        elif line.strip():
            bad_at = bad_at if bad_lines else offset
            bad_lines, bad_size = bad_lines + 1, bad_size + len(line)
        offset += len(line)
    if bad_lines:
        lines = "a line that is not a metric" if bad_lines == 1 else f"{bad_lines} lines that are not metrics"
        text = f"{file}: {lines}, {bad_size} bytes from offset {bad_at} on, could not be read and are left out"
        notes.append(Note("damage", text, file, bad_at, bad_size))
    return History(np.array(stamps, np.int64), np.array(values), np.array(steps, np.int64), tuple(notes))


def _kept(body: bytes) -> list[bytes]:
    return [line + b"\n" for line in body.split(b"\n")[:-1]]


def _point(line: bytes) -> tuple[int, float, int] | None:
    parts = line.split(maxsplit=4)
    if len(parts) < 2 or any(b"_" in part for part in parts[:3]):  # in Python, and nowhere else, 1_0 is a number
        return None
    try:
        stamp, value = int(parts[0]), float(parts[1].decode("ascii"))
        step = int(parts[2]) if len(parts) > 2 else 0
    except ValueError:  # that of bytes which are no ASCII is one, too
        return None
    if len(parts) > 3 and _is_number(parts[3]):
        return None
    limit = 1 << 63
    return (stamp, value, step) if -limit <= stamp < limit and -limit <= step < limit else None


def _is_number(part: bytes) -> bool:
    try:
        float(part)
    except ValueError:
        return False
    return True
