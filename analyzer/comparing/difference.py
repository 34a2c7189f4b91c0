"""Whether two groups of outcomes differ: the test that fits the sizes, its interval, equivalence and improvement."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from analyzer.comparing.variance_prior import Prior, lends

Array = NDArray[np.float64]
TestName = Literal["moderated-t", "student-t", "welch-t", "paired-t"]
Origin = Literal["groups", "pool", "both"]

_STUDENT: TestName = "student-t"
_MODERATED: TestName = "moderated-t"
_OWN: Origin = "groups"
_POOL: Origin = "pool"
_BOTH: Origin = "both"

LEAST_FOR_WELCH = 4  # runs of each side: with fewer Welch's test spends 3.5 % of its 5 % and finds less
LEAST_PAIRS = 2  # pairs: one difference has no scatter
BASE = 10.0  # of the digits that values are written with
MOST_DIGITS = 5  # significant digits up to which equal values are what rounding makes of unequal ones
SAME = 1e-12  # of the level: values that differ by less are the same number in another order of summing


@dataclass(frozen=True, slots=True)
class Difference:
    """Candidate minus base in the unit of the outcome, and what is known of its error.

    `sd` is the scatter of one run, `error` the standard error of the difference, on `df` degrees of freedom;
    `own_df` of them are the groups' own. `test`, `p_value`, `sd` are None when nothing is known of the scatter.
    """

    difference: float
    sizes: tuple[int, int]
    error: float | None = None
    sd: float | None = None
    df: float | None = None
    own_df: float = 0.0
    test: TestName | None = None
    origin: Origin | None = None
    p_value: float | None = None
    correlation: float | None = None

    def interval(self, level: float) -> tuple[float, float] | None:
        """Return the two-sided interval of the difference at a level, None when its error is not known."""
        if self.error is None or self.df is None:
            return None
        from scipy.special import stdtrit  # noqa: PLC0415 - slow to import

        half = float(stdtrit(self.df, (1 + level) / 2)) * self.error
        return self.difference - half, self.difference + half

    def equivalent(self, worth: float, level: float) -> bool:
        """Whether two one-sided tests at 1 - level (TOST) both say that the difference is smaller than `worth`.

        Source: Schuirmann, J. Pharmacokinet. Biopharm. 15 (1987); the interval is that of 2 level - 1.
        """
        inside = self.interval(2 * level - 1)
        return inside is not None and -worth < inside[0] and inside[1] < worth

    def improvement(self, *, lower: bool) -> float | None:
        """Return the chance that one candidate is better than one base: Phi(d / (s sqrt 2)), as rliable shows it."""
        if self.sd is None:
            return None
        ahead = -self.difference if lower else self.difference
        if self.sd == 0:
            return 0.5 if ahead == 0 else float(ahead > 0)
        return 0.5 * math.erfc(-ahead / (self.sd * 2))


def unpaired(base: Array, candidate: Array, prior: Prior | None = None) -> Difference:
    """Return the difference of the means of two groups of outcomes (float64[n], finite) and its test.

    Student's t with a common variance, moderated where a prior lends; Welch's where the sizes differ and both sides
    have four runs. One run against one without a prior has no test.
    """
    sizes = int(base.size), int(candidate.size)
    gap = float(np.mean(candidate) - np.mean(base))
    if _is_rounding(gap, base, candidate):
        gap = 0.0
    df = sizes[0] + sizes[1] - 2
    variance = (_squares(base) + _squares(candidate)) / df if df else 0.0
    if sizes[0] != sizes[1] and min(sizes) >= LEAST_FOR_WELCH and variance > 0:
        return _welch(base, candidate, gap)
    variance = variance or (rounding_variance([*base.tolist(), *candidate.tolist()]) if df else 0.0)
    total, origin, name = float(df), _OWN, _STUDENT
    if prior is not None and lends(prior, variance, df):
        variance = (prior.df * prior.variance + df * variance) / (prior.df + df)
        total, origin, name = prior.df + df, _BOTH if df else _POOL, _MODERATED
    if total <= 0:
        return Difference(gap, sizes)
    error = math.sqrt(variance * (1 / sizes[0] + 1 / sizes[1]))
    return Difference(
        gap,
        sizes,
        error,
        math.sqrt(variance),
        total,
        float(df),
        name,
        origin,
        _chance(gap, error, total),
    )


def paired(base: Array, candidate: Array) -> Difference:
    """Return the mean difference of pairs (float64[n] each, same order), its test and the correlation of the pairs."""
    gaps = candidate - base
    n = int(gaps.size)
    gap = float(np.mean(gaps))
    if n < LEAST_PAIRS:
        return Difference(gap, (n, n))
    squares = _squares(gaps) / (n - 1)
    variance = squares or rounding_variance(gaps.tolist())
    error = math.sqrt(variance / n)
    spread = [_squares(base), _squares(candidate)]
    together = float(np.sum((base - base.mean()) * (candidate - candidate.mean())))
    correlation = together / math.sqrt(spread[0] * spread[1]) if min(spread) > 0 else None
    sd = math.sqrt((spread[0] + spread[1]) / (2 * (n - 1)))  # of a run, as in the unpaired tests
    p = _chance(gap, error, n - 1)
    return Difference(gap, (n, n), error, sd, float(n - 1), float(n - 1), "paired-t", "groups", p, correlation)


def _welch(base: Array, candidate: Array, gap: float) -> Difference:
    """Return Welch's test: Welch, Biometrika 34 (1947); df of Satterthwaite."""
    parts = [_squares(g) / (g.size - 1) / g.size for g in (base, candidate)]
    error = math.sqrt(sum(parts))
    df = sum(parts) ** 2 / sum(p**2 / (g.size - 1) for p, g in zip(parts, (base, candidate), strict=True))
    own = base.size + candidate.size - 2
    sd = math.sqrt((_squares(base) + _squares(candidate)) / own)
    sizes = int(base.size), int(candidate.size)
    return Difference(gap, sizes, error, sd, df, float(own), "welch-t", "groups", _chance(gap, error, df))


