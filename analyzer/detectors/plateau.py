"""The loss lies flat where an untrained model would be.

Why it matters
--------------
A model that never left the value of guessing has learnt nothing, however long it ran and however calm its curve.

How it is measured
------------------
The second half of the training loss must be flat: the 95 % bounds of its change (Theil-Sen slope through block
medians) within what matters, and its swings small. Flat is not stuck: converged runs and fine-tuning rest as well.
So one more sign must indicate an untrained model: neither loss has fallen from its start; the level is the entropy
of guessing (ln k for k classes known from the log or its accuracy, the entropy of the class shares for two); the loss
of a language model is that of single tokens without context (7 to 8 nats); or the metrics never rose or stay at chance
(AUC one half, R² zero, an error rate near one). A metric that is good clears it.
A loss that repeats one value to the last digit over a tenth of the run, and that had moved until then, has frozen,
at any level, unless it is fitted exactly.

When it is wrong
----------------
Fine-tuning that starts near its optimum, exact fits at 0, and adversarial equilibria (1.386, 0.693) are flat too:
a metric that is good clears the run, and GAN and reinforcement-learning losses are not judged. A learner that is late
may still start.

What to do
----------
Check that the gradient reaches the weights and that the learning rate is not 0 or far too small; try ten times more,
then ten times less. Overfit ten examples first: a model that cannot do that has a fault. Dead units need another
initialisation or activation. If the loss is that of guessing, check that labels belong to their inputs.

References
----------
Google, Machine Learning Crash Course: interpreting loss curves. Sen, Estimates of the regression coefficient based
on Kendall's tau (1968). Karpathy, A recipe for training neural networks (2019).

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzer.detectors import Detector
from analyzer.features import Curve, RunFeatures
from analyzer.features.chance_level import SENTENCES as CHANCE
from analyzer.features.chance_level import (
    UNTRAINED,
    answers_move,
    at_chance,
    guessing,
    metrics_rest,
    no_margin,
    only_frequencies,
    trained_well,
)
from analyzer.features.progress import Progress, progress
from analyzer.features.schedule import last_moving
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Severity, Sign, Unfit, Veto, Words
from analyzer.model.formatting import counted, filled, number, step
from analyzer.stats import robust


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    fall: float = field(
        default=0.13, metadata={"why": "change over the second half (upper bound) that is still flat, as a share"}
    )
    swing: float = field(default=0.2, metadata={"why": "spread around the trend that is still flat, over the level"})
    untrained: float = field(default=0.5, metadata={"why": "signs that the model is where an untrained one would be"})
    noise: float = field(default=0.1, metadata={"why": "noise of batches at the end over that at the start"})
    frozen: float = field(default=0.1, metadata={"why": "share of the run over which the loss repeats one value"})


@dataclass(frozen=True)
class Params:
    """What shapes the measures."""

    rates: int = field(default=4, metadata={"unit": "points", "why": "of a learning rate, to see that it is 0"})
    unmoved: float = field(default=0.02, metadata={"unit": "of the start", "why": "a fall that is none"})
    steady: float = field(default=3.5, metadata={"unit": "standard errors", "why": "a fall that is progress, if small"})
    little: float = field(default=0.05, metadata={"unit": "of the start", "why": "a best gain below it is an error"})
    calm: float = field(default=0.1, metadata={"unit": "of the level", "why": "swing of batches that guess"})
    long: int = field(default=20, metadata={"unit": "points", "why": "that show that a loss has not moved"})
    half: float = field(default=0.5, metadata={"unit": "of the start", "why": "gain from which metrics may rest"})
    solved: float = field(default=0.9, metadata={"unit": "of the start", "why": "gain of a fit that is no plateau"})
    still: float = field(default=0.02, metadata={"unit": "of the level", "why": "swing of an evaluation that rests"})
    held: float = field(default=0.015, metadata={"unit": "of the start", "why": "gain of an evaluation that has none"})
    alike: float = field(default=0.15, metadata={"unit": "of the level", "why": "training and evaluation at one level"})
    idle: float = field(default=0.6, metadata={"unit": "of the run", "why": "with a learning rate of 0"})
    vanished: float = field(default=1e-7, metadata={"unit": "norm", "why": "a gradient that reaches nothing"})
    fitted: float = field(default=1e-3, metadata={"unit": "of the start", "why": "a loss below it is fitted exactly"})
    resolved: float = field(default=1e-4, metadata={"unit": "of the level", "why": "moves of a curve at rest"})
    some: float = field(default=0.7, metadata={"unit": "of the start", "why": "gain of one that is stuck"})
    rests_from: float = field(default=0.3, metadata={"unit": "of the run", "why": "since when one stands still"})
    stands: float = field(default=2e-3, metadata={"unit": "of the level", "why": "range of one that stands still"})
    enough: int = field(default=8, metadata={"unit": "evaluations", "why": "that show it"})
    near_zero: float = field(default=0.05, metadata={"unit": "of the start", "why": "a loss below it is fitted"})
    batches: int = field(default=200, metadata={"unit": "points", "why": "of single batches, not of epochs"})
    repeats: int = field(default=3, metadata={"unit": "points", "why": "of one value to the last digit: frozen"})


PARAMS = Params()


@dataclass(frozen=True, slots=True)
class Facts:
    """What the sentences need besides."""

    level: float
    since: int
    from_start: bool
    fell_first: bool = False


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield a reading for the loss that the run's course is judged by, and one for each loss that freezes."""
    judged = features.course
    if isinstance(judged, str):
        yield Unfit(judged)
    else:
        yield _reading(features, *judged)
    if features.falls:
        for curve in [*features.training, *features.validation]:
            since = curve.course.point_noise.frozen if curve.n else None
            if since is not None and curve.finite[-1]:
                yield _frozen_reading(features, curve, since)
        for curve in features.training:
            if curve.role.per != "epoch" and not curve.role.running and curve.n >= PARAMS.batches and curve.finite[-1]:
                yield _dead_noise(features, curve)


