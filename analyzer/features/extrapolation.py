"""What more steps would still bring: the fall of a loss carried on at the pace at which it slows down."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from analyzer.features.curve import Curve
from analyzer.stats.robust import MEDIAN_ERROR


@dataclass(frozen=True)
class Params:
    """What is carried on."""

    least: int = field(default=12, metadata={"unit": "points", "why": "fewer make no three stretches at the end"})
    piece: float = field(
        default=0.15, metadata={"unit": "of the points", "why": "the last three such pieces are compared"}
    )
    levels: int = field(
        default=5, metadata={"unit": "count", "why": "levels over the run whose falls tell a line from a bend"}
    )
    correlated: float = field(
        default=0.9, metadata={"unit": "autocorrelation", "why": "a larger one is that of a trend, not of noise"}
    )


PARAMS = Params()
TINY = float(np.finfo(float).tiny)


@dataclass(frozen=True)
class Extrapolation:
    """The end of a loss and what comes next.

    `gain`: what another 15 % of the steps would take off the loss, as a share of its level; `of_progress`: the same
    over all that has been gained; `clear`: the fall over the last piece in standard errors; `level`, `next`: the
    loss at the end and after those steps; `steady`: smallest over largest fall of the four quarters, 1 for a line.
    """

    gain: float
    of_progress: float
    clear: float
    level: float
    next: float
    steady: float


def ahead(curve: Curve) -> Extrapolation | None:
    """Return what comes next if each piece brings as much less than the one before as the last did; None if short.

    The factor between two pieces is at most 1 (no fall is expected to quicken), so that a straight line goes on and a
    curve that bends goes on bending: cautious for power laws, exact for exponentials.
    """
    if curve.n < PARAMS.least:
        return None
    first, middle, last = (curve.level(1 - (k + 1) * PARAMS.piece, 1 - k * PARAMS.piece) for k in (2, 1, 0))
    before, fall = first - middle, middle - last
    slower = min(1.0, max(0.0, fall / before)) if before > 0 else 0.0
    # a fall that has just quickened comes down from a bump: no more is expected than both pieces brought on average
    after = last - max(0.0, min(fall * slower, (first - last) / 2))
    level, next_ = curve.back(last), curve.back(after)
    size = max(abs(level), TINY)
    progress = curve.back(curve.start) - level
    rho = min(max(curve.rho, 0.0), PARAMS.correlated)
    error = MEDIAN_ERROR * curve.sigma * np.sqrt(2 / (PARAMS.piece * curve.n) * (1 + rho) / (1 - rho))
    n = PARAMS.levels
    quarters = -np.diff([curve.back(curve.level(k / n, (k + 1) / n)) for k in range(n)])
    most = float(np.max(quarters))
    return Extrapolation(
        (level - next_) / size,
        (level - next_) / progress if progress > 0 else 0.0,
        fall / max(float(error), TINY),
        level,
        next_,
        float(np.min(quarters)) / most if most > 0 else 0.0,
    )
