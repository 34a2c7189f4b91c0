"""Where a curve leaps and returns: excursions beyond the run's own noise and tail."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analyzer.features.curve import Curve
from analyzer.stats import robust
from analyzer.stats.robust import running_medians

BLOCK = 16  # points that tell how wide the noise is
RUNS = 20.0  # of which one has an ordinary leap beyond the bound
FEWEST = 3  # points before a leap, and after it, that show how high it is


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
    held = running_medians(np.pad(block, 1, mode="edge"), 3)
    return np.asarray(np.maximum(np.repeat(held, np.diff(edges)), sigma))


def _slow(height: NDArray[np.float64], floor: float) -> list[Spike]:
    """Return excursions that heal so slowly that they widen the tail they are measured by: medians tell."""
    if height.size < 100:
        return []
    calm = running_medians(np.pad(height, 4), 9)
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
    before = _window_medians(y, at - window, window)
    after = _window_medians(y, at + stride, window)
    after = np.minimum.accumulate(after[::-1])[::-1]  # some leaps take long to heal: any later level will do
    index = np.arange(n) // stride
    base = np.maximum(before[index], after[index])
    return np.asarray(np.where(np.isfinite(base), y - base, 0.0))


def _window_medians(y: NDArray[np.float64], starts: NDArray[np.int64], window: int) -> NDArray[np.float64]:
    """Return the median of the part of each window that lies in the curve, inf where it holds fewer than three."""
    whole = (starts >= 0) & (starts + window <= y.size)
    found = np.full(starts.size, np.inf)
    if whole.any():  # all at once: one by one they were the dearest medians of a judgement
        found[whole] = robust.row_medians(robust.sliding_windows(y, window)[starts[whole]])
    for i in np.flatnonzero(~whole).tolist():
        part = y[max(0, int(starts[i])) : max(0, int(starts[i]) + window)]
        if part.size >= FEWEST:
            found[i] = robust.median(part)
    return found


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
    few = min(k // 3, 12)
    skip = _apart(upper[:k], few)
    if skip > few:
        return float(upper[skip - 1] + upper[skip]) / 2
    base, body = float(upper[k - 1]), upper[skip : k - 1]
    scale = float(np.mean(body - base)) if body.size else 0.0
    scale *= 1 + skip / max(1, k - skip)  # what was cut off the top would have added to the mean
    return base + scale * float(np.log(RUNS * k))


def _apart(upper: NDArray[np.float64], few: int) -> int:
    """Return how many of the largest values (in falling order) lie apart from the tail below them; at least `few`.

    In an exponential tail the j-th spacing from above times j has the tail's scale, whatever j is: a gap that is wider
    than the largest of them would be once in twenty runs lies between two kinds of points.
    Source: Rényi, On the theory of order statistics, Acta Mathematica Hungarica 4 (1953).
    """
    spacings = -np.diff(upper) * np.arange(1, upper.size)
    below = np.cumsum(spacings[::-1])[::-1]
    count = np.arange(spacings.size, 0, -1)
    scale = np.maximum((below - spacings) / np.maximum(count - 1, 1), np.finfo(float).tiny)
    wide = np.flatnonzero((spacings > scale * np.log(RUNS * upper.size)) & (count > FEWEST))
    return max(few, int(wide[-1]) + 1) if wide.size else few


def _stretches(hit: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last index of runs of hits; runs that are two points apart are one."""
    at = np.flatnonzero(hit)
    if not at.size:
        return []
    cuts = np.flatnonzero(np.diff(at) > 3)
    return [(int(a), int(b)) for a, b in zip(at[np.r_[0, cuts + 1]], at[np.r_[cuts, at.size - 1]], strict=True)]
