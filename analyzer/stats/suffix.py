"""From which point to the end of a row something holds for most of the points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def majority_suffix(hit: NDArray[np.bool_]) -> int | None:
    """Return where the final stretch of hits begins, None where no stretch up to the end consists mostly of hits.

    Each hit counts +1, each miss -1; the stretch is the suffix with the largest positive sum (the longest of equal
    ones). It begins with a hit, a few misses inside do not end it, and single hits far before it do not join it.
    Source: Bentley, Programming pearls: algorithm design techniques, CACM 27 (1984), restricted to suffixes.
    """
    if not hit.size:
        return None
    sums = np.cumsum(np.where(hit, 1, -1)[::-1])[::-1]
    best = int(sums.max())
    return int(np.argmax(sums)) if best > 0 else None
