"""The loss becomes NaN or infinite.

Why it matters
--------------
From that step on the weights usually hold NaN too: the run trains no further, whatever else it logs, and what
it spends afterwards is lost. A metric computed from NaN looks like a bad model and is none.

How it is measured
------------------
Every training, validation and test loss is searched for NaN, +inf and -inf (MLflow's databases store ±1.797e308
for the infinities). No statistics are needed. The onset is the start of the final stretch in which most points are
not finite; stray points before it are named apart, and are the finding where the loss is finite again to the end. What
came before distinguishes the causes: the first logged point, a finite climb, a gradient norm that leapt or was not
finite first, a loss scale that fell, a learning rate that was still rising, or nothing at all. No cause is given that
another curve refutes: the evaluation is blamed only while training stays finite, and the weights only while no held-out
curve goes on moving.

When it is wrong
----------------
Some loggers write NaN where nothing was measured, for instance a validation loss at every step between two
evaluations. NaN that comes at regular intervals from the start and leaves the values between untouched is reported
as a note, not as an alarm. NaN in a metric that never had a value (AP of a class without objects) is harmless and
is not looked at; a metric or reward that had values and turns NaN for good raises a warning. In a run that logs one
value a metric, a metric without a value raises one, too; it is a note where all runs of the experiment have none.

What to do
----------
Look at the batch of the first bad step and at its inputs: NaN, infinities, empty targets. Guard logarithms and
divisions with a small constant. Clip the gradient norm. In half precision check the loss scale. Restart from
the last checkpoint before the first sign of trouble in any curve; later ones may hold NaN.

References
----------
Google, Machine Learning Crash Course: interpreting loss curves. Pascanu, Mikolov and Bengio, On the difficulty of
training recurrent neural networks (2013), for clipping.

"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from analyzer.detectors import Detector
from analyzer.features import Curve, RunFeatures
from analyzer.features.finite_weights import alive_after
from analyzer.features.first_sign import EarlySign, early_signs
from analyzer.features.schedule import rising_at
from analyzer.features.single_values import Single
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Severity, Sign, Unfit, Words
from analyzer.model.formatting import counted, number, step
from analyzer.stats.robust import median
from analyzer.stats.suffix import majority_suffix


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    count: float = field(
        default=0.0, metadata={"unit": "points", "why": "non-finite values of a loss that are accepted, in points"}
    )


@dataclass(frozen=True)
class Params:
    """What distinguishes the causes."""

    regular: float = field(
        default=0.9, metadata={"unit": "of the distances", "why": "evaluations every k steps, but for an odd last one"}
    )
    first_points: int = field(
        default=3,
        metadata={"unit": "points", "why": "finite points before which nothing was learnt that could be kept"},
    )
    fine: int = field(
        default=50, metadata={"unit": "points", "why": "a curve of so many points was logged step by step"}
    )
    climb: float = field(
        default=3.0, metadata={"unit": "× its best", "why": "a loss that has tripled was diverging before it was lost"}
    )


PARAMS = Params()

CAUSES = {
    "not-measured": "a logger that writes NaN where nothing was measured",
    "evaluation": "the evaluation, not the training",
    "logged-value": "the logged number, not the weights",
    "from-the-start": "the data, the initialisation or the loss itself: nothing has been learnt yet",
    "first-updates": "the first updates: a learning rate that is far too high, inputs that are not scaled, or the loss "
    "itself",
    "exploding-gradients": "exploding gradients",
    "half-precision": "gradients that overflow in half precision",
    "rising-rate": "a learning rate that is too high",
    "divergence": "divergence",
    "overflow": "an overflow or the logarithm of zero",
    "single-batch": "a single bad batch, a division by zero or a logarithm of zero",
    "single-value": "inputs or outputs that are NaN, the logarithm of zero, or a metric that divides by zero",
    "undefined-metric": "outputs that are NaN, or a metric that divides by zero: no prediction, no episode, no example",
}
LOOK = "Look at the inputs and targets of the batches {when}: NaN, infinities, empty targets."
GUARD = "Guard logarithms and divisions in the loss with a small constant."
CLIP = "Clip the gradient norm and lower the learning rate."
BACK = "{back}"
ADVICE = {
    "not-measured": ("Leave out points that hold no value.",),
    "evaluation": ("Look at the validation data and at how its loss is averaged: empty batches, log of zero.", GUARD),
    "logged-value": (
        "Look at how the training loss is summed and logged: precision, an average over no batch, a masked batch.",
        GUARD,
    ),
    "from-the-start": ("Check the inputs and targets for NaN and infinities before the first step.", GUARD, CLIP),
    "first-updates": (
        "Start again with a tenth of the learning rate.",
        "Scale inputs and targets to about unit size.",
        LOOK,
        GUARD,
    ),
    "exploding-gradients": (CLIP, LOOK, BACK),
    "half-precision": ("Use bfloat16, or keep the layer that overflows in single precision.", CLIP, LOOK, BACK),
    "rising-rate": ("Lower the peak of the learning rate or warm it up more slowly.", CLIP, BACK),
    "divergence": ("Lower the learning rate.", CLIP, LOOK, BACK),
    "overflow": (GUARD, LOOK, BACK),
    "single-batch": (LOOK, GUARD, BACK),
    "single-value": (
        "Check the features and the model's outputs for NaN and infinities.",
        "Clip probabilities before the logarithm; check that every class has an example in the held-out set.",
    ),
    "undefined-metric": (
        "Check the outputs of the model at that step for NaN.",
        "Look at what the metric is computed from: an empty class, no finished episode, no example.",
    ),
}


@dataclass(frozen=True)
class Hole:
    """The non-finite points of one loss.

    `onset`: index of the first point of the final stretch, or of the first stray where the loss is finite again to the
    end; `lasts`: whether there is a final stretch; `strays`: indices of the points before the onset.
    """

    curve: Curve
    at: NDArray[np.int64]
    onset: int
    lasts: bool

    @property
    def step(self) -> int:
        """Step of the onset."""
        return int(self.curve.steps[self.onset])

    @property
    def strays(self) -> NDArray[np.int64]:
        """Indices of the non-finite points before the onset."""
        return self.at[self.at < self.onset]

    @property
    def healed(self) -> bool:
        """Whether the loss is finite at its end."""
        return bool(self.curve.finite[-1])


@dataclass(frozen=True)
class Facts:
    """What the sentences need: the hole, the step of the last good point, and the earliest sign in any curve."""

    hole: Hole
    before: int
    early: EarlySign | None


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield one reading over all losses; the one that leads explains the others."""
    if features.single is not None:
        yield _single(features, features.single)
        return
    losses = [c for c in features.losses if c.values.size]
    undefined = [hole for c in features.having("metric") if (hole := _undefined(c)) is not None]
    if undefined and all(c.finite.all() for c in losses):
        yield _reading(features, sorted(undefined, key=lambda h: h.step), "undefined-metric")
        return
    if not losses:
        yield Unfit("no loss is known in this run")
        return
    holes = [_hole(c) for c in losses if not c.finite.all()]
    if not holes:
        zero = Measure("non-finite values", 0.0, "count", unit="points")
        yield Evidence(tuple(c.tag for c in (features.training or losses)[:1]), (zero,), "error")
        return
    order = sorted(holes, key=lambda h: (not h.lasts, _overtaken(h, holes), h.step, -h.curve.n))
    yield _reading(features, order)


