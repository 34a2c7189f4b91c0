"""Proof that the weights hold numbers, whatever a training loss or a gradient norm shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analyzer.features.curve import Curve

if TYPE_CHECKING:
    from analyzer.features import RunFeatures


def alive_after(features: RunFeatures, after: int) -> Curve | None:
    """Return a held-out loss or metric that stays finite and still changes after a step, None where there is none.

    The held-out data are the same at each evaluation: a model whose weights are NaN gives NaN, or one constant answer.
    """
    metrics = [c for c in features.having("metric") if c.role.split in ("validation", "test")]
    for curve in (*features.validation, *metrics):
        later = curve.values[curve.steps > after]
        if later.size > 1 and bool(curve.finite[curve.steps > after].all()) and np.unique(later).size > 1:
            return curve
    return None
