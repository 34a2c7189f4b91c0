"""The loss rises and stays up.

Why it matters
--------------
What the run had learnt is lost, and it does not come back by itself: everything after the onset is wasted, and a
checkpoint taken after it is worse than one before.

How it is measured
------------------
The level of each training loss (medians, in log space where it is positive and spans more than a factor of two) is
compared in two ways: at the largest lasting break, just after it with just before it, over windows of several lengths;
and at the end of the run with the best level that was held for a tenth of the run. A rise counts when it is
significant (in standard errors that know trend, curvature and autocorrelation), when it matters (as a factor of the
level), and when it undoes something: the share of the run back to where the level had first been reached, or the share
of the progress that is lost. None of the three depends on the unit of the loss. A rise that takes most of its height
in one break, or that loses half of the progress, is an explosion; a slower one is a slow divergence. One or two points
at the very end must leap out of everything seen before. A loss that leaves its very first level within a few steps and
stays ten times above it has exploded at once.

When it is wrong
----------------
Training that is meant to rise: adversarial and reinforcement-learning losses are not judged. A task that becomes
harder (curriculum, new data, a loss term that is switched on) rises too: a validation loss that keeps improving
after the onset, or stays where it was, explains it; so does a restart or a raised learning rate just before the end.
A rise that the run makes good again soon is a spike.

What to do
----------
Go back to the last checkpoint before the onset. Look at the batches around it for outliers. Lower the learning rate,
clip the gradient norm, and shuffle so that outliers spread over batches.

References
----------
Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural networks (2013). Killick, Fearnhead and
Eckley, Optimal detection of changepoints with a linear computational cost, JASA 107 (2012).

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzer.detectors import Detector
from analyzer.features import Curve, RunFeatures
from analyzer.features.best_step import holds_after, improves_after
from analyzer.features.gradient_norm import surge
from analyzer.features.last_points import leap_out_of_all
from analyzer.features.rises import Rise, size_measures
from analyzer.features.schedule import RAISED_CAUSE, RAISED_SENTENCE, RATE_RAISED, raised_sign, rising_at
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Severity, Sign, Unfit, Words
from analyzer.model.formatting import counted, filled, number, percent, step
from analyzer.model.result import Event
from analyzer.stats import robust
from analyzer.stats.robust import quantile


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    noise: float = field(default=3.5, metadata={"why": "rise over the level before, in standard errors"})
    factor: float = field(default=1.05, metadata={"why": "rise as a factor of that level"})
    lost: float = field(
        default=0.1, metadata={"why": "share of the run that is undone, or of the progress that is lost, if larger"}
    )
    usual: float = field(default=0.6, metadata={"why": "largest earlier rise that was made good, over this one"})


@dataclass(frozen=True)
class Params:
    """What shapes the measures."""

    least: int = field(default=5, metadata={"unit": "points", "why": "an explosion can be seen in so few"})
    enough: int = field(default=8, metadata={"unit": "points", "why": "without one, they say that there is none"})
    fast: float = field(
        default=0.5, metadata={"unit": "of the rise", "why": "largest break that makes it no slow rise"}
    )
    error: float = field(default=0.9, metadata={"unit": "of the progress", "why": "lost: nothing is left of the run"})
    left: float = field(default=10.0, metadata={"unit": "×", "why": "first level, from which a loss exploded at once"})
    peak: float = field(default=1000.0, metadata={"unit": "×", "why": "its height then: ordinary starts rise less"})
    soon: float = field(default=0.1, metadata={"unit": "of the points", "why": "in which it must have left it"})
    recent: float = field(default=0.15, metadata={"unit": "of the run", "why": "a restart there may still heal"})


PARAMS = Params()


@dataclass(frozen=True, slots=True)
class Facts:
    """What the sentences need besides: the way to the peak and after it."""

    onset: int
    before: float
    peak: float
    peak_at: int
    end: float | None
    lost: float
    points: int


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield a reading for each way in which a training loss (else a validation loss) may have risen."""
    if not features.falls:
        yield Unfit(features.why_not)
        return
    known = features.training or features.validation
    judged = [c for c in known if c.n >= PARAMS.least and not (c.role.running and len(known) > 1)]
    if not judged:
        few = f"fewer than {PARAMS.least} finite points of a loss"
        yield Unfit(few if known else "no training or validation loss is known")
        return
    found = [_reading(features, curve, rise) for curve in judged for rise in _rises(curve)]
    yield from found
    if not found and max(c.n for c in judged) < PARAMS.enough:
        yield Unfit(f"{judged[0].tag} has {counted(judged[0].n, 'finite point')}, too few to call it clear")
    elif not found:
        yield Evidence(
            judged[0].tags, (Measure("rise over the level before", 0.0, "noise", unit="standard errors"),), "info"
        )


