"""Two losses at the same moments: a held-out one and the training loss laid beside it point by point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analyzer.anatomy.curve import Array, Curve, Steps


@dataclass(frozen=True)
class Beside:
    """Values of a held-out loss (`ours`) and of a training loss (`theirs`) at the same steps `at`."""

    mate: Curve
    at: Steps
    ours: Array
    theirs: Array


def beside(curve: Curve, mate: Curve) -> Beside | None:
    """Return both at the steps they share; by position where the steps differ but the counts agree; else None.

    Logs count validation in evaluations or from 1 where training is counted from 0: equal counts are then one pair
    per evaluation. Fewer than three pairs are none.
    """
    shared, i, j = np.intersect1d(curve.at, mate.at, return_indices=True)
    if shared.size >= max(3, curve.n // 2):
        return Beside(mate, shared, curve.raw[i], mate.raw[j])
    if curve.n == mate.n >= 3:
        return Beside(mate, curve.at, curve.raw, mate.raw)
    return None
