"""From MLflow's columns to a Series: its order, its clock and its way to store infinities."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analyzer.model.run import Series

LARGEST = float(np.finfo(np.float64).max)  # what MLflow's databases hold for infinity


def series_of(tag: str, stamps: NDArray[np.int64], values: NDArray[np.float64], steps: NDArray[np.int64]) -> Series:
    """Return the points by timestamp, ties by step: by step alone a resumed run would be interleaved."""
    order = np.lexsort((steps, stamps))
    return Series(tag, steps[order], values[order], stamps[order] / 1000.0)


def unstored(values: NDArray[np.float64], is_nan: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return a database's values as they were logged: its rows for NaN hold 0, those for ±inf the largest float."""
    logged = np.where(np.abs(values) >= LARGEST, np.copysign(np.inf, values), values)
    return np.where(is_nan, np.nan, logged)
