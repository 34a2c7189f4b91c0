"""Where the steps of a series go back, and what that means: an overflow, disorder, a new pass, or a new training.

Everything here looks at the steps and values of one series, in the order written, and changes nothing.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Steps = NDArray[np.int64]

LEAST = 3  # points that show that an axis had left its first step
MANY, SHARE_MANY = 8, 20  # returns, or one in so many points, beyond which a writer is not in order
SHARE_RANDOM = 5  # one return in so many points: a random order has one in two, a run that is resumed far fewer
DISTINCT = 0.9  # share of steps that occur once in a log that is only out of order; a restart repeats steps
USUAL = 0.5, 1.5  # times the usual gap: what follows an overflow goes on at the usual spacing
DAY = 86_400.0  # seconds that a step may be away from its wall time and still be a timestamp (time zones)
TICKS = 1.0, 1e3, 1e6, 1e9  # units of timestamps in a second
ENDS = 5  # points at most that say at which level a stretch begins or ends
APART = 6.0  # times what either moves from step to step that two curves under one tag lie apart
FAR = 1 << 62  # steps beyond which a continued count would leave 64 bits

# modulus, lowest and highest value of the counters that overflow: signed and unsigned 32 bits, 31 and 16 bits
COUNTERS = (
    (1 << 32, -(1 << 31), (1 << 31) - 1),
    (1 << 32, 0, (1 << 32) - 1),
    (1 << 31, 0, (1 << 31) - 1),
    (1 << 16, 0, (1 << 16) - 1),
    (1 << 16, -(1 << 15), (1 << 15) - 1),
)


def returns(steps: Steps) -> NDArray[np.int64]:
    """Return the indices of points whose step is below that of the point before."""
    return np.flatnonzero(steps[1:] < steps[:-1]) + 1  # a difference of extreme steps may overflow


def usual_gap(steps: Steps) -> float:
    """Return the median distance of neighbouring points that go forward, 1 where none does."""
    gaps = steps[1:].astype(np.float64) - steps[:-1].astype(np.float64)
    gaps = gaps[gaps > 0]
    return float(np.median(gaps)) if gaps.size else 1.0


def unwrapped(steps: Steps) -> Steps | None:
    """Return the steps with the overflows of a 32- or 16-bit counter undone, None where there is none.

    An overflow returns by nearly the whole range of the counter, never leaves that range, and goes on from there at
    the usual spacing.
    """
    backs = returns(steps).tolist()
    if not backs:
        return None
    gap = usual_gap(steps)
    for modulus, lowest, highest in COUNTERS:
        if steps.min() < lowest or steps.max() > highest:
            continue
        wraps = [
            back
            for back in backs
            if USUAL[0] * gap <= int(steps[back]) - int(steps[back - 1]) + modulus <= USUAL[1] * gap
        ]
        if wraps:
            turns = np.zeros(steps.size, np.int64)
            turns[wraps] = 1
            return steps + np.cumsum(turns) * modulus
    return None


def summary_size(steps: Steps) -> int:
    """Return how many points at the end are a summary: logged at the very first step after the axis had gone far.

    This is where a value ends up that is logged without a step when the training is over.
    """
    backs = returns(steps)
    if not backs.size or backs[-1] < LEAST:
        return 0
    tail = steps[backs[-1] :]
    beyond = np.unique(steps[: backs[-1]]).size
    alone = bool((tail == tail[0]).all()) and tail[0] <= steps[: backs[-1]].min()
    return int(tail.size) if alone and tail.size * 2 <= beyond and beyond > LEAST else 0


def tells_nothing(steps: Steps, wall_times: Array) -> bool:
    """Whether the steps do not count: all of them are equal, or each is the time at which the point was written."""
    if steps.size < 2:
        return False
    if bool((steps == steps[0]).all()):
        return True
    finite = np.isfinite(wall_times)
    if not finite.any() or steps.min() <= DAY:
        return False
    times, stamps = wall_times[finite], steps[finite].astype(np.float64)
    return any(bool((np.abs(stamps / ticks - times) < DAY).all()) for ticks in TICKS)


def is_disorder(steps: Steps) -> bool:
    """Whether the steps are a single count written in another order, as when points are sent afterwards."""
    backs = returns(steps).size
    if backs <= min(max(MANY, steps.size // SHARE_MANY), max(2, steps.size // SHARE_RANDOM)):
        return False
    return bool(np.unique(steps).size >= DISTINCT * steps.size)


def beginnings(steps: Steps) -> list[int]:
    """Return the indices at which the series begins again at its first step, 0 first.

    Where the steps return all the time to places in the middle, nothing begins again: the writers are out of order.
    """
    backs = returns(steps)
    if not backs.size:
        return [0]
    again = backs[steps[backs] <= float(steps[0]) + usual_gap(steps)].tolist()
    orderly = backs.size <= max(MANY, steps.size // SHARE_MANY) or 2 * len(again) > backs.size
    return [0, *again] if orderly else [0]


def seam_votes(values: Array, wall_times: Array, begins: list[int]) -> tuple[int, int]:
    """Return how many seams say that a training goes on, and how many that a new one begins.

    A training goes on when a stretch begins closer to the end of the one before than to the beginning of the first.
    Two stretches that were written at the same time are two writers. Seams at which both are alike say nothing.
    """
    parts = [slice(a, b) for a, b in pairwise([*begins, values.size])]
    start = _level(values[parts[0]], first=True)
    on = anew = 0
    for before, after in pairwise(parts):
        if wall_times[after][0] < wall_times[before][-1]:
            anew += 1
            continue
        here, end = _level(values[after], first=True), _level(values[before], first=False)
        near, far = abs(here - end), abs(here - start)
        on, anew = on + (near < far), anew + (far < near)
    return on, anew


def _level(values: Array, *, first: bool) -> float:
    """Return the median of the first or last points of a stretch, a tenth of it and five at most."""
    finite = values[np.isfinite(values)]
    count = max(1, min(ENDS, finite.size // 10))
    ends = finite[:count] if first else finite[-count:]
    return float(np.median(ends)) if ends.size else float("nan")


def is_regular(begins: list[int], size: int) -> bool:
    """Whether at least three stretches are equally long; the last may be cut short."""
    lengths = np.diff([*begins, size])
    return lengths.size >= LEAST and bool((lengths[:-1] == lengths[0]).all()) and bool(lengths[-1] <= lengths[0])


def pass_length(steps: Steps, begins: list[int]) -> int:
    """Return how many steps a pass has: those of the longest one and a usual gap."""
    parts = [steps[a:b] for a, b in pairwise([*begins, steps.size])]
    return max(int(part.max()) - int(part.min()) for part in parts) + round(usual_gap(steps))


def continued(steps: Steps, begins: list[int], length: int) -> Steps:
    """Return the steps counted on from pass to pass, each of this length; the numbers of the points beyond 64 bits."""
    if length * len(begins) + abs(int(steps.max())) > FAR:
        return np.arange(steps.size, dtype=np.int64)
    numbers = np.repeat(np.arange(len(begins)), np.diff([*begins, steps.size]))
    return np.asarray(steps + numbers * length, dtype=np.int64)


def is_mixture(steps: Steps, values: Array) -> bool:
    """Whether two or more curves lie interleaved under one tag: the points of a step form groups far apart.

    It holds when over at least a third of the steps the widest gap between the values of a step is several times as
    wide as the curves on either side of it move from step to step. Repeated measurements of one curve lie as far apart
    as they scatter, and points of one epoch no farther than the curve falls until the next.
    """
    order = np.argsort(steps, kind="stable")
    unique, counts = np.unique(steps[order], return_counts=True)
    usual = int(np.median(counts)) if counts.size else 0
    kept = np.flatnonzero(counts == usual)
    if usual < 2 or kept.size < max(3 * LEAST, unique.size // 2):
        return False
    firsts = (np.cumsum(counts) - counts)[kept]
    table = np.sort(values[order][firsts[:, None] + np.arange(usual)], axis=1)
    gaps = np.diff(table, axis=1)
    third = max(LEAST, kept.size // 3)
    return any(
        _apart(table[start : start + third], gaps[start : start + third])
        for start in range(0, kept.size - third + 1, max(1, third // 2))
    )


def _apart(table: Array, gaps: Array) -> bool:
    """Whether the widest gap parts two groups: it is wider than they are, and than they move from step to step."""
    if not np.isfinite(table).all():
        return False
    widest = int(np.argmax(np.median(gaps, axis=0)))
    below, above = table[:, : widest + 1], table[:, widest + 1 :]
    moves = max(_move(below[:, -1]), _move(above[:, 0]))
    spread = float(max(np.median(group[:, -1] - group[:, 0]) for group in (below, above)))
    return bool(np.median(gaps[:, widest]) > max(APART * moves, spread))


def _move(values: Array) -> float:
    """Return how far a curve usually moves from step to step, by its noise or by its course."""
    return float(np.median(np.abs(np.diff(values))))
