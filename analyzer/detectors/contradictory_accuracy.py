"""The accuracy looks good or is constant while the loss, recall or F1 contradict it.

Why it matters
--------------
Where one class is rare, a model that always gives the other one reaches a high accuracy and finds nothing. An accuracy
that never moves by a digit while the loss does is of that kind, or it is not computed from this model's answers.

How it is measured
------------------
*Empty*: an accuracy above one half, while a recall, F1 or precision of the same split is 0 in at least nine tenths of
the evaluations after the first quarter, to the last. *Still*: nearly all values of an accuracy, from the first on, are
one and the same number, while the levels of the loss go through a range that matters, compared with its height and its
noise. A metric that stays at 0 while the loss falls, and an accuracy that comes to rest on a poor value, are
`contradictory-metrics`, which then leads.

When it is wrong
----------------
Recall at 0 is right where the split holds no example of the class; another recall of the split that is not 0 says so.
An accuracy that has reached 1, or that moved before it came to rest, is fine, and so is a reference (a target, a
baseline) while the accuracy itself moves. On a handful of held-out examples a good model may give the same answers at
every evaluation: an accuracy of nine tenths or more that stands still counts only while the loss is near that of always
giving the class shares (their entropy), and is then reported without alarm.

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

from analyzer.detectors import GRAVE, Detector
from analyzer.features import Curve, RunFeatures
from analyzer.features.run_size import is_smoke_test
from analyzer.features.sample_size import PARAMS as ENOUGH
from analyzer.features.sample_size import settled
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Sign, Unfit, Veto, Words
from analyzer.model.formatting import number, percent
from analyzer.stats.robust import median, running_medians

EMPTY = ("recall", "f1", "precision")
PERFECT = (1.0, 100.0)  # a share and a percentage of which there is no more


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    empty: float = field(
        default=0.9,
        metadata={"unit": "ratio", "why": "share of recall, F1 or precision after the first quarter at 0"},
    )
    high: float = field(default=0.5, metadata={"unit": "ratio", "why": "accuracy at the same time"})
    still: float = field(
        default=0.95, metadata={"unit": "ratio", "why": "share of the accuracy's values that are the same number"}
    )
    moves: float = field(
        default=0.25, metadata={"unit": "of its height", "why": "range of the loss's levels meanwhile, over its height"}
    )
    clear: float = field(
        default=6.0, metadata={"unit": "× noise", "why": "the same range, in units of the loss's noise"}
    )
    guess: float = field(
        default=0.7,
        metadata={
            "unit": "× guessing",
            "why": "loss at the end, over that of giving the class shares (accuracy of 0.9 or more)",
        },
    )


@dataclass(frozen=True)
class Params:
    """When it is a note."""

    good: float = field(
        default=0.9, metadata={"unit": "ratio", "why": "a good model on few examples may rest at so high an accuracy"}
    )


PARAMS = Params()

CAUSES = {
    "one-class": "one class is always given",
    "one-class-or-not-wired": "one class is always given, or an accuracy that is not computed from the model's answers",
}


@dataclass(frozen=True)
class Empty:
    """What the sentences need of an accuracy that stays high while another metric is 0."""

    accuracy: float


@dataclass(frozen=True)
class Still:
    """What the sentences need of an accuracy that stands still while the loss moves."""

    level: float
    loss: str
    start: float
    end: float


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield one reading of each accuracy and an empty metric, and one of each accuracy and a loss."""
    known = [c for c in features.having("metric") if c.role.kind == "accuracy"]
    if not known:
        yield Unfit("no accuracy is logged")
        return
    judged = [c for c in known if c.n >= ENOUGH.evaluations]
    if not judged:
        yield Unfit(f"fewer than {ENOUGH.evaluations} values of an accuracy")
        return
    readings = [r for c in judged for r in (_empty(features, c), _still(features, c)) if r is not None]
    yield from readings
    if not readings:
        yield Unfit("no loss, recall, F1 or precision to compare the accuracy with")


def _empty(features: RunFeatures, accuracy: Curve) -> Evidence | None:
    found = [
        c for c in features.having("metric", accuracy.role.split) if c.role.kind in EMPTY and c.n >= ENOUGH.evaluations
    ]
    if not found:
        return None
    other = max(found, key=_zeros)
    finds = next((c for c in found if c.role.kind == other.role.kind and c.raw[-1] > 0), None)
    share = _share(median(settled(accuracy.raw)))
    region = (int(other.at[other.n - settled(other.raw).size]), int(other.at[-1]))
    return Evidence(
        (accuracy.tag, other.tag),
        (
            Measure(f"share of {other.role.kind} at 0", _zeros(other), "empty", unit="ratio"),
            Measure("accuracy", share, "high", unit="ratio"),
        ),
        "info" if is_smoke_test(features) else "warning",
        first_step=region[0],
        last_step=region[1],
        cause="one-class",
        marks=(Mark("region", other.tag, "stays at 0", region),),
        signs=(Sign("nothing-found", other.tag),),
        vetoes=() if finds is None else (Veto("not-zero-at-the-end", finds.tag, {"last": float(finds.raw[-1])}),),
        facts=Empty(share),
    )


