"""The loss moves in repeated steps or waves.

Why it matters
--------------
A loss that repeats itself follows the order of the data: neighbouring batches are alike, gradients are biased
towards what came last, and the model forgets between visits. It trains worse than with shuffled data, and the mean
over an epoch does not show it.

How it is measured
------------------
The training loss is laid on even steps, in log space where it is positive, and its curved trend removed. The FFT
gives spectrum and autocorrelation, the first strong echo the period, because the strongest band is often half of the
true one. The p-value compares the echo with that of red noise (AR(1) surrogates fitted to what is left when the
folded shape is taken away) that is searched in the same way. The echo, the share of variance that the folded shape
explains, and the number of cycles must all be beyond their limits.

When it is wrong
----------------
A cyclic learning rate, restarts and running means that are reset each epoch repeat themselves without any fault: the
first two explain the finding, the third (a hyperbola within each period) is recognised by its shape. Logged every k
steps, an epoch shows an apparent period; candidates are named. Stairs exactly at epoch ends with shuffled data are
memorisation.

What to do
----------
Shuffle the data anew in every epoch, with a buffer as large as the data set. Check whether the files or the sampler
are sorted by class, source or length.

References
----------
Allen and Smith, Monte Carlo SSA (1996), for red-noise surrogates. Google, Machine Learning Crash Course: interpreting
loss curves.

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from analyzer.anatomy import Anatomy, Curve
from analyzer.detectors import Detector
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.verdict import Evidence, Mark, Measure, Reading, Severity, Unfit
from analyzer.model.wording import number, percent, step
from analyzer.stats import robust, spectrum, trend

LEAST = 48  # points
LEAST_EVALUATIONS = 3  # in a period, to see that it begins anew


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    echo: float = field(default=0.45, metadata={"why": "correlation of the loss with itself one period later"})
    share: float = field(default=0.175, metadata={"why": "share of the variance that the folded shape explains"})
    size: float = field(default=0.1, metadata={"why": "height of the folded shape, over the level of the loss"})
    cycles: float = field(default=4.0, metadata={"why": "periods seen"})


def measure(anatomy: Anatomy) -> Iterator[Reading]:
    """Yield one reading for the finest training loss."""
    if not anatomy.falls:
        yield Unfit(anatomy.why_not)
        return
    losses = anatomy.training
    if not losses:
        yield Unfit("no training loss is known")
        return
    judged = [c for c in losses if c.n >= LEAST and not c.role.running]
    if not judged:
        running = any(c.role.running for c in losses)
        yield Unfit(
            "the only step loss is a running mean since the epoch began"
            if running
            else f"fewer than {LEAST} finite points of a training loss"
        )
        return
    curve = judged[0]
    even = _even(curve)
    residual = even - trend.smooth(even, 10)
    period = spectrum.find_long_period(residual)
    if period is None:
        none = (Measure("correlation with itself one period later", 0.0, "echo", unit="correlation"),)
        yield Evidence(curve.tags, none, "warning", f"{curve.tag} shows no period")
        return
    yield _reading(anatomy, curve, residual, period)


def _even(curve: Curve) -> NDArray[np.float64]:
    """Return the curve's `y` at even steps (a point's distance apart), so that a lag is a number of steps."""
    gaps = np.diff(curve.at)
    if gaps.size and np.all(gaps == gaps[0]):
        return curve.y
    keep = np.r_[True, gaps > 0]
    wanted = np.arange(curve.at[0], curve.at[-1] + 1, max(1.0, curve.cadence))
    if wanted.size > 4 * curve.n:
        return curve.y  # huge holes: the index is the better clock
    return np.asarray(np.interp(wanted, curve.at[keep], curve.y[keep]))


def _reading(anatomy: Anatomy, curve: Curve, residual: NDArray[np.float64], period: spectrum.Period) -> Evidence:
    length = period.length * curve.cadence
    sawtooth = _reset_mean(residual, period.length)
    explained, cause, speaks, advice = _cause(anatomy, curve, length, sawtooth)
    severity: Severity = "warning"
    first, last = int(curve.at[0]), int(curve.at[-1])
    size = float(np.ptp(spectrum.fold(residual, period.length)[1]))
    height = float(np.expm1(size)) if curve.log else size / max(abs(robust.median(curve.raw)), 1e-12)
    amount = f"by a factor of {number(1 + height, 2)}" if curve.log else f"by {percent(height)} of its level"
    return Evidence(
        curve.tags,
        (
            Measure("correlation with itself one period later", period.echo, "echo", unit="correlation"),
            Measure("share of the variance the period explains", period.share, "share", unit="ratio"),
            Measure("height of the folded shape", height, "size", unit="of the level"),
            Measure("periods seen", period.cycles, "cycles", unit="count"),
            Measure(
                "power at the period and its harmonics", spectrum.power_share(residual, period.length), unit="ratio"
            ),
            Measure("period", length, unit="steps"),
        ),
        severity,
        f"{curve.tag} repeats itself every {step(length)} steps, {number(period.cycles, 2)} times, "
        f"{amount} up and down",
        first,
        last,
        cause,
        speaks,
        advice,
        p_value=period.p_value,
        marks=tuple(Mark("step", curve.tag, "", (int(s),)) for s in np.arange(first + length, last, length)[:40]),
        explained_by=explained,
    )


def _cause(  # noqa: PLR0911 - the causes in the order in which they are told apart
    anatomy: Anatomy, curve: Curve, length: float, sawtooth: bool
) -> tuple[str | None, str | None, tuple[str, ...], tuple[str, ...]]:
    shuffle = "Shuffle the data anew in every epoch, with a buffer as large as the data set."
    order = "Check whether files, sampler or batches are sorted by class, source or length."
    if sawtooth:
        text = "within each period the loss approaches its end as a mean over ever more values does"
        return (
            "event:running-mean@0",
            "a running mean that is reset each epoch",
            (text,),
            ("Log the loss of each batch.",),
        )
    rate = anatomy.rate_period
    if rate and _multiple(length, rate):
        text = f"the learning rate repeats itself every {step(rate)} steps"
        return f"event:lr-cycle@{int(curve.at[0])}", "the learning rate's schedule", (text,), ("Nothing to mend.",)
    if _follows_rate(anatomy, curve):
        text = "the loss follows the learning rate up and down"
        return f"event:lr-cycle@{int(curve.at[0])}", "the learning rate's schedule", (text,), ("Nothing to mend.",)
    anew = _begins_anew(anatomy, curve, length)
    if anew:
        part = "Log each training as a run of its own: judged as one, none of them can be judged."
        return None, "several trainings one after another: folds, seeds or restarts from scratch", (anew,), (part,)
    epoch = anatomy.epoch_length
    if epoch and _multiple(length, epoch):
        ratio = length / epoch
        share = "exactly an epoch" if abs(ratio - 1) < 0.03 else f"{number(ratio, 2)} epochs"
        text = f"the period is {share} of {step(epoch)} steps"
        return None, "the order of the data: it comes in the same order in every epoch", (text,), (shuffle, order)
    if epoch:
        text = f"an epoch (or evaluation) has {step(epoch)} steps, which the period of {step(length)} does not divide"
        return None, None, (text,), (shuffle, order, "Look for anything else that happens every so many steps.")
    return None, None, (), (shuffle, order)


def _begins_anew(anatomy: Anatomy, curve: Curve, length: float) -> str:
    """Return a sentence when an evaluation, too, comes back to its first value at each turn: all is forgotten then."""
    for held_out in [c for c in anatomy.validation if c.n]:
        turn = ((held_out.at - curve.at[0]) / length).astype(np.int64)
        parts = [held_out.raw[turn == k] for k in range(int(turn[-1]) + 1)]
        whole = [part for part in parts if part.size >= LEAST_EVALUATIONS]
        if len(whole) < 3:
            continue
        first, ends = float(whole[0][0]), [float(part[-1]) for part in whole]
        if min(float(part[0]) for part in whole) > 0.75 * first > 0 and max(ends) < 0.6 * first:
            return f"{held_out.tag} comes back to its first value, {number(first)}, each time: nothing learnt is kept"
    return ""


def _multiple(length: float, unit: float) -> bool:
    ratio = length / unit
    best = min((1.0, 2.0, 0.5, 1 / 3, 0.25, 0.2, 3.0), key=lambda k: abs(ratio / k - 1))
    return abs(ratio / best - 1) < 0.03


def _follows_rate(anatomy: Anatomy, curve: Curve) -> bool:
    rate = anatomy.rate
    if rate is None or rate.n < 12 or np.ptp(rate.raw) <= 0.1 * abs(float(np.max(rate.raw))):
        return False
    line = np.interp(curve.at, rate.at, rate.raw)
    smooth = line - trend.smooth(line, 10)
    if np.std(smooth) <= 0.02 * np.max(np.abs(line)):
        return False
    return abs(float(np.corrcoef(smooth, curve.residual)[0, 1])) > 0.4


def _reset_mean(residual: NDArray[np.float64], length: float) -> bool:
    """Whether the folded shape is that of a running mean: it jumps once and then settles like 1 / position.

    The change from point to point within a period shrinks as the mean takes in more values: the slope of log |change|
    against log position is near -1 and its noise settles too; batch losses change as much late as early.
    """
    n = residual.size
    if length < 6 or n < 4 * length:
        return False
    change = np.abs(np.diff(residual))
    jumps = change > 6 * max(np.median(change), 1e-12)
    phase = np.arange(1, n) % length
    # the reset is where the period's largest changes are
    bins = np.minimum((phase / length * 24).astype(int), 23)
    weight = np.bincount(bins, change, minlength=24) / np.maximum(np.bincount(bins, minlength=24), 1)
    position = (phase - (np.argmax(weight)) * length / 24) % length + 1
    keep = (change > 0) & ~jumps & (position > 1)
    if np.count_nonzero(keep) < 30:
        return False
    slope = np.polyfit(np.log(position[keep]), np.log(change[keep]), 1)[0]
    early, late = robust.mad_sigma(change[position < 0.15 * length]), robust.mad_sigma(change[position > 0.5 * length])
    return bool(slope < -0.7 and early > 3 * late and robust.autocorrelation(residual) > 0.3)


def _ordered(points: int, length: int, size: float) -> NDArray[np.float64]:
    wave = np.where((np.arange(points) % length) < length / 2, size, -size)
    return falling(points) * np.exp(wave + noise(points, 0.05))


DETECTOR = Detector(
    "repetitive-loss",
    __doc__,
    measure,
    Limits(),
    (
        Case("sorted data", "fires", lambda: made_run({"train/loss": _ordered(600, 50, 0.2)})),
        Case("a falling loss", "quiet", lambda: made_run({"train/loss": falling(600) * np.exp(noise(600, 0.1))})),
        Case(
            "correlated noise",
            "almost",
            lambda: made_run(
                {"train/loss": falling(600) * np.exp(np.convolve(noise(619, 0.3), np.ones(20) / 20, "valid"))}
            ),
        ),
        Case(
            "a cyclic learning rate",
            "almost",
            lambda: made_run(
                {"train/loss": _ordered(600, 50, 0.2), "lr": np.where(np.arange(600) % 50 < 25, 0.1, 0.01)},
            ),
        ),
    ),
    explains=("not-converging", "loss-spike"),
)
