"""A held-out curve that got better a second time, long after it had turned or come to rest."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from analyzer.features.curve import Curve
from analyzer.stats.robust import difference_sigma, mad_sigma, median
from analyzer.stats.trend import centred_mean


@dataclass(frozen=True)
class Params:
    """How the curve is calmed."""

    least: int = field(default=15, metadata={"unit": "evaluations", "why": "fall, rise and fall need five each"})
    window: int = field(
        default=25, metadata={"unit": "windows", "why": "a hump of a tenth of the run must keep its height"}
    )


PARAMS = Params()
SMALLEST = float(np.finfo(np.float32).eps)  # of the level: what a logged float32 cannot tell from no noise


@dataclass(frozen=True)
class SecondDescent:
    """First best, the worst after it, and the best after that: indices into the curve, sizes smoothed, in its units.

    `noise`: of the smoothed curve; `fallen`: from the first points to the first best; `leap`: the largest rise from one
    point to the next on the way up, raw.
    """

    first: int
    worst: int
    second: int
    first_best: float
    peak: float
    second_best: float
    noise: float
    fallen: float
    leap: float

    @property
    def hump(self) -> float:
        """How far it got worse between the two."""
        return self.peak - self.first_best

    @property
    def gain(self) -> float:
        """How far the second best is below the first."""
        return self.first_best - self.second_best


def second_descent(curve: Curve) -> SecondDescent | None:
    """Return the hump of a loss that ends lower than before it: the one with the highest rise; None for a short curve.

    For every point the lowest value before it and after it are known; the hump is where the smoothed curve stands
    highest above the lowest before, among points after which it gets lower than that.
    """
    if curve.n < PARAMS.least:
        return None
    window = 2 * max(1, curve.n // (2 * PARAMS.window)) + 1
    calm = centred_mean(curve.raw, window)
    before = np.minimum.accumulate(calm)
    after = np.minimum.accumulate(calm[::-1])[::-1]
    rise = np.where(after < before, calm - before, 0.0)
    worst = int(np.argmax(rise))
    first = int(np.argmin(calm[: worst + 1]))
    second = worst + int(np.argmin(calm[worst:]))
    spread = max(mad_sigma((curve.raw - calm)[window:]), difference_sigma(curve.raw))
    noise = max(spread / float(np.sqrt(window)), SMALLEST * abs(median(curve.raw)), float(np.finfo(float).tiny))
    fallen = median(curve.raw[:window]) - float(calm[first])
    leap = float(np.max(np.diff(curve.raw[first : worst + 1]), initial=0.0))
    return SecondDescent(
        first, worst, second, float(calm[first]), float(calm[worst]), float(calm[second]), noise, fallen, leap
    )
