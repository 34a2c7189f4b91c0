"""A job as columns: its runs by start time, their metrics, settings and commits."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzer.errors import UsageError
from analyzer.histories.announced_causes import Column, is_code
from analyzer.model.history import Better
from analyzer.model.roles import read_role

Array = NDArray[np.float64]
Settings = Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Any]] | None

PER_SECOND = 1000
"""Milliseconds in a second."""
MILLISECONDS = 1e11
"""Unix seconds (the year 5138) from which a number is a time in milliseconds, as MLflow writes them."""
YEAR_ONE = 6.2e10
"""Seconds from the first year of the calendar to 1970."""
LEAST_NIGHTS = 12
"""Nights of a metric from which a history says anything: fewer leave scatter and level unknown."""


@dataclass(frozen=True, eq=False, slots=True)
class Nights:
    """A job's runs in order: `times` in Unix seconds, one value a run in each of `metrics` (NaN: none).

    `assumed` are metrics whose direction is not known from their name and was taken to be higher.
    """

    job: str
    times: Array
    runs: tuple[str, ...]
    metrics: Mapping[str, Array]
    better: Mapping[str, Better]
    settings: Mapping[str, Column]
    code: Column
    assumed: frozenset[str] = frozenset()


def nights(
    times: Sequence[object],
    metrics: Mapping[str, Sequence[Any]],
    *,
    better: str | Mapping[str, str] | None = None,
    settings: Settings = None,
    runs: Sequence[str] | None = None,
    job: str = "",
) -> Nights:
    """Return a job of columns in any order. UsageError when their lengths differ or a time or value means nothing.

    Runs of the same time are put in order by their ids, or by their values where they have none.
    """
    at = [_seconds(one, i) for i, one in enumerate(times)]
    columns = {str(name): _numbers(name, values) for name, values in metrics.items()}
    given = columns_of(settings, len(at))
    for name, values in columns.items():
        if len(values) != len(at):
            raise UsageError(f"{name} has {len(values)} values for {len(at)} times; give one value a time (NaN: none)")
    ids = [str(run) for run in runs] if runs is not None else None
    if ids is not None and len(ids) != len(at):
        raise UsageError(f"there are {len(ids)} runs for {len(at)} times; give one run a time")
    order = sorted(range(len(at)), key=lambda i: (at[i], ids[i] if ids else "", _tie(columns, given, i)))
    code = next((name for name in sorted(given) if is_code(name)), None)
    directions, assumed = _directions(columns, better)
    return Nights(
        job,
        np.array([at[i] for i in order]),
        tuple(ids[i] if ids else str(n) for n, i in enumerate(order)),
        {name: values[order] if order else values for name, values in columns.items()},
        directions,
        {name: tuple(values[i] for i in order) for name, values in given.items() if not is_code(name)},
        tuple(given[code][i] for i in order) if code else (None,) * len(order),
        assumed,
    )


def _tie(columns: Mapping[str, Array], given: Mapping[str, Column], i: int) -> tuple[object, ...]:
    texts = tuple(str(column[i]) for _, column in sorted(given.items()))
    return (*(repr(float(column[i])) for _, column in sorted(columns.items())), *texts)


def _numbers(name: object, values: Sequence[Any]) -> Array:
    try:
        found = np.array([math.nan if value is None else float(value) for value in values], dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"{name} has a value that is not a number ({error}); give NaN where a night has none"
        ) from error
    found[~np.isfinite(found)] = np.nan
    return found


def columns_of(settings: Settings, n: int) -> dict[str, Column]:
    """Return settings, by name or run by run, as columns of texts. UsageError when there are not n values."""
    if settings is None:
        return {}
    if isinstance(settings, Mapping):
        columns = {str(name): [_text(value) for value in values] for name, values in settings.items()}
        wrong = next((name for name, values in columns.items() if len(values) != n), None)
        if wrong is not None:
            raise UsageError(f"{wrong} has {len(columns[wrong])} values for {n} times; give one value a time")
        return dict(columns)
    if len(settings) != n:
        raise UsageError(f"settings has {len(settings)} entries for {n} times; give one a time")
    names = dict.fromkeys(name for one in settings for name in one)
    return {str(name): [_text(one.get(name)) for one in settings] for name in names}


def _text(value: object) -> str | None:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    return str(value)


def _directions(
    columns: Mapping[str, Array], better: str | Mapping[str, str] | None
) -> tuple[dict[str, Better], frozenset[str]]:
    found: dict[str, Better] = {}
    assumed = set()
    for name in columns:
        word = better.get(name) if isinstance(better, Mapping) else better
        if word not in (None, "lower", "higher"):
            raise UsageError(f"better is {word!r} for {name}; it may be lower or higher")
        word = word or read_role(name).direction
        if word is None:
            assumed.add(name)
        found[name] = "lower" if word == "lower" else "higher"
    return found, frozenset(assumed)


def _seconds(value: object, i: int) -> float:
    """Return a time as Unix seconds: a number as it is, a date, or a text in ISO 8601 (UTC where it says nothing)."""
    try:
        if isinstance(value, np.datetime64):
            found = float(value.astype("datetime64[ms]").astype(np.int64)) / PER_SECOND
        elif isinstance(value, date):
            found = _of_date(value)
        elif isinstance(value, str):
            found = _of_text(value.strip())
        else:
            found = float(value)  # type: ignore[arg-type]  # whatever is no number is said to be none
    except (TypeError, ValueError, OverflowError) as error:
        raise UsageError(f"time {i} is {value!r}; give Unix seconds, a date, or a text like 2026-11-23") from error
    if not math.isfinite(found):
        raise UsageError(f"time {i} is {value!r}; every run needs a time")
    found = found / PER_SECOND if MILLISECONDS <= abs(found) < PER_SECOND * MILLISECONDS else found
    if not -YEAR_ONE < found < MILLISECONDS:
        raise UsageError(f"time {i} is {value!r}, which no calendar holds; give Unix seconds")
    return found


def _of_date(value: date) -> float:
    moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day, tzinfo=UTC)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _of_text(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return _of_date(datetime.fromisoformat(text.replace("/", "-")))
