"""Nothing got better over the last part of the run.

Why it matters
--------------
Steps that bring nothing cost as much as those that do. Stopping there saves the hours, and a rule for early stopping
saves them in every run to come.

How it is measured
------------------
On every held-out loss and metric whose good side is known (on the training losses of a run without any, on the
rewards in reinforcement learning) the first point is looked for that is as good as all later ones, within twice the
noise of the smoothed curve and a thousandth of what was gained (in log space for a positive loss that spans more than
a factor of two). The run is done at the last of these points. What came after it must be more than half of the steps,
and the curves must have gained something before. Wall times give the hours; a few minutes are not reported.

When it is wrong
----------------
A training loss that rests may hide a held-out metric that is not logged and still improves. A decay of the learning
rate that was planned needs its steps. Late jumps (grokking) come to those who wait.

What to do
----------
Stop when the held-out loss has not got better for a quarter of the steps so far. Keep the checkpoint of the best step.

References
----------
Prechelt, Early stopping, but when? (1998).

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzer.detectors import GRAVE, Detector
from analyzer.features import Curve, RunFeatures
from analyzer.features.last_improvement import LEAST, LastImprovement, tail_of
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Sign, Unfit, Words
from analyzer.model.formatting import number, percent, step


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    share: float = field(default=0.5, metadata={"why": "share of the steps after which nothing got better"})
    gained: float = field(default=6.0, metadata={"why": "what was gained before, in units of the smoothed noise"})
    minutes: float = field(default=10.0, metadata={"why": "minutes spent there, where the log has wall times"})


@dataclass(frozen=True, slots=True)
class Facts:
    """What the sentences need besides; `minutes` None where the log has no times."""

    curves: int
    share: float
    since: int
    minutes: float | None


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield one reading for the run: the curve that was the last to get better."""
    if features.family == "gan":
        yield Unfit(features.why_not)
        return
    held = _held_out(features)
    judged = [(c.coarse, t) for c in (held or features.training) if (t := tail_of(c.coarse)) is not None]
    if not judged:
        known = bool(held or features.training)
        yield Unfit(f"fewer than {LEAST} points of a loss, reward or held-out metric" if known else "no loss is known")
        return
    clear = [(c, t) for c, t in judged if t.gained > Limits().gained * t.noise]
    curve, tail = min(clear or judged, key=lambda j: j[1].share)
    yield _reading(curve, tail, len(judged))


def _held_out(features: RunFeatures) -> list[Curve]:
    """Return the held-out losses and metrics; in reinforcement learning the rewards that may lead."""
    if features.family == "rl":
        return list(features.rewards.goals)
    return [*features.validation, *(c for c in features.having("metric") if c.role.split in ("validation", "test"))]


def _reading(curve: Curve, tail: LastImprovement, curves: int) -> Evidence:
    since, last = int(curve.at[tail.since]), int(curve.steps[-1])
    minutes = _minutes(curve, tail.since)
    return Evidence(
        curve.tags,
        (
            Measure("share of the steps after the last gain", tail.share, "share", unit="ratio"),
            Measure("what was gained before", tail.gained / max(tail.noise, 1e-300), "gained", unit="× noise"),
            Measure("time after the last gain", np.inf if minutes is None else minutes, "minutes", unit="minutes"),
            Measure("best value (smoothed)", tail.best),
        ),
        "info",
        first_step=since,
        last_step=last,
        signs=(Sign("last-gain", curve.tag, {"best": tail.best}),),
        facts=Facts(curves, tail.share, since, minutes),
        marks=(Mark("region", curve.tag, "no gain", (since, last)),),
    )


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    facts: Facts = evidence.facts
    spent = f" ({_spent(facts.minutes)})" if facts.minutes is not None else ""
    every = f"none of {facts.curves} curves got better" if facts.curves > 1 else f"{evidence.tags[0]} got no better"
    best = number(evidence.signs[0].numbers["best"])
    return Words(
        f"{every} after step {step(facts.since)}: {percent(facts.share)} of the steps{spent} brought nothing",
        None,
        (f"{evidence.tags[0]} was the last to get better and has stood at {best} since",),
        (
            f"Stop around step {step(facts.since)} next time, or after a quarter of the steps without a gain.",
            "Spend the time on another seed, learning rate or model instead.",
        ),
    )


def _minutes(curve: Curve, since: int) -> float | None:
    """Return minutes from a point to the end by wall times; None when these were all written at once, or are none."""
    times = curve.wall_times[curve.finite]
    spent = float(times[-1] - times[since])
    return spent / 60 if np.isfinite(spent) and spent > 0 else None


def _spent(minutes: float) -> str:
    return f"{number(minutes / 60, 2)} hours" if minutes >= 90 else f"{number(minutes, 2)} minutes"


DETECTOR = Detector(
    "wasted-tail",
    __doc__,
    measure,
    Limits(),
    (
        Case(
            "done after a fifth",
            "fires",
            lambda: made_run({"train/loss": np.maximum(falling(1500, rate=60), 0.25) + noise(1500, 0.01)}),
        ),
        Case("a falling loss", "quiet", lambda: made_run({"train/loss": falling(900, floor=0.0) + noise(900, 0.002)})),
        Case(
            "the metric still rises",
            "almost",
            lambda: made_run(
                {
                    "val/loss": np.maximum(falling(900, rate=30), 0.25) + noise(900, 0.01),
                    "val/accuracy": np.linspace(0.5, 0.9, 900) + noise(900, 0.01),
                }
            ),
        ),
        Case(
            "fine-tuned from the best",
            "almost",
            lambda: made_run({"train/loss": 0.2 + noise(900, 0.01)}),
        ),
    ),
    yields_to=(
        *GRAVE,
        "overfitting",
        "repetitive-loss",
        "double-descent",
        "grokking",
        "unstable-evaluation",
        "reward-collapse",
        "reward-plateau",
        "reward-instability",
        "reward-hacking",
        "no-learning-signal",
        "entropy-collapse",
    ),
    describe=describe,
)
