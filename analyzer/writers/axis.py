"""Axes: which scale a curve wants, and ticks at the numbers people would choose."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analyzer.model.formatting import number

LOG_FROM = 100.0
"""A positive curve that spans more than this factor is drawn on a logarithmic scale."""

_MOST = sys.float_info.max

SQUEEZED = 10.0
"""So is one whose highest point is more than this factor above its median: one spike would flatten all else."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on an axis, 0 at its low end and 1 at its high end, and what is written there."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Axis:
    """A range of values on a linear or logarithmic scale; `low` < `high`, both positive when `log`."""

    low: float
    high: float
    log: bool = False

    def place(self, values: ArrayLike) -> NDArray[np.float64]:
        """Return where the values lie, 0 to 1 inside the axis; NaN for what has no place on it."""
        given = np.asarray(values, dtype=np.float64)
        with np.errstate(all="ignore"):
            if self.log:
                low, high = math.log(self.low), math.log(self.high)
                given = np.where(given > 0, np.log(np.where(given > 0, given, 1.0)), np.nan)
            else:
                low, high = self.low, self.high
            if math.isfinite(high - low):
                placed = (given - low) / (high - low)
            else:  # the range itself overflows
                placed = (given / 2 - low / 2) / (high / 2 - low / 2)
        return np.where(np.isfinite(placed), placed, np.nan)

    def ticks(self, about: int, *, steps: bool = False) -> tuple[Tick, ...]:
        """Return about that many ticks at round numbers; those of steps are written out."""
        values = _log_values(self.low, self.high, about) if self.log else _round_values(self.low, self.high, about)
        places = self.place(values)
        written = _step_label if steps else _label
        return tuple(Tick(float(p), written(v)) for v, p in zip(values, places, strict=True) if -1e-9 <= p <= 1 + 1e-9)


def value_axis(values: NDArray[np.float64], *, linear: bool = False) -> Axis:
    """Return the vertical axis for finite values, with a little air: logarithmic if positive and wide."""
    if not values.size:
        return Axis(0.0, 1.0)
    low, high = float(values.min()), float(values.max())
    if not linear and low > 0 and (high / low > LOG_FROM or _squeezed(values)):
        air = (high / low) ** 0.05 if math.isfinite(high / low) else 1.0
        return Axis(max(low / air, 5e-324), min(high * air, _MOST), log=True)
    if low == high == 0:
        return Axis(-0.05, 1.0)
    air = abs(low) * 0.1 or 1.0 if low == high else (high / 2 - low / 2) * 0.1
    return Axis(max(low - air, -_MOST), min(high + air, _MOST))


def _squeezed(values: NDArray[np.float64]) -> bool:
    return float(values.max()) / 2 / max(float(np.median(values / 2)), 5e-324) > SQUEEZED


def step_axis(first: int, last: int) -> Axis:
    """Return the horizontal axis over steps; one step alone stands in the middle."""
    low, high = float(first), float(last)
    if high > low:
        return Axis(low, high)
    air = max(1.0, abs(low) * 1e-12)  # beyond 2**53 one step more is the same number
    return Axis(low - air, high + air)


def _round_values(low: float, high: float, about: int) -> list[float]:
    rough = (high / about) - (low / about)
    if not (math.isfinite(rough) and rough > 0):
        return [low]
    power = 10.0 ** math.floor(math.log10(rough))
    if power == 0:
        return [low]
    step = next(power * nice for nice in (1, 2, 2.5, 5, 10) if power * nice >= rough * 0.999)
    if not math.isfinite(step):
        return [low]
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(i * step, 12 - math.floor(math.log10(step))) for i in range(first, min(last, first + 20) + 1)]


def _log_values(low: float, high: float, about: int) -> list[float]:
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    every = max(1, math.ceil((last - first) / max(1, about)))
    parts = (1, 2, 5) if last - first <= 2 else (1,)
    decades = [d for d in range(first, last + 1) if d % every == 0 and -308 <= d <= 308]
    return [v for d in decades for p in parts if low <= (v := float(f"{p}e{d}")) <= high]


def _step_label(value: float) -> str:
    return f"{value:,.0f}".replace("-", "−") if value == int(value) else number(value, 6)


def _label(value: float) -> str:
    """The number as short as a tick wants it: 0.25, 20,000, 1e6."""
    if abs(value) < 1e5:
        return number(value, 4)
    mantissa, _, exponent = f"{value:.3e}".partition("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}".replace("-", "−")
