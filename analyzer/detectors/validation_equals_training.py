"""The validation loss repeats the training loss digit for digit.

Why it matters
--------------
Values that agree to the last digits come from the same examples: the validation says nothing about new data, and
overfitting cannot be seen in this log.

How it is measured
------------------
Each validation or test loss is compared with the training loss at the same steps, or point by point where both have as
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

from analyzer.detectors import Detector
from analyzer.features import RunFeatures
from analyzer.features.paired_losses import PairedLosses, beside, in_order
from analyzer.features.sample_size import PARAMS as ENOUGH
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Sign, Unfit, Words
from analyzer.model.formatting import counted, percent


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    same: float = field(
        default=0.9, metadata={"unit": "ratio", "why": "share of the points at which both losses are the same number"}
    )


@dataclass(frozen=True)
class Params:
    """What the same number is."""

    same: float = field(
        default=1e-5,
        metadata={"unit": "of the level and of the range", "why": "float32 and six printed digits are within it"},
    )


PARAMS = Params()


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield one reading for the validation or test loss that agrees most with a training loss at the same steps."""
    if not features.validation or not features.training:
        yield Unfit(
            "no validation loss" if features.training else "no training loss to compare the validation loss with"
        )
        return
    mates = features.having("loss", "train")
    pairs = [(c, pair) for c in features.validation for m in mates for pair in (beside(c, m), in_order(c, m))]
    judged = [(c, p, _same(p)) for c, p in pairs if p is not None and np.unique(p.ours).size >= ENOUGH.evaluations]
    if not judged:
        yield Unfit(f"fewer than {ENOUGH.evaluations} different values of training and validation at the same steps")
        return
    curve, pair, share = max(judged, key=lambda j: j[2])
    region = (int(pair.at[0]), int(pair.at[-1]))
    yield Evidence(
        (curve.tag, pair.mate.tag),
        (Measure("share of points with the same value", share, "same", unit="ratio"),),
        "warning",
        first_step=region[0],
        last_step=region[1],
        cause="same-data",
        marks=(Mark("region", curve.tag, "equals training", region),),
        signs=(Sign("no-sampling-noise", curve.tag),),
        facts=int(pair.at.size),
    )


def _same(pair: PairedLosses) -> float:
    """Return the share of the points at which both are one number, compared with the level and with the range."""
    scale = np.minimum(np.abs(pair.ours), float(np.ptp(pair.ours)))
    return float(np.mean(np.abs(pair.ours - pair.theirs) <= PARAMS.same * scale))


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    held, train = evidence.tags
    share = percent(evidence.measures[0].value)
    return Words(
        f"{held} and {train} are the same number at {share} of {counted(evidence.facts, 'step')}: "
        "the same data, or the same value logged twice",
        "the same data twice, or one value written under two tags",
        ("two samples of the same source differ by the noise of sampling",),
        (
            "Check which data set the validation loader is given.",
            f"Check which value is written under {held}.",
            "Evaluate the kept checkpoints on data that was held out.",
        ),
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
    describe=describe,
)
