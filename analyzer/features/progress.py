"""How far a loss has come, how much it still moves, and whether it still goes anywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from analyzer.features.curve import Curve
from analyzer.model.formatting import counted
from analyzer.stats import robust, trend
from analyzer.stats.robust import even_edges, quantile, quantiles

if TYPE_CHECKING:
    from analyzer.features import RunFeatures

WIDE = 0.5  # spread in log space from which levels are compared there
LEAST = 12  # points below which nothing is said about progress
ONE_WAY = 0.7  # mean sign of the changes from which a curve climbs or falls and does not swing


@dataclass(frozen=True)
class Progress:
    """Progress of one loss; shares are of the size of the starting level (raw values).

    - `gain`: fall from the start to the end; `best_gain`: to the lowest lasting level; `moved`: the gain over the
      standard error of the two levels it compares.
    - `later_gain`: fall of the trend over the part after the first tenth; `later_most`: its upper 95 % bound. Both, and
      `half_most`, are shares of the median where that is higher than the start.
    - `half_most`: the largest change of the trend over the second half, up or down, within its 95 % bounds.
    - `swing`: robust spread of the values around the trend in the second half, over their median; `rho`: their
      lag-1 autocorrelation; `leaps`: median relative change from point to point in the last third, a steady course
      left out.
    - `climbs`: how often the level of thirty blocks rises by a quarter of the start (or the median, if higher), and by
      more than noise explains.
    """

    start: float
    end: float
    best: float
    gain: float
    best_gain: float
    later_gain: float
    later_most: float
    half_most: float
    leaps: float
    swing: float
    rho: float
    moved: float
    climbs: int = 0


def progress(curve: Curve) -> Progress | None:
    """Return the progress of a loss, None with fewer than a dozen finite points."""
    if curve.n < LEAST:
        return None
    if curve not in _KNOWN:
        _KNOWN[curve] = _progress(curve)
    return _KNOWN[curve]


_KNOWN: WeakKeyDictionary[Curve, Progress] = WeakKeyDictionary()  # several detectors ask, of the same few curves


def _progress(curve: Curve) -> Progress:
    raw, n = curve.raw, curve.n
    head = max(1, min(5, n // 12))
    start = beginning(raw, head)
    tail = raw[-max(4, n // 8) :]
    end = robust.median(tail)
    levels = _levels(raw)
    best = float(np.min(levels[1:])) if levels.size > 1 else end
    scale = _scale(raw, start)
    high = max(scale, abs(robust.median(raw)))  # of a loss that rose at once, a fall is a share of where it stands
    after_start = _from(curve, 0.1)
    at, medians = _even_blocks(raw[after_start:])
    slope, low, _ = trend.slope(at, medians)
    falls = [-slope * (n - after_start), -low * (n - after_start)]
    later = raw[_from(curve, 0.5) :]
    if curve.log and robust.mad_sigma(curve.residual[curve.n // 2 :]) > WIDE:
        falls = _falls_in_log(curve, after_start, above=end > 2 * start)
    third = raw[min(_from(curve, 2 / 3), n - 6) :]
    half_at, half_medians = _even_blocks(later)
    _, half_low, half_high = trend.slope(half_at, half_medians)
    detrended = later - trend.smooth(later, 12)
    middle = robust.median(later)
    return Progress(
        start=start,
        end=end,
        best=best,
        gain=(start - end) / scale,
        best_gain=(start - best) / scale,
        later_gain=falls[0] / high,
        later_most=falls[1] / high,
        half_most=max(abs(half_low), abs(half_high)) * later.size / high,
        leaps=_leaps(third) / max(abs(robust.median(third)), 1e-3 * scale),
        swing=max(robust.mad_sigma(later), robust.mad_sigma(detrended)) / max(abs(middle), 1e-3 * scale),
        rho=robust.autocorrelation(detrended),
        moved=_moved(raw, head, tail),
        climbs=_climbs(raw, high),
    )


def _leaps(raw: NDArray[np.float64]) -> float:
    """Return the median change from point to point; where nearly all go one way, that of the change: no climb leaps.

    Both are of one size in white noise (the second difference has three times the variance of the first).
    """
    change = np.diff(raw)
    if abs(float(np.mean(np.sign(change)))) > ONE_WAY:
        return robust.median(np.abs(np.diff(change))) / float(np.sqrt(3.0))
    return robust.median(np.abs(change))


def course(features: RunFeatures) -> tuple[Curve, Progress] | str:
    """Return the loss the run's course is judged by with its progress, or why it cannot be judged.

    It is the finest training loss that is no running mean, or a validation loss of a run without one.
    """
    if not features.falls:
        return features.why_not
    losses = [c for c in (features.training or features.validation) if not c.role.running] or features.training
    curve = next((c for c in losses if c.n >= LEAST), None)
    if curve is None:
        return f"fewer than {LEAST} finite points of a loss" if losses else "no training or validation loss is known"
    if not curve.finite[-1]:
        return f"{curve.tag} is non-finite at the end, after {counted(curve.n, 'finite point')}"
    far = progress(curve)
    return (curve, far) if far is not None else f"fewer than {LEAST} finite points of a loss"


def beginning(raw: NDArray[np.float64], head: int) -> float:
    """Return where a curve begins: the median of its first points, or the very first where they have left it far.

    They may have left it upwards, too: a loss that leaps in its first steps began where it was before.
    """
    middle, first = robust.median(raw[:head]), float(raw[0])
    noise = robust.mad_sigma(raw[head : head + 20])
    block = raw[: max(head, raw.size // 12)]
    level = robust.median(block)
    if abs(middle - level) < 3 * 1.2533 * robust.difference_sigma(block) / float(np.sqrt(head)):
        middle = level  # a block tells the level of a start that has not moved yet better than three noisy points
    if first - middle > 4 * noise + 0.1 * abs(middle) or _left_upwards(raw, head, middle):
        return first
    return middle


def _left_upwards(raw: NDArray[np.float64], head: int, middle: float) -> bool:
    """Whether the very first value is far below the `middle` of the first ones, or below nearly all that follow."""
    first, late, after = float(raw[0]), raw[raw.size // 2 :], raw[1 : 1 + 4 * head + 8]
    soon = robust.median(after)
    if first <= 0 or max(soon, middle) <= 2 * first or late.min() <= 0:
        return False
    if after.size > 8 and soon > 2 * first and quantile(after, 0.1) > first:
        return True
    noise = robust.mad_sigma(np.log(late))
    return bool(np.log(max(middle, first) / first) > 4 * noise + np.log(2))


def _from(curve: Curve, share: float) -> int:
    """Index of the first point at a share of the steps: logs that are dense at the start have halves of their own.

    At least a quarter of the points (and eight) are left behind it.
    """
    at = int(np.searchsorted(curve.at, curve.at[0] + share * float(curve.at[-1] - curve.at[0])))
    return max(0, min(at, curve.n - max(8, curve.n // 4)))


def _falls_in_log(curve: Curve, first: int, *, above: bool) -> list[float]:
    """Return the fall from an index on and its upper bound in raw units, measured where wide noise is even.

    `above` its start, only a fall that is beyond chance is one.
    """
    at, medians = _even_blocks(curve.y[first:])
    slope, low, high = trend.slope(at, medians)
    if above and high >= 0:
        return [0.0, 0.0]
    level = float(np.exp(medians[0]))
    return [level * -float(np.expm1(min(fall * (curve.n - first), 700.0))) for fall in (slope, low)]


def _scale(raw: NDArray[np.float64], start: float) -> float:
    # near-zero or negative losses have no meaningful ratio: their own range stands in
    low, high = quantiles(raw, (0.01, 0.99))
    spread = high - low
    return max(abs(start), 0.5 * spread if raw.min() <= 0 else 0.0, np.finfo(float).tiny)


def _levels(raw: NDArray[np.float64]) -> NDArray[np.float64]:
    return trend.blocked(raw, 20, least=3).level


def _even_blocks(raw: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    count = int(min(30, max(4, raw.size // 3)))
    edges = even_edges(raw.size, count)
    medians = robust.block_medians(raw, edges)
    return (edges[:-1] + edges[1:] - 1) / 2.0, medians


def _moved(raw: NDArray[np.float64], head: int, tail: NDArray[np.float64]) -> float:
    noise = max(robust.difference_sigma(raw), robust.mad_sigma(tail))
    error = 1.2533 * noise * float(np.sqrt(1 / head + 1 / tail.size))
    fall = robust.median(raw[:head]) - robust.median(tail)
    return fall / error if error > 0 else (float("inf") if fall else 0.0)


def _climbs(raw: NDArray[np.float64], scale: float) -> int:
    _, medians = _even_blocks(raw)
    error = 1.2533 * robust.difference_sigma(raw) * float(np.sqrt(medians.size / raw.size))
    return trend.climbs(medians, max(0.25 * scale, 6 * error))


def falls_after(curve: Curve, step_: int) -> bool:
    """Return whether a loss goes on falling after a step: its last quarter from there lies clearly below the first.

    Clearly: by more than 2 % (of its spread where it may be negative) and three standard errors.
    """
    after = curve.y[curve.at >= step_]
    few = max(2, after.size // 4)
    if after.size < 2 * few:
        return False
    first, last = robust.median(after[:few]), robust.median(after[-few:])
    error = 1.2533 * curve.sigma * float(np.sqrt(2 / few))
    least = 0.02 if curve.log else 0.02 * max(abs(first), float(np.ptp(after)))
    return bool(first - last > max(3 * error, least))
