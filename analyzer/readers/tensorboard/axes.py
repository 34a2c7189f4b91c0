"""What the steps and times of a run's series say about how it was trained, told in notes. No point is changed for it.

1. Several event files in one folder are read one behind the other. No tag in common: files side by side (training and
   evaluation). All points stay here; analyzer.features.step_axis judges, with the values, what steps that go back mean.
2. Four or more tags that differ in one number and follow one another in time: a tag per epoch (or fold). Each stays a
   series of its own. Tags with one point each count only when their name says *epoch*.
3. A series that lasts at least half as long as the one with the widest range of steps, and counts a fifth of its steps
   or fewer, has an axis of its own (epochs, evaluations). Steps are kept as written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise

from analyzer.model.run import Note, Series
from analyzer.readers.display_names import shown_path

_IN_TURN = 4  # tags
_LEAST = 5  # points that show an axis
_SLOWER = 5  # times
_NUMBER = re.compile(r"\d+")


def files_note(filled: int, path: str, *, shared: bool) -> Note | None:
    """Return how several files of one folder were understood; None when only one of them holds points.

    `shared`: whether they have a tag in common; `filled` counts files with points.
    """
    if filled < 2:
        return None
    where = f"{shown_path(path)}/" if path else "the folder"
    text = f"{where}: {filled} event files are read as one run, in the order they were begun"
    if not shared:
        text += "; they have no tag in common"
    return Note("layout", text)


def series_notes(series: Mapping[str, Series]) -> list[Note]:
    """Return what the series of one run say beside each other: a tag per epoch, an axis of their own."""
    return [*_tags_in_turn(series), *_other_axes(series)]


def _tags_in_turn(series: Mapping[str, Series]) -> Iterator[Note]:
    families: dict[tuple[str, str], list[tuple[int, Series]]] = {}
    for tag, one in series.items():
        for number in _NUMBER.finditer(tag):
            family = families.setdefault((tag[: number.start()], tag[number.end() :]), [])
            family.append((int(number[0][:18]), one))
    for around, numbered in families.items():
        members = [one for _, one in sorted(numbered, key=lambda item: item[0])]
        if len(members) >= _IN_TURN and _follow(members, named="epoch" in around[0].lower()):
            shown = f"{members[0].tag} … {members[-1].tag}"
            text = f"{len(members)} tags differ in one number and follow one another in time ({shown}): a tag per epoch"
            yield Note("layout", f"{text} or fold; each is kept as a series of its own")


def _follow(members: list[Series], *, named: bool) -> bool:
    walls = [one.wall_times for one in members]
    if not named and any(wall.size < 2 for wall in walls):
        return False
    follows = all(earlier[-1] <= later[0] for earlier, later in pairwise(walls))
    return follows and bool(walls[0][0] < walls[-1][-1])


def _other_axes(series: Mapping[str, Series]) -> Iterator[Note]:
    timed = [one for one in series.values() if one.points >= _LEAST and _seconds(one) > 0 and _steps(one) > 0]
    if len(timed) < 2:
        return
    widest = max(timed, key=_steps)
    long = [one for one in timed if _seconds(one) * 2 >= _seconds(widest)]
    other = [one for one in long if _steps(one) * _SLOWER <= _steps(widest)]
    if other:
        more = f" (and {len(other) - 1} more)" if len(other) > 1 else ""
        text = f"{other[0].tag}{more} counts steps {_range(other[0])} while {widest.tag} counts {_range(widest)}"
        yield Note("layout", f"{text}: an axis of its own, as of epochs or evaluations; steps are kept as written")


def _seconds(one: Series) -> float:
    """Return how long the series lasted; NaN where its times say nothing."""
    return float(one.wall_times[-1]) - float(one.wall_times[0])


def _steps(one: Series) -> int:
    return int(one.steps[-1]) - int(one.steps[0])


def _range(one: Series) -> str:
    return f"{one.steps[0]:,} to {one.steps[-1]:,}"
