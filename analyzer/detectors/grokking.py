"""Validation gets good suddenly, long after training is perfect.

Why it matters
--------------
For most of the run this looked like a model that memorises. It has found the rule after all: the last checkpoint
is the one to keep, and stopping early would have missed it.

How it is measured
------------------
An accuracy (or F1, R²) of training reaches nearly all of what it ever gains while that of validation has made less
than half of its way. Validation then rises past nine tenths of its way at a step several times as late, comes near
training and stays. The late rise must be most of the range of the metric and beyond its noise.

When it is wrong
----------------
Training accuracy over single batches reaches 1 by chance: it is smoothed. A drop of the learning rate or an unfrozen
layer may bring a late rise as well; without a training metric the loss is not enough to tell.

What to do
----------
Keep the last checkpoint. Stronger weight decay and more data bring the jump forward. Do not stop such runs early.

References
----------
Power et al., Grokking: generalization beyond overfitting on small algorithmic datasets (2022). Nanda et al., Progress
measures for grokking via mechanistic interpretability (2023).

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from analyzer.detectors import GRAVE, Detector
from analyzer.features import Curve, RunFeatures
from analyzer.features.second_descent import PARAMS as SECOND
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Sign, Unfit, Words
from analyzer.model.formatting import number, step
from analyzer.stats.robust import difference_sigma, median
from analyzer.stats.trend import centred_mean

KINDS = ("accuracy", "f1", "r2", "iou", "ap")


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    delay: float = field(
        default=3.0, metadata={"unit": "×", "why": "step of the validation's rise over that of the training's"}
    )
    apart: float = field(
        default=0.15, metadata={"unit": "of the run", "why": "the distance of the two, as a share of the run"}
    )
    late: float = field(
        default=0.5,
        metadata={"unit": "ratio", "why": "share of the validation's range that comes after training is done"},
    )
    rise: float = field(
        default=0.3, metadata={"unit": "of training", "why": "that rise, as a share of the best training value"}
    )
    close: float = field(
        default=0.8,
        metadata={"unit": "of training", "why": "held-out value at the end, over the best training value"},
    )
    noise: float = field(default=8.0, metadata={"unit": "× noise", "why": "that rise, in units of the noise"})
    fitted: float = field(
        default=0.9,
        metadata={"unit": "ratio", "why": "training value when it is done, over the best held-out value"},
    )


@dataclass(frozen=True)
class Params:
    """Where a metric is done."""

    done: float = field(
        default=0.9, metadata={"unit": "of its range", "why": "the rest of the way takes as long as the noise likes"}
    )


PARAMS = Params()
TINY = float(np.finfo(float).tiny)


@dataclass(frozen=True)
class Facts:
    """What the sentences need: steps at which training and validation were done, and their values there."""

    fitted: float
    fitted_at: int
    before: float
    reached: float
    reached_at: int
    delay: float


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield one reading for each pair of a training and a held-out metric of one kind."""
    pairs = [
        (held, train)
        for held in features.having("metric")
        for train in features.having("metric", "train")
        if held.role.split in ("validation", "test") and held.role.kind == train.role.kind in KINDS
    ]
    if not pairs:
        yield Unfit("no accuracy (F1, R², …) of both training and validation")
        return
    long = [(held, train) for held, train in pairs if min(held.n, train.n) >= SECOND.least]
    yield from (_reading(held.coarse, train.coarse) for held, train in long)
    if not long:
        yield Unfit(f"fewer than {SECOND.least} values of the training or validation metric")


def _reading(held: Curve, train: Curve) -> Evidence:
    theirs, done = _reached(train)
    ours, jumped = _reached(held)
    low, high, top = float(np.min(ours)), float(np.max(ours)), max(abs(float(np.max(theirs))), TINY)
    then = float(np.interp(train.at[done], held.at, ours))
    before, after = int(train.at[done]), int(held.at[jumped])
    origin = int(min(held.at[0], train.at[0]))
    span = float(held.at[-1] - origin)
    kept = median(ours[jumped:]) - then
    delay = (after - origin + held.cadence) / (before - origin + held.cadence)
    return Evidence(
        (held.tag, train.tag),
        (
            Measure("validation's step over training's", delay, "delay", unit="×"),
            Measure("distance of the two", (after - before) / span if span > 0 else 0.0, "apart", unit="of the run"),
            Measure("share of the range that comes late", kept / max(high - low, TINY), "late", unit="ratio"),
            Measure("late rise", kept / top, "rise", unit="of training"),
            Measure("held-out value at the end", float(ours[-1]) / top, "close", unit="of training"),
            Measure("late rise", kept / max(difference_sigma(held.raw), TINY), "noise", unit="× noise"),
            Measure("training when it is done", float(theirs[done]) / max(abs(high), TINY), "fitted", unit="ratio"),
        ),
        "info",
        first_step=before,
        last_step=int(held.at[-1]),
        cause="grokking",
        marks=(
            Mark("step", held.tag, "training is done", (before,)),
            Mark("step", held.tag, "validation follows", (after,)),
        ),
        signs=(Sign("validation-late", held.tag, {"delay": delay}),),
        facts=Facts(float(theirs[done]), before, then, float(ours[jumped]), after, delay),
    )


def _reached(curve: Curve) -> tuple[NDArray[np.float64], int]:
    """Return the calmed curve and the first point from which it has made most of its way."""
    calm = centred_mean(curve.raw, 2 * max(1, curve.n // (2 * SECOND.window)) + 1)
    low, high = float(np.min(calm)), float(np.max(calm))
    return calm, int(np.argmax(calm >= low + PARAMS.done * (high - low)))


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    its: Facts = evidence.facts
    held, train = evidence.tags
    return Words(
        f"{train} is {number(its.fitted)} from step {step(its.fitted_at)} on, {held} stays near "
        f"{number(its.before)} and reaches {number(its.reached)} only at step {step(its.reached_at)}",
        "grokking: the rule was found long after the examples had been memorised",
        (f"validation took {number(its.delay, 2)} times as many steps as training",),
        (
            "Keep the last checkpoint, and do not stop such runs early.",
            "More weight decay or more data bring the jump forward.",
        ),
    )


def _sudden(points: int, at: float, width: float, seed: int) -> np.ndarray:
    place = np.arange(points) / points
    return 0.05 + 0.93 / (1 + np.exp(-(place - at) / width)) + noise(points, 0.005, seed)


DETECTOR = Detector(
    "grokking",
    __doc__,
    measure,
    Limits(),
    (
        Case(
            "the rule is found late",
            "fires",
            lambda: made_run(
                {"train/accuracy": _sudden(200, 0.05, 0.01, 1), "val/accuracy": _sudden(200, 0.7, 0.03, 2)}
            ),
        ),
        Case(
            "both rise together",
            "quiet",
            lambda: made_run(
                {
                    "train/loss": falling(200),
                    "train/accuracy": _sudden(200, 0.05, 0.02, 1),
                    "val/accuracy": _sudden(200, 0.06, 0.02, 2),
                }
            ),
        ),
        Case(
            "validation never follows",
            "almost",
            lambda: made_run({"train/accuracy": _sudden(200, 0.05, 0.01, 1), "val/accuracy": 0.05 + noise(200, 0.01)}),
        ),
    ),
    yields_to=GRAVE,
    describe=describe,
)
