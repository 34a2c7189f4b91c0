"""The loss moves widely and gets nowhere.

Why it matters
--------------
The optimiser leaps over the minimum, or there is nothing to find: each further step costs as much as the last and
brings nothing.

How it is measured
------------------
The loss must swing widely around its trend in its second half, and the upper 95 % bound of its fall after the first
tenth (Theil-Sen slope through block medians) must be below the smallest fall that matters. Noise of small batches
swings as well, in runs that converge. So one more sign must indicate bouncing: the evaluation, which has no batch
noise, jumps too; neighbouring points move together; the loss has not fallen since its start, or by less than it
swings; its level climbs again and again; a held-out metric jumps up and down (on one and the same set every jump is
one of the weights), or alike on training and held-out data; or the loss of a classifier is far above what guessing
costs while its accuracy jumps. An evaluation that jumps up to the end beside a calm training loss is reported
separately.

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

from analyzer.detectors import Detector
from analyzer.features import Curve, RunFeatures
from analyzer.features.breaks import SEEN
from analyzer.features.chance_level import SENTENCES as CHANCE
from analyzer.features.chance_level import (
    UNTRAINED,
    answers_improve,
    answers_move,
    at_chance,
    error_jumps,
    far_above_guessing,
    metrics_jump,
    metrics_swing_together,
    trained_well,
)
from analyzer.features.progress import LEAST, Progress, progress
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Sign, Unfit, Words
from analyzer.model.formatting import filled, number, step
from analyzer.stats.robust import median, quantiles


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    swing: float = field(default=0.15, metadata={"why": "spread around the trend in the second half, over the level"})
    fall: float = field(default=0.65, metadata={"why": "later fall of the trend (upper bound), over the start"})
    leaps: float = field(default=0.15, metadata={"why": "median change from evaluation to evaluation, last third"})
    bouncing: float = field(default=0.5, metadata={"why": "signs that the swings are not the noise of batches"})


@dataclass(frozen=True)
class Params:
    """What shapes the measures."""

    falling: float = field(default=0.3, metadata={"unit": "of the start", "why": "a later fall that is progress"})
    far: float = field(default=0.85, metadata={"unit": "of the start", "why": "gain from which a small set may swing"})
    jump: float = field(default=0.08, metadata={"unit": "of the level", "why": "of an evaluation, beyond batch noise"})
    calm: float = field(default=0.05, metadata={"unit": "of the level", "why": "change of an evaluation that is calm"})
    together: float = field(default=0.25, metadata={"unit": "correlation", "why": "of neighbours that move together"})
    some: float = field(default=0.7, metadata={"unit": "of the start", "why": "gain up to which swings may bounce"})
    little: float = field(default=0.35, metadata={"unit": "of the start", "why": "gain that is less than the swings"})
    high: float = field(default=1.2, metadata={"unit": "loss", "why": "no model that was trained before stands there"})
    none: float = field(default=0.1, metadata={"unit": "of the start", "why": "gain that is none"})
    wide: float = field(default=0.2, metadata={"unit": "of the level", "why": "swings that hide little progress"})
    above: float = field(default=-0.3, metadata={"unit": "of the start", "why": "gain of an evaluation far above it"})
    grown: float = field(default=2.0, metadata={"unit": "×", "why": "growth of the gradient norm that is a cause"})


PARAMS = Params()


@dataclass(frozen=True, slots=True)
class Facts:
    """What the sentences need besides."""

    kind: str
    low: float
    high: float
    first: int
    leaps: float = 0.0


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield one reading for the training loss, then one for an evaluated loss that swings on its own."""
    judged = features.course
    if isinstance(judged, str):
        yield Unfit(judged)
        return
    curve, far = judged
    held_out = [(c, p) for c in features.validation if c is not curve and (p := progress(c)) is not None]
    yield _reading(features, curve, far, _signs(features, curve, far, held_out))
    finest = features.finest
    if curve.role.per == "epoch" and finest is not None and finest is not curve and finest.finite[-1]:
        # the means of epochs hide how widely the steps move
        its_own = progress(finest) if finest.role.split == "train" and not finest.role.running else None
        if its_own is not None:
            yield _reading(features, finest, its_own, _signs(features, finest, its_own, held_out))
    if far.gain < PARAMS.far:  # with a training loss near 0 a small held-out set may swing as it likes
        for other, its in held_out[:1]:
            yield _evaluated(features, far, other, its)


HeldOut = list[tuple[Curve, Progress]]


