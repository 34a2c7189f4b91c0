"""The loss drifts upwards and gives back what it had gained.

Why it matters
--------------
Nothing leaps, so nobody is alarmed; yet each further step makes the model worse, and the last checkpoint is
far from the best one.

How it is measured
------------------
Two dozen even block medians of the training loss give the lowest level it held and the way from there to the end.
The trend over the last third must rise even at its lower 95 % bound (Theil-Sen slope), at least half of the progress
made must be lost again, and no single leap between two blocks may be most of the rise: a leap is an explosion and
told as one. The progress must have been far beyond the noise of a block's median.

When it is wrong
----------------
A task that becomes harder (curriculum, longer sequences, a loss term that grows) drifts upwards by design: a validation
loss that is at its best after the onset overrules the finding, a restart, a raised or a cyclic learning rate explains
it. Adversarial and reinforcement-learning losses are not judged.

What to do
----------
Go back to the checkpoint at the lowest level. Lower the learning rate or let it decay. Look at what changed slowly:
weight norms, the mixture of data, a growing coefficient.

References
----------
Sen, Estimates of the regression coefficient based on Kendall's tau (1968). Cohen et al., Gradient descent on neural
networks typically occurs at the edge of stability (2021).

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzer.anatomy import Anatomy, Curve
from analyzer.anatomy.drifting import Drift, drift
from analyzer.anatomy.turning import improves_after
from analyzer.detectors import Detector
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.verdict import Evidence, Mark, Measure, Reading, Unfit
from analyzer.model.wording import counted, number, percent, step
from analyzer.stats.robust import median

LEAST = 24  # points


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    lost: float = field(default=0.5, metadata={"why": "share of the progress made that is lost again"})
    climb: float = field(
        default=0.1, metadata={"why": "rise over the last third (lower bound), as a share of the progress"}
    )
    leap: float = field(default=0.5, metadata={"why": "largest leap between two blocks, as a share of the rise"})
    progress: float = field(default=8.0, metadata={"why": "progress before it, in standard errors of a level"})


def measure(anatomy: Anatomy) -> Iterator[Reading]:
    """Yield one reading for the loss that the run's course is judged by."""
    judged = anatomy.course
    if isinstance(judged, str):
        yield Unfit(judged)
    elif judged[0].n < LEAST:
        yield Unfit(f"{judged[0].tag} has {counted(judged[0].n, 'finite point')}; {LEAST} are needed")
    else:
        yield _reading(anatomy, judged[0], drift(judged[0]))


def _reading(anatomy: Anatomy, curve: Curve, its: Drift) -> Evidence:
    first, last = int(curve.at[its.since]), int(curve.at[-1])
    everything = its.lost >= 0.95
    lost = "all it had gained" if everything else f"{percent(its.lost)} of what it had gained"
    cause, speaks, explained = _cause(anatomy, curve, first, last)
    return Evidence(
        curve.tags,
        (
            Measure("share of the progress lost", its.lost, "lost", unit="ratio"),
            Measure("rise over the last third, lower bound", its.climb, "climb", unit="of the progress"),
            Measure("largest leap between blocks", its.leap, "leap", "below", "of the rise"),
            Measure("progress before it", its.moved, "progress", unit="standard errors"),
        ),
        "error" if everything else "warning",
        f"{curve.tag} drifts upwards from {number(its.low)} around step {step(first)} to {number(its.end)} at the end "
        f"and loses {lost}",
        first,
        last,
        cause,
        speaks,
        (
            f"Go back to the checkpoint nearest to step {step(first)}.",
            "Lower the learning rate, or let it decay.",
            "Look at what changes slowly: weight norms, the mixture of the data, a growing coefficient of the loss.",
        ),
        marks=(
            Mark("region", curve.tag, "drifts upwards", (first, last)),
            Mark("level", curve.tag, "lowest lasting level", values=(its.low,)),
        ),
        explained_by=(improves_after(anatomy, first) if its.lost > 0 else None) or explained,
    )


def _cause(anatomy: Anatomy, curve: Curve, first: int, last: int) -> tuple[str | None, tuple[str, ...], str | None]:
    event = anatomy.event_near(first, 0.05 * float(np.ptp(curve.at)), ("restart", "lr-restart"))
    explained = f"event:{event.kind}@{event.step}" if event else None
    rate, gradient = anatomy.rate, anatomy.gradient
    if anatomy.rate_period:
        explained = explained or f"event:lr-cycle@{int(curve.at[0])}"
    for other, cause in ((rate, "a learning rate that goes on rising"), (gradient, "gradients that grow")):
        if other is None or other.n < LEAST:
            continue
        before = other.raw[np.abs(other.at - first) <= 0.1 * (last - first)]
        late = other.raw[other.at >= last - 0.1 * (last - first)]
        if before.size and late.size and median(late) > 1.5 * median(before) > 0:
            text = f"{other.tag} goes from {number(median(before))} to {number(median(late))} meanwhile"
            return cause, (text,), explained
    return None, (), explained


def _drifting(points: int, low: float, end: float, spread: float = 0.03) -> np.ndarray:
    half = points // 2
    line = np.concatenate([falling(half, 2.3, low, 20.0), np.linspace(low, end, points - half)])
    return line + noise(points, spread)


DETECTOR = Detector(
    "slow-divergence",
    __doc__,
    measure,
    Limits(),
    (
        Case("a slow rise", "fires", lambda: made_run({"train/loss": _drifting(400, 1.75, 2.1)})),
        Case("back to where it began", "fires", lambda: made_run({"train/loss": _drifting(400, 1.75, 2.32)})),
        Case("a falling loss", "quiet", lambda: made_run({"train/loss": falling(400) + noise(400, 0.03)})),
        Case("a small rise", "almost", lambda: made_run({"train/loss": _drifting(400, 1.0, 1.3)})),
        Case(
            "a harder task, and validation improves",
            "almost",
            lambda: made_run({"train/loss": _drifting(400, 1.75, 2.1), "val/loss": falling(400, rate=1.0)}),
        ),
        Case(
            "noise with a heavy tail",
            "almost",
            lambda: made_run({"train/loss": falling(400, 2.0, 1.6) * np.exp(noise(400, 0.8, skew=2.0))}),
        ),
    ),
    yields_to=("exploding-loss", "not-converging", "hidden-nan"),
)
