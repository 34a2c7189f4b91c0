"""Two losses that differ by a constant factor: one is a sum where the other is a mean."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from analyzer.features.curve import Array
from analyzer.stats.robust import mad_sigma, median


@dataclass(frozen=True)
class Params:
    """What a constant factor is."""

    least: float = field(
        default=1.9,
        metadata={"unit": "×", "why": "sums over two and more; dropout and augmentation rarely double a loss"},
    )
    steady: float = field(
        default=0.05,
        metadata={"unit": "of the ratio", "why": "a gap by mix-up, dropout or memorising changes more with the level"},
    )


PARAMS = Params()


def constant_factor(ours: Array, theirs: Array) -> float | None:
    """Return theirs over ours where that ratio stays the same while both move, float64[n] each; None where it does not.

    Positive values at the same steps are meant. A ratio between 1/1.9 and 1.9 is no factor, and a pair of losses that
    hardly move shows none.
    """
    if ours.size < 3 or min(ours.min(), theirs.min()) <= 0:
        return None
    ratio = np.log(theirs) - np.log(ours)
    middle = median(ratio)
    moved = min(float(np.ptp(np.log(ours))), float(np.ptp(np.log(theirs))))
    drift = abs(median(ratio[-(ratio.size // 2) :]) - median(ratio[: ratio.size // 2]))
    still = max(mad_sigma(ratio), drift) <= PARAMS.steady and moved > 2 * PARAMS.steady
    if abs(middle) < np.log(PARAMS.least) or not still:
        return None
    return float(np.exp(middle))
