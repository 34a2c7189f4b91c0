"""Folders that hold one training in pieces: a writer was made for each epoch, in a folder with the epoch's number.

Numbered folders may as well be the trials of a sweep. They are pieces when they follow one another in time by their
numbers and each goes on where the one before ended: by its steps, or by its values, which a new training would begin
anew. Only small files are looked at: a training of its own is rarely that short, and finding runs must stay cheap.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from analyzer.readers.object_store import Object
from analyzer.readers.tensorboard.file_reader import read_file
from analyzer.readers.tensorboard.points import Curve

LEAST = 8  # folders: fewer numbered ones are as likely seeds or folds, and cost little when read apart
LARGEST = 1 << 20  # bytes of a piece
GOES_ON = 0.75  # share of the seams at which values must go on; of unrelated runs about half do by chance


@dataclass(frozen=True, slots=True)
class Ends:
    """Where one tag of a folder begins and ends: steps, values and wall times."""

    steps: tuple[int, int]
    values: tuple[float, float]
    times: tuple[float, float]


Look = Callable[[str], Mapping[bytes, Ends]]
"""Returns the ends of each tag in a folder; nothing when it is too large, unreadable or has several files."""


def ends_of(file: Path | Object, size: int) -> Mapping[bytes, Ends]:
    """Return the ends of each tag in an event file; nothing when it is no piece by its size or cannot be read."""
    if size > LARGEST:
        return {}
    return {tag: _ends(curve) for tag, curve in read_file(file, "").points.items()}


def _ends(curve: Curve) -> Ends:
    return Ends(
        (int(curve.steps[0]), int(curve.steps[-1])),
        (float(curve.values[0]), float(curve.values[-1])),
        (float(curve.wall_times[0]), float(curve.wall_times[-1])),
    )


def families(paths: Iterable[str], look: Look) -> dict[str, list[str]]:
    """Return, by the folder around them, the folders that are pieces of one training, in the order of their numbers."""
    own = list(paths)
    inner = {path.rpartition("/")[0] for path in own}
    around: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for path in own:
        parent, _, name = path.rpartition("/")
        if parent and name.isdecimal() and path not in inner and parent not in own:
            around[parent].append((int(name), path))
    found = {}
    for parent, numbered in around.items():
        numbers, members = zip(*sorted(numbered), strict=True)
        if len(members) >= LEAST and numbers[-1] - numbers[0] == len(members) - 1 and _follow(members, look):
            found[parent] = list(members)
    return found


def _follow(members: Iterable[str], look: Look) -> bool:
    """Whether each folder goes on where the one before ended; the looks end where this is clearly not so."""
    ends: list[Mapping[bytes, Ends]] = []
    votes: list[bool] = []
    for path in members:
        here = look(path)
        if not here:
            return False
        if ends:
            shared = here.keys() & ends[-1].keys()
            if not shared or any(here[tag].times[0] < ends[-1][tag].times[1] for tag in shared):
                return False
            votes += _goes_on(ends[0], ends[-1], here)
        ends.append(here)
        if len(ends) >= LEAST and sum(votes) < GOES_ON * len(votes):
            return False
    return True


def _goes_on(first: Mapping[bytes, Ends], before: Mapping[bytes, Ends], after: Mapping[bytes, Ends]) -> list[bool]:
    """Return, for each tag of two folders in turn, whether the later goes on with its steps or its values."""
    votes = []
    for tag in before.keys() & after.keys() & first.keys():
        by_step = after[tag].steps[0] > before[tag].steps[1]
        here, end, start = after[tag].values[0], before[tag].values[1], first[tag].values[0]
        votes.append(by_step or abs(here - end) < abs(here - start))
    return votes
