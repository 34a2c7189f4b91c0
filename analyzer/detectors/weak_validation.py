"""The validation is too rare or too noisy to judge anything by.

Why it matters
--------------
Overfitting, the best checkpoint and the moment to stop are read from the validation. With a handful of evaluations, or
with noise as large as what was learnt, they are read from chance, and the report cannot say that all is well.

How it is measured
------------------
*Rare*: a long training with fewer evaluations than are needed to see a turn. *Noisy*: the smallest rise at the end that
would stand out (three standard errors of the last tenth beside the smoothed best) is beside all that was gained, in
validation or in training, so large that half of it could be lost unseen. A run that gained nothing is no such case.

When it is wrong
----------------
A short fine-tuning of one or two epochs has no use for more evaluations. A validation loss that swings because the
training does is no matter of its size: `not-converging` leads then.

What to do
----------
Evaluate at least ten times a run, more often at its start. Against noise use more held-out examples: the noise falls
with the square root of their number; or evaluate the mean of the last weights.

References
----------
Card et al., With little power comes great responsibility (2020).

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzer.anatomy import Anatomy, Curve
from analyzer.detectors import GRAVE, Detector
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.verdict import Evidence, Mark, Measure, Reading, Unfit
from analyzer.model.wording import counted, number, percent
from analyzer.stats.robust import difference_sigma, mad_sigma, median
from analyzer.stats.trend import centred_mean

LONG = 40  # points of a training loss that make a run long enough to be validated more often
ENOUGH = 10  # evaluations that would do
MANY = 100  # times as many held-out examples: nobody has them


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    evaluations: float = field(default=5.0, metadata={"why": "evaluations in a long run"})
    gained: float = field(default=0.1, metadata={"why": "what was gained at all, as a share of the start"})
    unseen: float = field(default=0.5, metadata={"why": "smallest visible rise, as a share of all that was gained"})


def measure(anatomy: Anatomy) -> Iterator[Reading]:
    """Yield one reading of the number of evaluations, or one of their noise where there are enough."""
    if not anatomy.falls:
        yield Unfit(anatomy.why_not)
        return
    held = max(anatomy.validation, key=lambda c: c.n, default=None)
    if held is None or not held.n:
        yield Unfit("no validation loss")
        return
    fine = max(anatomy.training, key=lambda c: c.n, default=None)
    if held.n >= ENOUGH:
        yield _noisy(held.coarse, anatomy.partner(held))
    elif fine is not None and fine.n >= LONG:
        yield _rare(held, fine)
    else:
        yield Unfit("too short a run to ask for more evaluations")


def _rare(curve: Curve, fine: Curve) -> Evidence:
    first, last = int(fine.at[0]), int(fine.steps[-1])
    return Evidence(
        (curve.tag,),
        (Measure("evaluations", float(curve.n), "evaluations", "below", "count"),),
        "info",
        f"{curve.tag} has {counted(curve.n, 'value')} beside {fine.n:,} of {fine.tag}: "
        f"too few to see whether it turns; {ENOUGH} or more would do",
        None,
        None,
        "evaluated too rarely",
        (),
        (f"Evaluate at least {ENOUGH} times a run, more often at its start.",),
        marks=tuple(Mark("step", fine.tag, "evaluated", (int(s),)) for s in curve.at if first <= s <= last),
    )


def _noisy(curve: Curve, mate: Curve | None) -> Evidence:
    raw, n = curve.raw, curve.n
    window = 2 * max(1, n // 40) + 1
    calm = centred_mean(raw, window)
    late = slice(n // 4, None)
    spread = max(mad_sigma((raw - calm)[late]) * float(np.sqrt(window / (window - 1))), difference_sigma(raw[late]))
    visible = 3 * spread * float(np.sqrt(1 / max(3, n // 10) + 1 / window))
    gained = median(raw[: max(1, min(3, n // 10))]) - median(raw[n // 2 :])
    if mate is not None and mate.n > 2:
        gained = max(gained, mate.back(mate.start) - mate.back(mate.end))
    unseen = visible / max(gained, 1e-3 * abs(median(raw)), 1e-300)
    start = max(abs(float(raw[0])), abs(mate.back(mate.start)) if mate is not None and mate.n > 2 else 0.0, 1e-300)
    lost = f"{percent(unseen)} of" if unseen < 1 else "more than"
    return Evidence(
        (curve.tag,),
        (
            Measure("smallest visible rise", unseen, "unseen", unit="of what was gained"),
            Measure("what was gained", gained / start, "gained", unit="of the start"),
            Measure("noise of one evaluation", spread),
            Measure("evaluations", float(n), unit="count"),
        ),
        "info",
        f"{curve.tag} is so noisy (± {number(spread, 2)} at each evaluation) that a loss of "
        f"{lost} all that was gained would not be seen",
        int(curve.at[0]),
        int(curve.at[-1]),
        "too few held-out examples, or a model that swings from one evaluation to the next",
        (),
        (_more_examples((unseen / 0.2) ** 2), "Evaluate the mean of the last weights, which swings less."),
        marks=(Mark("region", curve.tag, "too noisy", (int(curve.at[0]), int(curve.at[-1]))),),
    )


def _more_examples(times: float) -> str:
    if times > MANY:
        return "Lower the learning rate first: no number of held-out examples makes up for such swings."
    return f"Use about {number(times, 1)} times as many held-out examples."


DETECTOR = Detector(
    "weak-validation",
    __doc__,
    measure,
    Limits(),
    (
        Case(
            "evaluated three times",
            "fires",
            lambda: made_run({"train/loss": falling(300), "val/loss": (np.array([0, 150, 299]), [2.3, 0.6, 0.5])}),
        ),
        Case(
            "a handful of held-out examples",
            "fires",
            lambda: made_run({"val/loss": falling(60, 1.0, 0.8) + 0.15 * np.abs(noise(60, 1.0, 5))}),
        ),
        Case(
            "often and calm",
            "quiet",
            lambda: made_run({"train/loss": falling(300), "val/loss": falling(60, 2.4, 0.3) + noise(60, 0.01)}),
        ),
        Case(
            "noisy beside its level, not beside what was learnt",
            "almost",
            lambda: made_run({"train/loss": falling(300), "val/loss": falling(60, 2.4, 0.1) + noise(60, 0.05)}),
        ),
    ),
    yields_to=(*GRAVE, "overfitting", "repetitive-loss"),
    course=False,
)
