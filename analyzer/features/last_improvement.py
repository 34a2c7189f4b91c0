"""Since when a curve has not got better."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analyzer.features.curve import Curve
from analyzer.stats.robust import difference_sigma, median
from analyzer.stats.trend import centred_mean

LEAST = 15  # points


@dataclass(frozen=True)
class LastImprovement:
    """`since`: the first point that is as good as any later one, within the noise; `share`: of the steps after it.

    `best`: the best smoothed value in the units of the log; `gained`: from the first points to the best, and `noise`
    of the smoothed curve, in units of `y`: a loss that goes on falling by factors goes on getting better.
    """

    since: int
    share: float
    best: float
    gained: float
    noise: float


def tail_of(curve: Curve) -> LastImprovement | None:
    """Return the tail over which nothing got better; None for a short curve or one whose good side is not known."""
    if curve.n < LEAST or curve.role.direction is None:
        return None
    sign = 1.0 if curve.role.direction == "lower" else -1.0
    values = sign * curve.y
    window = 2 * max(1, curve.n // 40) + 1
    calm = centred_mean(np.clip(values, None, np.quantile(values[curve.n // 4 :], 0.98)), window)
    noise = difference_sigma(values) / float(np.sqrt(window))
    best = float(np.min(calm))
    gained = max(median(values[: max(1, min(3, curve.n // 10))]) - best, 0.0)
    near = best + max(2.0 * noise, 0.001 * gained, 0.001 if curve.log else 1e-9 * abs(best))
    since = int(np.flatnonzero(calm <= near)[0])
    span = float(curve.at[-1] - curve.at[0])
    share = float(curve.at[-1] - curve.at[since]) / span if span > 0 else 0.0
    return LastImprovement(since, share, curve.back(sign * best), gained, noise)
