"""What is left of a training curve when its decay is taken away."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analyzer.stats import trend
from analyzer.stats.robust import (
    block_medians,
)

Array = NDArray[np.float64]
Index = NDArray[np.int64]

DECAY_BLOCKS = 64  # blocks whose medians the decay is fitted to
BREAK_MARGIN = 4  # blocks of the trend at either end in which no break is sought
BREAK_SHARE = 0.5  # share of the rest that a break must explain


def bridged(values: Array, gaps: NDArray[np.bool_]) -> Array:
    """Return values with those in gaps replaced by straight lines between their neighbours."""
    at = np.arange(values.size)
    return np.where(gaps, np.interp(at, at[~gaps], values[~gaps]), values)


def levelled(values: Array) -> Array:
    """Return what is left of a curve when its decay is taken away; periods of a quarter of the curve or less stay.

    The decay is smooth (a cubic in time, and logarithms with three onsets for the steep
    start of a training), fitted to block medians, with one break of the level where that explains most of the rest:
    too stiff to follow a wave of four cycles.
    """
    edges = trend.block_edges(values.size, DECAY_BLOCKS)
    level, weight = block_medians(values, edges), np.sqrt(np.diff(edges))
    at = (edges[:-1] + edges[1:] - 1) / (2 * values.size)
    basis, time = _decay(at), np.arange(values.size) / values.size
    broken = _break(basis, level, weight)
    whole = _decay(time)
    if broken is not None:
        since = float(edges[broken]) / values.size
        basis, whole = np.hstack([basis, _reset(at, since)]), np.hstack([whole, _reset(time, since)])
    factors = np.linalg.lstsq(basis * weight[:, None], level * weight, rcond=None)[0]
    return np.asarray(values - whole @ factors)


def _decay(at: Array) -> Array:
    """Return the basis of the decay at times in [0, 1), float64[n, 7]."""
    powers = [at**k for k in range(4)]
    onsets = [np.log1p(at / share) for share in (0.005, 0.02, 0.08)]
    return np.stack([*powers, *onsets], axis=1)


def _reset(at: Array, since: float) -> Array:
    """Return the basis of a level that breaks at a time and decays again, float64[n, 2]."""
    after = np.maximum(at - since, 0.0)
    return np.stack([(at >= since).astype(np.float64), np.log1p(after / 0.02)], axis=1)


def _break(basis: Array, level: Array, weight: Array) -> int | None:
    """Return the block before which one step explains most of what the basis leaves of the level, None if none does.

    A step that has been freed from the basis is a tooth of a few blocks: of a wave of four cycles it explains a third.
    """
    n = level.size
    if n <= 2 * basis.shape[1]:
        return None
    frame = np.linalg.qr(basis * weight[:, None])[0]
    steps = np.tri(n)[:, BREAK_MARGIN : n - BREAK_MARGIN] * weight[:, None]
    steps = steps - frame @ (frame.T @ steps)
    rest = level * weight - frame @ (frame.T @ (level * weight))
    total = float(np.dot(rest, rest))
    if total <= 0:
        return None
    share = (rest @ steps) ** 2 / np.maximum(np.sum(steps**2, axis=0), 1e-12) / total
    top = int(np.argmax(share))
    return top + BREAK_MARGIN if share[top] > BREAK_SHARE else None
