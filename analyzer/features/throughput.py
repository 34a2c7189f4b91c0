"""How fast a run went, by its wall times: seconds per step in pieces of one speed, and silences."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np

from analyzer.model.run import Run, Series
from analyzer.stats import changepoint, robust


@dataclass(frozen=True)
class Params:
    """How pace and silence are measured."""

    intervals: int = field(
        default=48, metadata={"unit": "intervals", "why": "fewer of the usual length make no blocks to compare"}
    )
    blocks: int = field(
        default=32, metadata={"unit": "blocks", "why": "a slow-down is dated to a thirtieth of the run"}
    )
    jitter: float = field(
        default=0.03, metadata={"unit": "log", "why": "clocks and machines vary by some percent without a cause"}
    )
    covered: float = field(
        default=0.5,
        metadata={"unit": "of the steps", "why": "intervals of a dense beginning do not stand for the rest"},
    )
    rank: int = field(
        default=4, metadata={"unit": "count", "why": "the longest pauses but three are what evaluations usually take"}
    )


PARAMS = Params()


@dataclass(frozen=True)
class Pace:
    """The largest lasting slow-down: from step `since` on every piece took `factor` times the seconds of before.

    `before` and `after` are seconds per step, `lasted` is the share of the steps that it lasted (to the end), `seconds`
    the time spent in the steps that were compared, without the evaluations between them.
    """

    tag: str
    since: int
    factor: float
    before: float
    after: float
    lasted: float
    seconds: float


@dataclass(frozen=True)
class Silence:
    """The longest time without any point, from `since` (Unix) for `seconds`; `usual` is the fourth longest.

    `before` and `after` are the steps of the points around it: the run was resumed where they go back.
    """

    tag: str
    before: int
    after: int
    seconds: float
    usual: float
    since: float


def longest(run: Run) -> Series | None:
    """Return the series with most points, None for an empty run."""
    return max(run.series.values(), key=lambda s: s.points, default=None)


def pace(series: Series, since: float = 0.0) -> Pace | None:
    """Return the slow-down of a run by the wall times of a series; None where its usual interval covers too little.

    `since`: the share of the points at the beginning that is left out.

    Only intervals of the usual number of steps count, and their block medians: a log that is dense at its start, and
    evaluations between two points, change no speed.
    """
    begin = int(since * series.points)
    at = series.steps[begin:]
    steps, seconds = np.diff(at), np.diff(series.wall_times[begin:])
    if steps.size < PARAMS.intervals:
        return None
    usual = robust.median(steps[steps > 0].astype(np.float64))
    kept = np.flatnonzero((steps == usual) & (seconds > 0) & np.isfinite(seconds))
    if kept.size < PARAMS.intervals:
        return None
    span = float(at[kept[-1]] - at[kept[0]])
    if span < PARAMS.covered * float(np.ptp(at)) or span <= 0:
        return None  # the usual interval is that of a dense beginning, and says nothing of the rest
    edges = np.linspace(0, kept.size, PARAMS.blocks + 1).astype(np.int64)
    per_step = np.log(seconds[kept] / usual)
    level = robust.block_medians(per_step, edges)
    cuts = changepoint.levels(level, sigma=max(robust.difference_sigma(level), PARAMS.jitter))
    pieces = [robust.median(level[a:b]) for a, b in itertools.pairwise(cuts.tolist())]
    slower = [(min(pieces[i:]) - robust.median(level[: cuts[i]]), int(cuts[i])) for i in range(1, len(pieces))]
    rise, cut = max(slower, default=(0.0, level.size - 1))
    slower_from = int(at[kept[edges[cut]]])
    return Pace(
        series.tag,
        slower_from,
        float(np.exp(rise)),
        float(np.exp(robust.median(level[:cut]))),
        float(np.exp(robust.median(level[cut:]))),
        float(at[kept[-1]] - slower_from) / span,
        usual * float(np.sum(np.exp(level) * np.diff(edges))),
    )


def silence(run: Run) -> Silence | None:
    """Return the longest silence of a run: no point of any series lies in it. None with fewer than a dozen points."""
    series = longest(run)
    if series is None or series.points < PARAMS.intervals // 4:
        return None
    held = np.flatnonzero(np.isfinite(series.wall_times))
    times = series.wall_times[held]
    gaps = np.diff(times)
    if gaps.size < PARAMS.intervals // 4:
        return None
    at = int(np.argmax(gaps))
    start, end = float(times[at]), float(times[at + 1])
    between = [s.wall_times[(s.wall_times > start) & (s.wall_times < end)] for s in run.series.values()]
    inside = np.sort(np.concatenate([[start], *between, [end]]))
    cut = int(np.argmax(np.diff(inside)))
    before, after = (int(series.steps[held[i]]) for i in (at, at + 1))
    usual = float(np.partition(gaps, -PARAMS.rank)[-PARAMS.rank])
    return Silence(series.tag, before, after, float(np.diff(inside)[cut]), usual, float(inside[cut]))
