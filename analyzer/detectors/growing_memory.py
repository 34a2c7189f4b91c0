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

from analyzer.anatomy import Anatomy, Curve
from analyzer.detectors import Detector
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.roles import words_of
from analyzer.model.verdict import Evidence, Mark, Measure, Reading, Unfit
from analyzer.model.wording import number, percent, step
from analyzer.stats import robust, trend

LEAST = 40  # points
OTHER = {"free", "available", "total", "limit", "reserved", "bandwidth", "clock"}


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    growth: float = field(
        default=0.1, metadata={"why": "growth over the second half (lower bound), as a share of the level at its start"}
    )


def measure(anatomy: Anatomy) -> Iterator[Reading]:
    """Yield one reading for the memory that grows most."""
    found = [(c, *_growth(c)) for c in anatomy.curves.values() if c.n >= LEAST and _is_memory(c.tag)]
    if not found:
        yield Unfit(f"no memory in use with {LEAST} points is logged")
        return
    curve, growth, level = max(found, key=lambda f: f[1])
    first, last = int(curve.at[curve.n // 2]), int(curve.at[-1])
    late = float(level[-1])
    yield Evidence(
        curve.tags,
        (Measure("growth over the second half, lower bound", growth, "growth", unit="of its level"),),
        "info",
        f"{curve.tag} grows from {number(float(level[0]))} at step {step(first)} to {number(late)} at the end, "
        f"at least {percent(growth)}, and has not stopped",
        first,
        last,
        None,
        (),
        (
            "Look for lists that keep tensors with their graph (append loss.item(), not loss).",
            "Look for loader workers that copy objects, and figures that are never closed.",
        ),
        marks=(Mark("region", curve.tag, "grows", (first, last)),),
    )


def _is_memory(tag: str) -> bool:
    words = set(words_of(tag))
    return bool(words & {"memory", "mem", "ram", "rss"}) and not words & OTHER


def _growth(curve: Curve) -> tuple[float, np.ndarray]:
    """Return the growth over the second half at its lower bound, 0 where it has stopped, and the block medians."""
    late = curve.raw[curve.n // 2 :]
    edges = np.linspace(0, late.size, 13).astype(np.int64)
    level = robust.block_medians(late, edges)
    _, low, _ = trend.slope(np.arange(12.0), level)
    still = level[-1] > level[-3] > level[-6] and level[-1] >= level.max()
    return (low * 11.0 / level[0] if still and level[0] > 0 else 0.0), level


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
    course=False,
)
