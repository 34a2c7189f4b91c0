"""What the held-out metrics do while a loss does something else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from analyzer.features.curve import Curve
from analyzer.features.sample_size import PARAMS as ENOUGH
from analyzer.model.evidence import Sign
from analyzer.stats.robust import difference_sigma, median
from analyzer.stats.trend import centred_mean

if TYPE_CHECKING:
    from analyzer.features import RunFeatures


@dataclass(frozen=True)
class Params:
    """What counts as a change of a metric."""

    better: float = field(
        default=0.1, metadata={"unit": "of what was gained", "why": "a smaller gain after the turn is not worth a word"}
    )
    worse: float = field(
        default=0.02, metadata={"unit": "of the level", "why": "a loss of two percent of the metric is felt in use"}
    )
    noise: float = field(
        default=1.5, metadata={"unit": "× noise", "why": "a median of the last values is calmer than one of them"}
    )


PARAMS = Params()
TINY = float(np.finfo(float).tiny)


@dataclass(frozen=True)
class RewardGap:
    """The reward collected in training and the evaluated one: the rise of the first over its noise, and what the
    second gained over that rise (medians of thirds; the units of the reward).
    """

    collected: Curve
    evaluated: Curve
    rise: float
    follows: float


def rewards_apart(features: RunFeatures) -> RewardGap | None:
    """Return how the evaluated reward follows the collected one, None where either has fewer than a dozen values."""
    rewards = [
        c
        for c in features.having("metric")
        if c.role.kind == "reward" and c.n >= ENOUGH.evaluations and np.ptp(c.raw) > 0
    ]
    evaluated = next((c for c in rewards if c.role.split in ("validation", "test")), None)
    collected = next((c for c in rewards if c.role.split in ("train", None)), None)
    if evaluated is None or collected is None:
        return None
    at = features.rewards.standing(evaluated)
    if at is not None and at.at_ceiling:
        return None  # it cannot rise any further
    gained, followed = _gained(collected), _gained(evaluated)
    noise = max(difference_sigma(collected.raw), TINY)
    return RewardGap(collected, evaluated, gained / noise, followed / gained if gained > 0 else 1.0)


def _gained(curve: Curve) -> float:
    third = curve.n // 3
    return median(curve.raw[-third:]) - median(curve.raw[:third])


def metrics_after(features: RunFeatures, curve: Curve, step_: int) -> tuple[Sign | None, Sign | None]:
    """Return a sign where a metric of the same split improves after the loss turned, and one where it gets worse."""
    better: Sign | None = None
    worse: Sign | None = None
    for metric in features.having("metric", curve.role.split):
        sign = 1.0 if metric.role.direction == "higher" else -1.0
        values = sign * metric.raw
        before, after = values[metric.at <= step_], values[metric.at > step_]
        if before.size < 2 or after.size < 3 or metric.role.kind == "perplexity":
            continue
        late, usual = median(after[-max(2, after.size // 4) :]), float(np.max(centred_mean(before, 3)))
        spread = max(difference_sigma(values), float(np.std(np.diff(values))) / np.sqrt(2.0), TINY)
        gained = usual - median(before[: max(1, before.size // 10)])
        numbers = {"from": sign * usual, "to": sign * late}
        if late > usual + max(spread, PARAMS.better * gained):
            better = better or Sign("metric-better", metric.tag, numbers)
        elif late < usual - max(PARAMS.noise * spread, PARAMS.worse * abs(usual)):
            worse = worse or Sign("metric-worse", metric.tag, numbers)
    return None if worse else better, worse