def _zeros(curve: Curve) -> float:
    return float(np.mean(settled(curve.raw) == 0))


def _share(level: float) -> float:
    """Return an accuracy as a share, whether it is logged as one or in percent."""
    return level / PERFECT[1] if level > 1 else level


def _still(features: RunFeatures, accuracy: Curve) -> Evidence | None:
    losses = [c for c in (*features.validation, *features.training) if c.n >= ENOUGH.evaluations and features.falls]
    loss = next((c for c in losses if c.role.split == accuracy.role.split), losses[0] if losses else None)
    if loss is None:
        return None
    level = median(accuracy.raw)  # a value that nearly all share is their median as well
    share = _share(level)
    path, noise_ = _path(loss)
    span, height = float(np.ptp(path)), float(np.max(np.abs(path)))
    measures = [
        Measure("same value", _same(accuracy), "still", unit="ratio"),
        Measure("range of the loss's levels", span / height if height > 0 else 0.0, "moves", unit="of its height"),
        Measure("range of the loss's levels", span / noise_ if noise_ > 0 else np.inf, "clear", unit="× noise"),
    ]
    if PARAMS.good <= share < 1:
        shares = -share * np.log(share) - (1 - share) * np.log(1 - share)
        measures.append(Measure("loss at the end", float(path[-1]) / shares, "guess", unit="× guessing"))
    region = (int(accuracy.at[0]), int(accuracy.at[-1]))
    note = share >= PARAMS.good or is_smoke_test(features)
    return Evidence(
        (accuracy.tag, *loss.tags),
        tuple(measures),
        "info" if note else "warning",
        first_step=region[0],
        last_step=region[1],
        cause="one-class-or-not-wired",
        marks=(Mark("region", accuracy.tag, f"stays at {number(level)}", region),),
        signs=(Sign("same-value", accuracy.tag, {"level": level, "share": _same(accuracy)}),),
        vetoes=_vetoes(features, accuracy, level),
        facts=Still(level, loss.tag, float(path[0]), float(path[-1])),
    )


def _same(accuracy: Curve) -> float:
    """Return the share of the values that equal their median, as float32: what most loggers keep."""
    raw = accuracy.raw.astype(np.float32)
    return float(np.mean(raw == np.float32(median(accuracy.raw))))


def _path(loss: Curve) -> tuple[np.ndarray, float]:
    """Return the levels of a loss in the units of the log, and the noise of one level (median over the run)."""
    course = loss.course
    w = min(course.window, course.m)
    levels = running_medians(course.levels, w)
    path = np.array([course.back(float(level)) for level in levels])
    return path, median(course.noise) * (median(np.abs(path)) if course.log else 1.0)


def _vetoes(features: RunFeatures, accuracy: Curve, level: float) -> tuple[Veto, ...]:
    """Return what clears an accuracy that stands still: a perfect one, or another of the same split that moves."""
    found = []
    if level in PERFECT:
        found.append(Veto("perfect", accuracy.tag, {"level": level}))
    for other in features.having("metric"):
        same_split = accuracy.role.split in (None, other.role.split)
        judged = other.role.kind == "accuracy" and other.n >= ENOUGH.evaluations and same_split
        if other is not accuracy and judged and _same(other) < PARAMS.good:
            found.append(Veto("sibling-moves", other.tag))
            break
    return tuple(found)


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    tag, sign = evidence.tags[0], evidence.signs[0]
    cause = CAUSES[evidence.cause or "one-class"]
    if isinstance(evidence.facts, Empty):
        share = percent(evidence.facts.accuracy)
        return Words(
            f"{tag} is {share} while {sign.tag} stays at 0: the accuracy says nothing of the rare class",
            cause,
            (f"{tag} is {share}, and {sign.tag} says that no example of the other class is found",),
            (
                "Lower the decision threshold (libraries use 0.5), and choose it on the validation set.",
                "Weigh or resample the rare class.",
                "Choose models by F1 or average precision, not by accuracy.",
            ),
        )
    its: Still = evidence.facts
    return Words(
        f"{tag} is {number(its.level)} at nearly every evaluation while {its.loss} goes from {number(its.start)} to "
        f"{number(its.end)}",
        cause,
        (f"{tag} has {number(its.level)} in {percent(sign.numbers['share'])} of its values",),
        (
            "Compare it with the share of the commonest class: if they are equal, one class is always given.",
            "Look at the confusion matrix; log F1 or average precision.",
            f"Check that {tag} is fed with this model's predictions.",
        ),
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
    describe=describe,
)