def _rises(curve: Curve) -> Iterator[Rise]:
    """Yield the rises of a curve that would be an explosion, if they are large enough: the clearest way first."""
    at_once, last = _left_at_once(curve), leap_out_of_all(curve)
    if at_once:
        yield at_once
    shift, relapse = curve.course.shift, curve.course.relapse
    if shift and not shift.healed and not (relapse and _is_part(shift, relapse)):
        yield shift
    if relapse and relapse.errors > 0 and curve.course.relapse_is_fast:
        yield relapse
    if last:
        yield last


def _is_part(shift: Rise, relapse: Rise) -> bool:
    """Whether a break is a small part of a rise that goes on to the end."""
    whole = relapse.after - relapse.before
    return shift.onset >= relapse.onset and shift.after - shift.before < PARAMS.fast * whole


def _left_at_once(curve: Curve) -> Rise | None:
    """Return the rise of a loss that left its first level within a few steps, for ever: an untrained model was better.

    So few points before it have no noise of their own; nearly all points after it must lie above all those.
    """
    y = curve.y
    far = np.flatnonzero(y > y[0] + np.log(PARAMS.left)) if curve.log else np.empty(0, np.int64)
    if not far.size or far[0] > max(1, PARAMS.soon * curve.n) or curve.n - far[0] < PARAMS.enough:
        return None
    onset, rest = int(far[0]), y[int(far[0]) :]
    base, end = float(np.max(y[:onset])), curve.end
    stays = quantile(rest, 0.05) > base and end > base + np.log(PARAMS.left)
    if not stays or rest.max() < base + np.log(PARAMS.peak):
        return None
    error = max(robust.mad_sigma(curve.residual[onset:]), robust.difference_sigma(rest), 1e-3)
    size = float(np.expm1(min(end - base, 700.0)))
    return Rise((end - base) / error, size, np.inf, 1.0, onset, curve.back(base), curve.back(end))


