"""A curve laid over itself, one period upon the other: the shape that comes again and again, without its noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from analyzer.model.evidence import Mark
from analyzer.model.formatting import step
from analyzer.model.result import SeriesRow
from analyzer.model.run import Series

LEAST = 5
"""So many evenly spaced marks make a period."""

EVEN = 0.25
BINS = 60


def folded(rows: Sequence[SeriesRow], marks: Sequence[Mark]) -> tuple[SeriesRow, str] | None:
    """Return the median period of the first series that is marked at even steps, and what it shows; None without one.

    Its steps count from the beginning of a period; its values are shares of each period's own median where the curve
    is positive, and differences from it elsewhere, so that a falling loss does not blur its shape.
    """
    for row in rows:
        starts = np.unique([s for m in marks if m.tag == row.tag and m.kind == "step" and not m.label for s in m.steps])
        if row.curve is None or starts.size < LEAST:
            continue
        gaps = np.diff(starts)
        length = float(np.median(gaps))
        if float(np.max(np.abs(gaps - length))) > EVEN * length:
            continue
        shape = _shape(row.curve, int(starts[0]), length)
        if shape is not None:
            told = f"One period of {step(length)} steps: the median of all, overlaid"
            return replace(
                row, tag=f"{row.tag}, beside the median of its period", curve=shape, points=shape.points
            ), told
    return None


def _shape(curve: Series, start: int, length: float) -> Series | None:
    held = np.isfinite(curve.values)
    at, values = (curve.steps[held] - start).astype(np.float64), curve.values[held]
    period = np.floor(at / length).astype(np.int64)
    values = _levelled(values, period)
    bins = int(min(BINS, length))
    phase = np.minimum((np.mod(at, length) / length * bins).astype(np.int64), bins - 1)
    seen = np.flatnonzero(np.bincount(phase, minlength=bins) > 1)
    if seen.size < LEAST:
        return None
    middle = np.array([float(np.median(values[phase == i])) for i in seen])
    steps = np.rint(seen * length / bins).astype(np.int64)
    return Series(curve.tag, steps, middle, np.zeros(seen.size))


def _levelled(values: NDArray[np.float64], period: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the values beside the median of their own period."""
    _, which = np.unique(period, return_inverse=True)
    each = [float(np.median(values[which == i])) for i in range(int(which.max()) + 1)]
    medians = np.array(each, dtype=np.float64)[which]
    return np.divide(values, medians) if float(values.min()) > 0 else np.subtract(values, medians)
