"""Whether a loss drifts upwards to its end, since when, and how much of what it had gained it gives back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analyzer.anatomy.curve import Curve
from analyzer.anatomy.progress import beginning
from analyzer.stats import robust, trend

BLOCKS = 24


@dataclass(frozen=True)
class Drift:
    """The way from the lowest lasting level to the end, in raw units; shares are of the progress start - low.

    - `since`: index of the finite point where it was lowest; `lost`: share given back at the end.
    - `climb`: rise of the trend over the last third (Theil-Sen through even block medians), at its lower 95 % bound.
    - `leap`: largest rise between neighbouring blocks, as a share of the whole rise: 1 is a step, 1 / blocks a line.
    - `moved`: progress over the standard error of a block's median.
    """

    since: int
    start: float
    low: float
    end: float
    lost: float
    climb: float
    leap: float
    moved: float


def drift(curve: Curve) -> Drift:
    """Return the drift of a curve with two dozen finite points or more."""
    raw, n = curve.raw, curve.n
    edges = np.linspace(0, n, min(BLOCKS, n // 3) + 1).astype(np.int64)
    centre, level = (edges[:-1] + edges[1:] - 1) / 2.0, robust.block_medians(raw, edges)
    lowest = int(np.argmin(level))
    start, low = beginning(raw, max(1, min(5, n // 12))), float(level[lowest])
    end = robust.median(raw[-max(4, n // 10) :])
    progress = max(start - low, 1e-9 * abs(low), np.finfo(float).tiny)
    third = level.size - level.size // 3 - 1
    _, slope, _ = trend.slope(centre[third:], level[third:])
    rises = np.diff(level[lowest:])
    width = n / level.size
    spread = [robust.median(np.abs(raw[a:b] - at)) for a, b, at in zip(edges[:-1], edges[1:], level, strict=True)]
    noise = 1.2533 * robust.MAD_TO_SIGMA * robust.median(np.array(spread))
    return Drift(
        since=int(centre[lowest]),
        start=start,
        low=low,
        end=end,
        lost=(end - low) / progress,
        climb=slope * float(centre[-1] - centre[third]) / progress,
        leap=float(rises.max()) / max(float(level[-1]) - low, np.finfo(float).tiny) if rises.size else 1.0,
        moved=progress * float(np.sqrt(width)) / max(noise, np.finfo(float).tiny),
    )
