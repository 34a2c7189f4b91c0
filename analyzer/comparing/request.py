"""What a comparison is asked for, checked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from analyzer.comparing.outcome import Outcome
from analyzer.comparing.subject import Axis
from analyzer.errors import UsageError
from analyzer.settings import RoleSetting

LEVEL = 0.95  # of intervals: the field's convention
LEVELS = (0.5, 1.0)  # between these a level of confidence lies
MOST_LOOKS = 100
AXES: tuple[Axis, ...] = ("step", "epoch", "time", "tokens")


@dataclass(frozen=True, slots=True)
class RelevantDifference:
    """The smallest difference that would matter: in the unit of the metric, or a share of the base's mean."""

    value: float
    share: bool = False

    def of(self, level: float) -> float:
        """Return it in the unit of the metric."""
        return self.value * abs(level) if self.share else self.value


@dataclass(frozen=True, slots=True)
class ComparisonRequest:
    """The options of a comparison. `paired` is the setting that pairs runs, "" for none; `look` is (this one, of).

    `version` is posthoc's, for the document.
    """

    metric: tuple[str, ...] = ()
    better: Literal["lower", "higher"] | None = None
    outcome: Outcome = "final"
    axis: Axis = "step"
    at: float | None = None
    paired: str = ""
    worth: RelevantDifference | None = None
    level: float = LEVEL
    look: tuple[int, int] = (1, 1)
    version: str = ""
    roles: Mapping[str, RoleSetting] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not LEVELS[0] < self.level < LEVELS[1]:
            raise UsageError(f"the level is a share between 0.5 and 1, as in 0.95, not {self.level:g}")

    @property
    def confidence(self) -> float:
        """The level of this look: with several looks each spends a part of the error (Lan-DeMets, O'Brien-Fleming)."""
        look, of = self.look
        if of == 1:
            return self.level
        alpha = 1 - self.level
        return 1 - (_spent(alpha, look / of) - _spent(alpha, (look - 1) / of))


def _spent(alpha: float, share: float) -> float:
    """Return how much of the error is spent when a share of the runs is there: 2 - 2 Phi(z_{alpha/2} / sqrt(share))."""
    if share <= 0:
        return 0.0
    from scipy.special import ndtri  # noqa: PLC0415 - slow to import

    z = float(ndtri(1 - alpha / 2)) / math.sqrt(share)
    return math.erfc(z / math.sqrt(2))


def parsed_worth(text: str | float | None) -> RelevantDifference | None:
    """Return a difference that would matter from `0.002` or `1%`."""
    if text is None:
        return None
    given = str(text).strip()
    share = given.endswith("%")
    try:
        value = float(given.removesuffix("%"))
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise UsageError(f"{given!r} is not a relevant difference; give a number above 0, as in 0.002 or 1%")
    return RelevantDifference(value / 100 if share else value, share)


def parsed_at(text: str | None) -> tuple[Axis, float | None]:
    """Return axis and budget from `step`, `time`, `epoch=10`."""
    name, sign, value = (text or "step").partition("=")
    axis = next((axis for axis in AXES if axis == name), None)
    try:
        at = float(value) if sign else None
    except ValueError:
        at = math.nan
    if axis is None or (at is not None and not (math.isfinite(at) and at >= 0)):
        raise UsageError(f"{text!r} is not a budget; give {', '.join(AXES)}, or with a value as in step=1000")
    return axis, at


def parsed_looks(text: str | None) -> tuple[int, int]:
    """Return which of how many looks this is from `K` (the last of K) or `I/K`."""
    if text is None:
        return 1, 1
    first, sign, second = text.partition("/")
    if not first.isdecimal() or (sign and not second.isdecimal()):
        raise UsageError(f"{text!r} is not a number of looks; give K, or I/K for the I-th of K")
    look, of = int(first), int(second) if sign else int(first)
    if not 1 <= look <= of <= MOST_LOOKS:
        raise UsageError(f"{text!r} is not a number of looks; I and K go from 1 to {MOST_LOOKS}")
    return look, of
