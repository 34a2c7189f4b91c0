"""Standard errors of metrics that were measured on a known number of examples.

Shares are counted successes (Agresti and Coull, 1998, so that 30 of 30 right is not certain); the area under the ROC
curve is Hanley and McNeil's (1982); the others are those of a normal approximation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from analyzer.model.metric_kinds import Kind


@dataclass(frozen=True)
class Params:
    """What the formulas take."""

    successes: float = field(
        default=2.0, metadata={"unit": "examples", "why": "successes and failures that Agresti and Coull add"}
    )
    least_share: float = field(
        default=0.01, metadata={"unit": "of the examples", "why": "a rarer class has hardly an example in a set"}
    )


PARAMS = Params()


def standard_error(kind: Kind, value: float, n: int, share: float | None = None) -> float:
    """Return the standard error of a metric on `n` examples, in its own unit; `share` is that of the commonest class.

    Of errors (rmse, mae, log loss) it is relative to the value: that of a mean of `n` squares of normal errors.
    """
    if kind == "auc":
        return _auc(value, n, share)
    if kind in ("mcc", "kappa"):
        return math.sqrt(max(1 - value * value, 1 / n) / n)
    if kind == "r2":
        held = min(max(value, 0.0), 1.0)
        return 2.0 * math.sqrt(held / n) * (1 - held) + 2.0 / n
    if kind in ("rmse", "mae", "mse", "log-loss", "error", "loss"):
        return abs(value) / math.sqrt(2.0 * n)
    positives = n * (1 - share) if kind in ("f1", "recall", "precision") and share is not None else n
    return _share(value, max(positives, 1.0))


def _share(value: float, n: float) -> float:
    added = PARAMS.successes
    held = (min(max(value, 0.0), 1.0) * n + added) / (n + 2.0 * added)
    return math.sqrt(held * (1 - held) / (n + 2.0 * added))


def _auc(value: float, n: int, share: float | None) -> float:
    rare = max(1 - (0.5 if share is None else share), PARAMS.least_share)
    ones, zeros = max(1.0, n * rare), max(1.0, n * (1 - rare))
    area = min(max(value, 0.5), 1 - 1 / (2.0 * n))
    first, second = area / (2.0 - area), 2.0 * area * area / (1 + area)
    square = area * area
    spread = area * (1 - area) + (ones - 1) * (first - square) + (zeros - 1) * (second - square)
    return math.sqrt(spread / (ones * zeros))


def least_entropy(share: float) -> float:
    """Return the smallest entropy (nats) of classes of which the commonest has this share: the least cost of a guess.

    As many classes as fit have the share, and one has the rest.
    """
    held = min(max(share, PARAMS.least_share / 2.0), 1.0)
    whole = math.floor(1 / held + 1 / (1 << 30))
    rest = 1 - whole * held
    return -whole * held * math.log(held) - (rest * math.log(rest) if rest > 0 else 0.0)
