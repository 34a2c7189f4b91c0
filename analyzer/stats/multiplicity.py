"""Many tests in one run: keep the chance of any false alarm among them at the level of one."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for each other, in the order given: the family-wise rate is controlled.

    Source: Holm, A simple sequentially rejective multiple test procedure, Scand. J. Statistics 6 (1979).
    """
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    corrected = [1.0] * len(p_values)
    running = 0.0
    for rank, i in enumerate(order):
        running = max(running, min(1.0, p_values[i] * (len(p_values) - rank)))
        corrected[i] = running
    return corrected
