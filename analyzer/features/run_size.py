"""How much is at stake in a run: a smoke test of minutes deserves notes where a training deserves alarms."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from analyzer.model.roles import words_of

if TYPE_CHECKING:
    from analyzer.features import RunFeatures


@dataclass(frozen=True)
class Params:
    """What a smoke test is."""

    minutes: float = field(
        default=5.0, metadata={"unit": "minutes", "why": "nobody minds the cost of a run as short as this"}
    )


PARAMS = Params()
EPOCHS = frozenset({"epoch", "epochs"})


def is_smoke_test(features: RunFeatures) -> bool:
    """Whether a run lasts some minutes and is known to have no more than one epoch: it shows that the code runs.

    The epochs are known from a counter or from a parameter. Without either, or without wall times, it is no smoke test.
    """
    times = [c.wall_times[np.isfinite(c.wall_times)] for c in features.curves.values()]
    held = [t for t in times if t.size]
    if not held:
        return False
    seconds = max(float(t.max()) for t in held) - min(float(t.min()) for t in held)
    return 0 < seconds <= 60 * PARAMS.minutes and _epochs(features) <= 1


def _epochs(features: RunFeatures) -> float:
    """Return the epochs of a run, infinity where the log does not tell."""
    for curve in features.having("counter"):
        if EPOCHS & set(words_of(curve.tag)) and curve.n > 1:
            return float(curve.raw.max())
    for name, value in features.run.params.items():
        if EPOCHS & set(words_of(name)):
            try:
                epochs = float(str(value))
            except ValueError:
                continue
            if epochs > 0:
                return epochs
    return float("inf")
