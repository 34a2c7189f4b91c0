"""A table of nights: a column of times, metrics, and settings, as people keep it in CSV."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Sequence
from pathlib import Path

from analyzer.errors import NoRunsError, SourceError, UsageError
from analyzer.histories.announced_causes import is_code
from analyzer.histories.job_columns import LEAST_NIGHTS, Nights, nights
from analyzer.model.roles import read_role

TIMES = ("time", "date", "night", "timestamp", "datetime", "started", "start_time", "created", "day", "wall_time")
RUNS = ("run", "run_id", "run_name", "id")
ENDINGS = frozenset({".csv", ".tsv"})
"""Endings of files that are read as a table of nights."""
MOST_BYTES = 64 * 2**20
"""Bytes of a table: a night is a line, and a million lines are no history."""
DELIMITERS = ",;\t|"


def read_sheet(
    path: Path, *, metrics: Sequence[str] | None = None, better: str | None = None, label: Callable[[str], bool]
) -> Nights:
    """Return the nights of a CSV file. `label` says which columns are no settings by their names.

    Numeric columns whose names are losses or metrics are metrics (without any: all numeric ones that vary), or those
    asked for; the other columns are settings. SourceError when the file cannot be read, NoRunsError when it has too
    few lines, UsageError for columns that are not there.
    """
    header, rows = _rows(path)
    columns = {name: [row[i] if i < len(row) else "" for row in rows] for i, name in enumerate(header) if name}
    time = _time_column(columns, path)
    run = next((name for name in columns if name.strip().lower() in RUNS), None)
    rest = {name: values for name, values in columns.items() if name not in (time, run)}
    chosen = _metrics(rest, metrics, path, label)
    if len(rows) < LEAST_NIGHTS:
        raise NoRunsError(f"{path}: {len(rows)} nights; a history needs at least {LEAST_NIGHTS}")
    settings = {name: [value or None for value in values] for name, values in rest.items()
                if name not in chosen and (is_code(name) or not label(name))}  # fmt: skip
    return nights(
        columns[time],
        {name: [_number(value) for value in rest[name]] for name in chosen},
        better=better,
        settings=settings,
        runs=columns[run] if run else None,
        job=path.stem,
    )


def _rows(path: Path) -> tuple[list[str], list[list[str]]]:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise SourceError(f"{path}: larger than 64 MB; give one line a night")
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError(f"{path}: not UTF-8 (byte {error.start}); save the table as UTF-8") from error
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({error.strerror or error})") from error
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(DELIMITERS, key=first.count)
    try:
        lines = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter) if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise SourceError(f"{path}: no table ({error}); give comma-separated values") from error
    if not lines:
        raise NoRunsError(f"{path}: it is empty; give a table with a column of times and one of a metric")
    header = [" ".join(cell.splitlines()).strip() for cell in lines[0]]
    twice = next((name for i, name in enumerate(header) if name and name in header[:i]), None)
    if twice is not None:
        raise SourceError(f"{path}: two columns are called {twice!r}; give each its own name")
    return header, [[cell.strip() for cell in row] for row in lines[1:]]


def _time_column(columns: dict[str, list[str]], path: Path) -> str:
    by_name = {name.lower(): name for name in columns}
    found = next((by_name[name] for name in TIMES if name in by_name), None)
    if found is None:
        raise UsageError(f"{path}: no column of times; call one of {', '.join(columns)} time")
    return found


def _metrics(
    rest: dict[str, list[str]], asked: Sequence[str] | None, path: Path, label: Callable[[str], bool]
) -> list[str]:
    for name in asked or ():
        if name not in rest:
            raise UsageError(f"{path}: there is no column {name!r}; there are {', '.join(rest) or 'no others'}")
    if asked:
        return list(asked)
    numeric = [name for name, values in rest.items() if _is_numeric(values)]
    known = [name for name in numeric if read_role(name).role in ("loss", "metric")]
    free = [name for name in numeric if not label(name) and len(set(rest[name])) > 2]
    if not known and not free:
        raise NoRunsError(f"{path}: no column of numbers that could be a metric; name one with --metric")
    return known or free


def _is_numeric(values: Sequence[str]) -> bool:
    numbers = [_number(value) for value in values if value]
    return bool(numbers) and all(number is not None for number in numbers)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return math.nan if text.lower() in {"", "na", "n/a", "null", "none", "-"} else None
