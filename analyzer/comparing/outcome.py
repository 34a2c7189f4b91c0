"""What a run came to: one number a run and metric, at a budget that all runs share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from analyzer.comparing.subject import Track
from analyzer.stats import robust
from analyzer.stats import trend as trends

Array = NDArray[np.float64]
Outcome = Literal["final", "best", "auc"]

WINDOW = 0.1  # of the budget: the end over which the level of a noisy curve is fitted
LEAST_FIT = 8  # points in that window: a line through fewer is no better than the last points themselves
FAR = 4.0  # robust standard deviations: points further from the line (spikes) do not count in the second fit
SMOOTH_BLOCKS = 20  # blocks of a smoothed curve: one is half of the window of the end


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """The outcome of a run, and the standard error that its own noise leaves on it (0 where it is not known)."""

    value: float
    error: float = 0.0


def reached(track: Track, at: float, outcome: Outcome, *, start: float, lower: bool, noisy: bool) -> RunOutcome:
    """Return what a track (of at least one point) came to at a budget.

    *final* is the level at `at`: between two evaluations on the line through them, of a `noisy` curve by a line
    through the last tenth. *best* is the best of the smoothed curve up to `at`; *auc* the mean from `start` to `at`.
    """
    if track.x.size == 1:
        return RunOutcome(float(track.y[0]))
    if outcome == "best":
        return RunOutcome(_best(track, at, lower=lower))
    if outcome == "auc" and at > start:
        return RunOutcome(_mean_over(track, start, at))
    return (_fitted_end(track, at) if noisy else None) or RunOutcome(float(np.interp(at, track.x, track.y)))


def _fitted_end(track: Track, at: float) -> RunOutcome | None:
    """Return the level at the end by a local line, spikes left out; None where the window holds too few points."""
    span = at - float(track.x[0])
    inside = (track.x >= at - WINDOW * span) & (track.x <= at)
    x, y = track.x[inside], track.y[inside]
    if x.size < LEAST_FIT:
        return None
    line = _line(x, y, at)
    for _ in range(2):
        rest = y - (line[0] + line[1] * (x - at))
        sigma = robust.mad_sigma(rest)
        near = np.abs(rest) <= FAR * sigma if sigma > 0 else np.ones(x.size, dtype=bool)
        line = _line(x[near], y[near], at)
    rest = y[near] - (line[0] + line[1] * (x[near] - at))
    n = int(near.sum())
    around = float(np.sum((x[near] - x[near].mean()) ** 2))
    scatter = float(np.sum(rest**2)) / max(1, n - 2)
    return RunOutcome(
        line[0], math.sqrt(scatter * (1 / n + (at - float(x[near].mean())) ** 2 / around)) if around else 0.0
    )


def _line(x: Array, y: Array, at: float) -> tuple[float, float]:
    """Return height at `at` and slope of the least-squares line."""
    centre = float(x.mean())
    around = float(np.sum((x - centre) ** 2))
    slope = float(np.sum((x - centre) * (y - y.mean()))) / around if around > 0 else 0.0
    return float(y.mean()) + slope * (at - centre), slope


def _best(track: Track, at: float, *, lower: bool) -> float:
    inside = track.x <= at
    y = np.append(track.y[inside], np.interp(at, track.x, track.y)) if not np.any(track.x == at) else track.y[inside]
    smooth = trends.smooth(y, SMOOTH_BLOCKS)
    return float(smooth.min() if lower else smooth.max())


def _mean_over(track: Track, start: float, at: float) -> float:
    between = (track.x > start) & (track.x < at)
    x = np.concatenate([[start], track.x[between], [at]])
    y = np.interp(x, track.x, track.y)
    return float(np.sum((y[1:] + y[:-1]) / 2 * np.diff(x)) / (at - start))


def common_budget(tracks: Sequence[Track]) -> float:
    """Return the last place that every track reached with a finite value."""
    return min(float(track.x[-1]) for track in tracks)


def common_start(tracks: Sequence[Track]) -> float:
    """Return the first place that every track has."""
    return max(float(track.x[0]) for track in tracks)


def outcomes(
    tracks: Sequence[Track], at: float, outcome: Outcome, *, lower: bool, noisy: bool
) -> tuple[RunOutcome, ...]:
    """Return what each of the tracks came to at the budget `at`."""
    start = min(common_start(tracks), at)
    return tuple(reached(track, at, outcome, start=start, lower=lower, noisy=noisy) for track in tracks)
