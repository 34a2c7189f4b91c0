"""What a problem cost: hours of training that brought nothing, and their price where the user gave one."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["after-best-step", "after-collapse", "no-learning-signal"]

HOUR = 3600.0
"""Seconds in an hour."""

WORDS: dict[str, str] = {
    "after-best-step": "after the best step",
    "after-collapse": "after a collapse",
    "no-learning-signal": "without a learning signal",
}


@dataclass(frozen=True, slots=True)
class Cost:
    """Hours of one kind, and what they cost; `money` None where no price is set."""

    hours: float
    kind: str
    money: float | None = None
    currency: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return `cost` in findings.json."""
        money = None if self.money is None else round(self.money, 2)
        return {"hours": round(self.hours, 3), "kind": self.kind, "money": money, "currency": self.currency or None}


def total(costs: Iterable[Cost]) -> dict[str, Any] | None:
    """Return `cost` of a document in findings.json: the sum over its runs, in all and by kind; None without any."""
    listed = list(costs)
    if not listed:
        return None
    summed = by_kind(listed)
    priced = [one.money for one in listed if one.money is not None]
    return {
        "hours": round(math.fsum(one.hours for one in listed), 3),
        "by_kind": {one.kind: round(one.hours, 3) for one in summed},
        "runs": len(listed),
        "money": round(math.fsum(priced), 2) if priced else None,
        "currency": next((one.currency for one in listed if one.money is not None), None),
    }


def by_kind(costs: Iterable[Cost]) -> tuple[Cost, ...]:
    """Return the sum of each kind, the largest first."""
    groups: dict[str, list[Cost]] = {}
    for one in costs:
        groups.setdefault(one.kind, []).append(one)
    summed = [
        Cost(
            math.fsum(one.hours for one in group),
            kind,
            None if any(one.money is None for one in group) else math.fsum(one.money or 0.0 for one in group),
            group[0].currency,
        )
        for kind, group in groups.items()
    ]
    return tuple(sorted(summed, key=lambda one: (-one.hours, one.kind)))