def _frozen_reading(features: RunFeatures, curve: Curve, since: int) -> Evidence:
    first, last, level = int(curve.at[since]), int(curve.at[-1]), float(curve.raw[-1])
    moved = curve.raw[:since]
    start = float(moved[0]) if moved.size else level
    vetoes = []
    before = float(moved[-1]) if moved.size else level
    if abs(level) <= PARAMS.fitted * abs(start) and abs(before) <= PARAMS.near_zero * abs(start):
        vetoes.append(Veto("fitted-exactly", curve.tag, {"level": level}))
    last_moves = np.abs(np.diff(curve.raw[: since + 1]))[-PARAMS.repeats :]
    if last_moves.size and float(np.max(last_moves)) < PARAMS.resolved * abs(level):
        vetoes.append(Veto("came-to-rest", curve.tag, {"last_move": float(np.max(last_moves))}))
    if not moved.size:  # it was never seen moving: a constant that somebody logs
        vetoes.append(Veto("never-moved", curve.tag, {"points": float(moved.size)}))
    # the row begins with the last value before the freeze: what moves, moves in its later half, too
    half = (first + last) // 2
    moving = next((c for c in features.training if c is not curve and _moves_after(c, half)), None)
    if moving is not None:
        vetoes.append(Veto("training-moves", moving.tag))
    idle = _idle(features)
    return Evidence(
        curve.tags,
        (
            Measure(
                "share of the run over which it repeats one value", curve.course.share(since, curve.n - 1), "frozen"
            ),
            Measure("points of that value", float(curve.n - since), unit="points"),
        ),
        "warning",
        first_step=first,
        last_step=last,
        cause="rate-zero" if idle else "frozen",
        signs=(idle,) if idle else (Sign("repeats", curve.tag, {"level": level, "points": float(curve.n - since)}),),
        vetoes=tuple(vetoes),
        facts=Facts(level, first, from_start=since == 0),
        marks=(Mark("region", curve.tag, "one value", (first, last)),),
    )


def _dead_noise(features: RunFeatures, curve: Curve) -> Evidence:
    """The noise of batches cannot die as long as the answers depend on the examples and the loss is not fitted."""
    level, start = curve.back(curve.end), curve.back(curve.start)
    named = guessing(features, level, curve)
    since = _flat_since(curve)
    vetoes = (Veto("fitted", curve.tag, {"level": level}),) if abs(level) <= PARAMS.near_zero * abs(start) else ()
    return Evidence(
        curve.tags,
        (
            Measure(
                "noise of the batches at the end over that at the start",
                curve.course.point_noise.noise_left,
                "noise",
                "below",
            ),
        ),
        "warning",
        first_step=since,
        last_step=int(curve.at[-1]),
        cause="dead-noise",
        signs=(named,) if named else (),
        vetoes=vetoes,
        facts=Facts(level, since, from_start=False),
        marks=(Mark("region", curve.tag, "no noise", (since, int(curve.at[-1]))),),
    )


