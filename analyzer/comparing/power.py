"""What a comparison can find, and how many more runs settle it: power of the two-sided t test (noncentral t)."""

from __future__ import annotations

import math

from analyzer.comparing.difference import Difference

POWER = 0.8  # chance with which a difference that is there is to be found: the field's convention
MOST_RUNS = 4096  # more runs a side: beyond, nobody waits for them, and None is said
MOST_LOOKS = 60  # halvings: the difference found in 80 % is then exact to the last digit
NORMAL_FROM = 30.0  # standard errors: from here on the noncentral t is beyond any critical value
CRITICAL_ROOM = 12.0  # times the sum of both quantiles: an upper end for the difference that is found


def power_of(gap: float, error: float, df: float, level: float) -> float:
    """Return the chance that a difference `gap` with this standard error is found at 1 - level, two-sided."""
    from scipy.special import nctdtr, stdtrit  # noqa: PLC0415 - slow to import

    if error <= 0:
        return float(gap != 0)
    shift, limit = abs(gap) / error, float(stdtrit(df, (1 + level) / 2))
    if shift > max(NORMAL_FROM, limit * 2):
        return 1.0
    above = 1 - float(nctdtr(df, shift, limit))
    below = float(nctdtr(df, shift, -limit))
    return above + (below if math.isfinite(below) else 0.0)


def detectable(found: Difference, level: float) -> float | None:
    """Return the difference that the runs there are find in 80 %, in the unit of the outcome; None without noise."""
    if found.error is None or found.df is None or found.error == 0:
        return None
    from scipy.special import stdtrit  # noqa: PLC0415 - slow to import

    quantiles = float(stdtrit(found.df, (1 + level) / 2)) + float(stdtrit(found.df, POWER))
    low, high = 0.0, min(NORMAL_FROM, CRITICAL_ROOM) * quantiles * found.error
    for _ in range(MOST_LOOKS):
        middle = (low + high) / 2
        if power_of(middle, found.error, found.df, level) < POWER:
            low = middle
        else:
            high = middle
    return high


def more_runs(found: Difference, gap: float, level: float) -> int | None:
    """Return how many runs more on each side find a difference `gap` in 80 %; None when no number of them does."""
    if found.sd is None or found.df is None or found.error is None or not abs(gap) > 0:
        return None
    if _power_with(found, 0, gap, level) >= POWER:
        return 0
    more = 1
    while _power_with(found, more, gap, level) < POWER:
        more *= 2
        if more > MOST_RUNS:
            return None
    low, high = more // 2, more
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _power_with(found, middle, gap, level) >= POWER else (middle, high)
    return high


def _power_with(found: Difference, more: int, gap: float, level: float) -> float:
    """Return the power for `gap` with more runs on each side, the prior's df included."""
    if found.sd is None or found.df is None or found.error is None:
        return 0.0
    if found.test == "paired-t":
        pairs = found.sizes[0]
        return power_of(gap, found.error * math.sqrt(pairs / (pairs + more)), found.df + more, level)
    a, b = (size + more for size in found.sizes)
    borrowed = found.df - found.own_df if found.test == "moderated-t" else 0.0
    return power_of(gap, found.sd * math.sqrt(1 / a + 1 / b), a + b - 2 + borrowed, level)


RUNS = (3, 5, 8, 12, 20, 30)  # runs a side: the columns of the table of power


def power_table(
    found: Difference, gaps: tuple[float, ...], level: float
) -> tuple[tuple[float, tuple[tuple[int, float], ...]], ...]:
    """Return, for each difference, the power with so many runs on each side; empty when the noise is not known."""
    if found.sd is None or not found.sd > 0:
        return ()
    borrowed = (found.df or 0.0) - found.own_df if found.test == "moderated-t" else 0.0
    rows = []
    for gap in gaps:
        cells = []
        for n in RUNS:
            error, df = found.sd * math.sqrt(2 / n), 2 * n - 2 + borrowed
            if found.test == "paired-t" and found.error is not None:
                error, df = found.error * math.sqrt(found.sizes[0] / n), float(n - 1)
            cells.append((n, power_of(gap, error, df, level)))
        rows.append((gap, tuple(cells)))
    return tuple(rows)