def _single(features: RunFeatures, single: Single) -> Evidence:
    """Return the reading of a run that logs one value a metric: losses before metrics."""
    tags = sorted(single.not_finite, key=lambda tag: features.roles[tag].role != "loss")
    value = float(features.curves[tags[0]].values[-1]) if tags else 0.0
    severity: Severity = "error" if tags and features.roles[tags[0]].role == "loss" else "warning"
    shown = tuple(tags[:1]) or tuple(v.tag for v in single.values[:1])
    return Evidence(
        shown,
        (Measure("non-finite values", float(len(tags)), "count", unit="points"),),
        severity,
        cause="single-value",
        also=tuple(tags[1:]),
        facts=value,
    )


def _hole(curve: Curve) -> Hole:
    at = np.flatnonzero(~curve.finite)
    onset = majority_suffix(~curve.finite)
    return Hole(curve, at, int(at[0]) if onset is None else onset, onset is not None)


def _undefined(metric: Curve) -> Hole | None:
    """Return the hole of a metric that had values and has none any more, None where it has."""
    if metric.finite.all() or metric.n < PARAMS.first_points or _regular(metric):
        return None
    hole = _hole(metric)
    lost = ~metric.finite[hole.onset :]
    had = int(np.count_nonzero(metric.finite[: hole.onset]))
    return hole if hole.lasts and lost.all() and min(lost.size, had) >= PARAMS.first_points else None


def _overtaken(hole: Hole, holes: list[Hole]) -> bool:
    """Whether a held-out loss was lost while training stayed finite, and training is lost too later: graver leads."""
    if hole.curve.role.split == "train":
        return False
    return any(
        other.lasts
        and other.curve.role.split == "train"
        and bool(other.curve.finite[(other.curve.steps > hole.step)].any())
        for other in holes
    )


