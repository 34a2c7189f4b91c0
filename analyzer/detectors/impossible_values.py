"""A loss or metric takes values that its definition rules out: an accuracy above 1, a negative cross entropy.

Why it matters
--------------
A number that cannot be is not the number that its name says: it is summed or averaged wrongly, is fed with the wrong
tensors, or is another quantity. Nothing that is read from it can be trusted, and models chosen by it are chosen by
chance.

How it is measured
------------------
Names tell the range. Accuracy, precision, recall, F1, AUC, AP and IoU lie between 0 and 1, or between 0 and 100 where
most values are above 1. Cross entropy, squared and absolute errors and error rates of words are not negative, a
perplexity is at least 1. Values outside by more than rounding explains are counted. A value of -1 is what many
libraries write where a metric is not defined; it is reported as a note, unless it is the only value.

When it is wrong
----------------
A loss that is called cross entropy and has a term of another kind added to it (a regulariser with a reward, label
smoothing with a negative constant). A metric whose name says less than it does, such as an accuracy relative to a
baseline.

What to do
----------
Look at how the value is computed and averaged: the number of examples it is divided by, the reduction across devices
and accumulation steps, logits where probabilities are expected. Leave evaluations without a value out of the log, or
write NaN for them.

References
----------
Lin et al., Microsoft COCO (2014), whose tools write -1 for what is not defined.

"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzer.detectors import Detector
from analyzer.features import Curve, RunFeatures
from analyzer.model.case import Case, falling, made_run
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Unfit, Words
from analyzer.model.formatting import counted, number, step
from analyzer.model.roles import words_of
from analyzer.stats.robust import median

SHARES = frozenset({"accuracy", "precision", "recall", "specificity", "f1", "auc", "pr-auc", "ap", "iou"})
ERRORS = frozenset({"mae", "mse", "rmse", "mape", "smape", "rmsle", "wer", "cer", "ter"})
CROSS_ENTROPIES = frozenset({"crossentropy", "xent", "bce", "logloss"})
ADJUSTED = frozenset({"adjusted", "balanced", "relative", "normalized", "normalised", "gain", "lift", "diff", "delta"})
NOT_DEFINED = -1.0


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    values: float = field(default=1.0, metadata={"unit": "points", "why": "values outside the range"})


@dataclass(frozen=True)
class Params:
    """What shapes the measures."""

    beyond: float = field(
        default=0.05, metadata={"unit": "of the range", "why": "less comes of rounding and of a last, smaller batch"}
    )
    percent: float = field(default=1.5, metadata={"unit": "of 1", "why": "a share in percent gets above it at once"})
    half: float = field(default=0.5, metadata={"unit": "of 1", "why": "a median above it, below 1, is no percentage"})


PARAMS = Params()


@dataclass(frozen=True, slots=True)
class Facts:
    """What the sentences need: the range, the most extreme value and how many there are outside."""

    low: float
    high: float
    worst: float
    points: int
    of: int
    sentinel: bool


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield a reading for each loss and metric whose name implies a range."""
    known = [(c, bounds) for c in features.curves.values() if c.n and (bounds := possible(c)) is not None]
    if not known:
        yield Unfit("no metric or loss is logged whose name implies a range")
        return
    for curve, (low, high) in known:
        yield _reading(curve, low, high)


def possible(curve: Curve) -> tuple[float, float] | None:
    """Return the least and the largest value that the quantity can have by its name, None where that is not known."""
    words = words_of(curve.tag.rsplit("/", 1)[-1])
    own = {*words, *("".join(pair) for pair in itertools.pairwise(words))}
    if own & ADJUSTED:
        return None
    if curve.role.role == "metric" and curve.role.kind in SHARES and "gini" not in own:
        middle, top = median(curve.raw), float(np.max(curve.raw))
        fraction = top <= PARAMS.percent and (middle >= PARAMS.half or top <= 1)
        return 0.0, 1.0 if fraction else 100.0
    if curve.role.role in ("metric", "loss") and own & {"perplexity", "ppl"} and "log" not in own:
        return 1.0, np.inf
    named = own & ERRORS and curve.role.role in ("metric", "loss")
    return (0.0, np.inf) if named or (curve.role.role == "loss" and own & CROSS_ENTROPIES) else None


def _reading(curve: Curve, low: float, high: float) -> Evidence:
    slack = PARAMS.beyond * (high if np.isfinite(high) else 1.0)
    outside = (curve.raw < low - slack) | (curve.raw > high + slack)
    if bool(np.all(curve.raw == NOT_DEFINED)):
        outside[:] = False  # nothing to measure: a class without examples
    where = np.flatnonzero(outside)
    values = curve.raw[where]
    sentinel = bool(values.size) and bool(np.all(values == NOT_DEFINED))
    first, last = (int(curve.at[where[i]]) if where.size else int(curve.at[-1]) for i in (0, -1))
    beyond = np.maximum(low - values, values - high)
    worst = float(values[np.argmax(beyond)]) if values.size else float("nan")
    return Evidence(
        curve.tags,
        (Measure("values outside the possible range", float(where.size), "values", unit="points"),),
        "info" if sentinel else "warning",
        first_step=first,
        last_step=last,
        cause="not-defined" if sentinel else None,
        facts=Facts(low, high, worst, int(where.size), curve.n, sentinel),
        marks=(Mark("region", curve.tag, "impossible", (first, last)),),
    )


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    facts: Facts = evidence.facts
    tag, since = evidence.tags[0], step(evidence.first_step or 0)
    if facts.sentinel:
        return Words(
            f"{tag} is −1 at {counted(facts.points, 'point')} of {facts.of}",
            "−1 that stands for a value that is not defined",
            advice=("Leave these evaluations out of the log, or write NaN: an average over them is wrong.",),
        )
    between = f"between {number(facts.low)} and {number(facts.high)}"
    limits = between if np.isfinite(facts.high) else f"at least {number(facts.low)}"
    return Words(
        f"{tag} reaches {number(facts.worst)} from step {since} on ({counted(facts.points, 'point')} of {facts.of}); "
        f"by its name it is {limits}",
        advice=(
            f"Look at how {tag} is computed: what it is divided by, the reduction across devices and accumulation "
            "steps, logits where probabilities are expected.",
            "If it is another quantity, log it under another name.",
        ),
    )


DETECTOR = Detector(
    "impossible-values",
    __doc__,
    measure,
    Limits(),
    (
        Case(
            "an accuracy above 1",
            "fires",
            lambda: made_run({"val/accuracy": 0.9 - 0.6 * falling(60) + 0.4 * (np.arange(60) > 40)}),
        ),
        Case("a negative cross entropy", "fires", lambda: made_run({"cross_entropy": falling(100) - 0.5})),
        Case(
            "an accuracy that ends below 1",
            "quiet",
            lambda: made_run({"train/loss": falling(100), "val/accuracy": 0.95 - 0.3 * falling(100)}),
        ),
        Case("an accuracy in percent", "almost", lambda: made_run({"val/accuracy": 100 - 20 * falling(60)})),
        Case("a negative log likelihood of a density", "almost", lambda: made_run({"nll_loss": falling(100) - 0.5})),
        Case("AP of a class that does not occur", "almost", lambda: made_run({"val/AP_small": np.full(20, -1.0)})),
    ),
    yields_to=("non-finite", "exploding-loss"),
    describe=describe,
)