def _moves_after(curve: Curve, step_: int) -> bool:
    after = curve.raw[curve.at >= step_]
    return after.size >= PARAMS.repeats and bool(np.ptp(after) > 0)


def _reading(features: RunFeatures, curve: Curve, far: Progress) -> Evidence:
    signs = _signs(features, curve, far)
    # a log that begins late rests at its first level as well: only another sign makes it an error
    alone = {sign.id for sign in signs} <= {"noise-only", "not-fallen", "validation-rests"}
    severity: Severity = "error" if far.best_gain < PARAMS.little and not alone else "warning"
    since = _flat_since(curve)
    cause, more = _cause(features, curve, signs)
    return Evidence(
        curve.tags,
        (
            Measure(
                "upper bound of the later fall",
                max(far.later_most, abs(far.later_gain)),
                "fall",
                "below",
                "of the start",
            ),
            Measure("swing around the trend", far.swing, "swing", "below", "of the level"),
            Measure("signs of an untrained model", float(len(signs)), "untrained", unit="count"),
            Measure("fall since the start", far.gain, unit="of the start"),
        ),
        severity,
        first_step=since,
        last_step=int(curve.at[-1]),
        cause=cause,
        signs=(*signs, *more),
        facts=Facts(far.end, since, since <= curve.at[0], far.best_gain > PARAMS.little),
        marks=(
            Mark("region", curve.tag, "flat", (since, int(curve.at[-1]))),
            Mark("level", curve.tag, "level of the plateau", values=(far.end,)),
        ),
    )


def _signs(features: RunFeatures, curve: Curve, far: Progress) -> tuple[Sign, ...]:
    """Return what says that the model is where an untrained one would be."""
    idle = _idle(features) if far.best_gain < PARAMS.solved else None
    asleep = no_margin(features, far.end, curve)
    if asleep is not None:
        return (asleep, idle) if idle else (asleep,)
    if trained_well(features):
        return (idle,) if idle else ()
    signs = [idle, guessing(features, far.end, curve), only_frequencies(far.end, curve)]
    calm = far.swing < PARAMS.calm  # a batch loss near its optimum is small and swings far more, over its level
    fresh = far.start > UNTRAINED and not answers_move(features)
    still = (far.best_gain < PARAMS.unmoved or _moved_by_chance(features, curve, far)) and not _gains(curve)
    if calm and still and curve.n >= PARAMS.long and fresh:
        signs.append(_unmoved(curve, far))
    rest = metrics_rest(features)
    if rest and far.best_gain < PARAMS.half:
        signs.append(rest)
    chance = at_chance(features) if far.best_gain < PARAMS.solved else []  # a perfect fit is overfitting instead
    for other in features.validation:
        its = progress(other) if other is not curve else None
        alike = its and (any(signs) or chance or abs(its.end - far.end) < PARAMS.alike * abs(far.end))
        rests = its and abs(its.best_gain) < PARAMS.held and its.swing < PARAMS.still
        if its and alike and rests and calm and fresh and far.best_gain < 2 * PARAMS.little:
            signs.append(Sign("validation-rests", other.tag, {"start": its.start, "end": its.end}))
            break
    stuck = _evaluation_still(features, far) if far.best_gain < PARAMS.some and not answers_move(features) else None
    return tuple(sign for sign in (*signs, *chance, stuck) if sign is not None)


def _evaluation_still(features: RunFeatures, far: Progress) -> Sign | None:
    """Return a sign when an evaluation stands still for most of the run: weights do not move.

    A training loss far below it was learnt, be it in another run: fine-tuning rests.
    """
    for curve in [c for c in features.validation if c.n]:
        since = curve.at[0] + PARAMS.rests_from * (curve.at[-1] - curve.at[0])
        late = curve.raw[curve.at >= since]
        height = abs(robust.median(late)) if late.size else 0.0
        if (
            late.size >= PARAMS.enough
            and np.ptp(late) < PARAMS.stands * height
            and far.end > PARAMS.rests_from * height
        ):
            return Sign("evaluation-still", curve.tag, {"level": float(late[-1])})
    return None


