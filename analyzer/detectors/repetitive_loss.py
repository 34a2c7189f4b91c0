"""The loss moves in repeated steps or waves.

Why it matters
--------------
A loss that repeats itself follows the order of the data: neighbouring batches are alike, gradients are biased
towards what came last, and the model forgets between visits. It trains worse than with shuffled data, and the mean
over an epoch does not show it.

How it is measured
------------------
The training loss is laid on even steps, in log space where it is positive, and its decay is removed. A period has power
at its frequency and at the multiples of it: their sum is compared with what noise of the same colour has there, read
off the neighbouring frequencies of the curve itself. The lengths that the log names (an epoch, the distance of
evaluations, steps per epoch among the parameters) are tried first, then all frequencies; the p-value is corrected for
all of them. The period must also recur in every part of the curve, and its swing must matter beside the level of the
loss: a significant swing below 4 % is worth a note and no alarm. A period of fewer than six logged points has no shape:
it is a note unless its levels lie well apart, beyond the noise that a smaller last batch of each epoch has. A
validation loss that is logged often enough is searched in the same way, for a note.

When it is wrong
----------------
A cyclic learning rate, restarts and running means that are reset each epoch repeat themselves without any fault: the
first two explain the finding, the third (a hyperbola within each period) is recognised by its shape. So is memorisation
of shuffled data: the loss steps down where an epoch begins and rises evenly until the next. A smaller last batch of
each epoch, whose loss batch normalisation raises, is one point that lies apart and scatters more. Gradient accumulation
and batches grouped by length have periods of their own; they are recognised by their parameters. Logged every k
steps, an epoch shows an apparent period.

What to do
----------
Reshuffle the data in every epoch, with a buffer as large as the data set. Check whether the files or the sampler
are sorted by class, source or length.

References
----------
Vaughan, A simple test for periodic signals in red noise, A&A 431 (2005). de Jager, Raubenheimer and Swanepoel, A
powerful test for weak periodic signals with unknown light curve shape, A&A 221 (1989). Google, Machine Learning Crash
Course: interpreting loss curves.

"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from analyzer.detectors import Detector
from analyzer.features import Curve, RunFeatures
from analyzer.features.knobs import cycle_of
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Severity, Sign, Unfit, Words
from analyzer.model.formatting import filled, number, percent, step
from analyzer.model.roles import words_of
from analyzer.stats import decay, robust, spectrum, trend
from analyzer.stats import residual as residuals
from analyzer.stats.robust import median

FEW_POINTS = 5.5  # logged points in a period: with fewer, the one batch of an epoch that is smaller looks alike
APART = 3.0  # noise of a point, by which the levels of so short a period must differ: a smaller batch has more noise
LEAST_EVALUATIONS = 3  # in a period, to see that it begins anew
ALARMING = 0.04  # swing over the level: below, sorting the data better would change the loss by less than ± 2 %
SAME_LENGTH = 0.03  # relative difference of two lengths that count as one: periods are measured to about 1 %
RAMP_BINS = 16  # places in a period at which a ramp is looked for
LIKE_A_RAMP = 0.9  # correlation with a ramp: a sine has .78, half a period up and half down .88, sorted data .83
SETTLING = -0.6  # slope of log change over log position: -1 for a running mean, about 0 for the losses of batches
RATE_SHARE = 0.5  # share of the learning rate's variance that has the period of the loss
MOST_MEMORISED = 1.0  # swing over the level that the memory of recent examples explains: half known at once
UNEVEN = 0.5  # relative difference of a distance between points from the usual one that breaks an even stretch
EVEN_SHARE = 0.5  # share of the points that the longest even stretch must hold to be judged alone
STEPS_PER_EPOCH = {
    *("steps per epoch", "num steps per epoch", "batches per epoch", "num batches", "n batches", "iters per epoch"),
    *("iterations per epoch", "epoch length", "updates per epoch", "num update steps per epoch"),
}
ACCUMULATED = {
    "gradient accumulation steps",
    "accumulate grad batches",
    "grad accumulation steps",
    "accumulation steps",
}
GROUPED = {"group by length", "bucket by length", "length bucketing", "sort by length", "sortish sampler"}


@dataclass(frozen=True, slots=True)
class Cause:
    """The id of a cause, the evidence in the log for it, and the event that explains the period ("" for none)."""

    id: str
    sign: Sign | None = None
    event: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the sentences need besides."""

    length: float
    cycles: float
    height: float


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    size: float = field(default=0.01, metadata={"why": "swing of the folded shape, over the level of the loss"})
    kept: float = field(default=0.2, metadata={"why": "share of the shape present in the weakest fifth of the curve"})
    cycles: float = field(default=4.4, metadata={"why": "periods seen"})


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield one reading for the finest training loss, and one for a validation loss that is logged often enough."""
    if not features.falls:
        yield Unfit(features.why_not)
        return
    judged = [c for c in features.training if c.n >= spectrum.LEAST_POINTS and not c.role.running]
    held_out = [c for c in features.validation if c.n >= spectrum.LEAST_POINTS]
    if judged:
        yield _read(features, judged[0])
    if held_out:
        yield _read(features, held_out[0], "info")
    if not judged and not held_out:
        yield Unfit(_why_unfit(features))


def _why_unfit(features: RunFeatures) -> str:
    if not features.training:
        return "no training loss is known"
    if any(c.role.running for c in features.training):
        return "the only step loss is a running mean since the epoch began"
    return f"fewer than {spectrum.LEAST_POINTS} finite points of a training loss"


def _read(features: RunFeatures, curve: Curve, most: Severity = "warning") -> Evidence:
    """Return what the search for a period found in a curve; `most` bounds the severity."""
    even, first = _even(curve)
    found = spectrum.find_repetition(even, [one / curve.cadence for one in _known_lengths(features)])
    if found is None:
        none = (Measure("swing of the folded shape", 0.0, "size", unit="of the level"),)
        return Evidence(curve.tags, none, "info")
    return _evidence(features, curve, even, found, first=first, most=most)


def _even(curve: Curve) -> tuple[NDArray[np.float64], int]:
    """Return the curve's `y` at even steps (a point's distance apart) and the first step.

    Where most points lie in one evenly logged stretch, it stands for the curve: what is logged more densely at the
    start is another curve. Otherwise the values are interpolated, so that a lag is a number of steps.
    """
    gaps = np.diff(curve.at)
    breaks = np.flatnonzero(np.abs(gaps - curve.cadence) > UNEVEN * curve.cadence) + 1
    if not breaks.size:
        return curve.y, int(curve.at[0])
    edges = np.r_[0, breaks, curve.n]
    longest = int(np.argmax(np.diff(edges)))
    a, b = int(edges[longest]), int(edges[longest + 1])
    if b - a >= max(spectrum.LEAST_POINTS, EVEN_SHARE * curve.n):
        return curve.y[a:b], int(curve.at[a])
    keep = np.r_[True, gaps > 0]
    wanted = np.arange(curve.at[0], curve.at[-1] + 1, max(1.0, curve.cadence))
    if wanted.size > 4 * curve.n:
        return curve.y, int(curve.at[0])  # huge holes: the index is the better clock
    return np.asarray(np.interp(wanted, curve.at[keep], curve.y[keep])), int(curve.at[0])


def _known_lengths(features: RunFeatures) -> list[float]:
    """Return lengths in steps at which this run may repeat itself: an epoch, by the log or by a parameter."""
    found = [features.epoch_length, _parameter(features, STEPS_PER_EPOCH)]
    lengths: list[float] = []
    for one in found:
        if one and not any(abs(one / other - 1) < SAME_LENGTH for other in lengths):
            lengths.append(one)
    return lengths


def _parameter(features: RunFeatures, names: set[str]) -> float | None:
    """Return the value of a parameter by the words of its name; 1.0 for true, None where it is absent or off."""
    for name, value in features.run.params.items():
        if " ".join(words_of(str(name).rpartition("/")[2].rpartition(".")[2])) in names:
            text = str(value).strip().lower()
            try:
                return 1.0 if text == "true" else float(text) or None
            except ValueError:
                continue
    return None


def _evidence(
    features: RunFeatures,
    curve: Curve,
    even: NDArray[np.float64],
    found: spectrum.Repetition,
    *,
    first: int,
    most: Severity,
) -> Evidence:
    length = found.length * curve.cadence
    height = float(np.expm1(found.swing)) if curve.log else found.swing / max(abs(robust.median(curve.raw)), 1e-12)
    measures = (
        Measure("swing of the folded shape", height, "size", unit="of the level"),
        Measure("share of the shape in the weakest fifth of the curve", found.kept, "kept", unit="ratio"),
        Measure("points in a period", found.length, unit="count"),
        Measure("periods seen", found.cycles, "cycles", unit="count"),
        Measure("swing over the noise of a point", found.swing / max(found.sigma, 1e-300), unit="ratio"),
        Measure("period", length, unit="steps"),
    )
    sure = found.p_value < 1  # else nothing is there to be explained
    cause = _cause(features, curve, decay.levelled(even), found, height) if sure else Cause("unknown")
    last = int(curve.at[-1])
    return Evidence(
        curve.tags,
        measures,
        most if height > ALARMING and (found.length >= FEW_POINTS or found.swing > APART * found.sigma) else "info",
        first_step=first,
        last_step=last,
        cause=cause.id,
        signs=(cause.sign,) if cause.sign else (),
        facts=Facts(length, found.cycles, height),
        p_value=found.p_value,
        marks=tuple(Mark("step", curve.tag, "", (int(s),)) for s in np.arange(first + length, last, length)[:40]),
        explained_by=f"event:{cause.event}@{int(curve.at[0])}" if cause.event else None,
    )


def _cause(
    features: RunFeatures, curve: Curve, residual: NDArray[np.float64], found: spectrum.Repetition, height: float
) -> Cause:
    """Return the first cause that the log supports; `height`: swing over the level."""
    length = found.length * curve.cadence
    return (
        _by_shape(curve, residual, found.length, height)
        or _by_rate(features, curve, length)
        or _by_parameter(features, length)
        or _by_order(features, curve, length)
    )


def _by_shape(curve: Curve, residual: NDArray[np.float64], points: float, height: float) -> Cause | None:
    if _reset_mean(residual, points):
        return Cause("running-mean", Sign("settles-like-a-mean", curve.tag), "running-mean")
    if height < MOST_MEMORISED and _memorised(residual, points):
        return Cause("memorisation", Sign("ramp", curve.tag), "memorisation")
    if residuals.stands_alone(residual, points):
        return Cause("last-batch", Sign("stands-alone", curve.tag), "last-batch")
    return None


def _by_rate(features: RunFeatures, curve: Curve, length: float) -> Cause | None:
    period = features.rate_period
    if period and _multiple(length, period):
        return Cause("schedule", Sign("rate-repeats", numbers={"period": period}), "lr-cycle")
    if _follows_rate(features, curve, length):
        return Cause("schedule", Sign("follows-rate", curve.tag), "lr-cycle")
    return None


def _by_parameter(features: RunFeatures, length: float) -> Cause | None:
    accumulated = _parameter(features, ACCUMULATED)
    if accumulated and accumulated > 1 and abs(length / accumulated - 1) < SAME_LENGTH:
        sign = Sign("accumulated-batches", numbers={"batches": accumulated})
        return Cause("gradient-accumulation", sign, "gradient-accumulation")
    cycle = cycle_of(features)
    if cycle is not None and _multiple(length, cycle[1]):
        return Cause("setting", Sign("setting-moves", cycle[0], {"period": cycle[1]}), "setting-cycle")
    if _parameter(features, GROUPED):
        return Cause("length-groups", Sign("grouped-by-length"), "length-groups")
    return None


def _by_order(features: RunFeatures, curve: Curve, length: float) -> Cause:
    anew = _begins_anew(features, curve, length)
    if anew:
        return Cause("several-trainings", anew)
    lengths = _known_lengths(features)
    epoch = next((one for one in lengths if _multiple(length, one)), None)
    if epoch:
        exact = abs(length / epoch - 1) < SAME_LENGTH
        sign = "exactly-an-epoch" if exact else "epochs"
        return Cause("data-order", Sign(sign, numbers={"epochs": length / epoch, "epoch": epoch}))
    if lengths:
        return Cause("no-epoch", Sign("not-an-epoch", numbers={"epoch": lengths[0], "period": length}))
    return Cause("unknown")


CAUSES = {
    "running-mean": "a running mean that is reset each epoch",
    "memorisation": "memorisation: what was seen a short time ago is known better",
    "last-batch": "the last batch of each epoch, which holds fewer examples",
    "schedule": "the learning rate's schedule",
    "gradient-accumulation": "gradient accumulation",
    "setting": "a setting that changes once in each period",
    "length-groups": "batches of examples of like length",
    "several-trainings": "several trainings one after another: folds, seeds or restarts from scratch",
    "data-order": "the order of the data: it comes in the same order in every epoch",
}
SENTENCES = {
    "settles-like-a-mean": "within each period the loss approaches its end as a mean over ever more values does",
    "ramp": "the loss steps down at the end of each period and rises evenly until the next",
    "stands-alone": "one point of each period lies apart from all the others and scatters more than they do",
    "rate-repeats": "the learning rate repeats itself every {period:step} steps",
    "follows-rate": "the loss follows the learning rate up and down",
    "setting-moves": "{tag} changes every {period:step} steps",
    "accumulated-batches": "the period is that of {batches} accumulated batches",
    "grouped-by-length": "a parameter says that batches are grouped by the length of their examples",
    "begins-again": "{tag} comes back to its first value, {first}, each time: nothing learnt is kept",
    "exactly-an-epoch": "the period is exactly an epoch of {epoch:step} steps",
    "epochs": "the period is {epochs:2} epochs of {epoch:step} steps",
    "not-an-epoch": "an epoch (or evaluation) has {epoch:step} steps, which do not divide the period of {period:step}",
}
SHUFFLE = "Shuffle the data in every epoch, with a buffer as large as the data set."
ORDER = "Check whether files, sampler or batches are sorted by class, source or length."
ADVICE = {
    "running-mean": ("Log the loss of each batch.",),
    "memorisation": ("Watch the validation loss at these steps.",),
    "last-batch": (
        "Leave out the incomplete last batch (PyTorch: DataLoader(drop_last=True)), or weigh each batch by its size.",
    ),
    "schedule": ("Nothing to mend.",),
    "gradient-accumulation": ("Log the mean loss of each update.",),
    "setting": ("Nothing to mend if each change makes another task; judge the tasks one by one.",),
    "length-groups": ("Compare losses per token, or epoch means.",),
    "several-trainings": ("Log each training as a run of its own: judged as one, none of them can be judged.",),
    "no-epoch": (SHUFFLE, ORDER, "Look for anything else that happens every so many steps."),
}


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    facts: Facts = evidence.facts
    cause = evidence.cause or "unknown"
    return Words(
        f"{evidence.tags[0]} repeats itself every {step(facts.length)} steps, {number(facts.cycles, 2)} times, "
        f"{percent(facts.height)} of its level up and down",
        CAUSES.get(cause),
        tuple(filled(SENTENCES[sign.id], sign.tag, sign.numbers) for sign in evidence.signs),
        ADVICE.get(cause, (SHUFFLE, ORDER)),
    )


def _memorised(residual: NDArray[np.float64], points: float) -> bool:
    """Whether the folded shape is a ramp that rises through the period and steps down at its end.

    That is what memorising shuffled data looks like: an example that comes early in an epoch has, on average, been
    seen more recently than one that comes late; and without its trend a loss that falls in steps is such a ramp.
    Sorted data has other shapes: a new class makes the loss leap up.
    """
    bins = int(min(RAMP_BINS, points))
    _, shape = residuals.fold(residual, points, bins)
    if bins < 5 or shape.size < bins:
        return False
    shape, ramp = shape - shape.mean(), np.arange(bins) - (bins - 1) / 2
    size = float(np.sqrt(np.dot(shape, shape) * np.dot(ramp, ramp)))
    return max(float(np.dot(np.roll(shape, k), ramp)) for k in range(bins)) > LIKE_A_RAMP * size


def _begins_anew(features: RunFeatures, curve: Curve, length: float) -> Sign | None:
    """Return a sign when an evaluation, too, comes back to its first value at each turn: all is forgotten then."""
    for held_out in [c for c in features.validation if c.n]:
        turn = ((held_out.at - curve.at[0]) / length).astype(np.int64)
        parts = [held_out.raw[turn == k] for k in range(int(turn[-1]) + 1)]
        whole = [part for part in parts if part.size >= LEAST_EVALUATIONS]
        if len(whole) < 3:
            continue
        first, ends = float(whole[0][0]), [float(part[-1]) for part in whole]
        if min(float(part[0]) for part in whole) > 0.75 * first > 0 and max(ends) < 0.6 * first:
            return Sign("begins-again", held_out.tag, {"first": first})
    return None


def _multiple(length: float, unit: float) -> bool:
    ratio = length / unit
    best = min((1.0, 2.0, 0.5, 1 / 3, 0.25, 0.2, 3.0), key=lambda k: abs(ratio / k - 1))
    return abs(ratio / best - 1) < SAME_LENGTH


def _follows_rate(features: RunFeatures, curve: Curve, length: float) -> bool:
    """Whether the learning rate goes up and down with the loss, or with its period (in steps)."""
    rate = features.rate
    if rate is None or rate.n < 12 or np.ptp(rate.raw) <= 0.1 * abs(float(np.max(rate.raw))):
        return False
    line = np.interp(curve.at, rate.at, rate.raw)
    residual = decay.levelled(line)
    if np.std(residual) <= 0.02 * np.max(np.abs(line)):
        return False
    if residuals.explained_share(residual, length / curve.cadence) > RATE_SHARE:
        return True
    smooth = line - trend.smooth(line, 10)
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
    jumps = change > 6 * max(median(change), 1e-12)
    phase = np.arange(1, n) % length
    # the reset is where the period's largest changes are
    bins = np.minimum((phase / length * 24).astype(int), 23)
    weight = np.bincount(bins, change, minlength=24) / np.maximum(np.bincount(bins, minlength=24), 1)
    position = (phase - (np.argmax(weight)) * length / 24) % length + 1
    keep = (change > 0) & ~jumps & (position > 1)
    if np.count_nonzero(keep) < 30:
        return False
    place, size = np.log(position[keep]), np.log(change[keep])
    (slope, _), covariance = np.polyfit(place, size, 1, cov=True)
    early, late = robust.mad_sigma(change[position < 0.15 * length]), robust.mad_sigma(change[position > 0.5 * length])
    settles = slope < -0.7 and slope + 2 * float(np.sqrt(covariance[0, 0])) < SETTLING
    return bool(settles and early > 3 * late and robust.autocorrelation(residual) > 0.3)


def _ordered(points: int, length: int, size: float) -> NDArray[np.float64]:
    wave = np.where((np.arange(points) % length) < length / 2, size, -size)
    return falling(points) * np.exp(wave + noise(points, 0.05))


def _last_batch(points: int, length: int) -> NDArray[np.float64]:
    last = np.arange(points) % length == length - 1
    return falling(points) * np.exp(np.where(last, 1.2, 0.0) + noise(points, 0.35) * np.where(last, 2.3, 1.0))


DETECTOR = Detector(
    "repetitive-loss",
    __doc__,
    measure,
    Limits(),
    (
        Case("sorted data", "fires", lambda: made_run({"train/loss": _ordered(600, 50, 0.2)})),
        Case(
            "two sources of data by turns",
            "fires",
            lambda: made_run({"train/loss": falling(200) * (1 + 0.1 * (-1.0) ** np.arange(200)) + noise(200, 0.01)}),
        ),
        Case("a falling loss", "quiet", lambda: made_run({"train/loss": falling(600) * np.exp(noise(600, 0.1))})),
        Case(
            "correlated noise",
            "almost",
            lambda: made_run(
                {"train/loss": falling(600) * np.exp(np.convolve(noise(619, 0.3), np.ones(20) / 20, "valid"))}
            ),
        ),
        Case("a smaller last batch in each epoch", "almost", lambda: made_run({"train/loss": _last_batch(720, 12)})),
        Case(
            "a cyclic learning rate",
            "almost",
            lambda: made_run(
                {"train/loss": _ordered(600, 50, 0.2), "lr": np.where(np.arange(600) % 50 < 25, 0.1, 0.01)},
            ),
        ),
    ),
    yields_to=("exploding-loss", "hidden-nan"),
    describe=describe,
    retired=("points",),
)
