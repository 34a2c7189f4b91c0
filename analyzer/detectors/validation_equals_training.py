"""The validation loss repeats the training loss digit for digit.

Why it matters
--------------
Values that agree to the last digits come from the same examples: the validation says nothing about new data, and
overfitting cannot be seen in this log.

How it is measured
------------------
Each validation or test loss is laid beside the training loss at the same steps, or point by point where both have as
many. Two different samples of the same source differ by the noise of sampling; the share of points whose difference
is below a hundred-thousandth of the level (and of the loss's own range) must be nearly all of them.

When it is wrong
----------------
Both losses rest at an exact 0, or at one constant: such points are not counted. Very large sets evaluated whole come
near each other, though not to five digits.

What to do
----------
Check which data set the validation loader is given, and which tag its value is written under. Then train again, or
evaluate the kept checkpoints on data that was held out.

References
----------
Kapoor and Narayanan, Leakage and the reproducibility crisis in machine-learning-based science (2023).

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzer.anatomy import Anatomy, Curve
from analyzer.anatomy.beside import Beside, beside, in_order
from analyzer.detectors import Detector
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.verdict import Evidence, Mark, Measure, Reading, Unfit
from analyzer.model.wording import counted, percent

LEAST = 5  # different values at the same steps
SAME = 1e-5  # of the level and of the range: float32 and six printed digits are within it


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    same: float = field(default=0.9, metadata={"why": "share of the points at which both losses are the same number"})


def measure(anatomy: Anatomy) -> Iterator[Reading]:
    """Yield one reading for each validation or test loss that has a training loss at the same steps."""
    if not anatomy.validation or not anatomy.training:
        yield Unfit("no validation loss" if anatomy.training else "no training loss beside the validation loss")
        return
    mates = anatomy.having("loss", "train")
    pairs = [(c, pair) for c in anatomy.validation for m in mates for pair in (beside(c, m), in_order(c, m))]
    judged = [(c, p, _same(p)) for c, p in pairs if p is not None and _varies(p)]
    if not judged:
        yield Unfit(f"fewer than {LEAST} different values of training and validation at the same steps")
        return
    curve, pair, share = max(judged, key=lambda j: j[2])
    yield _reading(anatomy, curve, pair, share)


def _varies(pair: Beside) -> bool:
    return np.unique(pair.ours[:: max(1, pair.ours.size // 1000)]).size >= LEAST


def _same(pair: Beside) -> float:
    scale = np.minimum(np.abs(pair.ours), float(np.ptp(pair.ours)))
    return float(np.mean(np.abs(pair.ours - pair.theirs) <= SAME * scale))


def _reading(anatomy: Anatomy, curve: Curve, pair: Beside, share: float) -> Evidence:
    first, last = int(pair.at[0]), int(pair.at[-1])
    return Evidence(
        (curve.tag, pair.mate.tag),
        (Measure("share of points with the same value", share, "same", unit="ratio"),),
        "warning",
        f"{curve.tag} and {pair.mate.tag} are the same number at {percent(share)} of {counted(pair.at.size, 'step')}: "
        f"the same data, or the same value logged twice",
        first,
        last,
        "the same data twice, or one value written under two tags",
        ("two samples of the same source differ by the noise of sampling",),
        (
            "Check which data set the validation loader is given.",
            f"Check which value is written under {curve.tag}.",
            "Evaluate the kept checkpoints on data that was held out.",
        ),
        marks=(Mark("region", curve.tag, "equals training", (first, last)),),
    )


def _twins(spread: float) -> tuple[np.ndarray, np.ndarray]:
    values = falling(60) + noise(60, 0.03)
    return values, values + noise(60, spread, 5)


DETECTOR = Detector(
    "validation-equals-training",
    __doc__,
    measure,
    Limits(),
    (
        Case(
            "the same data twice",
            "fires",
            lambda: made_run(dict(zip(("train/loss", "val/loss"), _twins(1e-8), strict=True))),
        ),
        Case(
            "two samples of one source",
            "quiet",
            lambda: made_run(
                {"train/loss": falling(60) + noise(60, 0.01), "val/loss": falling(60) + noise(60, 0.01, 2)}
            ),
        ),
        Case(
            "two very large samples",
            "almost",
            lambda: made_run(dict(zip(("train/loss", "val/loss"), _twins(2e-4), strict=True))),
        ),
        Case(
            "an exact fit: both rest at 0",
            "almost",
            lambda: made_run({"train/loss": [0.7, 0.3, 0.1, *[0.0] * 60], "val/loss": [0.8, 0.4, 0.2, *[0.0] * 60]}),
        ),
    ),
    explains=("validation-below-training", "overfitting"),
    course=False,
)
