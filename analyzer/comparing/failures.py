"""Whether one side fails more often than the other: Fisher's exact test on runs that diverged or broke off."""

from __future__ import annotations

from collections.abc import Mapping
from math import comb
from typing import Any

TIE = 1 + 1e-7  # tables of the same chance differ by rounding only


def fisher(failed: tuple[int, int], runs: tuple[int, int]) -> float:
    """Return the two-sided p-value of failures among runs: the tables that are no more likely than this one."""
    total, of_all = sum(failed), sum(runs)
    low, high = max(0, total - runs[1]), min(total, runs[0])
    chances = {k: comb(runs[0], k) * comb(runs[1], total - k) / comb(of_all, total) for k in range(low, high + 1)}
    here = chances[failed[0]] * TIE
    return min(1.0, sum(chance for chance in chances.values() if chance <= here))


def failures_row(failed: tuple[int, int], runs: tuple[int, int]) -> Mapping[str, Any]:
    """Return the row of failures of the document; without a failure its p-value is None."""
    return {
        "base": {"failed": failed[0], "runs": runs[0]},
        "candidate": {"failed": failed[1], "runs": runs[1]},
        "test": "fisher-exact",
        "p_value": fisher(failed, runs) if sum(failed) else None,
    }
