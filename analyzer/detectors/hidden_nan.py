"""The training loss or the gradient norm shows a number that cannot be right: exact zeros, or NaN under a finite loss.

Why it matters
--------------
Some loggers leave NaN out of the mean they show, or write 0 in its place: the curve looks perfect while the weights
hold NaN, and every step after it is lost. Where the weights are sound the number that is logged is not, and nothing can
be read from it.

How it is measured
------------------
Three traces are looked for. The training loss (the held-out loss where no other is logged) is exactly 0 from some point
to the end, after values that were nowhere near it: an exact fit comes close to 0 before it gets there, and a loss that
is near 0 now and then has been there before. The training loss is exactly 0 again and again while its other values stay
at or above where it began: batches without a target, or a wrong average. Or the norm of the gradient is NaN or infinite
to the end while the loss shown stays finite and falls no further. A held-out loss or metric that stays finite and goes
on moving proves that the weights are sound: then the logged number is at fault, and the finding is a warning.

When it is wrong
----------------
A metric that stays good proves that the model lives, whatever the loss says. A norm that cannot be computed (a layer
without gradients) while the loss goes on falling is reported as a note. A loss that is switched off on purpose is 0 by
design. Single infinite norms are the daily work of mixed precision and are not looked at. A hinge or triplet loss is
0 for batches without a violation, while its other values fall.

What to do
----------
Check the weights of the last checkpoint for NaN. Make the logger write NaN (Transformers:
logging_nan_inf_filter=False). Go back to a checkpoint before the onset, clip the gradient norm, and in half precision
check the loss scale. Where a held-out loss goes on falling, look at how the training loss is summed: a running sum in
half precision loses what is added to it.

References
----------
Micikevicius et al., Mixed precision training (2018).

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from analyzer.detectors import Detector
from analyzer.features import Curve, RunFeatures
from analyzer.features.chance_level import trained_well
from analyzer.features.finite_weights import alive_after
from analyzer.features.first_sign import FirstSign, first_sign
from analyzer.features.progress import falls_after
from analyzer.features.sample_size import PARAMS as ENOUGH
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Sign, Unfit, Veto, Words
from analyzer.model.formatting import counted, number, percent, step
from analyzer.stats.robust import median


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    zeros: float = field(
        default=1.0, metadata={"unit": "points", "why": "points of exactly 0 at the end of the training loss"}
    )
    level: float = field(
        default=0.05, metadata={"unit": "×", "why": "level just before the zeros over the start, or the usual level"}
    )
    lost: float = field(
        default=2.0, metadata={"unit": "points", "why": "non-finite gradient norms at the end, in points"}
    )
    among: float = field(
        default=0.05, metadata={"unit": "ratio", "why": "share of exact zeros among values that do not fall"}
    )
    above: float = field(
        default=0.9, metadata={"unit": "of the start", "why": "level of those other values, as a share of the start"}
    )


@dataclass(frozen=True)
class Params:
    """What the traces are measured over."""

    near: int = field(
        default=5, metadata={"unit": "points", "why": "points that make the level at the start and before"}
    )
    longer: float = field(
        default=3.0, metadata={"unit": "× the longest row before", "why": "a loss that is often 0 may end so by chance"}
    )


PARAMS = Params()

CAUSES = {
    "zero-for-nan": "NaN that the logger shows as 0",
    "logged-value": "the logged number is at fault, not the training",
    "masked-batches": "batches without a target, or a wrong average: the logged loss is 0 where nothing was counted",
    "norm-not-computable": "a norm that cannot be computed",
    "nan-in-weights": "NaN in the weights that the logger hides in the loss",
}
CHECK = ("Check the weights of the last checkpoint for NaN.", "Make the logger write NaN and infinities as they are.")
SUMMED = (
    "Look at how the training loss is summed and logged: a running sum in half precision loses what is added to it.",
    "Judge the run by the held-out loss until the logged training loss is repaired.",
)


@dataclass(frozen=True)
class Facts:
    """What the sentences need: sizes of the trace, and the first sign before it in any curve."""

    trace: Literal["to-the-end", "among", "norm"]
    points: int
    first: int
    level: float = float("nan")
    share: float = float("nan")
    early: FirstSign | None = None
    nan: bool = True


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield readings of zeros in the training loss, and one of the gradient norm where it is logged."""
    losses = [c for c in features.training or features.validation if c.n >= ENOUGH.evaluations]
    if not losses:
        yield Unfit(f"no loss with {ENOUGH.evaluations} finite points")
        return
    if features.falls:
        yield _zeros_to_the_end(features, losses[0])
        yield _zeros_among(features, losses[0])
    gradient = features.gradient
    if gradient is not None and gradient.steps.size >= ENOUGH.evaluations:
        yield _lost(features, losses, gradient)
    elif not features.falls:
        yield Unfit("no gradient norm is logged, and " + features.why_not)


