"""What training and held-out losses do after a step: whether they go on falling, improve, or hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analyzer.features.curve import Curve
from analyzer.stats import robust
from analyzer.stats.robust import median

if TYPE_CHECKING:
    from analyzer.features import RunFeatures

STAYS = 0.2  # of the training loss's rise, both in log space: a held-out loss that rises by less stays where it was
AFTER, BEFORE = 4, 2  # points after a step and before it, at least
LAST = 3  # points that make the level before a step


def goes_on(mate: Curve | None, step_: int) -> bool:
    """Whether training is lower at the end than around the best step, or rests at its own lowest."""
    if mate is None:
        return False
    before, after = mate.y[mate.at < step_], mate.y[mate.at >= step_]
    if after.size < 2:
        return False
    k = max(1, min(after.size // 4, 50))
    around = [median(after[:k]), *([median(before[-k:])] if before.size else [])]  # it may leap at the best step
    fall = float(min(around) - median(after[-k:]))
    return bool(fall > -0.5 * mate.sigma / np.sqrt(k))


def trend_at(mate: Curve, step_: int) -> float:
    """Return the trend of a curve at the point that is first at or after a step, in its own units."""
    near = int(np.clip(np.searchsorted(mate.at, step_), 0, mate.n - 1))
    return mate.back(float(mate.trend[near]))


def improves_after(features: RunFeatures, onset: int) -> str | None:
    """Return the event that overrules an alarm on the training loss: a held-out loss at its best after the onset."""
    for curve in features.validation:
        after, before = curve.y[curve.at > onset], curve.y[curve.at <= onset]
        if after.size >= 4 and before.size >= 2:
            better = robust.median(after[-3:]) < float(np.min(before)) - robust.mad_sigma(after)
            if better:
                return f"event:validation-improves@{int(curve.at[-1])}"
    return None


def holds_after(features: RunFeatures, training: Curve, onset: int) -> Curve | None:
    """Return the held-out loss that does not go along with a training loss that has risen for good, None without one.

    The model is then as good as before: training has become harder (data, augmentation, a new term), or is logged
    in another way. Both are compared over the same later steps: a training loss that has come down again says nothing
    about a held-out loss that has done the same. A held-out loss that jumped too, and has come down since, went along.
    """
    for curve in features.validation:
        if not curve.n or min(training.raw.min(), curve.raw.min()) <= 0 or not curve.finite[-1]:
            continue
        risen, climbed = _climb(training, onset), _climb(curve, onset)
        if risen is None or climbed is None:
            continue
        if climbed[1] < STAYS * risen[1] and climbed[0] < STAYS * max(risen):
            return curve
    return None


def _climb(curve: Curve, onset: int) -> tuple[float, float] | None:
    """Return the logarithms of the next and of the later level after a step over that before it.

    The next level is the lower one of the next two points. None where there are too few points.
    """
    after, before = curve.raw[curve.at > onset], curve.raw[curve.at <= onset]
    if after.size < AFTER or before.size < BEFORE:
        return None
    soon = float(np.min(after[:BEFORE])) / robust.median(before[-BEFORE:])
    later = robust.median(after[after.size // 4 :]) / robust.median(before[-LAST:])
    return float(np.log(soon)), float(np.log(later))
