"""The validation loss is far above the training loss: it turned and rises, or settled high.

Why it matters
--------------
Beyond the best step the model learns its training examples by heart and gets worse at everything else: steps spent
there are lost, and the last checkpoint is not the best.

How it is measured
------------------
Each validation or test loss is laid beside the training loss that belongs to it. *Rising*: its smoothed curve has a
minimum before nine tenths of the run, its last values stand above it by more than those of curves without any rise
do after their minimum (the p-value: the same search on resampled residuals around the best fit that never rises),
by a share of the best value that matters, and either by a share of all that was gained or together with a metric
that got worse; the training loss goes on falling or rests. *Gap*: it does not rise, but settles above the training
loss by a large share of what that has fallen.

When it is wrong
----------------
The minimum of noise always rises afterwards: small validation sets need a large rise. A loss that rises while the
validation metric still improves is a calibration matter and told as such. A steady gap of moderate size is normal.
Training measured with dropout or augmentation lies above validation, which hides a gap. Measured on other examples
(test set of another year), a gap is the data's.

What to do
----------
Stop at the best step, or keep its checkpoint. Use less capacity, more regularisation or more data. When the gap is
there from the first evaluation, check that the splits are statistically alike.

References
----------
Prechelt, Early stopping, but when? (1998). Li et al., Keeping deep learning models in check: a history-based approach
to mitigate overfitting (2024).

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from analyzer.anatomy import Anatomy, Curve
from analyzer.anatomy.metrics import metrics_after
from analyzer.anatomy.progress import beginning
from analyzer.anatomy.turning import Turn, goes_on, trend_at, turn_of
from analyzer.detectors import Detector
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.verdict import Evidence, Mark, Measure, Reading, Severity, Unfit
from analyzer.model.wording import counted, number, percent, step
from analyzer.stats.trend import centred_mean

LEAST = 5  # evaluations
BEYOND = 10.0  # rise over the best, as a share of it: more than memorising costs while training hardly moves
DIFFERENT = "the splits differ: the gap is there from the first evaluation"
OPENED = "memorising: the gap opened as training fell"


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    rise: float = field(default=0.08, metadata={"why": "rise over the best, as a share of the best value"})
    harm: float = field(
        default=0.05, metadata={"why": "rise as a share of all that was gained, unless a metric got worse"}
    )
    noise: float = field(
        default=2.0, metadata={"why": "rise over the best, or gap, in units of the evaluation's noise"}
    )
    gap: float = field(default=0.4, metadata={"why": "steady gap to training, as a share of what training has fallen"})
    growth: float = field(
        default=0.1, metadata={"why": "growth of that gap since the first evaluations, as such a share"}
    )


def measure(anatomy: Anatomy) -> Iterator[Reading]:
    """Yield a reading for each validation or test loss: how it turned, and how far it settled above training."""
    if not anatomy.falls:
        yield Unfit(anatomy.why_not)
        return
    held_out = [c for c in anatomy.validation if c.n]
    if not held_out:
        yield Unfit("no validation loss")
        return
    long = [c for c in held_out if c.n >= LEAST]
    if not long:
        yield Unfit(f"{held_out[0].tag} has {counted(held_out[0].n, 'finite point')}; {LEAST} are needed")
        return
    readings = [r for c in long for r in _readings(anatomy, c)]
    # test and validation sets tell the same story: the first leads, the others are named with it
    yield from _merged(readings)


def _readings(anatomy: Anatomy, curve: Curve) -> list[tuple[str, Evidence]]:
    mate = anatomy.partner(curve)
    turn = turn_of(curve)
    readings = [("rising", _rising(anatomy, curve, mate, turn))]
    if mate is not None and mate.n >= LEAST:
        gap = _gap(anatomy, curve, mate, turn)
        if gap is not None:
            readings.append(("gap", gap))
    return readings


def _merged(readings: list[tuple[str, Evidence]]) -> Iterator[Evidence]:
    for kind in ("rising", "gap"):
        yield from [r for k, r in readings if k == kind][:2]


def _rising(anatomy: Anatomy, curve: Curve, mate: Curve | None, turn: Turn) -> Evidence:
    at, last = int(curve.at[turn.best_at]), int(curve.at[-1])
    # a share of the best value; where that is next to nothing (exact fits, negative losses) of what was gained
    scale = max(turn.best, 0.03 * turn.gained) if curve.raw.min() > 0 else max(turn.gained, abs(turn.best) / 10)
    scale = max(scale, np.finfo(float).tiny)
    share = turn.rise / scale if turn.best_at < 0.9 * (curve.n - 1) else 0.0
    falling_mate = goes_on(mate, at)
    if mate is not None and not falling_mate:
        share = 0.0  # training got worse too: not memorising
    metric, worse = metrics_after(anatomy, curve, at)
    start = max((c.back(c.start) for c in anatomy.training if c.n > 1), default=turn.best)
    gained = max(turn.gained, start - turn.best, 1e-3 * abs(turn.best), np.finfo(float).tiny)
    severity: Severity = "warning"
    cause = "memorising: training goes on falling while validation turns" if falling_mate else "the loss turned"
    beyond = share > BEYOND and falling_mate and mate is not None and not _fell_on(mate, at, last)
    if beyond:
        cause = "the evaluation breaks down: what training still learns does not explain such a rise"
    speaks = []
    if mate is not None and falling_mate:
        ours, theirs = trend_at(mate, at), trend_at(mate, last)
        speaks.append(f"{mate.tag} goes from {number(ours)} to {number(theirs)} after step {step(at)}")
    if metric:
        cause = "calibration: the model grows too sure of itself while it still gets better"
        speaks.append(metric)
        severity = "info" if share < 0.25 else "warning"
    if worse:
        speaks.append(worse)
    by_heart = share > 0.1 and falling_mate and mate is not None and _fell_on(mate, at, last)
    spent = (last - at) / max(1, last - int(curve.at[0]))
    summary = (
        f"{curve.tag} was best around step {step(at)} with {number(turn.best)} (smoothed) and has risen to "
        f"{number(turn.last)}; "
        f"{percent(spent)} of the steps came after it"
    )
    return Evidence(
        (curve.tag, *(mate.tags if mate is not None else ())),
        (
            Measure("rise over its best", share, "rise", unit="of the best"),
            Measure("rise over its best", turn.rise / max(turn.sigma, 1e-12), "noise", unit="× noise"),
            Measure(
                "part of the gain that is lost again (all, where a metric got worse too)",
                1.0 if worse or share > 0.3 or by_heart else turn.rise / gained,
                "harm",
                unit="ratio",
            ),
            Measure("best value", turn.best),
            Measure("last value", turn.last),
        ),
        severity,
        summary,
        at,
        last,
        cause,
        tuple(speaks),
        _advice(at, calibrate=bool(metric), broken=beyond),
        p_value=turn.p_value,
        marks=(
            Mark("step", curve.tag, f"best {number(turn.best)}", (at,)),
            Mark("region", curve.tag, "after the best step", (at, last)),
            Mark("level", curve.tag, "best", values=(turn.best,)),
        ),
    )


def _advice(at: int, *, calibrate: bool, broken: bool) -> tuple[str, ...]:
    if calibrate:
        return ("Keep the step with the best metric.", "Calibrate the probabilities afterwards (temperature scaling).")
    stop = f"Stop around step {step(at)}, or keep the checkpoint from there."
    if broken:
        return (
            stop,
            "Compare how the model runs in evaluation: statistics of batch normalisation, averaged weights, precision.",
            "Look at the held-out examples with the largest losses: a few outliers may make the mean.",
        )
    return (
        stop,
        "Use more regularisation (weight decay, dropout, augmentation) or less capacity.",
        "Use more training data.",
    )


def _fell_on(mate: Curve, at: int, last: int) -> bool:
    """Whether training fell by another quarter after the best step: what it learnt there is of no use elsewhere."""
    return mate.raw.min() > 0 and trend_at(mate, last) < 0.75 * trend_at(mate, at)


def _gap(anatomy: Anatomy, curve: Curve, mate: Curve, turn: Turn) -> Evidence | None:
    late = max(3, curve.n // 5)
    ours = float(np.median(curve.raw[-late:]))
    since = curve.at[-late]
    held = mate.raw[mate.at >= since]
    if held.size < 2:
        return None
    theirs = float(max(np.median(held), np.mean(held)))  # an evaluation is a mean: rare hard batches count in it
    alike = [c for c in anatomy.having("loss", "train") if c.role.part == mate.role.part and c.n > 1]
    start = max(beginning(c.raw, max(1, min(3, c.n // 10))) for c in (mate, *alike))
    if start - theirs <= 0.3 * abs(start):
        return None  # training has hardly fallen: a gap beside it says nothing of what was learnt by heart
    fallen = max(start, beginning(curve.raw, 1)) - theirs
    if fallen < 4 * mate.sigma * (abs(theirs) if mate.log else 1.0):
        return None
    gap, share = ours - theirs, (ours - theirs) / fallen
    first = float(np.median(curve.raw[: max(1, curve.n // 10)])) - trend_at(mate, int(curve.at[0]))
    growth = (gap - first) / fallen
    there = first > 0.6 * gap
    first_step, last = int(curve.at[0]) if there else _opens(curve, mate, gap), int(curve.at[-1])
    still = turn.best_at >= 0.9 * (curve.n - 1) and curve.back(curve.level(0.5, 0.6)) - ours > 0.1 * gap
    cause = DIFFERENT if there else OPENED
    return Evidence(
        (curve.tag, *mate.tags),
        (
            Measure("gap to training over what training has fallen", 0.0 if still else share, "gap", unit="ratio"),
            Measure("gap to training", gap / max(turn.sigma, 1e-12), "noise", unit="× noise"),
            Measure("growth of the gap", max(growth, share if there else growth), "growth", unit="ratio"),
            Measure("validation at the end", ours),
            Measure("training at the end", theirs),
        ),
        "warning",
        f"{curve.tag} settles at {number(ours)} while {mate.tag} reaches {number(theirs)}: "
        f"the gap is {percent(share)} of what training has fallen",
        first_step,
        last,
        cause,
        (f"the gap is {number(first)} at the first evaluation and {number(gap)} at the end",),
        (("Check that the splits are statistically alike (source, time, classes, preprocessing).",) if there else ())
        + (
            "Use less capacity or more regularisation (weight decay, dropout, augmentation).",
            "Use more training data.",
        ),
        marks=(Mark("region", curve.tag, "gap", (first_step, last)),),
    )


def _opens(curve: Curve, mate: Curve, gap: float) -> int:
    line = np.interp(curve.at, mate.at, mate.raw)
    wide = np.flatnonzero(centred_mean(curve.raw - line, 3) > 0.5 * gap)
    return int(curve.at[wide[0]]) if wide.size else int(curve.at[0])


def _turning(points: int, spread: float, rise: float) -> NDArray[np.float64]:
    at = np.arange(points) / points
    return np.asarray(0.5 + 1.5 * np.exp(-9 * at) + rise * np.maximum(at - 0.35, 0) + noise(points, spread, 4))


DETECTOR = Detector(
    "overfitting",
    __doc__,
    measure,
    Limits(),
    (
        Case(
            "validation turns and rises",
            "fires",
            lambda: made_run({"train/loss": falling(100, floor=0.02), "val/loss": _turning(100, 0.02, 0.9)}),
        ),
        Case(
            "validation settles high",
            "fires",
            lambda: made_run(
                {"train/loss": falling(100, 2.3, 0.01, 20), "val/loss": falling(100, 2.4, 1.7, 20) + noise(100, 0.01)}
            ),
        ),
        Case(
            "both fall",
            "quiet",
            lambda: made_run({"train/loss": falling(100), "val/loss": falling(100, 2.3, 0.3) + noise(100, 0.02, 2)}),
        ),
        Case(
            "the minimum of noise",
            "almost",
            lambda: made_run(
                {"train/loss": falling(40, 2.3, 0.3, 60), "val/loss": falling(40, 2.3, 0.4, 60) + noise(40, 0.05, 3)}
            ),
        ),
    ),
    course=False,  # a handful of points passes it
)
