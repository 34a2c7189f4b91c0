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

from analyzer.anatomy import Anatomy, Curve
from analyzer.anatomy.second import LEAST, Second, second_descent
from analyzer.anatomy.turning import trend_at
from analyzer.detectors import GRAVE, Detector
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.verdict import Evidence, Mark, Measure, Reading, Unfit
from analyzer.model.wording import number, step
from analyzer.stats.robust import median


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    hump: float = field(default=6.0, metadata={"why": "rise between the two falls, in units of the smoothed noise"})
    share: float = field(default=0.1, metadata={"why": "the same rise, as a share of all that had been gained"})
    gain: float = field(default=3.0, metadata={"why": "new best below the old one, in units of the smoothed noise"})
    length: float = field(default=0.1, metadata={"why": "from the first best to the new one, as a share of the run"})
    first: float = field(default=0.5, metadata={"why": "first fall, before the rise, beside the rise"})
    leap: float = field(default=0.6, metadata={"why": "largest leap on the way up, beside the rise"})
    training: float = field(default=0.25, metadata={"why": "rise of training to the hump's peak, beside the hump"})


def measure(anatomy: Anatomy) -> Iterator[Reading]:
    """Yield one reading for each validation loss."""
    if not anatomy.falls:
        yield Unfit(anatomy.why_not)
        return
    if not anatomy.validation:
        yield Unfit("no validation loss")
        return
    judged = [(c, s) for c in anatomy.validation if (s := second_descent(c.coarse)) is not None]
    mated = [(c.coarse, s, m.coarse) for c, s in judged if (m := anatomy.partner(c)) is not None and m.n >= LEAST]
    if not mated:
        yield Unfit(f"fewer than {LEAST} values of validation and training loss")
        return
    for curve, second, mate in mated:
        yield _reading(anatomy, curve, second, mate)


def _reading(anatomy: Anatomy, curve: Curve, second: Second, mate: Curve) -> Evidence:
    gained = max(second.fallen + second.gain, second.hump, 1e-300)
    size = max(second.hump, second.noise)  # no hump at all has no shares
    leap = second.leap / size
    first, worst, last = (int(curve.at[i]) for i in (second.first, second.worst, second.second))
    span = float(curve.at[-1] - curve.at[0])
    rose = _rise_of(mate, first, worst, 0.03 * span) / size
    again = curve.back(curve.end)
    event = anatomy.event_near(worst + int(0.05 * span), 0.1 * span, ("lr-drop", "lr-restart", "restart"))
    return Evidence(
        (curve.tag, *mate.tags),
        (
            Measure("rise between the two falls", second.hump / second.noise, "hump", unit="× noise"),
            Measure("the same rise", second.hump / gained, "share", unit="of what was gained"),
            Measure("new best below the old", (second.first_best - again) / second.noise, "gain", unit="× noise"),
            Measure("first best to new best", (last - first) / span if span > 0 else 0.0, "length", unit="of the run"),
            Measure("first fall", second.fallen / size, "first", unit="of the rise"),
            Measure("largest leap on the way up", leap, "leap", "below", "of the rise"),
            Measure("rise of training meanwhile", rose, "training", "below", "of the hump"),
        ),
        "info",
        f"{curve.tag} was best around step {step(first)} with {number(second.first_best)}, rose to "
        f"{number(second.peak)} at step {step(worst)} and then fell to {number(second.second_best)}, "
        "below its former best",
        first,
        int(curve.at[-1]),
        "double descent: the model found a simpler solution after it had fitted the training data",
        (f"{mate.tag} goes from {number(trend_at(mate, first))} to {number(trend_at(mate, worst))} meanwhile",),
        (
            "Keep the checkpoint of the last best, not of the first.",
            f"Give early stopping a patience of more than {step(last - first)} steps.",
            "Repeat it with another seed before building on it.",
        ),
        marks=(Mark("region", curve.tag, "rose and fell again", (first, last)),),
        explained_by=f"event:{event.kind}@{event.step}" if event else None,
    )


def _rise_of(mate: Curve, first: int, worst: int, reach: float) -> float:
    """Return how far training rises from the first best to its highest around the hump: medians of nearby points."""

    def near(at: int) -> float:
        held = mate.raw[np.abs(mate.at - at) <= reach]
        return median(held) if held.size >= 3 else float(np.interp(at, mate.at, mate.raw))

    return max(near(worst), near(int(worst - reach)), near(int(worst + reach))) - near(first)


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
    explains=("wasted-tail",),
    yields_to=(*GRAVE, "repetitive-loss", "loss-spike"),
    course=False,
)
