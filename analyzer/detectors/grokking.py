"""Validation gets good suddenly, long after training is perfect.

Why it matters
--------------
For most of the run this looked like a model that learns by heart. It has found the rule after all: the last checkpoint
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

from analyzer.anatomy import Anatomy, Curve
from analyzer.detectors import GRAVE, Detector
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.verdict import Evidence, Mark, Measure, Reading, Unfit
from analyzer.model.wording import number, step
from analyzer.stats.robust import difference_sigma, median
from analyzer.stats.trend import centred_mean

LEAST = 15  # evaluations
KINDS = ("accuracy", "f1", "r2", "iou", "ap")


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    delay: float = field(default=3.0, metadata={"why": "step of the validation's rise over that of the training's"})
    apart: float = field(default=0.15, metadata={"why": "the distance of the two, as a share of the run"})
    late: float = field(
        default=0.5, metadata={"why": "share of the validation's range that comes after training is done"}
    )
    rise: float = field(default=0.3, metadata={"why": "that rise, as a share of the best training value"})
    close: float = field(default=0.8, metadata={"why": "held-out value at the end, over the best training value"})
    noise: float = field(default=8.0, metadata={"why": "that rise, in units of the noise"})
    fitted: float = field(default=0.9, metadata={"why": "training value when it is done, over the best held-out value"})


def measure(anatomy: Anatomy) -> Iterator[Reading]:
    """Yield one reading for each pair of a training and a held-out metric of one kind."""
    pairs = [
        (held, train)
        for held in anatomy.having("metric")
        for train in anatomy.having("metric", "train")
        if held.role.split in ("validation", "test") and held.role.kind == train.role.kind in KINDS
    ]
    if not pairs:
        yield Unfit("no accuracy (F1, R², …) of both training and validation")
        return
    long = [(held, train) for held, train in pairs if min(held.n, train.n) >= LEAST]
    yield from (_reading(held.coarse, train.coarse) for held, train in long)
    if not long:
        yield Unfit(f"fewer than {LEAST} values of the training or validation metric")


def _reading(held: Curve, train: Curve) -> Evidence:
    theirs, done = _reached(train, 0.95)
    ours, jumped = _reached(held, 0.9)
    low, high = float(np.min(ours)), float(np.max(ours))
    then = float(np.interp(train.at[done], held.at, ours))
    before, after = int(train.at[done]), int(held.at[jumped])
    origin = int(min(held.at[0], train.at[0]))
    span = float(held.at[-1] - origin)
    kept = median(ours[jumped:]) - then
    spread = max(difference_sigma(held.raw), 1e-9)
    top = float(np.max(theirs))
    delay = (after - origin + held.cadence) / (before - origin + held.cadence)
    return Evidence(
        (held.tag, train.tag),
        (
            Measure("validation's step over training's", delay, "delay", unit="×"),
            Measure("distance of the two", (after - before) / span if span > 0 else 0.0, "apart", unit="of the run"),
            Measure("share of the range that comes late", kept / max(high - low, 1e-12), "late", unit="ratio"),
            Measure("late rise", kept / max(abs(top), 1e-12), "rise", unit="of training"),
            Measure("held-out value at the end", float(ours[-1]) / max(abs(top), 1e-12), "close", unit="of training"),
            Measure("late rise", kept / spread, "noise", unit="× noise"),
            Measure("training when it is done", float(theirs[done]) / max(abs(high), 1e-12), "fitted", unit="ratio"),
        ),
        "info",
        f"{train.tag} is {number(float(theirs[done]))} from step {step(before)} on, {held.tag} stays near "
        f"{number(then)} and reaches {number(float(ours[jumped]))} only at step {step(after)}",
        before,
        int(held.at[-1]),
        "grokking: the rule was found long after the examples had been learnt by heart",
        (f"validation took {number(delay, 2)} times as many steps as training",),
        (
            "Keep the last checkpoint, and do not stop such runs early.",
            "More weight decay or more data bring the jump forward.",
        ),
        marks=(
            Mark("step", held.tag, "training is done", (before,)),
            Mark("step", held.tag, "validation follows", (after,)),
        ),
    )


def _reached(curve: Curve, share: float) -> tuple[np.ndarray, int]:
    """Return the calmed curve and the first point from which it has made this share of its way."""
    calm = centred_mean(curve.raw, max(3, curve.n // 50))
    low, high = float(np.min(calm)), float(np.max(calm))
    return calm, int(np.argmax(calm >= low + share * (high - low)))


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
    explains=("overfitting", "plateau", "double-descent", "wasted-tail", "still-improving", "metric-loss-disagreement"),
    yields_to=GRAVE,
    course=False,
)
