"""Where a curve leaps and returns: excursions beyond the run's own noise and tail."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analyzer.features.curve import Curve
from analyzer.stats import robust

BLOCK = 16  # points that tell how wide the noise is


@dataclass(frozen=True)
class Spike:
    """One excursion: finite points `first` to `last`, its `height` in `y`, and how far beyond the noise (`ratio`)."""

    first: int
    last: int
    height: float
    ratio: float

    @property
    def points(self) -> int:
        """How many logged points it lasts."""
        return self.last - self.first + 1


def spikes(curve: Curve) -> list[Spike]:
    """Return the excursions of a curve that are beyond its noise, in order; the largest ordinary one when none is."""
    height = _heights(curve.y, max(5, min(400, curve.n // 8)))
    sigma = max(curve.sigma, robust.upper_sigma(height), 1e-6)
    lasting = _median5(height)
    floor = np.log(1.15) if curve.log else 0.02 * float(np.ptp(curve.y))
    far_lasting, far_single = np.maximum(5 * _local(curve, sigma), floor), max(_tail(height), 6 * sigma, floor)
    found = []
    for first, last in _stretches((lasting > far_lasting) | (height > far_single)):
        top = float(np.max(height[first : last + 1]))
        held = float(np.max(lasting[first : last + 1] / far_lasting[first : last + 1]))
        ratio = max(top / far_single, held if last - first >= 2 else 0.0)
        found.append(Spike(first, last, top, ratio))
    found = found or _slow(height, floor)
    if found:
        return found
    top = int(np.argmax(height))
    return [Spike(top, top, float(max(height[top], 0.0)), float(max(height[top], 0.0)) / far_single)]


def _local(curve: Curve, sigma: float) -> NDArray[np.float64]:
    """Return the noise around each point, `sigma` at least: that of a loss close to 0 is wider than it was before.

    It is the median over three neighbouring twelfths of the curve, so that no leap widens the limit it is held to.
    """
    if curve.n < 12 * BLOCK:
        return np.full(curve.n, sigma)
    edges = np.linspace(0, curve.n, 13).astype(np.int64)
    block = robust.block_sigmas(curve.residual, edges)
    held = np.median(np.lib.stride_tricks.sliding_window_view(np.pad(block, 1, mode="edge"), 3), axis=1)
    return np.asarray(np.maximum(np.repeat(held, np.diff(edges)), sigma))


def _slow(height: NDArray[np.float64], floor: float) -> list[Spike]:
    """Return excursions that heal so slowly that they widen the tail they are measured by: medians tell."""
    if height.size < 100:
        return []
    calm = np.median(np.lib.stride_tricks.sliding_window_view(np.pad(height, 4), 9), axis=1)
    threshold = max(8 * robust.mad_sigma(calm), 3 * floor, float(np.finfo(float).tiny))
    found = []
    for first, last in _stretches(calm > threshold):
        top = float(np.max(height[first : last + 1]))
        found.append(Spike(first, last, top, float(np.max(calm[first : last + 1])) / threshold))
    return found


def _heights(y: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Height over the higher of the medians of the windows before and after; 0 where one of them is missing."""
    n = y.size
    stride = max(1, window // 8)
    at = np.arange(0, n, stride)
    before = np.array([robust.median(y[max(0, i - window) : i]) if i >= 3 else np.inf for i in at])
    after = np.array([robust.median(y[i : i + window]) if n - i >= 3 else np.inf for i in at + stride])
    after = np.minimum.accumulate(after[::-1])[::-1]  # some leaps take long to heal: any later level will do
    index = np.arange(n) // stride
    base = np.maximum(before[index], after[index])
    return np.asarray(np.where(np.isfinite(base), y - base, 0.0))


def _median5(height: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the running median of five by comparisons alone: a tenth of the time that sorting windows takes."""
    held = np.concatenate([[0.0, 0.0], height, [0.0, 0.0]])
    a, b, c, d, e = (held[i : held.size - 4 + i] for i in range(5))
    low = np.maximum(np.minimum(a, b), np.minimum(c, d))
    high = np.minimum(np.maximum(a, b), np.maximum(c, d))
    return np.asarray(np.maximum(np.minimum(low, e), np.minimum(np.maximum(low, e), high)))


def _tail(height: NDArray[np.float64]) -> float:
    """Height that the largest of so many points with this tail exceeds once in twenty runs."""
    upper = np.sort(height)[::-1]
    k = max(4, upper.size // 10)
    # the few largest may be spikes themselves: the tail is fitted to what lies below them
    skip = min(k // 3, 12)
    base, body = float(upper[k - 1]), upper[skip : k - 1]
    scale = float(np.mean(body - base)) if body.size else 0.0
    scale *= 1 + skip / max(1, k - skip)  # what was cut off the top would have added to the mean
    return base + scale * float(np.log(20.0 * k))


def _stretches(hit: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last index of runs of hits; runs that are two points apart are one."""
    at = np.flatnonzero(hit)
    if not at.size:
        return []
    cuts = np.flatnonzero(np.diff(at) > 3)
    return [(int(a), int(b)) for a, b in zip(at[np.r_[0, cuts + 1]], at[np.r_[cuts, at.size - 1]], strict=True)]
