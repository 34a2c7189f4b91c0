"""Student's t beside the Gaussian."""

from __future__ import annotations

import math

HUGE = 1e12  # standard errors: more are no more


def gaussian_of_t(errors: float, free: float) -> float:
    """Return the Gaussian deviate that is as rare as a value of Student's t with `free` degrees of freedom.

    Source: Wallace, Bounds on normal approximations to Student's t, Annals of Mathematical Statistics 30 (1959).
    """
    size = math.sqrt(free * math.log1p(min(abs(errors), HUGE) ** 2 / free)) * (8 * free + 1) / (8 * free + 3)
    return math.copysign(size, errors)


def best_of(errors: float, places: int) -> float:
    """Return how many standard errors the largest of several differences is worth: chance had as many places.

    The largest of k Gaussian values is about √(2 ln k): what is beyond that is left.
    Source: Leadbetter, Lindgren and Rootzén, Extremes and related properties of random sequences (1983), chapter 1.
    """
    beyond = min(abs(float(errors)), HUGE) ** 2 - 2 * math.log(max(1, places))
    return math.copysign(math.sqrt(max(0.0, beyond)), errors)
