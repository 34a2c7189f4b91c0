"""The loss lies flat where an untrained model would be.

Why it matters
--------------
A model that never left the value of guessing has learnt nothing, however long it ran and however calm its curve.

How it is measured
------------------
The second half of the training loss must be flat: the 95 % bounds of its change (Theil-Sen slope through block
medians) within what matters, and its swings small. Flat is not stuck: converged runs and fine-tuning rest as well.
So one more sign must speak for an untrained model: neither loss has fallen from its start; the level is the entropy
of guessing (ln k for k classes known from the log or its accuracy, the entropy of the class shares for two); or the
metrics never rose or stand at chance (AUC one half, R² zero, an error rate near one). A metric that is good clears it.

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

from analyzer.anatomy import Anatomy, Curve
from analyzer.anatomy.chance import UNTRAINED, answers_move, at_chance, guessing, metrics_rest, trained_well
from analyzer.anatomy.progress import Progress, progress
from analyzer.anatomy.schedule import last_moving
from analyzer.detectors import Detector
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.verdict import Evidence, Mark, Measure, Reading, Severity, Unfit
from analyzer.model.wording import number, percent, step
from analyzer.stats import robust

LEAST = 4  # points of a learning rate
UNMOVED = 0.02  # fall since the start that is none
CALM = 0.1  # swing of an evaluation, or of batches at the level of guessing, over the level


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    fall: float = field(
        default=0.13, metadata={"why": "change over the second half (upper bound) that is still flat, as a share"}
    )
    swing: float = field(default=0.2, metadata={"why": "spread around the trend that is still flat, over the level"})
    untrained: float = field(default=0.5, metadata={"why": "signs that the model is where an untrained one would be"})


def measure(anatomy: Anatomy) -> Iterator[Reading]:
    """Yield one reading for the training loss, or for the validation loss of a run without one."""
    judged = anatomy.course
    yield Unfit(judged) if isinstance(judged, str) else _reading(anatomy, *judged)


def _reading(anatomy: Anatomy, curve: Curve, far: Progress) -> Evidence:
    signs = _signs(anatomy, curve, far)
    only_noise = signs == (_unmoved(far),) and far.best_gain >= UNMOVED
    severity: Severity = "error" if far.best_gain < 0.05 and not only_noise else "warning"
    since = _flat_since(curve)
    cause, speaks, advice = _cause(anatomy, curve, far, guessed="guessing" in " ".join(signs))
    level = number(far.end)
    at = f"at {level} from step {step(since)} on" if since > curve.at[0] else f"at {level} from the first point on"
    why = signs[0] if signs else "nothing says that this is where an untrained model would be"
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
        f"{curve.tag} lies flat {at}: {why}",
        int(since),
        int(curve.at[-1]),
        cause,
        (*signs, *speaks),
        advice,
        marks=(
            Mark("region", curve.tag, "flat", (int(since), int(curve.at[-1]))),
            Mark("level", curve.tag, "level of the plateau", values=(far.end,)),
        ),
    )


def _signs(anatomy: Anatomy, curve: Curve, far: Progress) -> tuple[str, ...]:
    idle = _idle(anatomy) if far.best_gain < 0.9 else ""
    if trained_well(anatomy):
        return (idle,) if idle else ()
    signs = [idle]
    guess = guessing(anatomy, far.end, curve)
    if guess:
        signs.append(guess)
    calm = far.swing < CALM  # a batch loss near its optimum is small and swings far more, beside its level
    fresh = far.start > UNTRAINED and not answers_move(anatomy)
    if calm and (far.best_gain < UNMOVED or _moved_by_chance(anatomy, curve, far)) and curve.n >= 20 and fresh:
        signs.append(_unmoved(far))
    elif _exact(curve) and far.best_gain < 0.15 and curve.n >= 20:
        signs.append(f"no batch changes it by a single digit any more, {percent(abs(far.gain))} from its start")
    rest = metrics_rest(anatomy)
    if rest and far.best_gain < 0.5:
        signs.append(rest)
    chance = at_chance(anatomy) if far.best_gain < 0.9 else []  # a perfect fit with a poor metric is overfitting
    for other in anatomy.validation:
        its = progress(other) if other is not curve else None
        alike = its and (signs or chance or abs(its.end - far.end) < 0.15 * abs(far.end))
        if its and alike and calm and fresh and abs(its.best_gain) < 0.015 and its.swing < 0.02 and far.best_gain < 0.1:
            signs.append(
                f"{other.tag} has not moved either: {number(its.start)} at first, {number(its.end)} at the end"
            )
            break
    frozen = _frozen(anatomy, far.end) if far.best_gain < 0.7 and not answers_move(anatomy) else ""
    return tuple(s for s in (*signs, *chance, frozen) if s)


def _moved_by_chance(anatomy: Anatomy, curve: Curve, far: Progress) -> bool:
    """Whether a loss moves no more than its own noise moves medians: its start, its first tenth, its second half.

    An evaluation has less noise: where one has fallen, so has the loss.
    """
    if any((its := progress(other)) and its.moved > 3 for other in anatomy.validation if other is not curve):
        return False
    early, late = curve.raw[: max(5, curve.n // 10)], robust.median(curve.raw[curve.n // 2 :])
    error = 3.75 * far.swing * abs(late) / float(np.sqrt(early.size))  # three errors of the median of the first tenth
    fallen = robust.median(early) - late
    stays = far.gain < 0.15 and abs(far.moved) < 3 and abs(far.later_gain) < 0.05
    return stays and fallen < min(error, 0.05 * far.start)


def _unmoved(far: Progress) -> str:
    if far.gain < -UNMOVED and far.moved < -3:
        return f"it ends {percent(-far.gain)} above its start, {number(far.start)}"
    if far.best_gain >= UNMOVED:
        return "it moves up and down with the noise of its batches and has not fallen since its start"
    return f"it has fallen by {percent(max(far.gain, 0.0))} since its start"


def _exact(curve: Curve) -> bool:
    """Whether the loss is one and the same number over its second half."""
    late = curve.raw[curve.n // 2 :]
    return late.size >= 10 and bool(np.ptp(late) == 0)


def _idle(anatomy: Anatomy) -> str:
    """Return a sentence when every rate is 0 for most of the run: it stopped there, however far it had come."""
    rates = [c for c in anatomy.having("learning-rate") if c.n >= LEAST]
    if not rates:
        return ""
    rate = max(rates, key=last_moving)
    since, first, last = last_moving(rate), int(rate.at[0]), int(rate.at[-1])
    if last - since < 0.6 * (last - first):
        return ""
    return f"{rate.tag} is 0 throughout" if since < first else f"{rate.tag} is 0 after step {step(since)}"


def _frozen(anatomy: Anatomy, level: float) -> str:
    """Return a sentence when the evaluation stands still to the digit for most of the run: weights do not move.

    A training loss far below it was learnt, be it in another run: fine-tuning rests.
    """
    for curve in [c for c in anatomy.validation if c.n]:
        since = curve.at[0] + 0.3 * (curve.at[-1] - curve.at[0])
        late = curve.raw[curve.at >= since]
        height = abs(float(np.median(late))) if late.size else 0.0
        if late.size >= 8 and np.ptp(late) < 2e-3 * height and level > 0.3 * height:
            return f"{curve.tag} stands still at {number(float(late[-1]))} for more than two thirds of the run"
    return ""


def _flat_since(curve: Curve) -> int:
    """First step from which the trend stays within its own final band."""
    blocks = curve.blocks
    band = max(2 * curve.sigma, 0.02 * abs(curve.end), 1e-12)
    outside = np.flatnonzero(np.abs(blocks.level - curve.end) > band)
    first = 0 if not outside.size else int(blocks.edges[min(outside[-1] + 1, blocks.edges.size - 2)])
    return int(curve.at[min(first, curve.n - 1)])


def _cause(
    anatomy: Anatomy, curve: Curve, far: Progress, *, guessed: bool
) -> tuple[str | None, tuple[str, ...], tuple[str, ...]]:
    tiny = "Overfit ten examples first; a model that cannot do that has a fault."
    labels = "Check that labels belong to their inputs and can be predicted from them: beat a simple baseline first."
    gradient, idle = anatomy.gradient, _idle(anatomy)
    if idle:
        compare = "Compare the steps of the schedule with those of the run (epochs, devices, accumulation)."
        return "a learning rate of 0", (), ("Give the optimiser a learning rate above 0.", compare)
    if gradient is not None and gradient.n >= 5 and float(np.median(gradient.raw[-gradient.n // 2 :])) < 1e-7:
        text = f"{gradient.tag} is {number(float(np.median(gradient.raw[-gradient.n // 2 :])))} in the second half"
        revive = "Use another initialisation or activation (leaky ReLU), and lower the learning rate."
        return "a gradient that vanishes: dead or saturated units", (text,), (revive, tiny)
    if _exact(curve):
        text = "the loss does not change by a single digit in the second half"
        revive = (
            "Use another initialisation or activation, lower the learning rate, and check that weights are updated."
        )
        return "no update reaches the output: dead units, or weights that are not trained", (text,), (revive, tiny)
    fell_then_flat = far.best_gain > 0.05
    first = (
        "Try a learning rate ten times lower, then ten times higher."
        if fell_then_flat
        else ("Try a learning rate ten times higher, then ten times lower.")
    )
    cause = "guessing: what the model answers does not depend on what it is shown" if guessed else None
    return cause, (), (first, tiny, labels)


DETECTOR = Detector(
    "plateau",
    __doc__,
    measure,
    Limits(),
    (
        Case("stuck at its start", "fires", lambda: made_run({"train/loss": 1.386 + noise(100, 0.01)})),
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
)
