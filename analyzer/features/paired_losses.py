"""Two losses at the same moments: a held-out one and the training loss laid beside it point by point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analyzer.features.curve import Array, Curve, Steps


@dataclass(frozen=True)
class PairedLosses:
    """Values of a held-out loss (`ours`) and of a training loss (`theirs`) at the same steps `at`."""

    mate: Curve
    at: Steps
    ours: Array
    theirs: Array


def beside(curve: Curve, mate: Curve) -> PairedLosses | None:
    """Return both at the steps they share; by position where few are shared but the counts agree; else None."""
    if np.array_equal(curve.at, mate.at):
        return in_order(curve, mate)
    shared, i, j = np.intersect1d(curve.at, mate.at, return_indices=True)
    if shared.size >= max(3, curve.n // 2):
        return PairedLosses(mate, shared, curve.raw[i], mate.raw[j])
    return in_order(curve, mate)


def in_order(curve: Curve, mate: Curve) -> PairedLosses | None:
    """Return both paired by position, None where their counts differ or fewer than three are there.

    Logs count validation in evaluations, or from 1 where training is counted from 0.
    """
    return PairedLosses(mate, curve.at, curve.raw, mate.raw) if curve.n == mate.n >= 3 else None
