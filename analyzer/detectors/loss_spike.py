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

A rise that lasts (the largest lasting break of the curve's level, see exploding-loss) and that the run makes good
again counts as well, when making it good takes a tenth of the run.

When it is wrong
----------------
Batches of very different difficulty leap by nature. A leap at a restart, after the learning rate was raised or at
the end of its warm-up is explained by it. A single leap without a trace afterwards is reported as a note unless the
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

from analyzer.detectors import Detector
from analyzer.features import Curve, RunFeatures
from analyzer.features.gradient_norm import surge
from analyzer.features.knobs import knob_at
from analyzer.features.rises import Rise, size_measures
from analyzer.features.spikes import Spike, spikes
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Sign, Unfit, Words
from analyzer.model.formatting import counted, number, percent, step, times
from analyzer.stats.robust import median, quantile

LEAST = 15  # points that show how wide the noise of single points is


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    factor: float = field(default=1.8, metadata={"why": "leap over the level before and after, as a factor"})
    tail: float = field(
        default=1.0, metadata={"why": "leap over what the run's own noise and tail explain, as a ratio"}
    )
    cost: float = field(default=0.1, metadata={"why": "share of the run until a lasting rise is made good"})
    rise: float = field(default=1.05, metadata={"why": "such a rise as a factor of the level before"})
    noise: float = field(default=3.5, metadata={"why": "such a rise, in standard errors"})


@dataclass(frozen=True)
class Params:
    """What shapes the measures."""

    least: int = field(default=8, metadata={"unit": "points", "why": "fewer show no level before and after a leap"})
    clean: float = field(default=0.3, metadata={"unit": "log", "why": "noise below which one point shows a leap"})
    short: int = field(default=200, metadata={"unit": "points", "why": "a curve of so few has no room for a tail"})
    violent: float = field(default=8.0, metadata={"unit": "×", "why": "leap that is worth a warning though it heals"})
    driven: float = field(default=5.0, metadata={"unit": "×", "why": "the same where the gradient norm leaps with it"})
    beyond: float = field(default=1.2, metadata={"unit": "× tail", "why": "a violent leap is clearly beyond the tail"})
    weighs: float = field(default=0.3, metadata={"unit": "of the run", "why": "what the loss of all progress costs"})
    lasting: int = field(default=3, metadata={"unit": "levels", "why": "that are worse: one or two are a blip"})
    resumed: float = field(default=0.4, metadata={"unit": "of the run", "why": "the same behind a resume"})
    pause: float = field(default=10.0, metadata={"unit": "× the usual time", "why": "between two points: a resume"})
    often: float = field(default=0.003, metadata={"unit": "of the points", "why": "leaps that are how the noise is"})
    many: int = field(default=8, metadata={"unit": "leaps", "why": "fewer are events, whatever their share"})


PARAMS = Params()


@dataclass(frozen=True, slots=True)
class Facts:
    """What the sentences need besides: the highest leap, or a rise that took its time to heal."""

    peak: float
    factor: float
    first: int
    last: int
    leaps: int
    cost: float = 0.0
    before: float = 0.0


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield a reading of the leaps of each training loss (validation losses where there are none), the highest first.

    A lasting rise that the run makes good again is another one: it costs the time until then.
    """
    if not features.falls:
        yield Unfit(features.why_not)
        return
    known = features.training or features.validation
    judged = [c for c in known if c.n >= PARAMS.least and not (c.role.running and len(known) > 1)]
    if not judged:
        few = f"fewer than {PARAMS.least} finite points of a loss"
        yield Unfit(few if known else "no training or validation loss is known")
        return
    found = [(curve, spikes(curve)) for curve in judged if curve.n >= LEAST]
    for curve, leaps in sorted(found, key=lambda f: -max((s.height for s in f[1]), default=0.0)):
        yield _reading(features, curve, leaps)
    for curve in judged:
        shift = curve.course.shift
        if shift is not None and shift.healed:
            yield _lasting(features, curve, shift)
    if not found and max(c.n for c in judged) < LEAST:
        yield Unfit(f"{judged[0].tag} has {counted(judged[0].n, 'finite point')}; {LEAST} are needed")


def _cost(shift: Rise, pause: Sign | None) -> float:
    """Return the share of the run until a rise is made good.

    Progress that is lost weighs besides: a third of it as much as a tenth of the run, a quarter behind a resume, which
    should lose nothing.
    """
    lasts = shift.points >= PARAMS.lasting or pause is not None
    lost = min(shift.seen * shift.of_progress, 1.0) if lasts and np.isfinite(shift.of_progress) else 0.0
    return max(shift.cost, (PARAMS.weighs if pause is None else PARAMS.resumed) * lost)


def _lasting(features: RunFeatures, curve: Curve, shift: Rise) -> Evidence:
    first = int(curve.at[shift.onset])
    span = float(curve.at[-1] - curve.at[0])
    last = int(first + shift.cost * span)
    event = features.event_near(first, 0.03 * span, ("lr-restart", "restart"))
    pause = _pause_before(curve, shift.onset)
    knob = features.knob_of(curve, shift)
    inside = curve.raw[(curve.at >= first) & (curve.at <= last)]
    return Evidence(
        curve.tags,
        (
            Measure("what it costs until it is made good", _cost(shift, pause), "cost", unit="of the run"),
            *size_measures(shift, "size of the rise, as a factor", "rise", unit="×", as_factor=True),
            Measure("rise over the level before", shift.errors, "noise", unit="standard errors"),
        ),
        "warning",
        first_step=first,
        last_step=last,
        cause="resume" if pause else None,
        signs=(pause,) if pause else (),
        facts=Facts(float(np.max(inside)), 1 + shift.size, first, last, 1, shift.cost, shift.before),
        marks=(
            Mark("region", curve.tag, "until it is made good", (first, last)),
            Mark("level", curve.tag, "level before", values=(shift.before,)),
        ),
        explained_by=f"event:{event.kind}@{event.step}" if event else knob.event if knob else None,
    )


def _pause_before(curve: Curve, onset: int) -> Sign | None:
    """Return a sign where the log pauses just before the rise: a run that was resumed."""
    times = curve.wall_times[curve.finite]
    gaps = np.diff(times)
    reach = max(2, curve.n // 100)  # the onset is that of a level, which may hold several points
    near = gaps[max(0, onset - reach) : onset + reach]
    usual = median(gaps[gaps > 0]) if np.any(gaps > 0) else 0.0
    if not near.size or usual <= 0 or not np.max(near) > PARAMS.pause * usual:
        return None
    return Sign("pause", curve.tag, {"hours": float(np.max(near)) / 3600})


def _reading(features: RunFeatures, curve: Curve, leaps: list[Spike]) -> Evidence:
    top = max(leaps, key=lambda s: (s.ratio > 1, s.height))
    far = [s for s in leaps if s.ratio > 1]
    factor = float(np.exp(min(top.height, 700.0))) if curve.log else _raw_factor(curve, top)
    first, last = int(curve.at[top.first]), int(curve.at[top.last])
    gradient = _gradient_leap(features, curve, top)
    clean = curve.sigma < PARAMS.clean and (curve.role.per == "epoch" or curve.n < PARAMS.short)
    lasting = clean or any(s.points >= 3 for s in far)
    violent = (factor > PARAMS.violent and top.ratio > PARAMS.beyond) or (factor > PARAMS.driven and bool(gradient))
    # single leaps that come all the time are how this noise is, not something that happened
    usual = len(far) >= PARAMS.many and len(far) > PARAMS.often * curve.n and all(s.points < 3 for s in far)
    # a leap cannot be told from the schedule when it comes right after it
    event = features.event_near(
        first, max(3 * curve.cadence, 0.01 * float(np.ptp(curve.at))), ("lr-restart", "restart")
    )
    return Evidence(
        curve.tags,
        (
            Measure("leap over the level before and after", factor, "factor", unit="×"),
            Measure("leap over what noise and tail explain", top.ratio, "tail", unit="×"),
            Measure("leaps", float(len(far)), unit="count"),
        ),
        "warning" if (lasting or violent) and not usual else "info",
        first_step=int(curve.at[min(s.first for s in far)]) if far else first,
        last_step=int(curve.at[max(s.last for s in far)]) if far else last,
        cause="anomalous-batch" if gradient else None,
        signs=(gradient,) if gradient else (),
        facts=Facts(float(np.max(curve.raw[top.first : top.last + 1])), factor, first, last, len(far)),
        marks=tuple(
            Mark("region", curve.tag, "leap", (int(curve.at[s.first]), int(curve.at[s.last])))
            for s in (far or [top])[:12]
        ),
        explained_by=f"event:{event.kind}@{event.step}" if event else _knob_event(features, curve, far),
    )


def _knob_event(features: RunFeatures, curve: Curve, leaps: list[Spike]) -> str | None:
    """Return the event of the first setting that moves with a leap, None where a leap comes without one."""
    found = [knob_at(features, (int(curve.at[max(0, s.first - 1)]), int(curve.at[s.first]))) for s in leaps]
    return found[0].event if found and found[0] is not None and None not in found else None


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    facts: Facts = evidence.facts
    tag, first, last = evidence.tags[0], step(facts.first), step(facts.last)
    look = f"Look at the batches of step {first} and around: outliers, corrupt examples, very long inputs."
    clip = "Clip the gradient norm, or skip batches whose loss is far out."
    if facts.cost:
        summary = (
            f"{tag} rises from {number(facts.before)} to {number(facts.peak)} at step {first} and needs until step "
            f"{last} to come back: {percent(facts.cost)} of the run"
        )
        resume = (
            "If the run was resumed there, check what the resume restored: optimizer state, learning rate, data order."
        )
        if evidence.cause == "resume":
            signs = tuple(
                f"nothing was logged for {number(s.numbers['hours'], 2)} hours before it" for s in evidence.signs
            )
            again = "Resume again from the last checkpoint before it."
            return Words(summary, "a resume that did not restore all of the state", signs, (resume, again))
        return Words(summary, advice=(look, resume, clip))
    often = f", the highest of {facts.leaps} leaps" if facts.leaps > 1 else ""
    until, plural = (f" to {last}", "s") if facts.last > facts.first else ("", "")
    summary = (
        f"{tag} leaps to {number(facts.peak)}, {times(facts.factor)} its level, at step{plural} {first}{until}{often}"
    )
    cause = "an anomalous batch or too high a rate" if evidence.cause else None
    signs = tuple(
        f"{s.tag} reaches {number(s.numbers['peak'])} at step {step(int(s.numbers['step']))}, "
        f"usually {number(s.numbers['usual'])}"
        for s in evidence.signs
    )
    return Words(summary, cause, signs, (look, clip, "Lower the peak learning rate if it happens again."))


def _raw_factor(curve: Curve, top: Spike) -> float:
    peak = float(np.max(curve.y[top.first : top.last + 1]))
    base = peak - top.height
    fallen = max(curve.back(curve.start) - curve.back(curve.end), 0.0)
    # where zero means nothing the size of a level does not either: what was learnt stands in
    return 1 + top.height / max(abs(base), 0.25 * fallen, 0.05 * float(np.ptp(curve.y)), np.finfo(float).tiny)


def _gradient_leap(features: RunFeatures, curve: Curve, top: Spike) -> Sign | None:
    """Return the leap of the gradient norm that comes with a leap of the loss, None where there is none."""
    gradient = features.gradient
    if gradient is None:
        return None
    lead = 2 * max(curve.cadence, gradient.cadence)
    surged = surge(gradient, curve.at[top.first] - lead, curve.at[top.last])
    tail = 2.5 * quantile(gradient.raw, 0.9) if gradient.n else 0.0
    if surged is None or surged.ratio <= PARAMS.driven or surged.peak <= tail:
        return None
    return Sign("gradient-surge", surged.tag, {"peak": surged.peak, "step": surged.at, "usual": surged.usual})


def _with_leap(points: int, at: int, length: int, factor: float, spread: float = 0.05) -> NDArray[np.float64]:
    values = falling(points) * np.exp(noise(points, spread))
    values[at : at + length] *= factor
    return values


def _healing(points: int, at: int, length: int) -> NDArray[np.float64]:
    """Return 0 before a point, then a ramp down from 1 to 0 over `length` points."""
    return np.clip(1 - (np.arange(points) - at) / length, 0, 1) * (np.arange(points) >= at)


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
        Case(
            "a lasting rise that heals",
            "fires",
            lambda: made_run({"train/loss": falling(400) * np.exp(noise(400, 0.02) + 0.8 * _healing(400, 180, 90))}),
        ),
        Case("one leap lost in noise", "almost", lambda: made_run({"train/loss": _with_leap(1000, 500, 1, 3.0, 0.5)})),
    ),
    describe=describe,
    yields_to=("exploding-loss", "hidden-nan", "not-converging"),
)