def _reading(features: RunFeatures, curve: Curve, rise: Rise) -> Evidence:
    began = max(rise.began, rise.onset)
    onset, last = int(curve.at[began]), int(curve.at[-1])
    lost_all = rise.of_progress >= PARAMS.error or rise.after > curve.back(curve.start)
    severity: Severity = "error" if lost_all else "warning"
    improving = improves_after(features, onset)
    comparable = curve.log and curve.finite[-1] and curve in features.training  # what ends in NaN has exploded
    holding = holds_after(features, curve, int(curve.at[rise.onset])) if comparable else None
    span = float(curve.at[-1] - curve.at[0])
    event = features.event_near(onset, 0.03 * span, ("lr-restart", "restart"))
    # a restart explains a loss that has not had the time to come down again, not one that stays up for good
    recent = last - onset < PARAMS.recent * span
    if event is None:
        event = features.restart_undone(curve, rise)
        recent = event is not None
    signs, cause = _signs(features, curve, rise, onset)
    knob = features.knob_of(curve, rise) if not lost_all else None
    if event and not recent:
        signs, cause = _restarted(features, event, signs)
    if holding is not None:
        signs, cause = (Sign("validation-holds", holding.tag),), "harder-task"
    peak = began + int(np.argmax(curve.raw[began:]))
    after = curve.raw[peak + 1 :]
    end = robust.median(after[-max(3, curve.n // 10) :]) if after.size else None
    return Evidence(
        curve.tags,
        (
            Measure("rise over the level before", rise.errors, "noise", unit="standard errors"),
            *size_measures(rise, "size of the rise, as a factor", "factor", unit="×", as_factor=True),
            Measure("share of the run undone, or of the progress lost", rise.undone, "lost", unit="ratio"),
            Measure("largest earlier rise that was made good", rise.usual, "usual", "below", "of this one"),
        ),
        severity,
        first_step=onset,
        last_step=last,
        cause=cause,
        signs=signs,
        facts=Facts(
            onset,
            rise.before,
            float(curve.raw[peak]),
            int(curve.at[peak]),
            end,
            min(rise.of_progress, 1.0),
            curve.n - began,
        ),
        marks=(
            Mark("region", curve.tag, "risen", (onset, last)),
            Mark("level", curve.tag, "level before", values=(rise.before,)),
        ),
        explained_by=improving
        or (f"event:validation-holds@{int(holding.at[-1])}" if holding is not None else None)
        or (f"event:{event.kind}@{event.step}" if event and recent else None)
        or (knob.event if knob else None),
    )


def _restarted(features: RunFeatures, event: Event, signs: tuple[Sign, ...]) -> tuple[tuple[Sign, ...], str]:
    """Return the signs and the cause of a rise that comes with a restart, or with a leap of the learning rate."""
    raised = raised_sign(features.rate, event)
    if raised is None:
        return (Sign("restart", numbers={"step": event.step}), *signs), "restart"
    return (raised, *(sign for sign in signs if sign.id != "rate-rising")), raised.id


def _signs(features: RunFeatures, curve: Curve, rise: Rise, onset: int) -> tuple[tuple[Sign, ...], str]:
    """Return the evidence in the log for a cause, and the cause's id."""
    rate = rising_at(features.rate, onset)
    rising = (Sign("rate-rising", numbers={"rate": rate}),) if rate is not None else ()
    if rise.began <= max(1, curve.n // 20) and rise.onset <= max(1, curve.n // 20) and curve.at[0] < onset:
        return (Sign("left-at-once", curve.tag, {"step": onset}), *rising), "first-steps"
    surged = surge(features.gradient, onset - 0.02 * onset - 3, onset)
    grown = surged is not None and surged.ratio > 5
    numbers = {"peak": surged.peak, "step": surged.at, "usual": surged.usual} if surged else {}
    gradient = (Sign("gradient-surge", surged.tag, numbers),) if surged and grown else ()
    if rising:
        return (*rising, *gradient), "rate-too-high"
    if gradient:
        return gradient, "exploding-gradients"
    if surged:
        return (Sign("gradient-calm", surged.tag, numbers),), "anomalous-data"
    return (), "unknown"


CAUSES = {
    "first-steps": "a learning rate that is too high from the start, or inputs that are not scaled",
    "rate-too-high": "a learning rate that is too high",
    "exploding-gradients": "exploding gradients",
    "anomalous-data": "anomalous data in a batch",
    "restart": "a restart from which it did not recover",
    RATE_RAISED: RAISED_CAUSE,
    "harder-task": "training that became harder, or is logged in another way",
}


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    facts: Facts = evidence.facts
    tag, onset = evidence.tags[0], step(facts.onset)
    if facts.points > 1:
        summary = f"{tag} rises from {number(facts.before)} before step {onset} to {number(facts.peak)} at step "
        summary += f"{step(facts.peak_at)}{_after(facts)}"
    else:
        summary = f"{tag} leaps from {number(facts.before)} to {number(facts.peak)} at its last point, step {onset}"
    if 0.1 <= facts.lost < 1:
        summary += f", {percent(facts.lost)} of the progress lost"
    signs = tuple(filled(SENTENCES[sign.id], sign.tag, sign.numbers) for sign in evidence.signs)
    return Words(summary, CAUSES.get(evidence.cause or ""), signs, _advice(evidence))


def _after(facts: Facts) -> str:
    """Return how the curve goes on after its highest point; nothing where that is its last one."""
    if facts.end is None:
        return ""
    return f" and is still at {number(facts.end)} at the end" if facts.peak > 3 * facts.end > 0 else " and stays up"


SENTENCES = {
    "left-at-once": "{tag} leaves its first level by step {step:step} and never comes back to it",
    "rate-rising": "the learning rate was still rising and stood at {rate} at the onset",
    "gradient-surge": "{tag} reaches {peak} at step {step:step}, usually {usual}",
    "gradient-calm": "{tag} is ordinary up to the onset",
    "validation-holds": "{tag} does not rise with it",
    "restart": "it comes with a restart at step {step:step}",
    RATE_RAISED: RAISED_SENTENCE,
}


def _advice(evidence: Evidence) -> tuple[str, ...]:
    back = f"Go back to the last checkpoint before step {step(evidence.facts.onset)}."
    lower, clip = "Lower the learning rate.", "Clip the gradient norm."
    look = "Look at the batches around the onset for outliers, and shuffle so that they spread."
    by_cause = {
        "first-steps": (
            "Start again with a tenth of the learning rate.",
            "Scale inputs and targets to about unit size.",
            clip,
        ),
        "rate-too-high": ("Lower the peak of the learning rate.", clip, back),
        "exploding-gradients": (clip, lower, look, back),
        "anomalous-data": (look, clip, back),
        "restart": (
            "Check what the restart took over: weights, optimizer state, learning rate, data order.",
            back,
            lower,
        ),
        RATE_RAISED: ("Keep the learning rate from before, or raise it slowly.", back, clip),
        "harder-task": ("Check what changed in the training data, augmentation or loss terms there.",),
    }
    return by_cause.get(evidence.cause or "", (back, look, lower, clip))


def _risen(points: int, onset: int, level: float) -> np.ndarray:
    values = falling(points) * np.exp(noise(points, 0.05))
    values[onset:] = level * np.exp(noise(points - onset, 0.2, 1))
    return values


def _bump(points: int) -> np.ndarray:
    values = falling(points) * np.exp(noise(points, 0.05))
    values[points // 2 : points // 2 + points // 20] *= 3
    return values


DETECTOR = Detector(
    "exploding-loss",
    __doc__,
    measure,
    Limits(),
    (
        Case("a leap that stays", "fires", lambda: made_run({"train/loss": _risen(300, 200, 40.0)})),
        Case(
            "growth without end",
            "fires",
            lambda: made_run({"train/loss": np.concatenate([falling(100), 0.3 * np.exp(0.2 * np.arange(60))])}),
        ),
        Case(
            "a leap at the last point", "fires", lambda: made_run({"train/loss": [34.0, 20.0, 12.0, 8.0, 6.0, 1400.0]})
        ),
        Case(
            "a leap in the first steps",
            "fires",
            lambda: made_run(
                {"train/loss": np.concatenate([[2.3, 2.5], 4e9 * falling(200) * np.exp(noise(200, 0.3))])}
            ),
        ),
        Case(
            "an easy first batch",
            "almost",
            lambda: made_run({"train/loss": np.concatenate([[0.03], falling(300, floor=0.5) + noise(300, 0.05)])}),
        ),
        Case("a falling loss", "quiet", lambda: made_run({"train/loss": falling(300) * np.exp(noise(300, 0.3))})),
        Case(
            "training that became harder",
            "almost",
            lambda: made_run(
                {"train/loss": _risen(300, 200, 1.2), "val/loss": falling(300) * np.exp(noise(300, 0.05, 2))}
            ),
        ),
        Case("a rise that returns", "almost", lambda: made_run({"train/loss": _bump(300)})),
        Case(
            "noise with a heavy tail",
            "almost",
            lambda: made_run({"train/loss": falling(400) * np.exp(noise(400, 1.2, skew=2.0))}),
        ),
    ),
    describe=describe,
)
