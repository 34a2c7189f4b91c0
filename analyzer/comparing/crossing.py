"""The difference of two sides over the steps: its band, where the leader changes, and what is not settled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analyzer.comparing.difference import unpaired
from analyzer.comparing.outcome import common_start
from analyzer.comparing.subject import Track
from analyzer.model.comparison import Band

Array = NDArray[np.float64]

GRID = 160  # places at which the difference is worked out: as fine as a picture
HALFWAY = 0.5  # of the budget: where the leader is compared with that at the end
END = 0.2  # of the budget: the stretch whose slopes say whether the runs have settled
LEAST_END = 3  # evaluations in that stretch
GROWS = 0.5  # of the difference at the end: what the slopes would add over as long again to call it not settled


class Course(NamedTuple):
    """Band of the difference, the place where the leader changes (None), and whether the end is not settled."""

    band: Band
    crossing: float | None
    unsettled: bool


def course_of(
    base: Sequence[Track], candidate: Sequence[Track], at: float, level: float, *, lower: bool
) -> Course | None:
    """Return the difference (candidate minus base) over the axis up to the budget; None where there is no course."""
    tracks = [*base, *candidate]
    start = common_start(tracks)
    if not at > start or min(track.x.size for track in tracks) < 2:
        return None
    x = np.linspace(start, at, GRID)
    rows = [np.array([np.interp(x, track.x, track.y) for track in side]) for side in (base, candidate)]
    gap = rows[1].mean(axis=0) - rows[0].mean(axis=0)
    half = _half_width(rows[0], rows[1], level)
    band = Band(x, gap, gap - half if half is not None else None, gap + half if half is not None else None)
    return Course(band, _crossing(rows, x, gap, level), _unsettled(base, candidate, at, level, gap[-1], lower=lower))


def _half_width(base: Array, candidate: Array, level: float) -> Array | None:
    """Return the half width of the pointwise band from the groups' own scatter (pooled), None for one run each."""
    sizes = base.shape[0], candidate.shape[0]
    df = sum(sizes) - 2
    if df < 1:
        return None
    from scipy.special import stdtrit  # noqa: PLC0415 - slow to import

    squares = sum(((side - side.mean(axis=0)) ** 2).sum(axis=0) for side in (base, candidate))
    error = np.sqrt(squares / df * (1 / sizes[0] + 1 / sizes[1]))
    return np.asarray(float(stdtrit(df, (1 + level) / 2)) * error)


def _crossing(rows: Sequence[Array], x: Array, gap: Array, level: float) -> float | None:
    """Return where the difference last changes its sign, if it is another at half of the budget than at the end.

    Both differences, and the change between them, must be larger than their intervals.
    """
    middle = int(np.searchsorted(x, x[0] + HALFWAY * (x[-1] - x[0])))
    if gap[middle] * gap[-1] >= 0:
        return None
    shifts = [side[:, middle] - side[:, -1] for side in rows]
    for one, other in (
        (shifts[0], shifts[1]),
        (rows[0][:, middle], rows[1][:, middle]),
        (rows[0][:, -1], rows[1][:, -1]),
    ):
        inside = unpaired(one, other).interval(level)
        if inside is None or inside[0] <= 0 <= inside[1]:
            return None
    last = int(np.flatnonzero(gap[:-1] * gap[-1] <= 0)[-1])
    share = gap[last] / (gap[last] - gap[last + 1])
    return float(x[last] + share * (x[last + 1] - x[last]))


def _unsettled(
    base: Sequence[Track], candidate: Sequence[Track], at: float, level: float, gap: float, *, lower: bool
) -> bool:
    """Whether the curves still improve at the end at rates that differ: as much again would change the difference."""
    slopes = [_end_slopes(side, at) for side in (base, candidate)]
    if any(side is None for side in slopes):
        return False
    one, other = (side for side in slopes if side is not None)
    improving = max(one.mean(), other.mean()) < 0 if lower else min(one.mean(), other.mean()) > 0
    inside = unpaired(one, other).interval(level)
    if not improving or inside is None or inside[0] <= 0 <= inside[1]:
        return False
    return abs(float(other.mean() - one.mean())) > GROWS * abs(gap)


def _end_slopes(side: Sequence[Track], at: float) -> Array | None:
    """Return how much each curve moves over the last fifth of the budget, None where it has too few points there."""
    found = []
    for track in side:
        span = at - float(track.x[0])
        inside = (track.x >= at - END * span) & (track.x <= at)
        if int(inside.sum()) < LEAST_END:
            return None
        found.append(float(np.polyfit((track.x[inside] - at) / span, track.y[inside], 1)[0]) * END)
    return np.asarray(found)
