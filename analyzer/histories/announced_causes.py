"""What changed with a change: settings, the version of the data, the commit. It says what came with it, never why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from analyzer.model.history import Setting
from analyzer.model.roles import words_of

Column = Sequence[str | None]


@dataclass(frozen=True, slots=True)
class Params:
    """Numbers of the causes."""

    most_places: int = 3
    """Places at which a setting may change; one that changes more often is a label of the run."""
    around: int = 1
    """Nights around the onset in which a setting may have changed."""


PARAMS = Params()
CODE = frozenset({"commit", "sha", "revision"})
"""Words of a name whose value says which code ran."""
ABSENT = "–"
"""How a setting is shown that a run does not have."""


@lru_cache(maxsize=65536)
def is_code(name: str) -> bool:
    """Whether a name says which code ran."""
    return bool(CODE & set(words_of(name)))


def places(column: Column) -> list[int]:
    """Return where a setting has another value than the run before."""
    return [i for i in range(1, len(column)) if column[i] != column[i - 1]]


def flags(settings: Mapping[str, Column]) -> list[tuple[int, Setting]]:
    """Return every change of a setting that changes in at most three places, with its index, in order."""
    found = []
    for name, column in sorted(settings.items()):
        moved = places(column)
        if len(moved) <= PARAMS.most_places:
            found += [(i, Setting(name, column[i - 1] or ABSENT, column[i] or ABSENT)) for i in moved]
    return sorted(found, key=lambda one: (one[0], one[1].name))


def announced(known: Sequence[tuple[int, Setting]], interval: tuple[int, int]) -> list[tuple[int, Setting]]:
    """Return the settings that changed when a change may have begun, one night around it included."""
    first, last = interval[0] - PARAMS.around, interval[1] + PARAMS.around
    return [(i, one) for i, one in known if first <= i <= last]


def code(column: Column, index: int) -> tuple[str, str] | None:
    """Return the commits of the last run before an index and of the run there, when they differ and are known."""
    before, after = (column[index - 1], column[index]) if 0 < index < len(column) else (None, None)
    return (before, after) if before and after and before != after else None
