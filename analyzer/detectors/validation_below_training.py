"""The validation loss lies far below the training loss throughout.

Why it matters
--------------
Held-out examples should be harder than those learnt. Often there is a harmless reason, which hides overfitting all
the same; sometimes the validation data are easier, or leak from training; and where the two differ by a constant
factor, one of them is a sum and they cannot be compared at all.

How it is measured
------------------
Both losses at the same steps after the first tenth: validation must be lower at nearly all of them, and the median
gap must be a large share of the training loss, beyond the noise of both. Where training is logged as a mean over the
epoch, it lags by half an epoch: it is moved forward by that before it is compared. A ratio that stays the same while
both losses move is a scale, and the finding names the factor.

When it is wrong
----------------
Dropout, augmentation, label smoothing, mix-up and weight decay are part of the training loss and not of the
validation loss: then the gap is theirs and nothing is amiss. The log rarely says so; a training loss evaluated without
them would.

What to do
----------
Evaluate a fixed part of the training data in evaluation mode and log it too: if the gap goes, it was the
regularisation. If it stays, look for duplicates between the splits and for easier examples in the validation set. If
the factor is constant, divide the training loss by it: gradient accumulation, devices or tokens that are summed.

References
----------
Goodfellow, Bengio and Courville, Deep Learning (2016), chapter 7. Kapoor and Narayanan, Leakage and the
reproducibility crisis in machine-learning-based science (2023).

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzer.detectors import GRAVE, Detector
from analyzer.features import Curve, RunFeatures
from analyzer.features.constant_factor import constant_factor
from analyzer.features.paired_losses import PairedLosses, beside
from analyzer.features.sample_size import PARAMS as ENOUGH
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Sign, Unfit, Words
from analyzer.model.formatting import number, percent
from analyzer.model.roles import words_of
from analyzer.stats.robust import difference_sigma, median

REGULARISED = {"dropout", "augment", "augmentation", "mixup", "cutmix", "smoothing", "decay", "wd", "l2", "droppath"}
OFF = ("0", "0.0", "false", "none", "")


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    below: float = field(
        default=0.95, metadata={"unit": "ratio", "why": "share of the evaluations that lie below training"}
    )
    gap: float = field(
        default=0.25, metadata={"unit": "of the training loss", "why": "median gap, as a share of the training loss"}
    )
    noise: float = field(default=3.0, metadata={"unit": "× noise", "why": "median gap, in units of the noise of both"})


CAUSES = {
    "constant-factor": "a scale: the training loss is a sum where the validation loss is a mean (accumulation steps, "
    "devices, tokens)",
    "regularised": "what is added to the training loss and not to the validation loss (dropout, augmentation, decay)",
}
EVALUATE = (
    "Evaluate a fixed part of the training data in evaluation mode and log it too.",
    "If the gap stays, look for examples that are in both splits, and for easier ones in the validation set.",
    "Do not read from this log that there is no overfitting: what is added to the training loss would hide it.",
)


@dataclass(frozen=True)
class Facts:
    """What the sentences need: the median levels of both, and the constant factor where there is one."""

    validation: float
    training: float
    factor: float | None
    setting: object = None


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield one reading for the first validation loss that can be compared."""
    if not features.falls:
        yield Unfit(features.why_not)
        return
    if not features.validation:
        yield Unfit("no validation loss")
        return
    for curve in features.validation:
        mate = features.partner(curve)
        pair = _pair(curve.coarse, mate.coarse) if mate is not None else None
        if pair is not None and pair.at.size >= ENOUGH.evaluations and min(pair.ours.min(), pair.theirs.min()) > 0:
            yield _reading(features, curve, pair)
            return
    yield Unfit(f"fewer than {ENOUGH.evaluations} values of a positive training and validation loss at the same steps")


