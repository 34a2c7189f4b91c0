"""The loss becomes NaN or infinite.

Why it matters
--------------
From that step on the weights usually hold NaN too: the run trains no further, whatever else it logs, and what
it spends afterwards is lost. A metric computed from NaN looks like a bad model and is none.

How it is measured
------------------
Every training, validation and test loss is searched for NaN, +inf and -inf (MLflow's databases store ±1.797e308
for the infinities). No statistics are needed. What came before tells the causes apart: the first logged point,
a finite climb, a gradient norm that leapt or was no number first, a learning rate that was still rising, or
nothing at all.

When it is wrong
----------------
Some loggers write NaN where nothing was measured, for instance a validation loss at every step between two
evaluations. NaN that comes at regular intervals from the start and leaves the values between untouched is told
as a note, not as an alarm. NaN in metrics that have no data (AP of a class without objects, explained variance)
is harmless and not looked at.

What to do
----------
Look at the batch of the first bad step and at its inputs: NaN, infinities, empty targets. Guard logarithms and
divisions with a small constant. Clip the gradient norm. In half precision check the loss scale. Restart from
the last checkpoint before the onset; later ones hold NaN.

References
----------
Google, Machine Learning Crash Course: interpreting loss curves. Pascanu, Mikolov and Bengio, On the difficulty of
training recurrent neural networks (2013), for clipping.

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzer.anatomy import Anatomy, Curve
from analyzer.anatomy.gradient import surge
from analyzer.anatomy.schedule import rising_at
from analyzer.detectors import Detector
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.verdict import Evidence, Mark, Measure, Reading, Severity, Unfit
from analyzer.model.wording import counted, number, step

FIRST_STEPS = 3  # finite points before the loss is lost: nothing was learnt that a checkpoint could give back
ENOUGH = 50  # points of a loss that is logged step by step


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    count: float = field(default=0.0, metadata={"why": "non-finite values of a loss that are accepted, in points"})


def measure(anatomy: Anatomy) -> Iterator[Reading]:
    """Yield one reading over all losses of the run; the loss that failed first leads."""
    losses = [c for c in anatomy.losses if c.values.size]
    if not losses:
        yield Unfit("no loss is known in this run")
        return
    bad = sorted((c for c in losses if not c.finite.all()), key=lambda c: (_first(c), -c.n))
    if not bad:
        zero = Measure("non-finite values", 0.0, "count", unit="points")
        tags = tuple(c.tag for c in (anatomy.training or losses)[:1])
        yield Evidence(tags, (zero,), "error", "all losses are finite")
        return
    yield _reading(anatomy, bad)


def _first(curve: Curve) -> int:
    return int(curve.steps[~curve.finite][0])


def _reading(anatomy: Anatomy, bad: list[Curve]) -> Evidence:
    lead = bad[0]
    holes = np.flatnonzero(~lead.finite)
    first, last = int(lead.steps[holes[0]]), int(lead.steps[holes[-1]])
    count, after = int(holes.size), int(lead.steps.size - holes[0])
    for_good = holes.size == after
    word = "NaN" if np.isnan(lead.values[holes[0]]) else "infinite"
    severity: Severity = "info" if _placeholder(lead) else "error" if for_good or count > 0.5 * after else "warning"
    at = f"at step {step(first)} and stays so" if after > 1 else f"at its last point, step {step(first)}"
    if not for_good:
        at = f"at step {step(first)}: {count:,} of the {after:,} points from there on, and finite between them"
    cause, speaks, advice = _cause(anatomy, lead, holes)
    if severity == "info":
        cause = "a logger that writes NaN where nothing was measured"
        speaks, advice = (
            ("the NaN come at regular intervals from the start",),
            ("Leave out points that hold no value.",),
        )
    return Evidence(
        (lead.tag,),
        (Measure("non-finite values", float(count), "count", unit="points"),),
        severity,
        f"{lead.tag} becomes {word} {at}",
        first,
        last,
        cause,
        speaks,
        advice,
        marks=(Mark("region", lead.tag, "not a number", (first, last)),),
        also=tuple(c.tag for c in bad[1:]),
    )


def _placeholder(curve: Curve) -> bool:
    """Whether finite values come at even distances with NaN between them, from the start to the end."""
    at = np.flatnonzero(curve.finite)
    if at.size < 4:
        return False
    spacing = np.diff(at)
    usual = int(np.median(spacing))
    even = int(np.count_nonzero(spacing == usual)) >= 0.9 * spacing.size
    return usual > 1 and even and bool(at[0] <= usual and curve.steps.size - 1 - at[-1] <= usual)


def _cause(  # noqa: PLR0911 - the causes in the order in which they are told apart
    anatomy: Anatomy, lead: Curve, holes: np.ndarray
) -> tuple[str | None, tuple[str, ...], tuple[str, ...]]:
    onset = int(lead.steps[holes[0]])
    before = int(lead.steps[holes[0] - 1]) if holes[0] else onset
    when = (
        f"between steps {step(before)} and {step(onset)}" if onset - before > 1 else f"just before step {step(onset)}"
    )
    look = f"Look at the inputs and targets of the batches {when}: NaN, infinities, empty targets."
    guard = "Guard logarithms and divisions in the loss with a small constant."
    clip = "Clip the gradient norm and lower the learning rate."
    healed = bool(lead.finite[holes[-1] :].any())
    back = f"Restart from a checkpoint of step {step(before)} or before; later ones hold NaN."
    if healed:
        back = "The loss is finite again afterwards: check that the weights are, before you trust what came of it."
    if lead.role.split != "train":
        fine = [c for c in anatomy.training if c.finite.all()]
        if fine:
            return (
                "the evaluation, not the training",
                (f"{fine[0].tag} stays finite throughout",),
                ("Look at the validation data and at how its loss is averaged: empty batches, log of zero.", guard),
            )
    if holes[0] == 0:
        return (
            "the data, the initialisation or the loss itself: nothing has been learnt yet",
            (f"the very first point, at step {step(onset)}, is no number",),
            ("Check the inputs and targets for NaN and infinities before the first step.", guard, clip),
        )
    if holes[0] <= FIRST_STEPS and lead.steps.size >= ENOUGH and lead.role.per != "epoch" and not healed:
        return (
            "the first updates: a learning rate that is far too high, inputs that are not scaled, or the loss itself",
            (f"only {counted(int(holes[0]), 'point')} of the loss came before it",),
            (
                "Start again with a tenth of the learning rate.",
                "Scale inputs and targets to about unit size.",
                look,
                guard,
            ),
        )
    leap = _gradient_leap(anatomy, onset)
    if leap:
        return "exploding gradients", (leap,), (clip, look, back)
    if rising_at(anatomy.rate, onset) is not None:
        return (
            "a learning rate that is too high",
            (f"the learning rate was still rising at step {step(onset)}",),
            ("Lower the peak of the learning rate or warm it up more slowly.", clip, back),
        )
    climb = _climb(lead, holes[0])
    if climb > 3:
        return (
            "divergence",
            (f"the loss climbs {number(climb, 2)} times over its best before it is lost",),
            ("Lower the learning rate.", clip, look, back),
        )
    if np.isinf(lead.values[holes[0]]):
        return (
            "an overflow or the logarithm of zero",
            ("the first bad value is infinite, not NaN",),
            (guard, look, back),
        )
    ordinary = "there is no climb before it: the last finite values are ordinary"
    return (
        "a single bad batch, a division by zero or a logarithm of zero",
        (ordinary,) if holes[0] >= 8 else (),
        (look, guard, back),
    )


def _climb(curve: Curve, hole: int) -> float:
    before = curve.values[:hole][curve.finite[:hole]]
    if before.size < 3 or before.min() <= 0:
        return 0.0
    return float(np.max(before[-3:]) / np.median(np.sort(before)[: max(3, before.size // 10)]))


def _gradient_leap(anatomy: Anatomy, onset: int) -> str | None:
    curve = anatomy.gradient
    if curve is None:
        return None
    lost = curve.steps[~curve.finite]
    if lost.size and lost[0] < onset:
        return f"{curve.tag} is no number from step {step(lost[0])} on, before the loss"
    surged = surge(curve, onset - 0.05 * onset - 3, onset)
    return surged.sentence if surged and surged.ratio > 10 else None


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
    course=False,  # a handful of points passes it
)
