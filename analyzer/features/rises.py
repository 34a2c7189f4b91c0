"""What a curve gained, what it lost again, and how detectors measure the size of a rise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analyzer.model.evidence import Measure

PROGRESS_WEIGHS = 0.2  # of the level: what the loss of all progress weighs at least


@dataclass(frozen=True, slots=True)
class Fall:
    """How much better the end (or the best level) is than the start.

    `errors`: the gain in standard errors; `size`: as a share of the starting level; `start`, `end`, `best`: levels in
    the units of the log.
    """

    errors: float
    size: float
    best_size: float
    start: float
    end: float
    best: float


@dataclass(frozen=True, slots=True)
class Rise:
    """A level that is worse than one before it: at the end against the best, or after a break against before it.

    `errors`: the difference in standard errors. `size`: as a share of the better level. `of_progress`: as a share of
    what had been gained since the start (inf where next to nothing had been). `setback`: the share of the run that is
    undone, from where the curve had first reached the level that it fell back to, to the `onset`. `onset`: index of
    the last point that was still good (of the first bad one for a break). `cost`: the share of the run until the old
    level is reached again, up to the end where it never is, `points` the levels there; `healed`: whether it is.
    `before`, `after`: levels in the units of the log. `usual`: the largest rise before the onset that the curve came
    back from, as a share of this one. `reached`: index of the point from which the run is undone. `began`: index of the
    first point after which no single level was good again. `seen`: the
    part of the rise that levels reached indeed: the lines on both sides of a break may point beyond them. `slow`: the
    trend of all levels since the best shows it, and the difference of the two levels alone does not.
    """

    errors: float
    size: float
    of_progress: float
    setback: float
    onset: int
    before: float
    after: float
    cost: float = 1.0
    points: int = 0
    healed: bool = False
    usual: float = 0.0
    reached: int = 0
    seen: float = 1.0
    began: int = 0
    slow: bool = False

    @property
    def matters(self) -> float:
        """Size of the rise as a share of the level; a quarter of the progress lost weighs as much as 5 % of the level.

        A language model's loss has a floor that no training reaches: its whole progress may be 2 % of its level.
        """
        lost = PROGRESS_WEIGHS * min(self.of_progress, 1.0) if np.isfinite(self.of_progress) else 0.0
        return max(self.size, lost)

    @property
    def undone(self) -> float:
        """Share of the run that is undone, or of the progress that is lost where that is more."""
        return max(self.setback, min(self.of_progress, 1.0))


def size_measures(rise: Rise, name: str, limit: str, *, unit: str, as_factor: bool = False) -> tuple[Measure, ...]:
    """Return the measure that is compared with `limit`, and the rise itself where the lost gain weighs more.

    `as_factor` adds 1, for limits that are factors.
    """
    base = 1.0 if as_factor else 0.0
    own = base + rise.size
    if rise.matters <= rise.size:
        return (Measure(name, own, limit, unit=unit),)
    weighed = f"{name}, or {PROGRESS_WEIGHS:g} × the share of the gain lost"
    return Measure(weighed, base + rise.matters, limit, unit=unit), Measure(name, own, unit=unit)
