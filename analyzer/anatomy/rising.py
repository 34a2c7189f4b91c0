"""Whether a loss stands high at its end, since when, and how far beyond what it did before."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from analyzer.anatomy.curve import Curve
from analyzer.stats import changepoint, robust

LONG = 40  # points
LEFT = 10.0  # times its first level: what a loss that leaves it at once and never returns has exploded to
APART = 12  # points before and since that show, with hardly one between, that the levels are two
BACK = 0.95  # of a leap that has been made good again while the loss goes on falling: the rest is a matter of time
PEAK = 1000.0  # times its first level at its highest: after an easy first batch, an ordinary start is less


@dataclass(frozen=True)
class Rise:
    """The stretch up to the end that lies above the lowest level held before; sizes in `y`."""

    onset: int
    low: float
    level: float
    noise: float
    factor: float
    lost: float


def rise_at_end(curve: Curve) -> Rise:
    """Return the largest lasting rise at the end of a curve; all zero where it ends at its lowest."""
    return _left_at_once(curve) or _rise_at_end(curve)


def _left_at_once(curve: Curve) -> Rise | None:
    """Return the rise of a loss that left its first level within a few steps, for ever: an untrained model was better.

    So few points before it have no noise of their own to be compared with: it is that of the points after it, and
    nearly all of these must lie above all those.
    """
    y = curve.y
    far = np.flatnonzero(y > y[0] + np.log(LEFT))
    if not curve.log or not far.size:
        return None
    onset = int(far[0])
    rest = y[onset:]
    if onset > max(1, curve.n // 10) or rest.size < LONG // 4:
        return None
    base, end = float(np.max(y[:onset])), curve.end
    stays = np.quantile(rest, 0.05) > base and end > base + np.log(LEFT) and rest.max() > base + np.log(PEAK)
    sigma = max(robust.mad_sigma(curve.residual[onset:]), robust.difference_sigma(rest), 1e-3)
    if not stays or end - base < 6 * sigma:
        return None
    factor = float(np.exp(min(end - base, 700.0)))
    return Rise(onset, base, end, (end - base) / sigma, factor, (end - base) / float(np.log(2)))


def _rise_at_end(curve: Curve) -> Rise:
    y, n = curve.y, curve.n
    low = _lowest_before(curve)
    sigma = max(_calm_sigma(curve), 1e-3 * (1.0 if curve.log else abs(robust.median(y))), np.finfo(float).tiny)
    onset = _onset(y, low, sigma)
    if onset >= n:
        return Rise(n - 1, float(low[-1]), float(y[-1]), 0.0, 1.0, 0.0)
    onset = _sharpened(y, _not_returned(y, onset, float(low[onset])), float(low[onset]) + 3 * sigma)
    candidates = {onset, _record(y, onset), _changed(curve, onset)}
    rise = max((_rise_from(curve, low, sigma, at) for at in sorted(candidates)), key=lambda r: r.noise)
    if _nearly_back(curve, rise) or _low_first_points(curve, rise):
        return Rise(rise.onset, rise.low, curve.end, 0.0, 1.0, 0.0)
    return rise


def _nearly_back(curve: Curve, rise: Rise) -> bool:
    """Whether nearly all of a leap is made good and the rest still falls: it takes its time, but it does not stay up.

    Below where the run began: from far above, nearly all is soon made good and what was learnt is lost all the same.
    """
    held = curve.y[rise.onset :]
    if not curve.finite[-1] or held.size < LONG or curve.end >= curve.start:
        return False
    quarters = [robust.median(part) for part in np.array_split(held, 4)]
    top, end, low = (curve.back(v) for v in (float(np.max(held)), curve.end, rise.low))
    falling = all(before > after for before, after in itertools.pairwise(quarters))
    clearly = quarters[2] - quarters[3] > 8.5 * curve.sigma / float(np.sqrt(held.size))  # 3 errors of a quarter
    return bool(falling and clearly and top - end > BACK * (top - low))


def _low_first_points(curve: Curve, rise: Rise) -> bool:
    """Whether a handful of low first points is all that a long curve has risen from, and it comes near them again.

    A few points are no level to judge the rest by; only far above them (`_left_at_once`) is something lost.
    """
    if rise.onset > min(5, curve.n // 100) or rise.factor > LEFT:
        return False
    return bool(np.min(curve.blocks.level[1:]) < (rise.low + rise.level) / 2) and curve.end < curve.trend.max()


def _changed(curve: Curve, onset: int) -> int:
    """Return where the level of the blocks leaps most from the onset on (optimal partitioning), else the onset."""
    blocks = curve.blocks
    edges = changepoint.levels(blocks.level)
    if edges.size < 3:
        return onset
    pieces = [robust.median(blocks.level[a:b]) for a, b in itertools.pairwise(edges.tolist())]
    leaps = [
        (later - before, int(blocks.edges[edge]))
        for before, later, edge in zip(pieces, pieces[1:], edges[1:], strict=False)
    ]
    after = [(size, at) for size, at in leaps if at >= onset and size > 0]
    return max(after)[1] if after else onset


def _not_returned(y: np.ndarray, onset: int, base: float) -> int:
    """Return the onset, or the point after which the curve was last (nearly) as low as before: waves return."""
    held = y[onset:]
    size = max(5, held.size // 30)
    whole = held.size // size * size
    calm = np.median(held[:whole].reshape(-1, size), axis=1) if whole else held[:0]
    back = np.flatnonzero(calm < base + 0.15 * (robust.median(held) - base))
    return onset + size * (int(back[-1]) + 1) if back.size and size * (back[-1] + 1) < held.size else onset


def _sharpened(y: np.ndarray, onset: int, threshold: float) -> int:
    """Return the first point from the onset on that is above and stays there: a lone noisy point before it is none."""
    for i in range(onset, y.size - 3):
        if y[i] > threshold and robust.median(y[i : i + 5]) > threshold:
            return i
    return onset


def _calm_sigma(curve: Curve) -> float:
    """Noise of the calmest third: an explosion brings noise of its own."""
    if curve.n < 30:
        return curve.sigma
    thirds = np.array_split(np.arange(curve.n), 3)
    return min(max(robust.mad_sigma(curve.residual[t]), robust.difference_sigma(curve.y[t])) for t in thirds)


def _rise_from(curve: Curve, low: np.ndarray, sigma: float, onset: int) -> Rise:
    y, base = curve.y, float(low[onset])
    level = robust.median(y[onset:])
    rise = level - base
    # how high it went and came back, once it had been low: its first descent is no noise
    low_enough = np.flatnonzero(curve.trend[:onset] <= base + rise / 3)
    before = y[int(low_enough[0]) : onset] - base if low_enough.size else y[:0]
    few = y.size - onset < max(3, 0.01 * y.size)
    if (few or not curve.finite[-1]) and y[-1] == np.max(y):
        level = float(y[-1])  # still growing when the log ends, or when it is no number any more
        rise = level - base
    late = y[onset // 2 : onset]
    if (few and level <= np.max(y[:onset])) or (late.size >= 8 and robust.median(late) > base + rise / 2):
        return Rise(onset, base, level, 0.0, 1.0, 0.0)  # a last leap into known heights, or up from a passing dip
    if min(before.size, y.size - onset) >= LONG:  # a level held by so many points is measured against levels
        before = np.median(np.lib.stride_tricks.sliding_window_view(before, 9), axis=1)
    usual = float(np.quantile(before, 1.0 if few else 0.98)) if before.size else 0.0
    held = y[onset:]
    apart = min(before.size, held.size) >= APART and np.quantile(held, 0.05) > base + usual
    width = max(sigma if few else 0.6 * sigma, usual / (5.0 if apart else 3.0))
    progress = max(robust.median(y[: max(1, min(3, onset))]) - base, 3 * sigma)
    factor = float(np.exp(min(rise, 700.0))) if curve.log else 1 + rise / max(abs(base), 0.1 * float(np.ptp(y)))
    return Rise(onset, base, level, rise / width, factor, rise / progress)


def _record(y: np.ndarray, onset: int) -> int:
    """Return the first point of the suffix that lies above everything before it, `onset` when there is none."""
    highest = np.maximum.accumulate(y)[:-1]
    lowest_after = np.minimum.accumulate(y[::-1])[::-1][1:]
    records = np.flatnonzero(lowest_after > highest) + 1
    records = records[records >= onset]
    return int(records[0]) if records.size else onset


def _lowest_before(curve: Curve) -> np.ndarray:
    """Lowest level held before each point: the running minimum of the trend's blocks, not of single dips."""
    y = curve.y
    if curve.n < 15:
        calm = np.array([np.median(y[max(0, i - 2) : i + 1]) for i in range(curve.n)])
        return np.minimum.accumulate(np.concatenate([y[:1], calm[:-1]]))
    blocks = curve.blocks
    lowest = np.minimum.accumulate(blocks.level)
    at = np.searchsorted(blocks.edges, np.arange(curve.n), side="right") - 1
    before = np.concatenate([blocks.level[:1], lowest])[at]
    return np.asarray(np.minimum(before, np.maximum(before, y[0])))


def _onset(y: np.ndarray, low: np.ndarray, sigma: float) -> int:
    """Return the first point of the longest suffix of which nine tenths lie above the level held before it."""
    n = y.size
    if y[-1] <= low[-1] + 3 * sigma and np.median(y[-3:]) <= low[-1] + 3 * sigma:
        return n
    best = n
    points = n - np.arange(n)
    for base in np.unique(low):  # a running minimum of block medians has few distinct values
        above = y > base + 3 * sigma
        share = np.cumsum(above[::-1])[::-1] / points
        fits = np.flatnonzero(above & (share >= 0.9) & (low == base))
        fits = fits[fits > 0]
        if fits.size:
            best = min(best, int(fits[0]))
    return best