def _zeros_to_the_end(features: RunFeatures, curve: Curve) -> Evidence:
    """The loss is exactly 0 to the end: how long, and how high it was just before."""
    raw = curve.raw
    other = np.flatnonzero(raw != 0)
    onset = int(other[-1]) + 1 if other.size else raw.size
    zeros, before = raw.size - onset, raw[:onset]
    level = median(before[-PARAMS.near :])
    # a loss that is fitted comes near 0 by degrees: one that starts high is far below its start when it breaks off, too
    start = min(median(before[: PARAMS.near]), median(before[before.size // 2 :]))
    first, last = int(curve.at[min(onset, raw.size - 1)]), int(curve.at[-1])
    alive = alive_after(features, first)
    coarse = _coarse_since(before) if alive is not None else onset
    begun = int(curve.at[min(coarse, raw.size - 1)])
    vetoes = _vetoes(features, curve, before, zeros, start)
    signs = [Sign("held-out-moves", alive.tag)] if alive is not None else [Sign("no-fit", curve.tag)]
    if coarse < onset:
        values = float(np.unique(before[coarse:]).size)
        signs.append(Sign("coarse", curve.tag, {"step": begun, "values": values, "points": float(onset - coarse)}))
    return Evidence(
        curve.tags,
        (
            Measure("points of exactly 0 at the end", float(zeros), "zeros", unit="points"),
            Measure("level just before them", level / start if before.size and start > 0 else 0.0, "level", unit="×"),
        ),
        "warning" if alive is not None else "error",
        first_step=begun,
        last_step=last,
        cause="zero-for-nan" if alive is None else "logged-value",
        marks=(Mark("region", curve.tag, "exactly 0", (first, last)),),
        signs=tuple(signs),
        vetoes=vetoes,
        facts=Facts("to-the-end", zeros, first, level, early=first_sign(features, first)),
    )


def _vetoes(features: RunFeatures, curve: Curve, before: np.ndarray, zeros: int, usual: float) -> tuple[Veto, ...]:
    """Return what clears zeros at the end: rows of values near 0 before, negative values, a metric that is good."""
    found = []
    low = before <= Limits().level * max(usual, 0.0)
    longest = int(np.diff(np.flatnonzero(np.r_[True, ~low, True])).max(initial=1)) - 1
    if zeros <= PARAMS.longer * longest:
        found.append(Veto("zeros-before", curve.tag, {"longest": float(longest)}))
    if before.size and float(before.min()) < 0:
        found.append(Veto("negative-values", curve.tag, {"lowest": float(before.min())}))
    if trained_well(features):
        found.append(Veto("metric-good"))
    return tuple(found)


def _coarse_since(values: np.ndarray) -> int:
    """Return the index from which on each value occurs twice or more on average: too few values for a loss."""
    _, from_end = np.unique(values[::-1], return_index=True)
    last = np.zeros(values.size, np.int64)
    last[values.size - 1 - from_end] = 1  # the last point of each value
    distinct = np.cumsum(last[::-1])[::-1]
    coarse = np.flatnonzero(2 * distinct <= values.size - np.arange(values.size))
    return int(coarse[0]) if coarse.size else int(values.size)


def _zeros_among(features: RunFeatures, curve: Curve) -> Evidence:
    """Exact zeros again and again among values that do not fall: how many, and how high the others are."""
    raw = curve.raw
    zero, other = raw == 0, raw[raw != 0]
    blocks = int(np.count_nonzero(np.diff(zero.astype(np.int8)) == 1))
    start, level = median(other[: PARAMS.near]), median(other[other.size // 2 :])
    held = np.flatnonzero(zero)
    first, last = (int(curve.at[held[i]]) if held.size else int(curve.at[-1]) for i in (0, -1))
    vetoes = []
    if blocks < PARAMS.near:
        vetoes.append(Veto("not-again-and-again", curve.tag, {"rows": float(blocks)}))
    if raw.min() < 0:
        vetoes.append(Veto("negative-values", curve.tag, {"lowest": float(raw.min())}))
    if trained_well(features):
        vetoes.append(Veto("metric-good"))
    share = float(np.mean(zero))
    return Evidence(
        curve.tags,
        (
            Measure("share of exact zeros", share, "among", unit="ratio"),
            Measure("level of the other values", level / start if start > 0 else 0.0, "above", unit="of the start"),
        ),
        "warning",
        first_step=first,
        last_step=last,
        cause="masked-batches",
        marks=(Mark("region", curve.tag, "exact zeros", (first, last)),),
        signs=(Sign("zeros-return", curve.tag, {"rows": float(blocks)}),),
        vetoes=tuple(vetoes),
        facts=Facts("among", int(held.size), first, level, share),
    )


def _lost(features: RunFeatures, losses: list[Curve], gradient: Curve) -> Evidence:
    """The norm is not finite to the end under a loss that is shown as finite."""
    known = np.flatnonzero(gradient.finite)
    onset = int(known[-1]) + 1 if known.size else 0
    at = min(onset, gradient.steps.size - 1)
    first, last = int(gradient.steps[at]), int(gradient.steps[-1])
    falls = next((c for c in (*losses, *features.validation) if c.n and falls_after(c, first)), None)
    bad = next((c for c in losses if not c.finite[c.steps >= first].all()), None)
    return Evidence(
        gradient.tags,
        (Measure("non-finite norms at the end", float(gradient.steps.size - onset), "lost", unit="points"),),
        "info" if falls is not None else "error",
        first_step=first,
        last_step=last,
        cause="nan-in-weights" if falls is None else "norm-not-computable",
        marks=(Mark("region", gradient.tag, "not finite", (first, last)),),
        signs=(Sign("loss-finite", losses[0].tag) if falls is None else Sign("loss-falls", falls.tag),),
        vetoes=() if bad is None else (Veto("loss-non-finite", bad.tag),),
        facts=Facts(
            "norm",
            gradient.steps.size - onset,
            first,
            early=first_sign(features, first),
            nan=bool(np.isnan(gradient.values[at])),
        ),
    )


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    facts: Facts = evidence.facts
    signs = tuple(_sentence(sign) for sign in evidence.signs)
    cause = evidence.cause or ""
    if facts.trace == "among":
        summary = (
            f"{evidence.tags[0]} is exactly 0 at {counted(facts.points, 'point')} ({percent(facts.share)}), again and "
            f"again, while its other values stay near {number(facts.level)}"
        )
        advice: tuple[str, ...] = (
            "Look for batches in which every target is masked or ignored, and leave them out of the mean.",
            "Look at how the loss is averaged and logged between devices and accumulation steps.",
        )
        return Words(summary, CAUSES[cause], signs, advice)
    go_back = step(facts.early.step if facts.early is not None else facts.first)
    back = f"Go back to a checkpoint before step {go_back}; clip the gradient norm."
    if facts.trace == "to-the-end":
        summary = (
            f"{evidence.tags[0]} is exactly 0 from step {step(facts.first)} to the end "
            f"({counted(facts.points, 'point')}), and was {number(facts.level)} just before"
        )
        return Words(summary, CAUSES[cause], signs, SUMMED if cause == "logged-value" else (*CHECK, back))
    word = "NaN" if facts.nan else "infinite"
    summary = f"{evidence.tags[0]} is {word} from step {step(facts.first)} to the end while {signs[0]}"
    norm = "Check how the norm is computed: parameters without gradients, a sum that overflows."
    return Words(summary, CAUSES[cause], signs, (norm,) if cause == "norm-not-computable" else (*CHECK, back))


def _sentence(sign: Sign) -> str:
    if sign.id == "coarse":
        values, points = int(sign.numbers["values"]), int(sign.numbers["points"])
        return (
            f"from step {step(sign.numbers['step'])} on it takes {counted(values, 'value')} in "
            f"{counted(points, 'point')} only: too coarse for a loss"
        )
    return {
        "no-fit": "no fit falls to exactly 0 from one point to the next",
        "held-out-moves": f"{sign.tag} stays finite and goes on moving: the weights hold numbers",
        "zeros-return": f"the zeros come in {counted(int(sign.numbers.get('rows', 0)), 'row')} between other values",
        "loss-finite": f"{sign.tag} stays finite",
        "loss-falls": f"{sign.tag} stays finite and goes on falling",
    }[sign.id]


def _zeroed(points: int, onset: int) -> np.ndarray:
    values = falling(points) + noise(points, 0.02)
    values[onset:] = 0.0
    return values


def _fitted_now_and_then(points: int) -> np.ndarray:
    fitted = (noise(points, 1.0, seed=3) > 0.7) | (np.arange(points) >= points - 2)
    return np.where(fitted, 0.0, falling(points) * np.exp(noise(points, 0.5, seed=4)))


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
        Case("0 at the last two of eight evaluations", "fires", lambda: made_run({"val/loss": _zeroed(8, 6)})),
        Case(
            "batches that are fitted now and then, at the end too",
            "quiet",
            lambda: made_run({"train/loss": _fitted_now_and_then(200)}),
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
    yields_to=("non-finite", "exploding-loss"),
    describe=describe,
)
