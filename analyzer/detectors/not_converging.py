"""The loss moves widely and gets nowhere.

Why it matters
--------------
The optimiser leaps over the minimum, or there is nothing to find: each further step costs as much as the last and
brings nothing.

How it is measured
------------------
The loss must swing widely around its trend in its second half, and the upper 95 % bound of its fall after the first
tenth (Theil-Sen slope through block medians) must be below the smallest fall that matters. Noise of small batches
swings as well, in runs that converge. So one more sign must speak for bouncing: the evaluation, which has no batch
noise, jumps too; neighbouring points move together; the loss has not fallen since its start, or by less than it
swings; its level climbs again and again; a held-out metric jumps up and down (on one and the same set every jump is
one of the weights), or alike on training and held-out data; or the loss of a classifier is far above what guessing
costs while its accuracy jumps. An evaluation that jumps up to the end beside a calm training loss is told on its own.

When it is wrong
----------------
Batches of one example swing over decades and still converge: the trend decides. A loss that has reached its floor
is flat with ordinary noise. A loss that begins below 0.6 may have been trained before and need not fall. Adversarial
and reinforcement-learning losses are not judged.

What to do
----------
Lower the learning rate tenfold. Check the data against a schema and remove bad examples. Get ten trusted examples to a
very low loss, then add data. Beat a simple baseline first, then add complexity step by step.

References
----------
Google, Machine Learning Crash Course: interpreting loss curves. Sen, Estimates of the regression coefficient based on
Kendall's tau (1968).

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzer.anatomy import Anatomy, Curve
from analyzer.anatomy.chance import (
    UNTRAINED,
    answers_move,
    at_chance,
    error_jumps,
    far_above_guessing,
    metrics_jump,
    metrics_swing_together,
    trained_well,
)
from analyzer.anatomy.progress import LEAST, Progress, progress
from analyzer.detectors import Detector
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.verdict import Evidence, Mark, Measure, Reading, Unfit
from analyzer.model.wording import number, percent, step

FALLING = 0.3  # of its start: a later fall that is progress, however wide the swings; bouncing ones fall by .2 at most


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    swing: float = field(default=0.15, metadata={"why": "spread around the trend in the second half, over the level"})
    fall: float = field(default=0.65, metadata={"why": "later fall of the trend (upper bound), over the start"})
    leaps: float = field(default=0.15, metadata={"why": "median change from evaluation to evaluation, last third"})
    bouncing: float = field(default=0.5, metadata={"why": "signs that the swings are not the noise of batches"})


def measure(anatomy: Anatomy) -> Iterator[Reading]:
    """Yield one reading for the training loss, then one for an evaluated loss that swings on its own."""
    judged = anatomy.course
    if isinstance(judged, str):
        yield Unfit(judged)
        return
    curve, far = judged
    held_out = [(c, p) for c in anatomy.validation if c is not curve and (p := progress(c)) is not None]
    yield _reading(anatomy, curve, far, _signs(anatomy, far, held_out))
    if far.gain < 0.85:  # beside a training loss near 0 a small held-out set may swing as it likes
        for other, its in held_out[:1]:
            yield _evaluated(anatomy, far, other, its)


HeldOut = list[tuple[Curve, Progress]]


def _signs(anatomy: Anatomy, far: Progress, held_out: HeldOut) -> tuple[str, ...]:
    if far.later_gain > FALLING and not _above_start(far):
        return ()
    moving = _weights_move(anatomy, far)
    if moving:
        return moving
    come_far = any(its.leaps < 0.05 and its.best_gain > 0.2 for _, its in held_out)
    if trained_well(anatomy) or far.gain > 0.85 or come_far:
        return ()
    return (*_held_out_signs(anatomy, far, held_out), *_own_signs(anatomy, far, held_out))


def _weights_move(anatomy: Anatomy, far: Progress) -> tuple[str, ...]:
    """Signs that hold however good the metrics are."""
    signs = [far_above_guessing(anatomy, far.end), metrics_swing_together(anatomy)]
    if far.gain < 0.85:  # beyond that, restarts of the rate make a model that has come far jump as well
        signs.append(error_jumps(anatomy))
    return tuple(sign for sign in signs if sign)


def _held_out_signs(anatomy: Anatomy, far: Progress, held_out: HeldOut) -> Iterator[str]:
    jumping = [(o.tag, its.leaps) for o, its in held_out if its.leaps > 0.08 and its.gain < 0.5 and far.gain < 0.7]
    for tag, leaps in jumping[:1]:
        yield f"{tag} jumps by {percent(leaps)} at each evaluation, which no batch noise explains"
    jump = metrics_jump(anatomy)
    if jump and far.gain < 0.8 and not _calm(held_out):
        yield jump


def _own_signs(anatomy: Anatomy, far: Progress, held_out: HeldOut) -> Iterator[str]:
    unmoved = all(its.best_gain < 0.05 for _, its in held_out)
    # a few noisy points may begin low: where the loss stands for good is no lower
    fresh = far.moved < 3 and max(far.start, far.end) > UNTRAINED and not answers_move(anatomy)
    if far.rho > 0.25 and far.gain < 0.7:
        yield f"neighbouring points move together (correlation {number(far.rho, 2)}): bouncing, not batch noise"
    if far.gain < 0.1 and fresh:
        yield "the loss has not fallen since its start"
    elif far.gain < 0.35 and fresh and far.swing > 0.2 and (unmoved or not _calm(held_out)):
        yield f"it stands {percent(far.gain)} below its start, less than its swings: little was learnt at all"
    if far.climbs > 1 and far.gain < 0.35 and max(far.start, far.end) > UNTRAINED and not _calm(held_out):
        yield f"its level climbs by a quarter of its start or more {far.climbs} times, and comes down in between"
    if far.moved < 4 and far.swing > 0.25:
        yield from at_chance(anatomy)[:1]


def _calm(held_out: HeldOut) -> bool:
    return any(its.leaps < 0.05 for _, its in held_out)


def _evaluated(anatomy: Anatomy, far: Progress, curve: Curve, its: Progress) -> Evidence:
    """An evaluation on the whole set has no batch noise: in a run that converges it calms down towards the end.

    A handful of held-out examples may swing for themselves: an alarm needs training data, evaluated in the same way,
    that swings along, or an evaluation that has never come down while training did.
    """
    mate = anatomy.partner(curve)
    theirs = progress(mate) if mate is not None and mate.n < 2 * curve.n else None
    together = theirs is not None and theirs.leaps > 0.5 * its.leaps
    # no sample swings so far above where an untrained model stood
    beyond = its.leaps > 0.3 and its.gain < -0.3 and its.end > UNTRAINED
    behind = far.gain > 0.5 and its.gain < 0.2 and its.best_gain < 0.5 and its.end > UNTRAINED
    first, last = int(curve.at[curve.n // 2]), int(curve.at[-1])
    low, high = (float(q) for q in np.quantile(curve.raw[curve.n // 2 :], [0.1, 0.9]))
    return Evidence(
        curve.tags,
        (
            Measure("change from one evaluation to the next, last third", its.leaps, "leaps", unit="of the level"),
            Measure("fall since the start", its.gain, unit="of the start"),
        ),
        "warning" if together or beyond or behind else "info",
        f"{curve.tag} swings between {number(low)} and {number(high)} from one evaluation to the next, up to the end",
        first,
        last,
        None,
        (f"an evaluation has no batch noise, and it still changes by {percent(its.leaps)} each time",),
        (
            "Lower the learning rate towards the end.",
            "Check that batch normalisation evaluates with settled statistics (momentum, batch size).",
            "Average the weights over the last steps.",
        ),
        marks=(Mark("region", curve.tag, "swings", (first, last)),),
    )


def _reading(anatomy: Anatomy, curve: Curve, far: Progress, signs: tuple[str, ...]) -> Evidence:
    first, last = int(curve.at[curve.n // 10]), int(curve.at[-1])
    low, high = (float(q) for q in np.quantile(curve.raw[curve.n // 2 :], [0.1, 0.9]))
    cause, speaks = _cause(anatomy)
    return Evidence(
        curve.tags,
        (
            Measure("swing around the trend", far.swing, "swing", unit="of the level"),
            Measure("upper bound of the later fall", _most(far), "fall", "below", "of the start"),
            Measure("signs that it is bouncing", float(len(signs)), "bouncing", unit="count"),
            Measure("fall since the start", far.gain, unit="of the start"),
        ),
        "error" if far.gain < 0.1 else "warning",
        f"{curve.tag} swings between {number(low)} and {number(high)} and makes no progress after step {step(first)}",
        first,
        last,
        cause,
        (*signs, *speaks),
        (
            "Lower the learning rate tenfold.",
            "Check the data against a schema and remove bad examples.",
            "Get ten trusted examples to a very low loss, then add data.",
            "Beat a simple baseline first, then add complexity step by step.",
        ),
        marks=(Mark("region", curve.tag, "no progress", (first, last)),),
    )


def _most(far: Progress) -> float:
    """Upper bound of the later fall; of a level that climbs again and again no line tells more than its two ends."""
    if _above_start(far):
        return far.gain
    return min(far.later_most, max(far.later_gain, far.gain)) if far.climbs > 2 else far.later_most


def _above_start(far: Progress) -> bool:
    """Whether a loss that climbs again and again ends above its start: a fall from its last height is no progress."""
    return far.climbs > 2 and far.gain < -0.1


def _cause(anatomy: Anatomy) -> tuple[str | None, tuple[str, ...]]:
    gradient = anatomy.gradient
    if gradient is not None and gradient.n >= LEAST:
        early, late = np.median(gradient.raw[: gradient.n // 4]), np.median(gradient.raw[gradient.n // 2 :])
        if late > 2 * early > 0:
            text = f"{gradient.tag} grows from {number(float(early))} to {number(float(late))}"
            return "a learning rate that is too high", (text,)
    return None, ()


def _bouncing(points: int) -> np.ndarray:
    drift = np.convolve(noise(points + 4, 1.0, 3), np.ones(5) / 5, "valid")
    return 1.2 * np.exp(0.9 * drift)


DETECTOR = Detector(
    "not-converging",
    __doc__,
    measure,
    Limits(),
    (
        Case("bouncing", "fires", lambda: made_run({"train/loss": _bouncing(300)})),
        Case(
            "an evaluation that swings",
            "fires",
            lambda: made_run(
                {"train/loss": falling(300, floor=0.8), "val/loss": 2.0 + 2.0 * np.abs(noise(300, 1.0, 5))}
            ),
        ),
        Case(
            "swings far above its beginning",
            "fires",
            lambda: made_run({"train/loss": np.concatenate([[0.7, 0.9, 2.0], 1.8 * _bouncing(500)])}),
        ),
        Case("a falling loss", "quiet", lambda: made_run({"train/loss": falling(300) + noise(300, 0.02)})),
        Case(
            "batches of one",
            "almost",
            lambda: made_run({"train/loss": falling(3000, 2.0, 0.1) * np.exp(noise(3000, 1.2, 2))}),
        ),
        Case(
            "noise at the floor",
            "almost",
            lambda: made_run({"train/loss": falling(2000, 2.3, 0.4, 60.0) * np.exp(noise(2000, 0.4, 2))}),
        ),
    ),
    explains=("loss-spike", "overfitting"),
)