def _reading(features: RunFeatures, holes: list[Hole], known: str = "") -> Evidence:
    hole = holes[0]
    curve = hole.curve
    early = next(iter(early_signs(features, hole.step)), None)
    cause, signs = (known, ()) if known else _cause(features, hole, holes, early)
    before = int(curve.steps[hole.onset - 1]) if hole.onset else hole.step
    severity: Severity = "error" if hole.lasts else "warning"
    if cause in ("not-measured", "logged-value", "undefined-metric"):
        severity = "info" if cause == "not-measured" else "warning"
    strays = hole.strays
    if strays.size:
        numbers = {"points": float(strays.size), "first": float(curve.steps[strays[0]])}
        signs = (*signs, Sign("strays", curve.tag, {**numbers, "last": float(curve.steps[strays[-1]])}))
    last = int(curve.steps[hole.at[-1]])
    return Evidence(
        (curve.tag,),
        (Measure("non-finite values", float(hole.at.size), "count", unit="points"),),
        severity,
        first_step=hole.step,
        last_step=last,
        cause=cause,
        marks=(Mark("region", curve.tag, "not finite", (hole.step, last)),),
        also=tuple(h.curve.tag for h in holes[1:]),
        signs=signs,
        facts=Facts(hole, before, early),
    )


def _regular(curve: Curve) -> bool:
    """Whether finite values come at even distances with NaN between them, from the start to the end.

    An infinite value was measured: loggers write NaN where nothing was.
    """
    if np.isinf(curve.values).any():
        return False
    at = np.flatnonzero(curve.finite)
    spacing = np.diff(at)
    if spacing.size < PARAMS.first_points:
        return False
    usual = median(spacing.astype(np.float64))
    even = float(np.mean(spacing == usual)) >= PARAMS.regular
    return usual > 1 and even and bool(at[0] <= usual and curve.steps.size - 1 - at[-1] <= usual)


def _cause(  # noqa: PLR0911 - the causes in the order in which they are distinguished
    features: RunFeatures, hole: Hole, holes: list[Hole], early: EarlySign | None
) -> tuple[str, tuple[Sign, ...]]:
    curve, onset = hole.curve, hole.onset
    if _regular(curve):
        return "not-measured", (Sign("regular", curve.tag),)
    fine = _finite_training(features, hole, holes)
    if fine is not None:
        return "evaluation", (Sign("training-finite", fine.tag),)
    alive = alive_after(features, hole.step) if hole.lasts and curve.role.split == "train" else None
    if alive is not None:
        return "logged-value", (Sign("held-out-moves", alive.tag),)
    if onset == 0:
        return "from-the-start", (Sign("first-point", curve.tag, {"step": hole.step}),)
    step_by_step = curve.steps.size >= PARAMS.fine and curve.role.per != "epoch"
    if onset <= PARAMS.first_points and step_by_step and not hole.healed:
        return "first-updates", (Sign("few-points-before", curve.tag, {"points": onset}),)
    if early is not None and early.id.startswith("gradient"):
        return "exploding-gradients", (Sign(early.id, early.tag, early.numbers),)
    if early is not None and early.id == "loss-scale-falls":
        return "half-precision", (Sign(early.id, early.tag, early.numbers),)
    if features.rate is not None and rising_at(features.rate, hole.step) is not None:
        return "rising-rate", (Sign("rate-rises", features.rate.tag, {"step": hole.step}),)
    climb = _climb(curve, onset)
    if climb > PARAMS.climb:
        return "divergence", (Sign("climb", curve.tag, {"factor": climb}),)
    if np.isinf(curve.values[onset]):
        return "overflow", (Sign("infinite-first", curve.tag),)
    return "single-batch", (Sign("no-climb", curve.tag),) if onset > 2 * PARAMS.first_points else ()


def _finite_training(features: RunFeatures, hole: Hole, holes: list[Hole]) -> Curve | None:
    """Return a training loss that stays finite where a held-out loss is lost; None if any training loss is lost too."""
    if hole.curve.role.split == "train" or any(h.curve.role.split == "train" and h.lasts for h in holes):
        return None
    return next((c for c in features.having("loss", "train") if c.n and c.finite[c.steps >= hole.step].all()), None)


