"""The loss leaps and returns.

Why it matters
--------------
A single leap that heals costs little; leaps that last or that come again and again cost steps each time, show a run
at the edge of stability, and one of them may be the one that does not come back.

How it is measured
------------------
Each point is compared with the higher of two medians, of the window before it and of the window after it, in log
space where the loss is positive: what stands above both has leapt and has returned. Windows hold an eighth of
the run. Two kinds count: excursions that last (the median of five neighbouring points is far out, which noise of a
heavy tail hardly ever does) and single points that are far beyond the tail that the run's other points follow (an
exponential tail fitted to its upper tenth in log space, that is a power law of the loss itself).

When it is wrong
----------------
Batches of very different difficulty leap by nature. A leap at a restart, after the learning rate was raised or at
the end of its warm-up is explained by it. A single leap without a trace afterwards is told as a note unless the
gradient norm leaps with it or it repeats.

What to do
----------
Look at the batches of the named steps: outliers, corrupt examples, very long sequences. Clip the gradient norm, skip
batches whose loss is far out, lower the peak learning rate.

References
----------
Chowdhery et al., PaLM: scaling language modeling with pathways (2022), section 5.1. Pickands, Statistical inference
using extreme order statistics (1975).

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from analyzer.anatomy import Anatomy, Curve
from analyzer.anatomy.gradient import surge
from analyzer.anatomy.leaps import Spike, spikes
from analyzer.detectors import Detector
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.verdict import Evidence, Mark, Measure, Reading, Severity, Unfit
from analyzer.model.wording import number, step, times

LEAST = 15  # points
CLEAN = 0.3  # noise in log space below which a short curve shows a leap for what it is


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    factor: float = field(default=1.8, metadata={"why": "leap over the level before and after, as a factor"})
    tail: float = field(
        default=1.0, metadata={"why": "leap over what the run's own noise and tail explain, as a ratio"}
    )


def measure(anatomy: Anatomy) -> Iterator[Reading]:
    """Yield one reading over the training losses (validation losses where there are none); the highest leap leads."""
    if not anatomy.falls:
        yield Unfit(anatomy.why_not)
        return
    judged = [c for c in (anatomy.training or anatomy.validation) if c.n >= LEAST and not c.role.running]
    if not judged:
        known = bool(anatomy.training or anatomy.validation)
        yield Unfit(
            f"fewer than {LEAST} finite points of a loss" if known else "no training or validation loss is known"
        )
        return
    found = [(curve, spikes(curve)) for curve in judged]
    curve, leaps = max(found, key=lambda f: (bool(f[1]), max((s.height for s in f[1]), default=0.0)))
    yield _reading(anatomy, curve, leaps)


def _reading(anatomy: Anatomy, curve: Curve, leaps: list[Spike]) -> Evidence:
    top = max(leaps, key=lambda s: (s.ratio > 1, s.height))
    far = [s for s in leaps if s.ratio > 1]
    factor = float(np.exp(min(top.height, 700.0))) if curve.log else _raw_factor(curve, top)
    first, last = int(curve.at[top.first]), int(curve.at[top.last])
    peak = float(np.max(curve.raw[top.first : top.last + 1]))
    with_gradient = _gradient_leaps(anatomy, curve, top)
    clean = curve.sigma < CLEAN and (curve.role.per == "epoch" or curve.n < 200)
    lasting = clean or any(s.points >= 3 for s in far)
    violent = (factor > 8 and top.ratio > 1.2) or (factor > 5 and bool(with_gradient))
    # single leaps that come all the time are how this noise is, not something that happened
    usual = len(far) >= 8 and len(far) > 0.003 * curve.n and all(s.points < 3 for s in far)
    severity: Severity = "warning" if (lasting or violent) and not usual else "info"
    # a leap cannot be told from the schedule when it comes right after it
    event = anatomy.event_near(first, max(3 * curve.cadence, 0.01 * float(np.ptp(curve.at))), ("lr-restart", "restart"))
    often = f", the highest of {len(far)} leaps" if len(far) > 1 else ""
    until, plural = (f" to {step(last)}", "s") if last > first else ("", "")
    summary = (
        f"{curve.tag} leaps to {number(peak)}, {times(factor)} its level, at step{plural} {step(first)}{until}{often}"
    )
    cause, speaks = (None, ()) if not with_gradient else ("an anomalous batch or too high a rate", (with_gradient,))
    return Evidence(
        curve.tags,
        (
            Measure("leap over the level before and after", factor, "factor", unit="×"),
            Measure("leap over what noise and tail explain", top.ratio, "tail", unit="×"),
            Measure("leaps", float(len(far)), unit="count"),
        ),
        severity,
        summary,
        int(curve.at[min(s.first for s in far)]) if far else first,
        int(curve.at[max(s.last for s in far)]) if far else last,
        cause,
        speaks,
        (
            f"Look at the batches of step {step(first)} and around: outliers, corrupt examples, very long inputs.",
            "Clip the gradient norm, or skip batches whose loss is far out.",
            "Lower the peak learning rate if it happens again.",
        ),
        marks=tuple(
            Mark("region", curve.tag, "leap", (int(curve.at[s.first]), int(curve.at[s.last])))
            for s in (far or [top])[:12]
        ),
        explained_by=f"event:{event.kind}@{event.step}" if event else None,
    )


def _raw_factor(curve: Curve, top: Spike) -> float:
    peak = float(np.max(curve.y[top.first : top.last + 1]))
    base = peak - top.height
    fallen = max(curve.back(curve.start) - curve.back(curve.end), 0.0)
    # where zero means nothing the size of a level does not either: what was learnt stands in
    return 1 + top.height / max(abs(base), 0.25 * fallen, 0.05 * float(np.ptp(curve.y)), np.finfo(float).tiny)


def _gradient_leaps(anatomy: Anatomy, curve: Curve, top: Spike) -> str:
    gradient = anatomy.gradient
    if gradient is None:
        return ""
    lead = 2 * max(curve.cadence, gradient.cadence)
    surged = surge(gradient, curve.at[top.first] - lead, curve.at[top.last])
    tail = 2.5 * float(np.quantile(gradient.raw, 0.9)) if gradient.n else 0.0
    return surged.sentence if surged and surged.ratio > 5 and surged.peak > tail else ""


def _with_leap(points: int, at: int, length: int, factor: float, spread: float = 0.05) -> NDArray[np.float64]:
    values = falling(points) * np.exp(noise(points, spread))
    values[at : at + length] *= factor
    return values


DETECTOR = Detector(
    "loss-spike",
    __doc__,
    measure,
    Limits(),
    (
        Case("an excursion that lasts", "fires", lambda: made_run({"train/loss": _with_leap(400, 200, 8, 5.0)})),
        Case("a leap of a clean curve", "fires", lambda: made_run({"train/loss": _with_leap(60, 30, 1, 6.0, 0.02)})),
        Case("a falling loss", "quiet", lambda: made_run({"train/loss": falling(400) * np.exp(noise(400, 0.2))})),
        Case(
            "a steep start",
            "quiet",
            lambda: made_run({"train/loss": falling(400, start=1e4) * np.exp(noise(400, 0.1))}),
        ),
        Case(
            "noise with a heavy tail",
            "almost",
            lambda: made_run({"train/loss": falling(2000) * np.exp(noise(2000, 0.8, skew=3.0))}),
        ),
        Case("one leap lost in noise", "almost", lambda: made_run({"train/loss": _with_leap(1000, 500, 1, 3.0, 0.5)})),
    ),
)
