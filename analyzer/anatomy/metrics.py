"""What the held-out metrics do while a loss does something else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analyzer.anatomy.curve import Curve
from analyzer.model.wording import number
from analyzer.stats.robust import difference_sigma, median
from analyzer.stats.trend import centred_mean

if TYPE_CHECKING:
    from analyzer.anatomy import Anatomy


def metrics_after(anatomy: Anatomy, curve: Curve, step_: int) -> tuple[str, str]:
    """Return a sentence when a metric of the same split improves after the loss turned, and one when it gets worse."""
    better = worse = ""
    for metric in anatomy.having("metric", curve.role.split):
        sign = 1.0 if metric.role.direction == "higher" else -1.0
        values = sign * metric.raw
        before, after = values[metric.at <= step_], values[metric.at > step_]
        if before.size < 2 or after.size < 3 or metric.role.kind == "perplexity":
            continue
        late, usual = median(after[-max(2, after.size // 4) :]), float(np.max(centred_mean(before, 3)))
        spread = max(difference_sigma(values), float(np.std(np.diff(values))) / 1.4142, 1e-9)
        gained = usual - median(before[: max(1, before.size // 10)])
        said = f"{metric.tag} goes from {number(sign * usual)} to {number(sign * late)} after it"
        if late > usual + max(spread, 0.1 * gained, 0.002 * abs(usual)):
            better = better or f"{said}: still better"
        elif late < usual - max(1.5 * spread, 0.02 * abs(usual)):
            worse = worse or f"{said}: worse"
    return "" if worse else better, worse