def _signs(features: RunFeatures, curve: Curve, far: Progress, held_out: HeldOut) -> tuple[Sign, ...]:
    """Return what says that the swings are not the noise of batches."""
    if far.later_gain > PARAMS.falling and not _above_start(far):
        return ()
    moving = _weights_move(features, far)
    if moving:
        return moving
    come_far = any(its.leaps < PARAMS.calm and its.best_gain > PARAMS.wide for _, its in held_out)
    if trained_well(features) or far.gain > PARAMS.far or come_far or any(map(_settles, features.validation)):
        return ()
    return (*_held_out_signs(features, far, held_out), *_own_signs(features, curve, far, held_out))


def _settles(curve: Curve) -> bool:
    """Whether an evaluation falls clearly and ends at its best: what swings in training are batches, not weights."""
    fall, relapse = curve.course.fall, curve.course.relapse
    if fall is None or relapse is None or fall.errors < SEEN:
        return False
    return fall.size > PARAMS.calm and relapse.errors < SEEN and relapse.size < PARAMS.jump


def _weights_move(features: RunFeatures, far: Progress) -> tuple[Sign, ...]:
    """Signs that hold however good the metrics are."""
    signs = [far_above_guessing(features, far.end), metrics_swing_together(features)]
    if far.gain < PARAMS.far:  # beyond that, restarts of the rate make a model that has come far jump as well
        signs.append(error_jumps(features))
    return tuple(sign for sign in signs if sign)


def _held_out_signs(features: RunFeatures, far: Progress, held_out: HeldOut) -> Iterator[Sign]:
    for other, its in held_out:
        # the jump as a share of what was gained: leaps are shares of the level that is left
        of_gain = its.leaps * (1 - its.gain) / its.gain if its.gain > 0 else np.inf
        if min(its.leaps, of_gain) > PARAMS.jump and far.gain < PARAMS.some:
            yield Sign("evaluation-jumps", other.tag, {"jump": its.leaps})
            break
    jump = metrics_jump(features)
    if jump and far.gain < PARAMS.far and not _calm(held_out):
        yield jump


def _own_signs(features: RunFeatures, curve: Curve, far: Progress, held_out: HeldOut) -> Iterator[Sign]:
    unmoved = all(its.best_gain < PARAMS.calm for _, its in held_out)
    # a few noisy points may begin low: where the loss stands for good is no lower
    fresh = far.moved < 3 and max(far.start, far.end) > UNTRAINED and not _was_trained(features, far)
    if far.rho > PARAMS.together and far.gain < PARAMS.some:
        yield Sign("neighbours-together", curve.tag, {"correlation": far.rho})
    if far.gain < PARAMS.none and fresh:
        yield Sign("not-fallen", curve.tag, {"gain": far.gain})
    elif far.gain < PARAMS.little and fresh and far.swing > PARAMS.wide and (unmoved or not _calm(held_out)):
        yield Sign("little-learnt", curve.tag, {"gain": far.gain})
    if far.climbs > 1 and far.gain < PARAMS.little and max(far.start, far.end) > UNTRAINED and not _calm(held_out):
        yield Sign("climbs", curve.tag, {"times": float(far.climbs)})
    if far.moved < 4 and far.swing > PARAMS.wide:
        yield from at_chance(features)[:1]


def _was_trained(features: RunFeatures, far: Progress) -> bool:
    """Whether the model was trained before the log begins: it answers well, and its loss is not an untrained one."""
    return answers_move(features) and (answers_improve(features) or far.end < PARAMS.high)


def _calm(held_out: HeldOut) -> bool:
    return any(its.leaps < PARAMS.calm for _, its in held_out)


