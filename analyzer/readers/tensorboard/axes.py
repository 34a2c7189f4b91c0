"""What the steps and times of a run's series say about how it was trained, told in notes. No point is changed for it.

1. Several event files in one folder are read one behind the other. Steps that go on: resumed. A later file that goes
   back over steps of an earlier one: restarted from a checkpoint, the overlap is kept as evidence. Steps that begin
   again: perhaps unrelated trainings. No tag in common: files side by side (training and evaluation).
2. Steps that go back within one file over at least two points: a restart in the same file, or two trainings in it when
   they begin again at the first step; all points are kept, in the order written. A single late point is disorder, and
   so are steps that go back all the time.
3. Four or more tags that differ in one number and follow one another in time: a tag per epoch (or fold). Each stays a
   series of its own. Tags with one point each count only when their name says *epoch*.
4. A series that lasts at least half as long as the one with the widest range of steps, and counts a fifth of its steps
   or fewer, has an axis of its own (epochs, evaluations). Steps are kept as written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise

import numpy as np

from analyzer.model.run import Note, Series
from analyzer.readers.naming import shown_bytes, shown_path
from analyzer.readers.tensorboard.points import Curve

_DISORDER = 8, 20  # times that steps go back, or one in so many points, beyond which a writer is merely not in order
_IN_TURN = 4  # tags
_LEAST = 5  # points that show an axis
_SLOWER = 5  # times
_NUMBER = re.compile(r"\d+")


def files_note(filled: int, shared: list[list[Curve]], path: str) -> Note | None:
    """Return how several files of one folder were understood; None when only one of them holds points.

    `shared` are the curves, one per file, of each tag that several files have; `filled` counts files with points.
    """
    if filled < 2:
        return None
    where = f"{shown_path(path)}/" if path else "the folder"
    text = f"{where}: {filled} event files are read as one run, in the order they were begun"
    if any(_begins_again(parts) for parts in shared):
        text += "; steps begin again in a later one: if these are unrelated trainings, give each its own folder"
    elif any(_overlaps(parts) for parts in shared):
        text += "; a later one goes back over steps of an earlier one, as after a restart from a checkpoint"
    elif not shared:
        text += "; they have no tag in common"
    return Note("layout", text)


def _begins_again(parts: list[Curve]) -> bool:
    return any(later.steps[0] <= parts[0].steps[0] for later in parts[1:])


def _overlaps(parts: list[Curve]) -> bool:
    return any(later.steps[0] <= earlier.steps[-1] for earlier, later in pairwise(parts))


def restart_note(shown: str, points: Mapping[bytes, Curve]) -> Note | None:
    """Return where the steps of a file go back, told of its first tag in which they do; None when none does."""
    places = ((tag, curve, _return(curve)) for tag, curve in points.items())
    found = next(((tag, curve, place) for tag, curve, place in places if place), None)
    if found is None:
        return None
    tag, curve, place = found
    where = f"{shown_bytes(tag)} from {curve.steps[place - 1]:,} to {curve.steps[place]:,}"
    if curve.steps[place] <= curve.steps[0]:
        what = f"steps begin again within the file ({where}): two trainings in it are read as one run"
    else:
        what = f"steps go back within the file ({where}), as after a restart from a checkpoint; all points are kept"
    return Note("layout", f"{shown}: {what}", file=shown)


def _return(curve: Curve) -> int:
    """Return the index of the first point that goes back over at least two others; 0 when there is none."""
    backs = np.flatnonzero(curve.steps[1:] < curve.steps[:-1]) + 1
    if backs.size > max(_DISORDER[0], curve.steps.size // _DISORDER[1]):
        return 0
    over = (int(back) for back in backs if np.count_nonzero(curve.steps[:back] >= curve.steps[back]) > 1)
    return next(over, 0)


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
