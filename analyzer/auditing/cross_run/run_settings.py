"""Which params of runs are settings that could make a difference, and their values as numbers or levels.

Paths, names, seeds, times, numbers that only count and results that were logged as params are no settings.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from analyzer.auditing.cross_run.phrases import NAME, plain_number
from analyzer.model.result import Result
from analyzer.model.roles import read_role, words_of
from analyzer.writers.truncation import short

COVERED = 0.8
"""Share of the runs that must have a setting for it to be looked at."""

MOST_LEVELS = 20

_SEEDS = frozenset({"seed", "seeds", "rng"})
_PLACES = frozenset(
    {"path", "paths", "dir", "directory", "folder", "file", "files", "filename", "uri", "url", "logdir"}
)
_PLACES |= {"checkpoint", "resume"}
_LABELS = frozenset(
    {"id", "uuid", "guid", "timestamp", "datetime", "date", "created", "started", "commit", "sha", "pid"}
)
_LABELS |= {"git", "notes", "note", "description", "title", "port", "trial", "index", "user", "author", "run", "tag"}
_LABELS |= {"tags", "trials", "revision", "comment", "jobid"}
_OWNERS = frozenset({"exp", "experiment", "project", "job", "display", "group", "sweep", "study"})
_WEIGHTS = frozenset(
    {"weight", "weights", "coef", "coefficient", "lambda", "scale", "alpha", "beta", "gamma", "target"}
)
_TIMES = frozenset({"start", "end", "begin", "run", "wall", "elapsed", "total"})


@dataclass(frozen=True)
class Setting:
    """One setting over some runs: a number for each, or a level's text; None where a run does not have it.

    `along` names other settings that tell the same runs apart in the same way.
    """

    name: str
    numeric: bool
    values: tuple[float | str | None, ...]
    along: tuple[str, ...] = ()

    def text(self, value: float | str) -> str:
        """Return a value as the user wrote it, or nearly."""
        return short(value, NAME) if isinstance(value, str) else plain_number(value)


def settings_of(results: Sequence[Result], *, covered: float = COVERED) -> list[Setting]:
    """Return the settings that vary among runs, those that tell the same runs apart in the same way as one."""
    params = [dict(result.params) for result in results]
    counts = Counter(name for own in params for name in own if not is_label(name))
    merged: dict[tuple[object, ...], Setting] = {}
    for name in sorted((n for n, count in counts.items() if count >= covered * len(results)), key=_rank):
        setting = _setting(name, [own.get(name) for own in params])
        if setting is None:
            continue
        same = _partition(setting.values)
        leader = merged.get(same)
        merged[same] = (
            setting
            if leader is None
            else Setting(leader.name, leader.numeric, leader.values, (*leader.along, setting.name))
        )
    return list(merged.values())


@lru_cache(maxsize=65536)
def is_label(name: str) -> bool:
    """Whether a param's name says that it is a path, a name, a seed, a time or a count, and no setting."""
    words = words_of(name)
    own = set(words)
    if own & (_SEEDS | _LABELS) or {"random", "state"} <= own or not own:
        return True
    if own & _PLACES and "or" not in own:  # model_name_or_path is a model
        return True
    if own in ({"name"}, {"time"}):
        return True
    return ("name" in own and bool(own & _OWNERS)) or ("time" in own and bool(own & _TIMES))


def constants(result: Result) -> frozenset[tuple[str, str]]:
    """Return a run's settings with their values as texts: what two siblings have in common."""
    return frozenset(
        (name, _text(value)) for name, value in result.params if not is_label(name) and not _is_place(value)
    )


def differing(results: Sequence[Result]) -> list[tuple[str, tuple[str, ...]]]:
    """Return the params (settings and seeds) that are not the same in all of a few runs, with their values."""
    params = [dict(result.params) for result in results]
    names = sorted(set.intersection(*(set(own) for own in params)), key=_rank)
    told = [n for n in names if not is_label(n) or set(words_of(n)) & _SEEDS]
    rows = [(name, tuple(short(_text(own[name]), NAME) for own in params)) for name in told]
    places = {name for name in told if any(_is_place(own[name]) for own in params)}
    return [(short(name, NAME), values) for name, values in rows if len(set(values)) > 1 and name not in places]


def _setting(name: str, raw: Sequence[object]) -> Setting | None:
    """Return the setting that a param is; None when it does not vary or is none."""
    numbers = [_number(value) for value in raw]
    known = [value for value in numbers if value is not None]
    if len(known) == sum(value is not None for value in raw) and known:
        if len(set(known)) < 2 or _counts(known) or _is_result(name):
            return None
        return Setting(short(name, NAME), True, tuple(numbers))
    levels = [None if value is None else _text(value) for value in raw]
    different = Counter(level for level in levels if level is not None)
    if not 2 <= len(different) <= MOST_LEVELS or any(_is_place(value) for value in raw):
        return None
    return Setting(short(name, NAME), False, tuple(levels))


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _text(value: object) -> str:
    number = _number(value)
    return plain_number(number) if number is not None else str(value)


def _counts(numbers: Sequence[float]) -> bool:
    """Whether numbers only count the runs, or are times of a clock."""
    whole = all(number == int(number) for number in numbers)
    apart = len(set(numbers)) == len(numbers)
    counting = whole and apart and len(numbers) > 4 and max(numbers) - min(numbers) == len(numbers) - 1
    return counting or all(1e9 < number < 2.3e9 or 1e12 < number < 2.3e12 for number in numbers)


def _is_result(name: str) -> bool:
    """Whether a numeric param is a loss or metric that somebody logged as a param."""
    return read_role(name).role in {"loss", "metric"} and not set(words_of(name)) & _WEIGHTS


def _is_place(value: object) -> bool:
    return isinstance(value, str) and (
        value.startswith(("/", "~", "./", "../")) or "://" in value or value[1:3] == ":\\"
    )


def _partition(values: Sequence[float | str | None]) -> tuple[object, ...]:
    """Return how values tell runs apart: numbers by their ranks from either end, levels by their first runs."""
    if all(isinstance(value, float) or value is None for value in values):
        ranks = {value: i for i, value in enumerate(sorted({v for v in values if isinstance(v, float)}))}
        if len(ranks) > 2:
            up = tuple(-1 if value is None else ranks[value] for value in values)  # type: ignore[index]
            down = tuple(-1 if rank < 0 else len(ranks) - 1 - rank for rank in up)
            return ("ordered", *min(up, down))
    numbers: dict[object, int] = {}
    return tuple(-1 if value is None else numbers.setdefault(value, len(numbers)) for value in values)


_LEADING: Mapping[str, int] = {"lr": 0, "rate": 1, "batch": 2, "optimizer": 3, "precision": 4}


def _rank(name: str) -> tuple[int, int, str]:
    """Return where a name stands among those that go along with each other: the usual suspects first."""
    words = words_of(name)
    return (min((_LEADING[word] for word in words if word in _LEADING), default=9), len(words), name)
