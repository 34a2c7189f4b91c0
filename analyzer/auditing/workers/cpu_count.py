"""How many processes judge."""

from __future__ import annotations

import os

FEW = 16
"""With fewer runs to judge than these, a second process costs more work than it saves time."""

LEAST = 1
"""So many judge even the fewest runs: one that hangs, or kills whoever judges it, must not take the night along."""


def cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def jobs_for(runs: int, asked: int | None) -> int:
    """Return how many processes judge so many runs; 0: this process does. What the user asked for is done."""
    if not runs:
        return 0
    if asked is not None:
        return min(asked, runs)
    return min(cores(), runs) if runs >= FEW else min(LEAST, runs)
