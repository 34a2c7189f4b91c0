"""The size of a rise as detectors measure it: a share of the level, or of the gain that it takes back."""

from __future__ import annotations

from analyzer.features.course import PROGRESS_WEIGHS, Rise
from analyzer.model.evidence import Measure


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
