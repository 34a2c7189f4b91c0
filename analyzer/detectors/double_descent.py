"""The validation loss rose, and then fell below its former best.

Why it matters
--------------
What looked like overfitting was not the last word: who had stopped at the first minimum would have kept a worse model.
It also says that a single early stop with little patience is a poor rule for this task.

How it is measured
------------------
The smoothed validation loss has a best, a rise after it by several times its noise and by a share of all that was
gained, over a stretch of the run and in no single leap, and ends below that best by more than its noise. Training did
not rise with it: a bump of both is a disturbance.

When it is wrong
----------------
A drop of the learning rate after the rise brings the second fall by itself: the event is then named as what explains
it. Restarts and cyclical rates make humps in training too.

What to do
----------
Keep the checkpoint of the last best, and give early stopping more patience than the length of the hump. Repeat it with
another seed before building on it.

References
----------
Nakkiran et al., Deep double descent: where bigger models and more data hurt (2020). Belkin et al., Reconciling modern
machine learning practice and the bias-variance trade-off (2019).

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzer.detectors import GRAVE, Detector
from analyzer.features import Curve, RunFeatures
from analyzer.features.best_step import trend_at
from analyzer.features.knobs import knob_at
from analyzer.features.second_descent import PARAMS as SECOND
from analyzer.features.second_descent import SecondDescent, second_descent
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Sign, Unfit, Words
from analyzer.model.formatting import number, step
from analyzer.stats.robust import median


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    hump: float = field(
        default=6.0, metadata={"unit": "× noise", "why": "rise between the two falls, in units of the smoothed noise"}
    )
    share: float = field(
        default=0.1,
        metadata={"unit": "of what was gained", "why": "the same rise, as a share of all that had been gained"},
    )
    gain: float = field(
        default=3.0, metadata={"unit": "× noise", "why": "new best below the old one, in units of the smoothed noise"}
    )
    length: float = field(
        default=0.1, metadata={"unit": "of the run", "why": "from the first best to the new one, as a share of the run"}
    )
    first: float = field(
        default=0.5, metadata={"unit": "of the rise", "why": "first fall, before the rise, compared with the rise"}
    )
    leap: float = field(
        default=0.6, metadata={"unit": "of the rise", "why": "largest leap on the way up, compared with the rise"}
    )
    training: float = field(
        default=0.25, metadata={"unit": "of the hump", "why": "rise of training to the hump's peak, over the hump"}
    )


@dataclass(frozen=True)
class Params:
    """How far around a step is still at it."""

    near: float = field(
        default=0.05, metadata={"unit": "of the run", "why": "training may peak, or a rate drop, so far from the hump"}
    )


PARAMS = Params()


@dataclass(frozen=True)
class Facts:
    """What the sentences need: the hump, its steps, and where training stood at them."""

    second: SecondDescent
    first: int
    worst: int
    last: int
    training: str
    training_first: float
    training_worst: float


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield one reading for each validation loss."""
    if not features.falls:
        yield Unfit(features.why_not)
        return
    if not features.validation:
        yield Unfit("no validation loss")
        return
    judged = [(c, s) for c in features.validation if (s := second_descent(c.coarse)) is not None]
    mated = [
        (c.coarse, s, m.coarse) for c, s in judged if (m := features.partner(c)) is not None and m.n >= SECOND.least
    ]
    if not mated:
        yield Unfit(f"fewer than {SECOND.least} values of validation and training loss")
        return
    for curve, second, mate in mated:
        yield _reading(features, curve, second, mate)


def _reading(features: RunFeatures, curve: Curve, second: SecondDescent, mate: Curve) -> Evidence:
    gained = max(second.fallen + second.gain, second.hump, second.noise)
    size = max(second.hump, second.noise)  # no hump at all has no shares
    first, worst, last = (int(curve.at[i]) for i in (second.first, second.worst, second.second))
    span = float(curve.at[-1] - curve.at[0])
    near = PARAMS.near * span
    rose = _rise_of(mate, first, worst, near) / size
    event = features.event_near(worst + int(near), 2 * near, ("lr-drop", "lr-restart", "restart"))
    knob = knob_at(features, (worst - int(near), worst + int(near)))
    return Evidence(
        (curve.tag, *mate.tags),
        (
            Measure("rise between the two falls", second.hump / second.noise, "hump", unit="× noise"),
            Measure("the same rise", second.hump / gained, "share", unit="of what was gained"),
            Measure(
                "new best below the old",
                (second.first_best - curve.back(curve.end)) / second.noise,
                "gain",
                unit="× noise",
            ),
            Measure("first best to new best", (last - first) / span if span > 0 else 0.0, "length", unit="of the run"),
            Measure("first fall", second.fallen / size, "first", unit="of the rise"),
            Measure("largest leap on the way up", second.leap / size, "leap", "below", "of the rise"),
            Measure("rise of training meanwhile", rose, "training", "below", "of the hump"),
        ),
        "info",
        first_step=first,
        last_step=int(curve.at[-1]),
        cause="double-descent",
        marks=(Mark("region", curve.tag, "rose and fell again", (first, last)),),
        explained_by=f"event:{event.kind}@{event.step}" if event else knob.event if knob else None,
        signs=(Sign("training-does-not-rise", mate.tag, {"rise": rose}),),
        facts=Facts(second, first, worst, last, mate.tag, trend_at(mate, first), trend_at(mate, worst)),
    )


def _rise_of(mate: Curve, first: int, worst: int, reach: float) -> float:
    """Return how far training rises from the first best to its highest around the hump: medians of nearby points."""

    def near(at: int) -> float:
        held = mate.raw[np.abs(mate.at - at) <= reach]
        return median(held) if held.size > 2 else float(np.interp(at, mate.at, mate.raw))

    return max(near(worst), near(int(worst - reach)), near(int(worst + reach))) - near(first)


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    its: Facts = evidence.facts
    second = its.second
    return Words(
        f"{evidence.tags[0]} was best around step {step(its.first)} with {number(second.first_best)}, rose to "
        f"{number(second.peak)} at step {step(its.worst)} and then fell to {number(second.second_best)}, "
        "below its former best",
        "double descent: the model found a simpler solution after it had fitted the training data",
        (f"{its.training} goes from {number(its.training_first)} to {number(its.training_worst)} meanwhile",),
        (
            "Keep the checkpoint of the last best, not of the first.",
            f"Give early stopping a patience of more than {step(its.last - its.first)} steps.",
            "Repeat it with another seed before building on it.",
        ),
    )


def _twice(points: int, last: float) -> np.ndarray:
    at = np.arange(points) / points
    hump = 0.5 * np.exp(-(((at - 0.45) / 0.12) ** 2))
    return 2.0 * np.exp(-10 * at) + 0.6 + hump - last * at + noise(points, 0.01, 3)


DETECTOR = Detector(
    "double-descent",
    __doc__,
    measure,
    Limits(),
    (
        Case(
            "rises and falls below",
            "fires",
            lambda: made_run({"train/loss": falling(100, floor=0.01), "val/loss": _twice(100, 0.35)}),
        ),
        Case(
            "both fall",
            "quiet",
            lambda: made_run({"train/loss": falling(100), "val/loss": falling(100, 2.4, 0.25) + noise(100, 0.01)}),
        ),
        Case(
            "a bump that training shares",
            "almost",
            lambda: made_run({"train/loss": _twice(100, 0.35) - 0.1, "val/loss": _twice(100, 0.35)}),
        ),
    ),
    yields_to=(*GRAVE, "repetitive-loss", "loss-spike", "grokking"),
    describe=describe,
)
