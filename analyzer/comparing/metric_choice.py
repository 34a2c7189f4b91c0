"""Which metric decides: the one asked for, else the held-out metric or loss that every run has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from analyzer.comparing.subject import Subject
from analyzer.errors import UsageError
from analyzer.settings.values import suggestion

Better = Literal["lower", "higher"]

MOST = 0.5  # of a side's runs: a metric that fewer have is not common, the others could not be compared
NAMED = 6  # tags that a message names
HELD_OUT = {"validation": 0, "test": 1}


class SideError(UsageError):
    """A side cannot be compared; `side` is which one (0: the base). Of several candidates it alone is left out."""

    def __init__(self, message: str, side: int) -> None:
        super().__init__(message)
        self.side = side


class Choice(NamedTuple):
    """A metric with the direction of good, and whether its single points are noisy (no held-out evaluation)."""

    tag: str
    better: Better
    noisy: bool


def choose(
    sides: Sequence[Sequence[Subject]], names: Sequence[str], asked: Sequence[str], better: Better | None
) -> tuple[Choice, tuple[Choice, ...]]:
    """Return the primary metric and the secondary ones.

    UsageError when there is none in common, or when it is not known which direction is good.
    """
    common = _common(sides)
    if asked:
        for i, side in enumerate(sides):
            _refuse_without(asked, i, names[i], side)
    elif not common:
        raise UsageError(f"the sides have no metric or loss in common: {_have(sides, names)}")
    primary = asked[0] if asked else min(common, key=lambda tag: _rank(tag, sides))
    others = list(asked[1:]) if len(asked) > 1 else [tag for tag in common if tag != primary]
    others.sort(key=lambda tag: _rank(tag, sides))
    direction = better or _direction(primary, sides)
    if direction is None:
        raise UsageError(f"it is not known whether more or less of {primary!r} is good; say --better lower or higher")
    first = Choice(primary, direction, _noisy(primary, sides))
    rest = [(tag, _direction(tag, sides)) for tag in others]
    return first, tuple(Choice(tag, known, _noisy(tag, sides)) for tag, known in rest if known is not None)


def _common(sides: Sequence[Sequence[Subject]]) -> list[str]:
    """Return the losses and metrics that every run has; where there is none, that most runs of each side have."""
    counts = [Counter(tag for s in side for tag, track in s.tracks.items() if track.x.size) for side in sides]
    every = [tag for tag in counts[0] if all(n[tag] == len(side) for n, side in zip(counts, sides, strict=True))]
    if not any(_held_out(tag, sides) for tag in every):
        most = [t for t in counts[0] if all(n[t] > MOST * len(side) for n, side in zip(counts, sides, strict=True))]
        every = every if any(tag in every for tag in most) and not any(_held_out(t, sides) for t in most) else most
    return sorted(tag for tag in every if _direction(tag, sides) is not None)


def _of(tag: str, sides: Sequence[Sequence[Subject]]) -> list[Subject]:
    return [s for side in sides for s in side if tag in s.roles]


def _direction(tag: str, sides: Sequence[Sequence[Subject]]) -> Better | None:
    known = [s.roles[tag].direction for s in _of(tag, sides)]
    return next((d for d in known if d is not None), None)


def _held_out(tag: str, sides: Sequence[Sequence[Subject]]) -> bool:
    return any(s.roles[tag].split in HELD_OUT for s in _of(tag, sides))


def _noisy(tag: str, sides: Sequence[Sequence[Subject]]) -> bool:
    return not _held_out(tag, sides)


def _rank(tag: str, sides: Sequence[Sequence[Subject]]) -> tuple[int, int, bool, int, str]:
    """Return where a metric stands: held out first, most points, losses before metrics, validation before test.

    Components of a loss come after totals; without held-out ones a metric without a split leads, then training losses.
    """
    role = _of(tag, sides)[0].roles[tag]
    points = min(_points(_of(tag, sides), tag), default=0)
    held = 0 if role.split in HELD_OUT else 1 if role.split is None else 2
    return held * 2 + bool(role.part), -points, role.role != "loss", HELD_OUT.get(role.split or "", 2), tag


def _points(subjects: Iterable[Subject], tag: str) -> list[int]:
    return [track.x.size for s in subjects if (track := s.tracks.get(tag)) is not None]


def _refuse_without(asked: Sequence[str], i: int, name: str, side: Sequence[Subject]) -> None:
    """Raise SideError when no run of a side logs a metric that was asked for."""
    for tag in asked:
        if not any(s.track(tag) is not None for s in side):
            own = sorted({own for s in side for own in s.tracks})
            near = suggestion(tag, own) or f"; it has {_listed(own) if own else 'no loss or metric'}"
            raise SideError(f"no run of {name} logs {tag!r}{near}", i)


def _have(sides: Sequence[Sequence[Subject]], names: Sequence[str]) -> str:
    tags = [sorted({tag for s in side for tag in s.tracks}) for side in sides]
    return "; ".join(f"{name} has {_listed(own) if own else 'none'}" for name, own in zip(names, tags, strict=True))


def _listed(tags: Sequence[str]) -> str:
    rest = len(tags) - NAMED
    return ", ".join(tags[:NAMED]) + (f" and {rest} more" if rest > 0 else "")
