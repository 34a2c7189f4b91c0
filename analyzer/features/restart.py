"""What a loss does just behind a restart."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np

from analyzer.features.curve import Curve
from analyzer.stats.robust import MEDIAN_ERROR, median


@dataclass(frozen=True)
class Params:
    """Which stretches are tried."""

    short: int = field(
        default=8, metadata={"unit": "points", "why": "the shortest stretch, and what must lie on either side of it"}
    )
    longer: float = field(
        default=1.25, metadata={"unit": "×", "why": "each stretch tried over the one before: fine enough to end a dip"}
    )


PARAMS = Params()
SMALLEST = float(np.finfo(float).eps)  # noise, as a share of the level, that float64 cannot tell from none


@dataclass(frozen=True)
class Dip:
    """The clearest stretch behind a restart that lies below what is before and after it.

    `first`: its first finite point, `length` in points; `depth`: below the lower of its neighbours, as a share of it
    (of the curve's spread where it may be negative); `clear`: the same in standard errors; `after`: the level it
    returns to, in the units of the log.
    """

    first: int
    length: int
    depth: float
    clear: float
    after: float


def dips(curve: Curve, epoch: float | None) -> list[Dip]:
    """Return the dip behind each restart of a curve; `epoch` is the length of one in steps, None where it is unknown.

    A dip ends before the next restart, so that many restarts take no longer than one.
    """
    firsts = np.searchsorted(curve.at, curve.points.restarts)
    found = [_dip(curve, int(a), int(b), epoch) for a, b in itertools.pairwise([*firsts, curve.n])]
    return [dip for dip in found if dip is not None]


def _dip(curve: Curve, first: int, end: int, epoch: float | None) -> Dip | None:
    """Return the dip that begins at the index `first`, None where fewer than eight points lie on either side.

    The stretch is tried at lengths that grow by a quarter, from eight points to an epoch (half of what follows where
    its length is not known), up to the index `end`.
    """
    y = curve.y
    most = min((curve.n - first) // 2, end - first)
    if epoch:
        most = min(most, int(epoch / curve.cadence) + 1)
    if first < PARAMS.short or most < PARAMS.short:
        return None
    best: Dip | None = None
    scale = 1.0 if curve.log else max(abs(median(y)), float(np.ptp(y)))
    length = float(PARAMS.short)
    while length <= most:
        n = int(length)
        before, inside = y[max(0, first - n) : first], y[first : first + n]
        after = y[first + n : first + 2 * n]
        low = min(median(before), median(after))
        sigma = max(curve.sigma, SMALLEST * scale, float(np.finfo(float).tiny))
        error = MEDIAN_ERROR * sigma * float(np.sqrt(1 / n + 1 / min(before.size, after.size)))
        depth = low - median(inside)
        if best is None or depth / error > best.clear:
            share = -float(np.expm1(-depth)) if curve.log else depth / scale if scale > 0 else 0.0
            best = Dip(first, n, share, depth / error, curve.back(median(after)))
        length *= PARAMS.longer
    return best
