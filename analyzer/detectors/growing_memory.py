"""The memory in use grows steadily to the end.

Why it matters
--------------
A leak ends in an out-of-memory error, usually long after the run that would have shown it was watched.

How it is measured
------------------
The logged memory in use (of the process, machine or device) over the second half of the run: its trend (Theil-Sen slope
through block medians) must rise at its lower 95 % bound, by a share of its level that matters, and the last blocks must
be its highest.

When it is wrong
----------------
Caches fill and then rest; an allocator keeps what it once took; a data set that is read into memory piece by piece
grows until it is read. Growth that ends before the run does is none of it. Totals and free memory are not looked at.

What to do
----------
Look for lists that keep tensors or losses with their graph (append loss.item(), not loss), for loaders whose workers
copy objects, and for figures that are never closed.

References
----------
Sen, Estimates of the regression coefficient based on Kendall's tau (1968).

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from analyzer.detectors import Detector
from analyzer.features import Curve, RunFeatures
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Unfit, Veto, Words
from analyzer.model.formatting import number, percent, step
from analyzer.model.roles import words_of
from analyzer.stats import robust, trend

MEMORY = {"memory", "mem", "ram", "rss"}
OTHER = {"free", "available", "total", "limit", "reserved", "bandwidth", "clock"}


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    growth: float = field(
        default=0.1,
        metadata={
            "unit": "of its level",
            "why": "growth over the second half (lower bound), as a share of the level at its start",
        },
    )


@dataclass(frozen=True)
class Params:
    """How the growth is measured."""

    blocks: int = field(
        default=12, metadata={"unit": "blocks", "why": "enough for the bounds of a slope, few enough for calm medians"}
    )


PARAMS = Params()


@dataclass(frozen=True)
class Growth:
    """Block medians of the second half of a memory curve, and their growth at the lower 95 % bound of the slope."""

    curve: Curve
    level: NDArray[np.float64]
    lower: float

    @property
    def stopped(self) -> bool:
        """Whether the last block is not the highest, or the last half of the blocks does not rise."""
        half = self.level[self.level.size // 2 :]
        slope = trend.slope(np.arange(half.size, dtype=np.float64), half)[1]
        return bool(self.level[-1] < self.level.max() or slope <= 0)


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield one reading for the memory that grows most; one that still grows before one that has stopped."""
    least = 2 * 2 * PARAMS.blocks  # two points in each block of the second half
    found = [_growth(c) for c in features.curves.values() if c.n >= least and _is_memory(c.tag)]
    if not found:
        yield Unfit(f"no memory in use with {least} points is logged")
        return
    its = max(found, key=lambda g: (not g.stopped, g.lower))
    curve = its.curve
    first, last = int(curve.at[curve.n // 2]), int(curve.at[-1])
    yield Evidence(
        curve.tags,
        (Measure("growth over the second half, lower bound", its.lower, "growth", unit="of its level"),),
        "info",
        first_step=first,
        last_step=last,
        marks=(Mark("region", curve.tag, "grows", (first, last)),),
        vetoes=(Veto("has-stopped", curve.tag),) if its.stopped else (),
        facts=its,
    )


def _is_memory(tag: str) -> bool:
    words = set(words_of(tag))
    return bool(words & MEMORY) and not words & OTHER


def _growth(curve: Curve) -> Growth:
    late = curve.raw[curve.n // 2 :]
    level = robust.block_medians(late, np.linspace(0, late.size, PARAMS.blocks + 1).astype(np.int64))
    low = trend.slope(np.arange(level.size, dtype=np.float64), level)[1]
    return Growth(curve, level, float(low * (level.size - 1) / level[0]) if level[0] > 0 else 0.0)


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    its: Growth = evidence.facts
    return Words(
        f"{its.curve.tag} grows from {number(float(its.level[0]))} at step {step(evidence.first_step or 0)} to "
        f"{number(float(its.level[-1]))} at the end, at least {percent(its.lower)}, and has not stopped",
        advice=(
            "Look for lists that keep tensors with their graph (append loss.item(), not loss).",
            "Look for loader workers that copy objects, and figures that are never closed.",
        ),
    )


def _leaking(points: int, growth: float) -> dict[str, np.ndarray]:
    memory = 40.0 * (1 + growth * np.arange(points) / points) + noise(points, 0.3)
    return {"train/loss": falling(points) + noise(points, 0.01), "system/cpu_memory_percent": memory}


DETECTOR = Detector(
    "growing-memory",
    __doc__,
    measure,
    Limits(),
    (
        Case("a leak", "fires", lambda: made_run(_leaking(300, 1.0))),
        Case("steady", "quiet", lambda: made_run(_leaking(300, 0.0))),
        Case(
            "a cache that fills and rests",
            "almost",
            lambda: made_run({"train/loss": falling(300), "ram": 8.0 * (1 - np.exp(-np.arange(300) / 40))}),
        ),
    ),
    describe=describe,
)
