"""What a run came to in one metric: the level of its curve at the end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Params:
    """Numbers of the outcome."""

    end: float = 0.1
    """Share of the points, at the end, that the level is read from."""
    least: int = 5
    """Points that the end has at least before a line is fitted; with fewer the last finite point counts."""


PARAMS = Params()


def outcome(steps: NDArray[np.int64], values: NDArray[np.float64]) -> float | None:
    """Return the level at the last step: a line through the last tenth of the points, or the last of a few points.

    None where the last point is not finite or there is none.
    """
    if not values.size or not np.isfinite(values[-1]):
        return None
    count = int(PARAMS.end * values.size)
    at, late = steps[-count:].astype(np.float64), values[-count:]
    at, late = at[np.isfinite(late)], late[np.isfinite(late)]
    if count < PARAMS.least or late.size < PARAMS.least or at.min() == at.max():
        return float(values[-1])
    own = at - at.mean()
    slope = float(own @ late / (own @ own))
    return float(late.mean() + slope * (steps[-1] - at.mean()))