def _gains(curve: Curve) -> bool:
    """Whether a small fall is steady: a run that goes on from a checkpoint gains little, and gains it all the same."""
    fall = curve.course.fall
    return fall is not None and fall.errors >= PARAMS.steady and fall.size >= PARAMS.unmoved / 2


def _moved_by_chance(features: RunFeatures, curve: Curve, far: Progress) -> bool:
    """Whether a loss moves no more than its own noise moves medians: its start, its first tenth, its second half.

    An evaluation has less noise: where one has fallen, so has the loss.
    """
    if any((its := progress(other)) and its.moved > 3 for other in features.validation if other is not curve):
        return False
    early, late = curve.raw[: max(5, curve.n // 10)], robust.median(curve.raw[curve.n // 2 :])
    error = 3.75 * far.swing * abs(late) / float(np.sqrt(early.size))  # three errors of the median of the first tenth
    fallen = robust.median(early) - late
    stays = far.gain < PARAMS.alike and abs(far.moved) < 3 and abs(far.later_gain) < PARAMS.little
    return stays and fallen < min(error, PARAMS.little * far.start)


def _unmoved(curve: Curve, far: Progress) -> Sign:
    if far.gain < -PARAMS.unmoved and far.moved < -3:
        return Sign("ends-above-start", curve.tag, {"share": -far.gain, "start": far.start})
    if far.best_gain >= PARAMS.unmoved:
        return Sign("noise-only", curve.tag)
    return Sign("not-fallen", curve.tag, {"share": max(far.gain, 0.0)})


def _idle(features: RunFeatures) -> Sign | None:
    """Return a sign when every rate is 0 for most of the run: it stopped there, however far it had come."""
    rates = [c for c in features.having("learning-rate") if c.n >= PARAMS.rates]
    if not rates:
        return None
    rate = max(rates, key=last_moving)
    since, first, last = last_moving(rate), int(rate.at[0]), int(rate.at[-1])
    if last - since < PARAMS.idle * (last - first):
        return None
    return Sign("rate-zero-throughout" if since < first else "rate-zero", rate.tag, {"since": float(since)})


def _flat_since(curve: Curve) -> int:
    """First step from which the trend stays within its own final band."""
    blocks = curve.blocks
    band = max(2 * curve.sigma, PARAMS.unmoved * abs(curve.end), 1e-12)
    outside = np.flatnonzero(np.abs(blocks.level - curve.end) > band)
    first = 0 if not outside.size else int(blocks.edges[min(outside[-1] + 1, blocks.edges.size - 2)])
    return int(curve.at[min(first, curve.n - 1)])


def _cause(features: RunFeatures, curve: Curve, signs: tuple[Sign, ...]) -> tuple[str | None, tuple[Sign, ...]]:
    """Return the id of the cause and what else speaks for it."""
    ids = {sign.id for sign in signs}
    if ids & {"rate-zero", "rate-zero-throughout"}:
        return "rate-zero", ()
    gradient = features.gradient
    if gradient is not None and gradient.n >= 5:
        late = robust.median(gradient.raw[-(gradient.n // 2) :])
        if late < PARAMS.vanished:
            return "vanishing-gradient", (Sign("gradient-vanished", gradient.tag, {"norm": late}),)
    late_loss = curve.raw[curve.n // 2 :]
    if late_loss.size >= 10 and np.ptp(late_loss) == 0:
        return "frozen", (Sign("repeats", curve.tag, {"level": float(late_loss[-1]), "points": float(late_loss.size)}),)
    if "only-frequencies" in ids:
        return "only-frequencies", ()
    return ("guessing" if ids & GUESSING else None), ()


GUESSING = {"no-margin", "guessing-among", "guessing-like-accuracy", "guessing-perhaps"}
CAUSES = {
    "rate-zero": "a learning rate of 0",
    "vanishing-gradient": "a gradient that vanishes: dead or saturated units",
    "frozen": "no update reaches the output: dead units, weights that are not trained, or a value that is logged again",
    "dead-noise": "collapsed output: the answers do not depend on the examples any more, or one batch comes again",
    "only-frequencies": "the model has learnt how often tokens occur and nothing of their order",
    "guessing": "guessing: what the model answers does not depend on what it is shown",
}


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    facts: Facts = evidence.facts
    tag, cause = evidence.tags[0], evidence.cause or ""
    sentences = tuple(filled(SENTENCES[sign.id], sign.tag, sign.numbers) for sign in evidence.signs)
    if cause == "dead-noise":
        also = f"; {sentences[0]}" if sentences else ""
        summary = f"the noise of {tag} has died at {number(facts.level)} by step {step(facts.since)}{also}"
    elif evidence.measures[0].limit == "frozen":
        count = int(evidence.measures[1].value)
        summary = (
            f"{tag} repeats {number(facts.level)} to the last digit from step {step(facts.since)} to the end, "
            f"{counted(count, 'time')}"
        )
    else:
        place = "the first point" if facts.from_start else f"step {step(facts.since)}"
        why = sentences[0] if sentences else "nothing says that this is where an untrained model would be"
        summary = f"{tag} lies flat at {number(facts.level)} from {place} on: {why}"
    return Words(summary, CAUSES.get(cause), sentences, _advice(cause, fell_first=facts.fell_first))


SENTENCES = CHANCE | {
    "ends-above-start": "it ends {share:%} above its start, {start}",
    "noise-only": "it moves up and down with the noise of its batches and has not fallen since its start",
    "not-fallen": "it has fallen by {share:%} since its start",
    "validation-rests": "{tag} has not moved either: {start} at first, {end} at the end",
    "rate-zero-throughout": "{tag} is 0 throughout",
    "rate-zero": "{tag} is 0 after step {since:step}",
    "gradient-vanished": "{tag} is {norm} in the second half",
    "evaluation-still": "{tag} stays at {level} for more than two thirds of the run",
    "repeats": "the loss repeats {level} to the last digit",
}


def _advice(cause: str, *, fell_first: bool) -> tuple[str, ...]:
    tiny = "Overfit ten examples first; a model that cannot do that has a fault."
    labels = "Check that labels belong to their inputs and can be predicted from them: beat a simple baseline first."
    if cause == "only-frequencies":
        shifted = (
            "Check that targets are the inputs shifted by one token, and that attention reaches the tokens before."
        )
        return shifted, "Try a learning rate ten times lower, with a longer warm-up."
    if cause == "rate-zero":
        compare = "Compare the steps of the schedule with those of the run (epochs, devices, accumulation)."
        return "Give the optimizer a learning rate above 0.", compare
    if cause == "vanishing-gradient":
        return "Use another initialisation or activation (leaky ReLU), and lower the learning rate.", tiny
    if cause == "frozen":
        check = "Check that weights are updated, and that the logger does not repeat an old value."
        return check, "Use another initialisation or activation, and lower the learning rate.", tiny
    first = (
        "Try a learning rate ten times lower, then ten times higher."
        if fell_first
        else "Try a learning rate ten times higher, then ten times lower."
    )
    return first, tiny, labels


DETECTOR = Detector(
    "plateau",
    __doc__,
    measure,
    Limits(),
    (
        Case("stuck at its start", "fires", lambda: made_run({"train/loss": 1.386 + noise(100, 0.01)})),
        Case(
            "only the frequencies of tokens",
            "fires",
            lambda: made_run({"train/loss": falling(600, 10.8, 7.4, 20.0) + noise(600, 0.04)}),
        ),
        Case(
            "guessing among ten",
            "fires",
            lambda: made_run(
                {
                    "train/loss": np.concatenate([[2.9, 2.5, 2.35], np.log(10) + noise(97, 0.004)]),
                    "val/accuracy": 0.1 + noise(100, 0.01),
                }
            ),
        ),
        Case(
            "one value to the last digit",
            "fires",
            lambda: made_run({"train/loss": np.minimum.accumulate(np.maximum(falling(300) + noise(300, 1e-4), 0.6))}),
        ),
        Case("converged", "quiet", lambda: made_run({"train/loss": falling(300) + noise(300, 0.02)})),
        Case(
            "fine-tuning near its optimum",
            "almost",
            lambda: made_run({"train/loss": 0.21 + noise(100, 0.004), "val/accuracy": 0.93 + noise(100, 0.002)}),
        ),
        Case(
            "an exact fit", "almost", lambda: made_run({"train/loss": np.maximum(falling(300, floor=0.0) - 0.2, 1e-15)})
        ),
        Case(
            "high noise, slow but steady",
            "almost",
            lambda: made_run({"train/loss": np.linspace(1.0, 0.7, 400) + noise(400, 0.08)}),
        ),
    ),
    describe=describe,
    yields_to=("exploding-loss", "hidden-nan"),
)