def _pair(curve: Curve, mate: Curve) -> PairedLosses | None:
    """Return both after the first tenth; training logged far more often is averaged up to each evaluation."""
    pair = beside(curve, mate)
    if pair is None and mate.n > curve.n and curve.n >= ENOUGH.evaluations:
        ends = np.searchsorted(mate.at, curve.at, side="right")
        held = [mate.raw[max(0, b - max(1, mate.n // curve.n)) : b] for b in ends.tolist()]
        if all(h.size for h in held):
            pair = PairedLosses(mate, curve.at, curve.raw, np.array([median(h) for h in held]))
    if pair is None:
        return None
    after = slice(max(1, pair.at.size // 10), None)
    theirs = pair.theirs.copy()
    theirs[:-1] = (theirs[:-1] + theirs[1:]) / 2  # half an epoch forward: a mean over the epoch lags by so much
    return PairedLosses(mate, pair.at[after], pair.ours[after], theirs[after])


def _reading(features: RunFeatures, curve: Curve, pair: PairedLosses) -> Evidence:
    gap = pair.theirs - pair.ours
    middle = median(gap)
    noise_ = max(difference_sigma(pair.ours), difference_sigma(pair.theirs))
    region = (int(pair.at[0]), int(pair.at[-1]))
    factor = constant_factor(pair.ours, pair.theirs)
    name = _regularised(features)
    cause: str | None = "constant-factor"
    sign = Sign("constant-ratio", curve.tag, {"factor": factor or 1.0})
    if factor is None:
        cause, sign = ("regularised", Sign("parameter", name)) if name else (None, Sign("log-does-not-tell", curve.tag))
    return Evidence(
        (curve.tag, pair.mate.tag),
        (
            Measure("share of the evaluations below training", float(np.mean(gap > 0)), "below", unit="ratio"),
            Measure("median gap", median(gap / pair.theirs), "gap", unit="of the training loss"),
            Measure("median gap", middle / noise_ if noise_ > 0 else float("inf"), "noise", unit="× noise"),
        ),
        "info",
        first_step=region[0],
        last_step=region[1],
        cause=cause,
        marks=(Mark("region", curve.tag, "below training", region),),
        signs=(sign,),
        facts=Facts(median(pair.ours), median(pair.theirs), factor, features.run.params.get(name)),
    )


def _regularised(features: RunFeatures) -> str:
    """Return the name of a parameter that adds something to the training loss alone, "" where there is none."""
    for name, value in features.run.params.items():
        if REGULARISED & set(words_of(name)) and str(value).lower() not in OFF:
            return name
    return ""


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    facts: Facts = evidence.facts
    held, train = evidence.tags
    sign = evidence.signs[0]
    if facts.factor is not None:
        factor = number(facts.factor, 2)
        return Words(
            f"{train} is {factor} times {held} at every evaluation ({number(facts.training)} and "
            f"{number(facts.validation)}): the two are on different scales",
            CAUSES["constant-factor"],
            (f"the ratio stays at {factor} while both losses move",),
            (
                f"Compare {factor} with the steps of gradient accumulation, the devices and the batch size, and divide "
                f"{train} by it.",
                "Until then, compare the shapes of the two losses and not their levels.",
            ),
        )
    sentence = f"the parameter {sign.tag} is {facts.setting}"
    if sign.id == "log-does-not-tell":
        sentence = (
            "the log does not tell which it is: dropout, augmentation or a penalty in the training loss, easier "
            "validation data, or examples that are in both splits"
        )
    return Words(
        f"{held} lies {percent(1 - facts.validation / facts.training)} below {train} throughout "
        f"({number(facts.validation)} and {number(facts.training)})",
        CAUSES[evidence.cause] if evidence.cause else None,
        (sentence,),
        EVALUATE,
    )


DETECTOR = Detector(
    "validation-below-training",
    __doc__,
    measure,
    Limits(),
    (
        Case(
            "dropout in the training loss",
            "fires",
            lambda: made_run(
                {"train/loss": falling(60, 2.3, 0.8) + noise(60, 0.01), "val/loss": falling(60, 2.0, 0.4)}, dropout=0.5
            ),
        ),
        Case(
            "both alike",
            "quiet",
            lambda: made_run(
                {"train/loss": falling(60) + noise(60, 0.01), "val/loss": falling(60) + noise(60, 0.01, 2)}
            ),
        ),
        Case(
            "a mean over the epoch, which lags",
            "almost",
            lambda: made_run(
                {
                    "train/loss": 2.3 * np.exp(-0.2 * (np.arange(30) - 0.5)) + 0.02,
                    "val/loss": 2.3 * np.exp(-0.2 * np.arange(30)) + 0.02,
                }
            ),
        ),
    ),
    yields_to=(*GRAVE, "validation-equals-training", "unmoved-validation"),
    describe=describe,
)
