"""Whether two series of a run count the same steps, and where the points of one lie on the axis of the other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from analyzer.features.resumed_points import Array, ResumedPoints, Steps

SAME_ENDS = 2.0  # times: two series of one training whose last steps lie closer than this count the same thing
SAME_PACE = 2.0  # times: nor do series that count the same thing differ by more in steps per second
OVERLAP = 0.5  # share of the points that must lie within the other series' time for time to place them


def by_time(one: ResumedPoints, clock: ResumedPoints) -> Steps | None:
    """Return the step of the clock at which each point was written; None where the times do not tell."""
    times, ticks = one.wall_times, clock.wall_times
    if not (_runs(times) and _runs(ticks)) or np.mean((times >= ticks[0]) & (times <= ticks[-1])) < OVERLAP:
        return None
    return np.rint(np.interp(times, ticks, clock.steps.astype(np.float64))).astype(np.int64)


def _runs(times: Array) -> bool:
    """Whether the wall times go forward and not all points have the same."""
    return bool(times.size > 1 and np.isfinite(times).all() and (np.diff(times) >= 0).all() and times[-1] > times[0])


def same_axis(one: ResumedPoints, other: ResumedPoints) -> bool:
    """Whether the steps of two series of a run count the same thing.

    They do when they end near each other; else when both go forward at the same pace in time (a series that was only
    logged in a part of the run). Epochs and iterations do neither.
    """
    if not one.steps.size or not other.steps.size:
        return True
    ends = sorted((float(abs(int(one.steps[-1]))), float(abs(int(other.steps[-1])))))
    if ends[1] <= SAME_ENDS * ends[0]:
        return True
    paces = [_pace(one), _pace(other)]
    return min(paces) > 0 and max(paces) <= SAME_PACE * min(paces)


def _pace(one: ResumedPoints) -> float:
    """Return steps per second, 0 where the times say nothing."""
    if not _runs(one.wall_times):
        return 0.0
    seconds = float(one.wall_times[-1] - one.wall_times[0])
    return float(int(one.steps[-1]) - int(one.steps[0])) / seconds


def on_axis(one: ResumedPoints, other: ResumedPoints) -> ResumedPoints:
    """Return the points of `one` at the steps of `other`: as they are on one axis, else by time or share of the run.

    By share, the first and last points of both fall together: what was logged once an epoch is spread over the run.
    """
    if same_axis(one, other) or one.steps.size < 2 or other.steps.size < 2:
        return one
    steps = by_time(one, other)
    if steps is None:
        shares = np.linspace(0.0, 1.0, one.steps.size)
        span = float(one.steps[-1]) - float(one.steps[0])
        if span > 0:
            shares = (one.steps - one.steps[0]) / span
        first, last = float(other.steps[0]), float(other.steps[-1])
        steps = np.rint(first + shares * (last - first)).astype(np.int64)
    return replace(one, steps=steps, restarts=(), moved=True)
