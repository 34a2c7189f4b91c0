"""How long an epoch is, in steps, when the log tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analyzer.features.curve import Curve
from analyzer.model.roles import words_of

if TYPE_CHECKING:
    from analyzer.features import RunFeatures


def epoch_length(features: RunFeatures) -> float | None:
    """Return steps per epoch: from a series that counts epochs over steps, else from values logged once an epoch.

    Where the log itself counts steps per epoch, the passes tell it.

    The cadence of a series that is named per epoch (`train_loss_epoch`), or of a validation loss, counts only
    when its steps run along those of a finer training loss: an axis that counts epochs itself says nothing.
    """
    for curve in features.having("counter"):
        if {"epoch", "epochs"} & set(words_of(curve.tag)):
            found = _from_counter(curve)
            if found:
                return found
    fine = features.finest
    if fine is not None and fine.points.pass_length:
        return float(fine.points.pass_length)
    if fine is None or fine.n < 24:
        return None
    named = [c for c in features.curves.values() if c.role.per == "epoch" and c.role.role in ("loss", "metric")]
    for curve in (*named, *features.validation):
        if curve is fine or curve.steps.size < 3 or curve.cadence < 3 * fine.cadence:
            continue
        gaps = np.diff(curve.steps)
        same_axis = curve.steps[-1] > 0.5 * fine.steps[-1]
        if same_axis and np.median(np.abs(gaps - curve.cadence)) <= 0.02 * curve.cadence:
            return curve.cadence
    return None


def _from_counter(curve: Curve) -> float | None:
    steps, epochs = curve.at.astype(np.float64), curve.raw
    if curve.n < 3 or epochs[-1] - epochs[0] < 1 or steps[-1] <= steps[0]:
        return None
    slope, start = np.polyfit(steps, epochs, 1)
    if slope <= 0:
        return None
    straight = np.abs(start + slope * steps - epochs)
    return float(1 / slope) if slope < 1 / 1.5 and float(np.median(straight)) <= 1.0 else None
