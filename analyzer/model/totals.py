"""What a night comes to in numbers: one point of the trend over nights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of one night; `at` is its time in ISO 8601.

    `verdicts` are runs by the colour of their verdict (error, warning, unjudged, healthy), `failed` the runs that could
    not be read, `symptoms` the runs by symptom that counts, `hours` those spent after the best step by runs that
    overfitted or got no better, as far as logs have times.
    """

    at: str
    runs: int
    verdicts: Mapping[str, int]
    failed: int
    symptoms: Mapping[str, int]
    hours: float
