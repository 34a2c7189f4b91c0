"""The logger hides that the training has become NaN.

Why it matters
--------------
Some loggers leave NaN out of the mean they show, or write 0 in its place: the curve looks perfect while the weights
hold no numbers any more, and every step after it is lost.

How it is measured
------------------
Two traces are looked for. The training loss is exactly 0 from some point to the end, after values that were nowhere
near it: an exact fit comes close to 0 before it gets there, and a loss that is 0 now and then has been 0 before. Or the
norm of the gradient is NaN or infinite to the end while the loss shown stays finite and falls no further.

When it is wrong
----------------
A metric that stays good proves that the model lives, whatever the loss says. A norm that cannot be computed (a layer
without gradients) while the loss goes on falling is told as a note. A loss that is switched off on purpose is 0 by
right. Single infinite norms are the daily work of mixed precision and not looked at.

What to do
----------
Check the weights of the last checkpoint for NaN. Make the logger write NaN (Transformers:
logging_nan_inf_filter=False). Go back to a checkpoint before the onset, clip the gradient norm, and in half precision
check the loss scale.

References
----------
Micikevicius et al., Mixed precision training (2018).

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from analyzer.anatomy import Anatomy, Curve
from analyzer.anatomy.chance import trained_well
from analyzer.anatomy.progress import falls_after
from analyzer.detectors import Detector
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.verdict import Evidence, Mark, Measure, Reading, Unfit
from analyzer.model.wording import counted, number, step
from analyzer.stats.robust import median

LEAST = 8  # points
ADVICE = (
    "Check the weights of the last checkpoint for NaN.",
    "Make the logger write NaN and infinities as they are.",
)


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    zeros: float = field(default=4.0, metadata={"why": "points of exactly 0 at the end of the training loss"})
    level: float = field(default=0.05, metadata={"why": "level just before the zeros, as a share of the start"})
    lost: float = field(default=2.0, metadata={"why": "gradient norms at the end that are no numbers, in points"})


def measure(anatomy: Anatomy) -> Iterator[Reading]:
    """Yield one reading for the training loss, and one for the gradient norm where it is logged."""
    losses = [c for c in anatomy.training if c.n >= LEAST]
    if not losses:
        yield Unfit(f"no training loss with {LEAST} finite points")
        return
    if anatomy.falls:
        yield _zeros(anatomy, losses[0])
    gradient = anatomy.gradient
    if gradient is not None and gradient.steps.size >= LEAST:
        yield _lost(losses, gradient)
    elif not anatomy.falls:
        yield Unfit("no gradient norm is logged, and " + anatomy.why_not)


def _zeros(anatomy: Anatomy, curve: Curve) -> Evidence:
    """The loss is exactly 0 to the end: how long, and how high it was just before."""
    raw = curve.raw
    other = np.flatnonzero(raw != 0)
    onset = int(other[-1]) + 1 if other.size else raw.size
    zeros, before = raw.size - onset, raw[:onset]
    held = np.diff(np.flatnonzero(np.r_[True, before != 0, True])).max(initial=1) - 1  # longest row of zeros before
    told = zeros > 3 * held and bool(before.size) and float(before.min()) >= 0 and not trained_well(anatomy)
    start, level = median(before[:5]), median(before[-5:])
    first, last = int(curve.at[min(onset, raw.size - 1)]), int(curve.at[-1])
    back = f"Go back to a checkpoint before step {step(first)}; clip the gradient norm."
    return Evidence(
        curve.tags,
        (
            Measure("points of exactly 0 at the end", float(zeros if told else 0), "zeros", unit="points"),
            Measure("level just before them", level / start if before.size and start > 0 else 0.0, "level", unit="×"),
        ),
        "error",
        f"{curve.tag} is exactly 0 from step {step(first)} to the end ({counted(zeros, 'point')}), "
        f"and was {number(level)} just before",
        first,
        last,
        "NaN that the logger shows as 0",
        ("no fit falls to exactly 0 from one point to the next",),
        (*ADVICE, back),
        marks=(Mark("region", curve.tag, "exactly 0", (first, last)),),
    )


def _lost(losses: list[Curve], gradient: Curve) -> Evidence:
    """The norm is no number to the end under a loss that is shown as finite."""
    holes = np.flatnonzero(gradient.finite)
    onset = int(holes[-1]) + 1 if holes.size else 0
    lost, last = gradient.steps.size - onset, int(gradient.steps[-1])
    first = int(gradient.steps[min(onset, gradient.steps.size - 1)])
    finite = all(c.finite[c.steps >= first].all() for c in losses)
    falls = [c for c in losses if falls_after(c, first)]
    word = "NaN" if np.isnan(gradient.values[min(onset, gradient.steps.size - 1)]) else "infinite"
    goes_on = f"{losses[0].tag} stays finite and goes on falling" if falls else f"{losses[0].tag} stays finite"
    back = f"Go back to a checkpoint before step {step(first)}; clip the gradient norm."
    norm = "Check how the norm is computed: parameters without gradients, a sum that overflows."
    return Evidence(
        gradient.tags,
        (Measure("norms at the end that are no numbers", float(lost if finite else 0), "lost", unit="points"),),
        "info" if falls else "error",
        f"{gradient.tag} is {word} from step {step(first)} to the end while {goes_on}",
        first,
        last,
        "a norm that cannot be computed" if falls else "NaN in the weights that the logger hides in the loss",
        (goes_on,),
        (norm,) if falls else (*ADVICE, back),
        marks=(Mark("region", gradient.tag, "no number", (first, last)),),
    )


def _zeroed(points: int, onset: int) -> np.ndarray:
    values = falling(points) + noise(points, 0.02)
    values[onset:] = 0.0
    return values


def _frozen(points: int, onset: int) -> dict[str, np.ndarray]:
    loss, norm = falling(points) + noise(points, 0.02), 1.0 + np.abs(noise(points, 0.1))
    loss[onset:] = loss[onset]
    norm[onset:] = np.nan
    return {"train/loss": loss, "train/grad_norm": norm}


DETECTOR = Detector(
    "hidden-nan",
    __doc__,
    measure,
    Limits(),
    (
        Case("0 instead of NaN", "fires", lambda: made_run({"train/loss": _zeroed(200, 120)})),
        Case("a norm of NaN under a frozen loss", "fires", lambda: made_run(_frozen(200, 120))),
        Case(
            "a falling loss",
            "quiet",
            lambda: made_run({"train/loss": falling(200) + noise(200, 0.02), "grad_norm": falling(200)}),
        ),
        Case(
            "an exact fit",
            "almost",
            lambda: made_run({"train/loss": np.maximum(np.exp(-0.2 * np.arange(200)) - 1e-9, 0.0)}),
        ),
        Case(
            "0, and a metric that stays good",
            "almost",
            lambda: made_run({"train/loss": _zeroed(200, 120), "val/accuracy": np.linspace(0.5, 0.97, 200)}),
        ),
    ),
    explains=("plateau", "overfitting", "contradictory-metrics", "not-converging", "repetitive-loss", "loss-spike"),
    yields_to=("non-finite", "exploding-loss"),
    course=False,  # it looks at the end alone
)
