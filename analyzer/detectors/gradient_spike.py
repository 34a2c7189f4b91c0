"""The gradient norm leaps while the loss stays calm.

Why it matters
--------------
One enormous update can undo many good ones. Where the loss does not show it the optimiser or clipping has caught it;
the leaps still name the batches and steps to look at before one of them is not caught.

How it is measured
------------------
As for the loss: each norm is compared in log space with the higher of the medians before and after it, and must be far
beyond the noise and the tail that the run's other norms follow. A leap of the loss explains it.

When it is wrong
----------------
Norms have heavy tails by nature, most of all with small batches: only leaps far beyond the run's own tail are told,
and always as a note. At a restart, or after the learning rate was raised, a leap is expected.

What to do
----------
Look at the batches of the named steps. Clip the gradient norm at two or three times its usual value.

References
----------
Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural networks (2013).

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzer.anatomy import Anatomy
from analyzer.anatomy.gradient import course_of
from analyzer.anatomy.leaps import spikes
from analyzer.detectors import Detector
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.verdict import Evidence, Mark, Measure, Reading, Unfit
from analyzer.model.wording import number, step, times
from analyzer.stats.robust import median

LEAST = 30  # points
CALM = 5.0  # the largest norm over the lowest level below which no leap is worth the search


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    factor: float = field(default=10.0, metadata={"why": "leap over the level before and after, as a factor"})
    tail: float = field(default=1.5, metadata={"why": "leap over what noise and tail of the norms explain, as a ratio"})


def measure(anatomy: Anatomy) -> Iterator[Reading]:
    """Yield one reading over the gradient norm; the highest leap leads."""
    curve = anatomy.gradient
    if curve is None or curve.n < LEAST or not curve.raw.max() > 0:
        yield Unfit("no gradient norm is logged" if curve is None else f"fewer than {LEAST} norms of the gradient")
        return
    its = course_of(curve)
    found = spikes(curve) if its.most > CALM * its.low else []
    if not found:
        calm = Measure("leap over the level before and after", 1.0, "factor", unit="×")
        yield Evidence(curve.tags, (calm,), "info", f"{curve.tag} never leaves its level far")
        return
    top = max(found, key=lambda s: (s.ratio > 1, s.height))
    factor = float(np.exp(min(top.height, 700.0))) if curve.log else 1 + top.height / max(median(curve.raw), 1e-300)
    first, last = int(curve.at[top.first]), int(curve.at[top.last])
    peak = float(np.max(curve.raw[top.first : top.last + 1]))
    count = sum(s.ratio > 1 for s in found)
    often = f", the highest of {count} leaps" if count > 1 else ""
    event = anatomy.event_near(first, max(3 * curve.cadence, 0.01 * float(np.ptp(curve.at))), ("lr-restart", "restart"))
    yield Evidence(
        curve.tags,
        (
            Measure("leap over the level before and after", factor, "factor", unit="×"),
            Measure("leap over what noise and tail explain", top.ratio, "tail", unit="×"),
            Measure("leaps", float(count), unit="count"),
        ),
        "info",
        f"{curve.tag} leaps to {number(peak)}, {times(factor)} its level, at step {step(first)}{often}, "
        f"{_beside_loss(anatomy, first, last, curve.cadence)}",
        first,
        last,
        None,
        (),
        (
            f"Look at the batches of step {step(first)} and around: outliers, corrupt examples, very long inputs.",
            f"Clip the gradient norm at {number(3 * median(curve.raw), 2)}, three times its usual value.",
        ),
        marks=(Mark("region", curve.tag, "leap", (first, last)),),
        explained_by=f"event:{event.kind}@{event.step}" if event else None,
    )


def _beside_loss(anatomy: Anatomy, first: int, last: int, reach: float) -> str:
    """Return what the finest training loss does at the leap, in words."""
    for loss in anatomy.training[:1]:
        near = (loss.at >= first - reach) & (loss.at <= last + 2 * reach)
        if near.any() and float(np.max(loss.residual[near])) > 5 * loss.sigma:
            return f"and {loss.tag} leaps with it"
        if near.any():
            return f"and {loss.tag} does not show it"
    return "and no loss is logged beside it"


def _leaping(points: int, at: int, factor: float, spread: float) -> np.ndarray:
    values = np.exp(noise(points, spread, 4))
    values[at : at + 2] *= factor
    return values


def _beside(norm: np.ndarray) -> dict[str, np.ndarray]:
    return {"train/loss": falling(norm.size) * np.exp(noise(norm.size, 0.05)), "grad_norm": norm}


DETECTOR = Detector(
    "gradient-spike",
    __doc__,
    measure,
    Limits(),
    (
        Case("a leap that the loss survives", "fires", lambda: made_run(_beside(_leaping(400, 200, 60.0, 0.2)))),
        Case("calm norms", "quiet", lambda: made_run(_beside(_leaping(400, 200, 1.0, 0.2)))),
        Case("norms with a heavy tail", "almost", lambda: made_run(_beside(_leaping(400, 200, 4.0, 0.9)))),
    ),
    yields_to=("exploding-loss", "non-finite", "loss-spike", "hidden-nan"),
    course=False,
)