def _climb(curve: Curve, onset: int) -> float:
    """Return how many times its usual low the loss reaches just before it is lost, 0 where that means nothing."""
    before = curve.values[:onset][curve.finite[:onset]]
    few = PARAMS.first_points
    if before.size < few or before.min() <= 0:
        return 0.0
    return float(np.max(before[-few:])) / median(np.sort(before)[: max(few, before.size // 10)])


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    if isinstance(evidence.facts, float):
        return Words(
            f"{evidence.tags[0]} is {'NaN' if np.isnan(evidence.facts) else 'infinite'}",
            CAUSES["single-value"],
            (),
            ADVICE["single-value"],
        )
    facts: Facts = evidence.facts
    hole = facts.hole
    when = f"just before step {step(hole.step)}"
    if hole.step - facts.before > 1:
        when = f"between steps {step(facts.before)} and {step(hole.step)}"
    cause = evidence.cause or "single-batch"
    advice = tuple(text.format(when=when, back=_back(facts)) for text in ADVICE[cause])
    signs = tuple(_sentence(sign, facts) for sign in evidence.signs)
    return Words(_summary(hole), CAUSES[cause], signs, advice)


def _summary(hole: Hole) -> str:
    curve = hole.curve
    word = "NaN" if np.isnan(curve.values[hole.onset]) else "infinite"
    after, bad = int(curve.steps.size - hole.onset), int(np.count_nonzero(~curve.finite[hole.onset :]))
    where = f"at step {step(hole.step)} and stays so"
    if after == 1:
        where = f"at its last point, step {step(hole.step)}"
    elif bad < after:
        where = f"at step {step(hole.step)}: {bad:,} of the {after:,} points from there on, and finite between them"
    return f"{curve.tag} becomes {word} {where}"


def _back(facts: Facts) -> str:
    if facts.hole.healed:
        return "The loss is finite again afterwards: check that the weights are, before you trust what came of it."
    if facts.early is not None:
        return (
            f"Restart from a checkpoint before step {step(facts.early.step)}, where {facts.early.tag} shows the first "
            "sign; later ones may hold NaN."
        )
    return f"Restart from a checkpoint of step {step(facts.before)} or before; later ones hold NaN."


def _sentence(sign: Sign, facts: Facts) -> str:
    numbers = sign.numbers
    if facts.early is not None and sign.id == facts.early.id:
        return facts.early.sentence
    sentences: dict[str, Callable[[], str]] = {
        "regular": lambda: "the NaN come at regular intervals from the start",
        "training-finite": lambda: f"{sign.tag} stays finite throughout",
        "held-out-moves": lambda: (
            f"{sign.tag} stays finite and goes on moving, which NaN in the weights would not allow"
        ),
        "first-point": lambda: f"the very first point, at step {step(numbers['step'])}, is not finite",
        "few-points-before": lambda: f"only {counted(int(numbers['points']), 'point')} of the loss came before it",
        "rate-rises": lambda: f"the learning rate was still rising at step {step(numbers['step'])}",
        "climb": lambda: f"the loss climbs {number(numbers['factor'], 2)} times over its best before it is lost",
        "infinite-first": lambda: "the first bad value is infinite, not NaN",
        "no-climb": lambda: "there is no climb before it: the last finite values are ordinary",
        "strays": lambda: _strays(sign),
    }
    return sentences[sign.id]()


def _strays(sign: Sign) -> str:
    points, first, last = (sign.numbers[name] for name in ("points", "first", "last"))
    where = f"at step {step(first)}" if first == last else f"between steps {step(first)} and {step(last)}"
    return f"{counted(int(points), 'point')} before it {'is' if points == 1 else 'are'} not finite either, {where}"


def _lost(points: int, onset: int) -> np.ndarray:
    values = falling(points) + noise(points, 0.02)
    values[onset:] = np.nan
    return values


def _gaps(points: int) -> np.ndarray:
    values = np.full(points, np.nan)
    values[::10] = falling(points)[::10]
    return values


DETECTOR = Detector(
    "non-finite",
    __doc__,
    measure,
    Limits(),
    (
        Case("NaN out of the blue", "fires", lambda: made_run({"train/loss": _lost(200, 120)})),
        Case("NaN from the first point", "fires", lambda: made_run({"train/loss": np.full(50, np.nan)})),
        Case(
            "a loss that is finite throughout",
            "quiet",
            lambda: made_run({"train/loss": falling(200) + noise(200, 0.02)}),
        ),
        Case(
            "NaN where nothing was measured",
            "almost",
            lambda: made_run({"train/loss": falling(200), "val/loss": _gaps(200)}),
        ),
    ),
    describe=describe,
    yields_to=("exploding-loss", "value-divergence"),
)
