"""How many evaluations a judgement needs, and where the start of a run ends: one answer for all detectors."""

from __future__ import annotations

from dataclasses import dataclass, field

from analyzer.features.curve import Array


@dataclass(frozen=True)
class Params:
    """What is enough."""

    evaluations: int = field(
        default=8, metadata={"unit": "evaluations", "why": "six after the first quarter: two thirds of them are four"}
    )
    start: int = field(
        default=4, metadata={"unit": "1 / share", "why": "in the first quarter of a run losses fall and metrics wait"}
    )


PARAMS = Params()


def settled(values: Array) -> Array:
    """Return the values after the first quarter of the points, float64[n - n // 4]."""
    return values[values.size // PARAMS.start :]
