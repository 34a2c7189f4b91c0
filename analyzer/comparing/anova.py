"""Whether any of several groups differs: Welch's analysis of variance, before each is compared with the base."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LEAST_GROUPS = 3  # groups: two are compared directly


def welch_anova(groups: Sequence[Array]) -> Mapping[str, Any] | None:
    """Return F, df and p-value of Welch's test (Biometrika 38, 1951); None for fewer than three groups that scatter."""
    usable = [g for g in groups if g.size > 1 and float(np.var(g)) > 0]
    k = len(usable)
    if k < LEAST_GROUPS:
        return None
    from scipy.special import fdtrc  # noqa: PLC0415 - slow to import

    n = np.array([g.size for g in usable], dtype=np.float64)
    means = np.array([g.mean() for g in usable])
    weights = n / np.array([g.var(ddof=1) for g in usable])
    centre = float(np.sum(weights * means) / weights.sum())
    spread = float(np.sum((1 - weights / weights.sum()) ** 2 / (n - 1)))
    f = float(np.sum(weights * (means - centre) ** 2)) / (k - 1) / (1 + 2 * (k - 2) / (k**2 - 1) * spread)
    within = (k**2 - 1) / (3 * spread)  # Welch's df of the denominator
    p = float(fdtrc(k - 1, within, f))
    return {"test": "welch-anova", "groups": k, "f": f, "df": [k - 1, within], "p_value": p}