def _squares(values: Array) -> float:
    """Return the sum of squares around the mean; 0 where the values differ by rounding of the sum only."""
    if values.size < 2 or np.ptp(values) <= SAME * float(np.max(np.abs(values))):
        return 0.0
    return float(np.sum((values - np.mean(values)) ** 2))


def _is_rounding(gap: float, base: Array, candidate: Array) -> bool:
    return abs(gap) <= SAME * max(float(np.max(np.abs(base))), float(np.max(np.abs(candidate))))


def _chance(gap: float, error: float, df: float) -> float:
    """Return the two-sided p-value of a difference."""
    if error == 0:
        return float(gap == 0)
    from scipy.special import stdtr  # noqa: PLC0415 - slow to import

    return 2 * float(stdtr(df, -abs(gap) / error))


def rounding_variance(values: Sequence[float]) -> float:
    """Return the variance that rounding to the digits logged hides, (step / sqrt 12)^2; 0 for values in full precision.

    Values that were logged as 0.91 may be equal though the trainings differed; 0.9127384 thrice are one training.
    """
    decimals = [_decimals(value) for value in values]
    if any(places is None for places in decimals):
        return 0.0
    step = BASE ** -max(places for places in decimals if places is not None)
    return step**2 / 12


def _decimals(value: float) -> int | None:
    """Return the decimal places of the shortest text of a value, as float32 if it is one; None for full precision."""
    single = np.float32(value)
    text = str(single) if float(single) == value else repr(float(value))
    mantissa, _, exponent = text.partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = fraction.rstrip("0")
    if len((whole.lstrip("-") + fraction).lstrip("0")) > MOST_DIGITS:
        return None
    return len(fraction) - int(exponent or 0)