def _evaluated(features: RunFeatures, far: Progress, curve: Curve, its: Progress) -> Evidence:
    """An evaluation on the whole set has no batch noise: in a run that converges it calms down towards the end.

    A handful of held-out examples may swing for themselves: an alarm needs training data, evaluated in the same way,
    that swings along, or an evaluation that has never come down while training did.
    """
    train = features.partner(curve)
    trained = progress(train) if train is not None and train.n < 2 * curve.n else None
    together = trained is not None and trained.leaps > 0.5 * its.leaps
    # no sample swings so far above where an untrained model stood
    beyond = its.leaps > PARAMS.falling and its.gain < PARAMS.above and its.end > UNTRAINED
    behind = far.gain > 0.5 and its.gain < PARAMS.wide and its.best_gain < 0.5 and its.end > UNTRAINED
    first, last = int(curve.at[curve.n // 2]), int(curve.at[-1])
    low, high = (float(q) for q in quantiles(curve.raw[curve.n // 2 :], (0.1, 0.9)))
    return Evidence(
        curve.tags,
        (
            Measure("change from one evaluation to the next, last third", its.leaps, "leaps", unit="of the level"),
            Measure("fall since the start", its.gain, unit="of the start"),
        ),
        "warning" if together or beyond or behind else "info",
        first_step=first,
        last_step=last,
        signs=(Sign("no-batch-noise", curve.tag, {"jump": its.leaps}),),
        facts=Facts("evaluated", low, high, first, its.leaps),
        marks=(Mark("region", curve.tag, "swings", (first, last)),),
    )


def _reading(features: RunFeatures, curve: Curve, far: Progress, signs: tuple[Sign, ...]) -> Evidence:
    first, last = int(curve.at[curve.n // 10]), int(curve.at[-1])
    low, high = (float(q) for q in quantiles(curve.raw[curve.n // 2 :], (0.1, 0.9)))
    growing = _gradient_grows(features)
    return Evidence(
        curve.tags,
        (
            Measure("swing around the trend", far.swing, "swing", unit="of the level"),
            Measure("upper bound of the later fall", _most(far), "fall", "below", "of the start"),
            Measure("signs that it is bouncing", float(len(signs)), "bouncing", unit="count"),
            Measure("fall since the start", far.gain, unit="of the start"),
        ),
        "error" if far.gain < PARAMS.none and len(signs) > 1 else "warning",
        first_step=first,
        last_step=last,
        cause="rate-too-high" if growing else None,
        signs=(*signs, *([growing] if growing else [])),
        facts=Facts("training", low, high, first),
        marks=(Mark("region", curve.tag, "no progress", (first, last)),),
    )


def _most(far: Progress) -> float:
    """Upper bound of the later fall; of a level that climbs again and again no line tells more than its two ends."""
    if _above_start(far):
        return far.gain
    return min(far.later_most, max(far.later_gain, far.gain)) if far.climbs > 2 else far.later_most


def _above_start(far: Progress) -> bool:
    """Whether a loss that climbs again and again ends above its start: a fall from its last height is no progress."""
    return far.climbs > 2 and far.gain < -PARAMS.none


def _gradient_grows(features: RunFeatures) -> Sign | None:
    gradient = features.gradient
    if gradient is None or gradient.n < LEAST:
        return None
    early, late = median(gradient.raw[: gradient.n // 4]), median(gradient.raw[gradient.n // 2 :])
    return (
        Sign("gradient-grows", gradient.tag, {"early": early, "late": late})
        if late > PARAMS.grown * early > 0
        else None
    )


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    facts: Facts = evidence.facts
    between = f"{evidence.tags[0]} swings between {number(facts.low)} and {number(facts.high)}"
    sentences = tuple(filled(SENTENCES[sign.id], sign.tag, sign.numbers) for sign in evidence.signs)
    if facts.kind == "evaluated":
        return Words(
            f"{between} from one evaluation to the next, up to the end",
            None,
            sentences,
            (
                "Lower the learning rate towards the end.",
                "Check that batch normalisation evaluates with settled statistics (momentum, batch size).",
                "Average the weights over the last steps.",
            ),
        )
    return Words(
        f"{between} and makes no progress after step {step(facts.first)}",
        "a learning rate that is too high" if evidence.cause else None,
        sentences,
        (
            "Lower the learning rate tenfold.",
            "Check the data against a schema and remove bad examples.",
            "Get ten trusted examples to a very low loss, then add data.",
            "Beat a simple baseline first, then add complexity step by step.",
        ),
    )


SENTENCES = CHANCE | {
    "evaluation-jumps": "{tag} jumps by {jump:%} at each evaluation, which no batch noise explains",
    "neighbours-together": "neighbouring points move together (correlation {correlation:2}): bouncing, not batch noise",
    "not-fallen": "the loss has not fallen since its start",
    "little-learnt": "it stands {gain:%} below its start, less than its swings: little was learnt at all",
    "climbs": "its level climbs by a quarter of its start or more {times:count} times, and comes down in between",
    "no-batch-noise": "an evaluation has no batch noise, and it still changes by {jump:%} each time",
    "gradient-grows": "{tag} grows from {early} to {late}",
}


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
    describe=describe,
    yields_to=("exploding-loss", "hidden-nan", "repetitive-loss"),
)
