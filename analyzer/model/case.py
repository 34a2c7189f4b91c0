"""Small runs by formula that a detector carries with it: they must fire, almost fire, or stay quiet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analyzer.model.run import Run, Series


@dataclass(frozen=True, slots=True)
class Case:
    """One example of a symptom: `expect` says whether the detector must fire on the run it makes.

    *almost* is a run that looks like the symptom and is none: it must not become a finding that raises alarm.
    """

    name: str
    expect: Literal["fires", "quiet", "almost"]
    make: Callable[[], Run]


def made_run(curves: Mapping[str, ArrayLike | tuple[ArrayLike, ArrayLike]], **params: object) -> Run:
    """Return a run from values by tag, or (steps, values) by tag; one second between steps."""
    series = {}
    for tag, given in curves.items():
        steps, values = given if isinstance(given, tuple) else (np.arange(np.size(given)), given)
        at = np.asarray(steps, dtype=np.int64)
        series[tag] = Series(tag, at, np.asarray(values, dtype=np.float64), 1.7e9 + at.astype(np.float64))
    return Run("case", "case", "made", "formula", series, params)


def falling(n: int, start: float = 2.3, floor: float = 0.2, rate: float = 5.0) -> NDArray[np.float64]:
    """Return a clean loss that falls as training losses do: a power law from `start` towards `floor`."""
    return floor + (start - floor) * (1 + rate * np.arange(n) / max(1, n) * 4) ** -1.0


def noise(n: int, size: float, seed: int = 0, *, skew: float = 0.0) -> NDArray[np.float64]:
    """Return n values of noise with standard deviation `size`, fixed by the seed, skewed to the right by `skew`."""
    rng = np.random.default_rng(seed)
    drawn = rng.standard_normal(n)
    if skew:
        drawn = drawn + skew * (rng.exponential(1.0, n) - 1.0)
        drawn /= np.sqrt(1 + skew**2)
    return size * drawn
