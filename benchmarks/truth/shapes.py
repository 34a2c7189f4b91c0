"""What the shape of a curve says to the oracle: where it left a level, whether it stands, echoes, or parts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmarks.truth.autograd import Array
from benchmarks.truth.events import Curve
from benchmarks.truth.exhibit import NotShownError, tail


def left_for_good(values: Array, at: Array, onset: int, above: float) -> int:
    """Update after the last one at which the running median of nine points was not above the level."""
    middle = np.median(np.lib.stride_tricks.sliding_window_view(np.pad(values, 4, mode="edge"), 9), axis=1)
    below = np.flatnonzero((middle <= above) | (at < onset))
    return int(at[min(below[-1] + 1, len(at) - 1)]) if below.size else int(at[0])


def turn(values: Array, at: Array) -> int:
    """Update of the smoothed minimum: a slow explosion has no other beginning."""
    width = max(1, len(values) // 40)
    smooth = np.convolve(values, np.ones(width) / width, mode="valid")
    return int(at[int(np.argmin(smooth)) + width // 2])


def absurdly(curve: Curve) -> bool:
    """At 0, or at one and the same value from the first evaluation on: a good value once reached may stay."""
    return float(curve.values[-1]) == 0.0 or (float(np.ptp(curve.values)) == 0.0 and curve.values[0] < 0.97)


def stands(curve: Curve) -> bool:
    """Constant in the last nine tenths of at least eight evaluations, and no ranking metric among them."""
    rest = curve.values[len(curve.values) // 10 :]
    return len(curve.values) >= 8 and float(np.ptp(rest)) == 0.0 and ":auc:" not in curve.role


def metric_gap(evals: Mapping[str, Array]) -> float:
    """Return training minus validation, of the accuracy or R² at the end; NotShownError without one."""
    name = next((m for m in ("accuracy", "r2") if f"val.{m}" in evals), None)
    if name is None:
        raise NotShownError("no metric to compare")
    return tail(evals[f"train.{name}"]) - tail(evals[f"val.{name}"])


def echo(values: Array, lag: float) -> float:
    """Autocorrelation at the lag, of the log loss without its running median-like trend."""
    x = np.log(np.maximum(values, 1e-12)) if values.min() > 0 else values
    width = max(3, round(lag)) | 1
    trend = np.convolve(np.pad(x, width // 2, mode="edge"), np.ones(width) / width, mode="valid")
    rest = (x - trend)[width // 2 : len(x) - width // 2]
    k = round(lag)
    if len(rest) < 2 * k or rest.std() < 1e-12:
        return 0.0
    return float(np.corrcoef(rest[:-k], rest[k:])[0, 1])
