"""The loss rises and stays up.

Why it matters
--------------
What the run had learnt is lost, and it does not come back by itself: everything after the onset is wasted, and a
checkpoint taken after it is worse than one before.

How it is measured
------------------
Each training loss (in log space where it is positive and spans more than a factor of two) is compared with the
lowest level it had held before. The longest stretch up to the end in which nearly every point lies above that
level by more than the noise explains is the explosion, its beginning the onset; where the level of the block
medians changes most (optimal partitioning), and where all earlier values are left behind, are tried as onsets too.
Three measures must all be beyond their limits: the rise in multiples of the curve's own noise and of what it did
before and came back from, the rise as a factor (or share of the range for losses that may be negative), and the
share of the progress that is lost. One or two points at the very end must leap out of everything seen before. A loss
that leaves its very first level within a few steps and stays ten times above it has exploded at once.

When it is wrong
----------------
Training that is meant to rise: adversarial and reinforcement-learning losses are not judged. A task that becomes
harder (curriculum, new data, a loss term that is switched on) rises too: a validation loss that keeps improving
after the onset, or stays where it was, overrules the alarm; a restart or a raised learning rate just before the end
explains it. A leap that is nearly made good, while the loss goes on falling, is a spike that takes its time.

What to do
----------
Go back to the last checkpoint before the onset. Look at the batches around it for outliers. Lower the learning rate,
clip the gradient norm, and shuffle so that outliers spread over batches.

References
----------
Jackson et al., An algorithm for optimal partitioning of data on an interval (2005). Pascanu, Mikolov and Bengio, On
the difficulty of training recurrent neural networks (2013).

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzer.anatomy import Anatomy, Curve
from analyzer.anatomy.gradient import surge
from analyzer.anatomy.rising import Rise, rise_at_end
from analyzer.anatomy.schedule import rising_at
from analyzer.anatomy.turning import holds_after, improves_after
from analyzer.detectors import Detector
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.verdict import Evidence, Mark, Measure, Reading, Severity, Unfit
from analyzer.model.wording import counted, number, percent, step

LEAST = 5  # points in which an explosion can be seen
ENOUGH = 12  # points without one that say that there is none


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    noise: float = field(default=6.0, metadata={"why": "rise over the lowest level held before, in units of noise"})
    factor: float = field(default=1.5, metadata={"why": "rise as a factor of that level"})
    lost: float = field(default=0.5, metadata={"why": "share of the progress made that is lost again"})


def measure(anatomy: Anatomy) -> Iterator[Reading]:
    """Yield one reading for the training loss that rose most, or for the validation loss where there is no other."""
    if not anatomy.falls:
        yield Unfit(anatomy.why_not)
        return
    judged = [c for c in (anatomy.training or anatomy.validation) if c.n >= LEAST]
    if not judged:
        known = bool(anatomy.training or anatomy.validation)
        yield Unfit(
            f"fewer than {LEAST} finite points of a loss" if known else "no training or validation loss is known"
        )
        return
    readings = [(rise_at_end(c), c) for c in judged]
    # the one that is beyond most limits, then the clearest
    rise, curve = max(readings, key=lambda r: (min(r[0].noise / 6, 1.0) * min(r[0].lost / 0.5, 1.0), r[0].noise))
    if rise.noise == 0 and curve.n < ENOUGH:
        yield Unfit(f"{curve.tag} has {counted(curve.n, 'finite point')}, too few to call it clear")
        return
    yield _reading(anatomy, curve, rise)


def _reading(anatomy: Anatomy, curve: Curve, rise: Rise) -> Evidence:
    onset = int(curve.at[min(rise.onset, curve.n - 1)])
    last = int(curve.at[-1])
    base = curve.back(rise.low)
    above_start = rise.level > curve.start
    severity: Severity = "error" if rise.lost >= 0.9 or above_start else "warning"
    improving = improves_after(anatomy, onset)
    comparable = curve.log and curve.finite[-1] and curve in anatomy.training  # what ends in NaN has exploded
    holding = holds_after(anatomy, onset, rise.level - rise.low) if comparable else None
    at_once = curve.at[0] < onset and rise.onset <= max(1, curve.n // 20)
    cause, speaks, advice = _from_the_first_steps(anatomy, onset) if at_once else _cause(anatomy, onset)
    event = anatomy.event_near(onset, 0.03 * float(curve.at[-1] - curve.at[0]), ("lr-restart", "restart"))
    # a restart explains a loss that has not had the time to come down again, not one that stays up for good
    recent = last - onset < 0.15 * (last - int(curve.at[0]))
    if event and not recent:
        cause, speaks = "a restart from which it did not recover", (f"it comes with {event.text}",)
        advice = ("Check what the restart took over: weights, optimiser state, learning rate, data order.", *advice[:2])
    if holding:
        cause, speaks = "training that became harder, or is logged in another way", (holding[1],)
        advice = ("Check what changed in the training data, augmentation or loss terms there.",)
    lost = f", {percent(min(rise.lost, 1.0))} of the progress lost" if 0 < rise.lost < 1 else ""
    peak = min(rise.onset, curve.n - 1) + int(np.argmax(curve.raw[min(rise.onset, curve.n - 1) :]))
    top, at = number(float(curve.raw[peak])), step(int(curve.at[peak]))
    if curve.n - rise.onset > 1:
        rises = f"{curve.tag} rises from {number(base)} before step {step(onset)} to {top} at step {at}"
        summary = f"{rises}{_after(curve, peak)}{lost}"
    else:
        summary = f"{curve.tag} leaps from {number(base)} to {top} at its last point, step {at}"
    measures = (
        Measure("rise over the lowest level held before", rise.noise, "noise", unit="× noise"),
        Measure("rise as a factor", rise.factor, "factor", unit="×"),
        Measure("share of the progress lost", rise.lost, "lost", unit="ratio"),
    )
    return Evidence(
        curve.tags,
        measures,
        severity,
        summary,
        onset,
        last,
        cause,
        speaks,
        advice,
        marks=(
            Mark("region", curve.tag, "exploded", (onset, last)),
            Mark("level", curve.tag, "lowest level held before", values=(base,)),
        ),
        explained_by=improving
        or (holding[0] if holding else None)
        or (f"event:{event.kind}@{event.step}" if event and recent else None),
    )


def _after(curve: Curve, peak: int) -> str:
    """Return how the curve goes on after its highest point; nothing where that is its last one."""
    after = curve.raw[peak + 1 :]
    if not after.size:
        return ""
    end = float(np.median(after[-max(3, curve.n // 10) :]))
    fallen_back = curve.log and curve.raw[peak] > 3 * end
    return f" and is still at {number(end)} at the end" if fallen_back else " and stays up"


def _from_the_first_steps(anatomy: Anatomy, onset: int) -> tuple[str | None, tuple[str, ...], tuple[str, ...]]:
    rising = rising_at(anatomy.rate, onset)
    so_far = f", while the learning rate was still rising, at {number(rising)}" if rising is not None else ""
    return (
        "a learning rate that is too high from the start, or inputs that are not scaled",
        (f"it leaves its first level by step {step(onset)}{so_far}, and never comes back to it",),
        (
            "Start again with a tenth of the learning rate.",
            "Scale inputs and targets to about unit size.",
            "Clip the gradient norm.",
        ),
    )


def _cause(anatomy: Anatomy, onset: int) -> tuple[str | None, tuple[str, ...], tuple[str, ...]]:
    back = f"Go back to the last checkpoint before step {step(onset)}."
    lower, clip = "Lower the learning rate.", "Clip the gradient norm."
    look = "Look at the batches around the onset for outliers, and shuffle so that they spread."
    surged = surge(anatomy.gradient, onset - 0.02 * onset - 3, onset)
    grown = (surged.sentence,) if surged and surged.ratio > 5 else ()
    rising = rising_at(anatomy.rate, onset)
    if rising is not None:
        text = f"the learning rate was rising and stood at {number(rising)} at the onset"
        return "a learning rate that is too high", (text, *grown), ("Lower the peak of the learning rate.", clip, back)
    if grown:
        return "exploding gradients", grown, (clip, lower, look, back)
    if surged:
        text = f"{surged.tag} is ordinary up to the onset"
        return "anomalous data in a batch", (text,), (look, clip, back)
    return None, (), (back, look, lower, clip)


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
    explains=("non-finite", "loss-spike", "plateau", "not-converging", "overfitting", "repetitive-loss"),
)
