"""How much seeds scatter where little is known: a prior of variances out of many groups of replicates.

The variances s_g^2 of groups (df d_g) are taken as s0^2 F(d_g, d0). Prior and its df come from the moments of log s^2
(Smyth, Linear models and empirical Bayes methods, Stat. Appl. Genet. Mol. Biol. 3, 2004: limma's squeezeVar).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LEAST_GROUPS = 4  # groups: fewer say nothing about how variances scatter between groups
MOST_DF = 8.0  # df of a prior: newer trainings are quieter than older ones, so a pool is never trusted more
CLEARLY = 0.1  # chance below which a scatter of one's own is larger than the pool's (F test), and nothing is borrowed
ZERO = 1e-5  # of the median variance: a smaller one (the same seed again) counts as so much, as in limma
INVERSE_STEPS = 50  # Newton steps, each of which doubles the digits; it stops long before
CLOSE = 1e-10  # relative change at which Newton's method has arrived
SMALL_TRIGAMMA, LARGE_TRIGAMMA = 1e-6, 1e7  # beyond these the leading terms of trigamma are exact to 1e-6


@dataclass(frozen=True, slots=True)
class Prior:
    """A prior of variances: `variance` s0^2 in squared units of the outcome, `df` d0 (at most 8), from `groups`."""

    variance: float
    df: float
    groups: int


def fitted(variances: Sequence[float], dfs: Sequence[float]) -> Prior | None:
    """Return the prior of the groups' variances (squared units) and df; None for fewer than four groups.

    None, too, when at least half of the variances are 0: such runs repeat a seed and say nothing of seeds.
    """
    s2, d = np.asarray(variances, dtype=np.float64), np.asarray(dfs, dtype=np.float64)
    known = d > 0
    s2, d = s2[known], d[known]
    if s2.size < LEAST_GROUPS:
        return None
    middle = float(np.median(s2))
    if not middle > 0:
        return None
    from scipy.special import digamma, polygamma  # noqa: PLC0415 - slow to import, needed with a pool only

    s2 = np.maximum(s2, ZERO * middle)
    log = np.log(s2) - digamma(d / 2) + np.log(d / 2)
    centre = float(np.mean(log))
    beyond = float(np.sum((log - centre) ** 2) / (log.size - 1) - np.mean(polygamma(1, d / 2)))
    if beyond <= 0:  # the groups scatter alike: all of it is chance
        return Prior(math.exp(centre), MOST_DF, int(s2.size))
    df = 2 * _inverse_trigamma(beyond)
    variance = math.exp(centre + float(digamma(df / 2)) - math.log(df / 2))
    return Prior(variance, min(df, MOST_DF), int(s2.size))


def _inverse_trigamma(value: float) -> float:
    """Return y with trigamma(y) = value > 0 by Newton's method (Smyth 2004, appendix)."""
    from scipy.special import polygamma  # noqa: PLC0415 - as above

    if value > LARGE_TRIGAMMA:
        return 1 / math.sqrt(value)
    if value < SMALL_TRIGAMMA:
        return 1 / value
    y = 0.5 + 1 / value
    for _ in range(INVERSE_STEPS):
        trigamma = float(polygamma(1, y))
        step = trigamma * (1 - trigamma / value) / float(polygamma(2, y))
        y += step
        if -step / y < CLOSE:
            break
    return y


def lends(prior: Prior | None, variance: float, df: float) -> bool:
    """Whether groups with this variance of their own borrow from the prior: not when they scatter clearly more."""
    if prior is None:
        return False
    if df <= 0:
        return True
    from scipy.special import fdtrc  # noqa: PLC0415 - as above

    return float(fdtrc(df, prior.df, variance / prior.variance)) >= CLEARLY
