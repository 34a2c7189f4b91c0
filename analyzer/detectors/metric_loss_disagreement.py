"""The validation loss and the validation metric call different steps the best.

Why it matters
--------------
Which checkpoint is kept depends on which of the two is asked, and the other one pays. Usually the loss counts how sure
the model is and the metric what it answers; the user should choose, not the default of a framework.

How it is measured
------------------
The best step of the smoothed validation loss is compared with that of the smoothed main metric of the same split (the
one that pays most). They disagree when the two steps lie far apart and the choice costs on both sides: at the metric's
best step the loss, and at the loss's best step the metric, is worse by more than the noise and by a share that matters
of all that was gained.

When it is wrong
----------------
The best step of a flat, noisy curve is chance; so the cost must be beyond the noise on both sides. A metric that
is a function of the loss (perplexity) is not asked, nor are precision and recall, each of which is had at the other's
cost.

What to do
----------
Decide which one matters in use and keep the checkpoint by it. If answers matter, keep the metric's best and calibrate
the probabilities afterwards; if probabilities matter, keep the loss's best.

References
----------
Guo et al., On calibration of modern neural networks (2017).

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzer.detectors import GRAVE, Detector
from analyzer.features import RunFeatures
from analyzer.features.checkpoint_choice import Choice, choice
from analyzer.features.sample_size import PARAMS as ENOUGH
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Sign, Unfit, Words
from analyzer.model.formatting import number, step

SIDES = {"perplexity", "precision", "recall", "specificity"}  # a function of the loss; halves of a trade-off


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    apart: float = field(
        default=0.15,
        metadata={"unit": "of the run", "why": "distance of the two best steps, as a share of the run"},
    )
    noise: float = field(
        default=4.5, metadata={"unit": "× noise", "why": "the smaller of the two costs, in units of its noise"}
    )
    cost: float = field(
        default=0.02,
        metadata={"unit": "of what was gained", "why": "the smaller of the two costs, as a share of what was gained"},
    )
    matters: float = field(
        default=0.02,
        metadata={"unit": "of the best value", "why": "the smaller of the two costs, as a share of the best value"},
    )


CAUSES = {
    "too-sure": "the model still learns to answer while it grows too sure of itself",
    "answers-rest": "the loss still falls on examples whose answers no longer change",
}


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield one reading for each loss and metric of one split, the most costly choice first, validation before test."""
    if not features.falls:
        yield Unfit(features.why_not)
        return
    losses = [c for c in features.validation if c.n >= ENOUGH.evaluations]
    if not losses:
        few = f"fewer than {ENOUGH.evaluations} values of a validation loss"
        yield Unfit(few if features.validation else "no validation loss")
        return
    judged = [
        (loss, metric, choice(loss.coarse, metric.coarse))
        for loss in losses
        for metric in features.having("metric", loss.role.split)
        if metric.n >= ENOUGH.evaluations and metric.role.direction and metric.role.kind not in SIDES
    ]
    if not judged:
        yield Unfit(f"no metric of the same split with {ENOUGH.evaluations} values")
        return
    judged.sort(key=lambda found: (found[0].role.split != "validation", -found[2].cost))
    for loss, metric, found in judged:
        yield _reading(loss.tag, metric.tag, found)


def _reading(loss: str, metric: str, found: Choice) -> Evidence:
    return Evidence(
        (loss, metric),
        (
            Measure("distance of the two best steps", found.apart, "apart", unit="of the run"),
            Measure("smaller of the two costs", found.noise, "noise", unit="× noise"),
            Measure("smaller of the two costs", found.cost, "cost", unit="of what was gained"),
            Measure("smaller of the two costs", found.matters, "matters", unit="of the best value"),
        ),
        "info",
        first_step=min(found.loss_step, found.metric_step),
        last_step=max(found.loss_step, found.metric_step),
        cause="too-sure" if found.metric_step > found.loss_step else "answers-rest",
        marks=(
            Mark("step", loss, "best loss", (found.loss_step,)),
            Mark("step", metric, "best metric", (found.metric_step,)),
        ),
        signs=(Sign("smoothed", loss, {"evaluations": float(found.window)}),),
        facts=found,
    )


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    found: Choice = evidence.facts
    loss, metric = evidence.tags
    by_loss, by_metric = step(found.loss_step), step(found.metric_step)
    return Words(
        f"{loss} is best around step {by_loss}, {metric} around step {by_metric}: the choice costs "
        f"{number(found.metric_at_loss)} instead of {number(found.metric_best)} in the metric, or "
        f"{number(found.loss_at_metric)} instead of {number(found.loss_best)} in the loss",
        CAUSES[evidence.cause or "too-sure"],
        (f"all values are smoothed over {found.window} evaluations",),
        (
            "Decide which of the two matters in use, and keep the checkpoint by it.",
            f"If answers matter: keep step {by_metric}, and calibrate the probabilities afterwards.",
            f"If probabilities matter: keep step {by_loss}.",
        ),
    )


def _accuracy(points: int, rate: float) -> np.ndarray:
    return 0.9 - 0.6 * np.exp(-rate * np.arange(points) / points) + noise(points, 0.004, 7)


def _sure(points: int) -> np.ndarray:
    at = np.arange(points) / points
    return 0.5 + 1.8 * np.exp(-12 * at) + 0.05 * np.maximum(at - 0.35, 0) + noise(points, 0.008, 2)


DETECTOR = Detector(
    "metric-loss-disagreement",
    __doc__,
    measure,
    Limits(),
    (
        Case(
            "surer and surer, still better",
            "fires",
            lambda: made_run({"val/loss": _sure(80), "val/accuracy": _accuracy(80, 2.0)}),
        ),
        Case(
            "both improve",
            "quiet",
            lambda: made_run(
                {"train/loss": falling(80), "val/loss": falling(80, 2.4, 0.25), "val/accuracy": _accuracy(80, 4.0)}
            ),
        ),
        Case(
            "both flat and noisy after the start",
            "almost",
            lambda: made_run(
                {"val/loss": falling(80, rate=60) + noise(80, 0.05), "val/accuracy": _accuracy(80, 30.0)},
            ),
        ),
    ),
    yields_to=(*GRAVE, "overfitting", "grokking", "unstable-evaluation"),
    describe=describe,
)
