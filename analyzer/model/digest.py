"""Whether two curves are the same to the bit, told from a few characters."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

LEAST_CHANGES = 8
"""So often must a curve change its value: a constant, or a handful of points, is the same in many runs."""


def digest(values: NDArray[np.float64]) -> str:
    """Return `changes:hash` of a curve's values in the order written; "" for one that changes too seldom to prove much.

    `changes` is how often the finite value changes, `hash` the first 16 hex digits of BLAKE2b over the values as
    float32: a run that one logger keeps in single and another in double precision has one digest. Steps and times are
    left out, as loggers count them differently.
    """
    with np.errstate(over="ignore"):
        single = values.astype("<f4")
    finite = single[np.isfinite(single)]
    changes = int(np.count_nonzero(finite[1:] != finite[:-1]))
    if changes < LEAST_CHANGES:
        return ""
    single[np.isnan(single)] = np.nan  # one of the many bit patterns that NaN has
    return f"{changes}:{hashlib.blake2b((single + 0.0).tobytes(), digest_size=8).hexdigest()}"
