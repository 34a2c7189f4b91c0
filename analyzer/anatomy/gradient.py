"""What the gradient norm did around a step: the first witness of an explosion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analyzer.anatomy.curve import Curve
from analyzer.model.wording import number, step
from analyzer.stats.robust import median

LEAST = 8  # points


@dataclass(frozen=True)
class Surge:
    """The largest gradient norm in a stretch of steps beside the usual one before it; `tag` is the series' name."""

    tag: str
    peak: float
    usual: float
    at: int

    @property
    def ratio(self) -> float:
        """How many times the usual norm the peak is."""
        return self.peak / self.usual

    @property
    def sentence(self) -> str:
        """The surge in words."""
        return f"{self.tag} reaches {number(self.peak)} at step {step(self.at)}, usually {number(self.usual)}"


def surge(gradient: Curve | None, first: float, last: float) -> Surge | None:
    """Return the surge between two steps; None without a gradient norm, or with too few points to say what is usual."""
    if gradient is None or gradient.n < LEAST:
        return None
    inside = (gradient.at >= first) & (gradient.at <= last)
    before = gradient.raw[gradient.at < first]
    usual = median(before if before.size >= LEAST // 2 else gradient.raw)
    if not inside.any() or not usual > 0:
        return None
    top = int(np.argmax(np.where(inside, gradient.raw, -np.inf)))
    return Surge(gradient.tag, float(gradient.raw[top]), usual, int(gradient.at[top]))
