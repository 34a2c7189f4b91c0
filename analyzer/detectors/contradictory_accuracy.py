"""The accuracy looks good or stands still while the loss, recall or F1 tell another story.

Why it matters
--------------
Where one class is rare, a model that always gives the other one reaches a high accuracy and finds nothing. An accuracy
that never moves by a digit while the loss does is of that kind, or it is not computed from this model's answers.

How it is measured
------------------
*Empty*: an accuracy above one half, beside a recall, F1 or precision of the same split that is 0 in at least nine
tenths of the evaluations after the first quarter. *Still*: nearly all values of a held-out accuracy, from the first
on, are one and the same number, while the trend of the loss goes through a range that matters, beside its level and
its noise. A metric that stays at 0 while the loss falls, and an accuracy that comes to rest on a poor value, are
`contradictory-metrics`, which then leads.

When it is wrong
----------------
Recall at 0 is right where the split holds no example of the class. An accuracy that has reached 1, or that moved
before it came to rest, is fine. On a handful of held-out examples a good model may give the same answers at every
evaluation: an accuracy of nine tenths or more that stands still counts only while the loss is near that of always
giving the class shares (their entropy), and is then told without alarm.

What to do
----------
Look at the confusion matrix and at the share of the commonest class: if the accuracy equals it, one class is always
given. Lower the decision threshold, weigh or resample the rare class, and choose models by F1 or average precision.

References
----------
Google, Machine Learning Crash Course: classification: accuracy, recall, precision. Saito and Rehmsmeier, The
precision-recall plot is more informative than the ROC plot on imbalanced datasets (2015).

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzer.anatomy import Anatomy, Curve
from analyzer.detectors import GRAVE, Detector
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.verdict import Evidence, Mark, Measure, Reading, Unfit
from analyzer.model.wording import number, percent
from analyzer.stats.robust import median

LEAST = 6  # evaluations
EMPTY = ("recall", "f1", "precision")


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    empty: float = field(default=0.9, metadata={"why": "share of recall, F1 or precision after the first quarter at 0"})
    high: float = field(default=0.5, metadata={"why": "accuracy beside them"})
    still: float = field(default=0.95, metadata={"why": "share of the accuracy's values that are the same number"})
    moves: float = field(default=0.25, metadata={"why": "range of the loss's trend meanwhile, over its level"})
    clear: float = field(default=6.0, metadata={"why": "the same range, in units of the loss's noise"})
    guess: float = field(
        default=0.7, metadata={"why": "loss at the end, over that of giving the class shares (accuracy of 0.9 or more)"}
    )


def measure(anatomy: Anatomy) -> Iterator[Reading]:
    """Yield one reading of each accuracy beside an empty metric, and one beside a loss that moves."""
    known = [c for c in anatomy.having("metric") if c.role.kind == "accuracy"]
    if not known:
        yield Unfit("no accuracy is logged")
        return
    judged = [c for c in known if c.n >= LEAST]
    if not judged:
        yield Unfit(f"fewer than {LEAST} values of an accuracy")
        return
    readings = [r for c in judged for r in (_empty(anatomy, c), _still(anatomy, c)) if r is not None]
    yield from readings
    if not readings:
        yield Unfit("no loss, recall, F1 or precision to compare the accuracy with")


def _empty(anatomy: Anatomy, accuracy: Curve) -> Evidence | None:
    beside = [c for c in anatomy.having("metric", accuracy.role.split) if c.role.kind in EMPTY and c.n >= LEAST]
    if not beside:
        return None
    zeros = {c.tag: float(np.mean(c.raw[c.n // 4 :] == 0)) if c.raw[-1] == 0 else 0.0 for c in beside}
    other = max(beside, key=lambda c: zeros[c.tag])
    level = float(np.median(accuracy.raw[accuracy.n // 4 :]))
    share = level / 100 if level > 1 else level
    return Evidence(
        (accuracy.tag, other.tag),
        (
            Measure(f"share of {other.role.kind} at 0", zeros[other.tag], "empty", unit="ratio"),
            Measure("accuracy", share, "high", unit="ratio"),
        ),
        "warning",
        f"{accuracy.tag} is {percent(share)} while {other.tag} stays at 0: the accuracy says nothing of the rare class",
        int(other.at[other.n // 4]),
        int(other.at[-1]),
        "one class is always given",
        (f"{accuracy.tag} is {percent(share)}, and {other.tag} says that no example of the other class is found",),
        (
            "Lower the decision threshold (libraries use 0.5), and choose it on the validation set.",
            "Weigh or resample the rare class.",
            "Choose models by F1 or average precision, not by accuracy.",
        ),
        marks=(Mark("region", other.tag, "stays at 0", (int(other.at[other.n // 4]), int(other.at[-1]))),),
    )


def _still(anatomy: Anatomy, accuracy: Curve) -> Evidence | None:
    losses = [c for c in (*anatomy.validation, *anatomy.training) if c.n >= LEAST and anatomy.falls]
    loss = next((c for c in losses if c.role.split == accuracy.role.split), losses[0] if losses else None)
    if loss is None:
        return None
    level = median(accuracy.raw)  # a value that nearly all share is their median as well
    same = float(np.mean(np.abs(accuracy.raw - level) <= 1e-9))
    reached = level in (1.0, 100.0)
    path = loss.raw if loss.n < 20 else np.exp(loss.blocks.level) if loss.log else loss.blocks.level
    span = float(np.ptp(path))
    spread = loss.sigma * (abs(float(np.median(loss.raw))) if loss.log else 1.0)
    moves = span / max(abs(float(np.median(path))), 0.3 * float(np.max(np.abs(path))), np.finfo(float).tiny)
    share = level / 100 if level > 1 else level
    shares = -share * np.log(share) - (1 - share) * np.log(1 - share) if 0.9 <= share < 1 else 0.0
    first, last = int(accuracy.at[0]), int(accuracy.at[-1])
    return Evidence(
        (accuracy.tag, *loss.tags),
        (
            Measure("same value", 0.0 if reached else same, "still", unit="ratio"),
            Measure("range of the loss's trend", moves, "moves", unit="of its level"),
            Measure("range of the loss's trend", span / max(spread, 1e-12 * span, 1e-300), "clear", unit="× noise"),
            Measure("loss at the end", float(path[-1]) / shares if shares else 1.0, "guess", unit="× guessing"),
        ),
        "info" if accuracy.n < 10 or share >= 0.9 else "warning",
        f"{accuracy.tag} is {number(level)} at nearly every evaluation while {loss.tag} goes from "
        f"{number(float(path[0]))} to {number(float(path[-1]))}",
        first,
        last,
        "one class is always given, or an accuracy that is not computed from this model's answers",
        (f"{accuracy.tag} has {number(level)} in {percent(same)} of its values",),
        (
            "Compare it with the share of the commonest class: if they are equal, one class is always given.",
            "Look at the confusion matrix; log F1 or average precision.",
            f"Check that {accuracy.tag} is fed with this model's predictions.",
        ),
        marks=(Mark("region", accuracy.tag, f"stays at {number(level)}", (first, last)),),
    )


DETECTOR = Detector(
    "contradictory-accuracy",
    __doc__,
    measure,
    Limits(),
    (
        Case(
            "95 % right, nothing found",
            "fires",
            lambda: made_run(
                {
                    "train/loss": 0.21 + noise(60, 0.004),
                    "val/accuracy": 0.95 + noise(60, 0.002),
                    "val/recall": np.zeros(60),
                    "val/loss": 0.2 + noise(60, 0.003, 1),
                }
            ),
        ),
        Case(
            "the share of the commonest class",
            "fires",
            lambda: made_run({"val/loss": falling(60, 1.2, 0.2), "val/accuracy": np.full(60, 0.93)}),
        ),
        Case(
            "both improve",
            "quiet",
            lambda: made_run({"train/loss": falling(60), "val/accuracy": 1 - falling(60, 0.8, 0.1)}),
        ),
        Case(
            "saturated at 1",
            "almost",
            lambda: made_run({"train/loss": falling(60), "val/accuracy": np.ones(60), "val/recall": np.ones(60)}),
        ),
        Case(
            "a good model on a few held-out examples",
            "almost",
            lambda: made_run({"val/loss": falling(60, 0.25, 0.03), "val/accuracy": np.full(60, 0.95)}),
        ),
    ),
    yields_to=(*GRAVE, "contradictory-metrics"),
    course=False,
)
