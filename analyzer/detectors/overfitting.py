"""The validation loss is far above the training loss: it turned and rises, or settled high.

Why it matters
--------------
Beyond the best step the model memorises its training examples and gets worse at everything else: steps spent
there are lost, and the last checkpoint is not the best.

How it is measured
------------------
Each validation or test loss is compared with the training loss that belongs to it. *Rising*: its level at the end
is above the best level that it held, significantly (in standard errors that know trend, curvature and
autocorrelation), by a share of the best value that matters, and so that a part of the run is undone (back to where the
level had first been reached) or a part of the gain is lost; it has not risen as much before and come back; and the
training loss goes on falling or rests. *Gap*: it does not rise, but settles above the training loss by a large share of
what that has fallen. Where no held-out loss is logged, the accuracy, AUC or R² of training is compared with that of
held-out data at the end.

When it is wrong
----------------
The minimum of noise always rises afterwards: small validation sets need a large rise. A loss that rises while the
validation metric still improves is a calibration matter and reported as such. A steady gap of moderate size is normal.
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

from analyzer.detectors import Detector
from analyzer.features import Curve, RunFeatures
from analyzer.features.best_step import goes_on, trend_at
from analyzer.features.held_out_metrics import metrics_after
from analyzer.features.metric_gaps import MetricGap, metric_gaps
from analyzer.features.progress import beginning
from analyzer.features.rises import Rise, size_measures
from analyzer.features.single_health import PARAMS as SINGLE
from analyzer.features.single_health import missing_for_gap
from analyzer.features.single_values import Single
from analyzer.features.single_values.gaps import SIGNED, Gap, gaps
from analyzer.model.case import Case, falling, made_run, noise
from analyzer.model.evidence import Evidence, Mark, Measure, Reading, Severity, Sign, Unfit, Veto, Words
from analyzer.model.formatting import counted, filled, number, percent, step
from analyzer.stats.robust import median
from analyzer.stats.trend import centred_mean


@dataclass(frozen=True)
class Limits:
    """What is compared."""

    rise: float = field(
        default=0.06, metadata={"why": "rise over the best as a share of it, or a fifth of the share of the gain lost"}
    )
    harm: float = field(
        default=0.1, metadata={"why": "share of the run that is undone, or of the gain that is lost, if larger"}
    )
    noise: float = field(default=3.5, metadata={"why": "rise over the best, or gap, in standard errors"})
    usual: float = field(default=0.6, metadata={"why": "largest earlier rise that was made good, over this one"})
    gap: float = field(default=0.4, metadata={"why": "steady gap to training, as a share of what training has fallen"})
    growth: float = field(
        default=0.1, metadata={"why": "growth of that gap since the first evaluations, as such a share"}
    )
    single: float = field(
        default=SINGLE.gap,
        metadata={"why": "gap of a share (accuracy) without a held-out loss, training over held-out"},
    )
    single_auc: float = field(default=SINGLE.gap_auc, metadata={"why": "the same of an AUC"})
    single_r2: float = field(default=SINGLE.gap_r2, metadata={"why": "the same of an R²"})
    single_noise: float = field(default=SINGLE.noise, metadata={"why": "the same in standard errors"})


@dataclass(frozen=True)
class Params:
    """What shapes the measures."""

    least: int = field(default=5, metadata={"unit": "evaluations", "why": "a turn can be seen in so few"})
    beyond: float = field(default=10.0, metadata={"unit": "of the best", "why": "rise that memorising does not make"})
    learnt: float = field(default=0.75, metadata={"unit": "×", "why": "training fell below this after the best step"})
    mild: float = field(default=0.25, metadata={"unit": "of the best", "why": "rise that is only calibration"})
    late: float = field(default=0.2, metadata={"unit": "of the evaluations", "why": "at the end: the level of a gap"})
    fallen: float = field(default=0.3, metadata={"unit": "of its start", "why": "fall of training that was learning"})
    clear: float = field(default=4.0, metadata={"unit": "× noise", "why": "the same, so that it is no noise"})
    early: float = field(default=0.6, metadata={"unit": "of the gap", "why": "at first: the splits differ"})
    closing: float = field(default=0.1, metadata={"unit": "of the gap", "why": "by which validation still falls"})
    end: float = field(default=0.9, metadata={"unit": "of the run", "why": "a best step after it is the end"})


PARAMS = Params()


@dataclass(frozen=True, slots=True)
class Facts:
    """What the sentences need besides."""

    kind: str
    best_step: int
    best: float
    last: float
    share: float


def measure(features: RunFeatures) -> Iterator[Reading]:
    """Yield two readings for each validation or test loss: how it turned, and how far it settled above training."""
    if not features.falls:
        yield Unfit(features.why_not)
        return
    if features.single is not None:
        yield from _single(features.single)
        return
    held_out = [c for c in features.validation if c.n]
    if not held_out:
        by_metrics = metric_gaps(features)
        yield from (_metric_gap(gap) for gap in by_metrics)
        if not by_metrics:
            yield Unfit("no validation loss")
        return
    long = [c for c in held_out if c.n >= PARAMS.least]
    if not long:
        yield Unfit(f"{held_out[0].tag} has {counted(held_out[0].n, 'finite point')}; {PARAMS.least} are needed")
        return
    pairs = [(c, features.partner(c)) for c in long]
    for curve, mate in pairs:
        if curve.course.relapse is not None:
            yield _rising(features, curve, mate, curve.course.relapse)
    for curve, mate in pairs:
        gap = _gap(features, curve, mate) if mate is not None and mate.n >= PARAMS.least else None
        if gap is not None:
            yield gap


def _metric_gap(gap: MetricGap) -> Evidence:
    """Return what a gap of metrics says where no held-out loss is logged."""
    last = int(gap.held_out.at[-1])
    return Evidence(
        (*gap.held_out.tags, *gap.train.tags),
        (
            Measure("gap to training", gap.size, LIMIT_OF.get(gap.held_out.role.kind, "single"), unit="of 1"),
            Measure("gap to training", gap.errors, "single_noise", unit="standard errors"),
            Measure("held-out value", gap.kept),
            Measure("training value", gap.reached),
        ),
        "warning",
        first_step=gap.first_step,
        last_step=last,
        cause="by-heart",
        facts=gap,
        marks=(Mark("region", gap.held_out.tag, "gap", (gap.first_step, last)),),
    )


LIMIT_OF = {"r2": "single_r2", "auc": "single_auc"}


def _single(single: Single) -> Iterator[Reading]:
    """Yield a reading of each pair of values of a run without curves."""
    found = gaps(single)
    if not found:
        yield Unfit(missing_for_gap(single))
    for gap in sorted(found, key=lambda one: -one.errors):
        yield Evidence(
            (gap.held_out.tag, gap.train.tag),
            (
                Measure("gap to training", gap.size, LIMIT_OF.get(gap.kind, "single"), unit="of 1"),
                Measure("gap to training", gap.errors, "single_noise", unit="standard errors"),
                Measure("held-out value", gap.held_out.value),
                Measure("training value", gap.train.value),
            ),
            "warning",
            cause="by-heart",
            signs=(Sign("examples", "", {"examples": float(single.sizes.test)}),) if single.sizes.test_known else (),
            facts=gap,
        )


def _rising(features: RunFeatures, curve: Curve, mate: Curve | None, rise: Rise) -> Evidence:
    at, last = int(curve.at[rise.onset]), int(curve.at[-1])
    falling_mate = goes_on(mate, at)
    better, worse = metrics_after(features, curve, at)
    signs: list[Sign] = []
    severity: Severity = "warning"
    cause = "memorising" if falling_mate else "turned"
    if mate is not None and falling_mate:
        signs.append(Sign("training-goes-on", mate.tag, {"from": trend_at(mate, at), "to": trend_at(mate, last)}))
        if rise.size > PARAMS.beyond and not _learnt(mate, at, last):
            cause = "evaluation-breaks-down"
    if better is not None:
        cause, severity = "calibration", "info" if rise.size < PARAMS.mild else "warning"
    signs += [sign for sign in (better, worse) if sign is not None]
    # training that got worse as well has memorised nothing
    vetoes = (Veto("training-rises-too", mate.tag),) if mate is not None and not falling_mate else ()
    best = int(curve.at[np.argmin(curve.raw[: rise.onset + 1])])
    spent = (last - at) / max(1, last - int(curve.at[0]))
    return Evidence(
        (curve.tag, *(mate.tags if mate is not None else ())),
        (
            *size_measures(rise, "rise over its best", "rise", unit="of the best"),
            Measure("rise over its best", rise.errors, "noise", unit="standard errors"),
            Measure("share of the run undone, or of the gain lost", rise.undone, "harm", unit="ratio"),
            Measure("largest earlier rise that was made good", rise.usual, "usual", "below", "of this one"),
            Measure("best value", rise.before),
            Measure("last value", rise.after),
        ),
        severity,
        first_step=at,
        last_step=last,
        cause=cause,
        signs=tuple(signs),
        vetoes=vetoes,
        facts=Facts("rising", best, rise.before, rise.after, spent),
        marks=(
            Mark("step", curve.tag, f"best {number(rise.before)}", (best,)),
            Mark("region", curve.tag, "after the best step", (at, last)),
            Mark("level", curve.tag, "best", values=(rise.before,)),
        ),
    )


def _learnt(mate: Curve, at: int, last: int) -> bool:
    """Whether training fell a good deal after the best step: what it learnt there is of no use elsewhere."""
    return mate.raw.min() > 0 and trend_at(mate, last) < PARAMS.learnt * trend_at(mate, at)


def _gap(features: RunFeatures, curve: Curve, mate: Curve) -> Evidence | None:
    late = max(3, round(PARAMS.late * curve.n))
    validation = median(curve.raw[-late:])
    since = curve.at[-late]
    held = mate.raw[mate.at >= since]
    if held.size < 2:
        return None
    train = float(max(median(held), np.mean(held)))  # an evaluation is a mean: rare hard batches count in it
    alike = [c for c in features.having("loss", "train") if c.role.part == mate.role.part and c.n > 1]
    start = max(beginning(c.raw, max(1, min(3, c.n // 10))) for c in (mate, *alike))
    if start - train <= PARAMS.fallen * abs(start):
        return None  # training has hardly fallen: a gap says nothing of what was memorised
    fallen = max(start, beginning(curve.raw, 1)) - train
    if fallen < PARAMS.clear * mate.sigma * (abs(train) if mate.log else 1.0):
        return None
    gap, share = validation - train, (validation - train) / fallen
    first = median(curve.raw[: max(1, curve.n // 10)]) - trend_at(mate, int(curve.at[0]))
    there = first > PARAMS.early * gap
    first_step, last = int(curve.at[0]) if there else _opens(curve, mate, gap), int(curve.at[-1])
    best = int(np.argmin(centred_mean(curve.raw, max(3, curve.n // 20))))
    falling = curve.back(curve.level(0.5, 0.6)) - validation > PARAMS.closing * gap
    still = best >= PARAMS.end * (curve.n - 1) and falling
    sigma = curve.course.error(curve.course.m - min(late, curve.course.m), curve.course.m)
    error = sigma * abs(validation) if curve.course.log else sigma
    return Evidence(
        (curve.tag, *mate.tags),
        (
            Measure("gap to training over what training has fallen", share, "gap", unit="ratio"),
            Measure("gap to training", gap / max(error, np.finfo(float).tiny), "noise", unit="standard errors"),
            Measure("growth of the gap", share if there else (gap - first) / fallen, "growth", unit="ratio"),
            Measure("validation at the end", validation),
            Measure("training at the end", train),
        ),
        "warning",
        first_step=first_step,
        last_step=last,
        cause="splits-differ" if there else "memorising-gap",
        signs=(Sign("gap", curve.tag, {"first": first, "last": gap}),),
        vetoes=(Veto("still-falling", curve.tag),) if still else (),
        facts=Facts("gap", first_step, validation, train, share),
        marks=(Mark("region", curve.tag, "gap", (first_step, last)),),
    )


def _opens(curve: Curve, mate: Curve, gap: float) -> int:
    line = np.interp(curve.at, mate.at, mate.raw)
    wide = np.flatnonzero(centred_mean(curve.raw - line, 3) > 0.5 * gap)
    return int(curve.at[wide[0]]) if wide.size else int(curve.at[0])


CAUSES = {
    "memorising": "memorising: training goes on falling while validation turns",
    "turned": "the loss turned",
    "evaluation-breaks-down": "the evaluation breaks down: what training still learns does not explain such a rise",
    "calibration": "calibration: the model grows too sure of itself while it still gets better",
    "splits-differ": "the splits differ: the gap is there from the first evaluation",
    "memorising-gap": "memorising: the gap opened as training fell",
    "by-heart": "memorising: the model fits its training data far better than held-out data",
}


def describe(evidence: Evidence) -> Words:
    """Return the finding in English."""
    if isinstance(evidence.facts, Gap):
        return _described_single(evidence, evidence.facts)
    if isinstance(evidence.facts, MetricGap):
        return _described_gap(evidence.facts)
    facts: Facts = evidence.facts
    curve, cause = evidence.tags[0], evidence.cause or "turned"
    if facts.kind == "rising":
        summary = (
            f"{curve} was best around step {step(facts.best_step)} with {number(facts.best)} and has risen to "
            f"{number(facts.last)}; {percent(facts.share)} of the steps came after it"
        )
    else:
        summary = (
            f"{curve} settles at {number(facts.best)} while {evidence.tags[1]} reaches {number(facts.last)}: "
            f"the gap is {percent(facts.share)} of what training has fallen"
        )
    signs = tuple(filled(SENTENCES[sign.id], sign.tag, sign.numbers) for sign in evidence.signs)
    return Words(summary, CAUSES[cause], signs, _advice(cause, facts))


def _described_single(evidence: Evidence, gap: Gap) -> Words:
    apart = number(2 * gap.size if gap.kind in SIGNED else gap.size)
    return Words(
        f"{gap.train.tag} is {number(gap.train.value)} and {gap.held_out.tag} only {number(gap.held_out.value)}: "
        f"a gap of {apart}",
        CAUSES["by-heart"],
        tuple(filled(SENTENCES[sign.id], sign.tag, sign.numbers) for sign in evidence.signs),
        (
            "Use less capacity or more regularisation: shallower trees, larger leaves, a stronger penalty.",
            "Use more training data.",
            "Check that the splits are statistically alike (source, time, classes, preprocessing).",
        ),
    )


def _described_gap(gap: MetricGap) -> Words:
    return Words(
        f"{gap.train.tag} reaches {number(gap.reached)} and {gap.held_out.tag} only {number(gap.kept)}: "
        f"a gap of {number(gap.size)}",
        CAUSES["by-heart"],
        advice=(
            "Use more regularisation (weight decay, dropout, augmentation) or less capacity.",
            "Use more training data.",
            "Check that the splits are statistically alike (source, time, classes, preprocessing).",
        ),
    )


SENTENCES = {
    "examples": "the held-out set has {examples:count} examples",
    "gap": "the gap is {first} at the first evaluation and {last} at the end",
    "training-goes-on": "{tag} goes from {from} to {to} after the best step",
    "metric-better": "{tag} goes from {from} to {to} after the best step: still better",
    "metric-worse": "{tag} goes from {from} to {to} after the best step: worse",
}


def _advice(cause: str, facts: Facts) -> tuple[str, ...]:
    stop = f"Stop around step {step(facts.best_step)}, or keep the checkpoint from there."
    regularise = "Use more regularisation (weight decay, dropout, augmentation) or less capacity."
    more = "Use more training data."
    if cause == "calibration":
        return (
            "Keep the step with the best metric.",
            "Calibrate the probabilities afterwards (temperature scaling).",
        )
    if cause == "evaluation-breaks-down":
        return (
            stop,
            "Compare how the model runs in evaluation: statistics of batch normalisation, averaged weights, precision.",
            "Look at the held-out examples with the largest losses: a few outliers may make the mean.",
        )
    if cause == "splits-differ":
        alike = "Check that the splits are statistically alike (source, time, classes, preprocessing)."
        mode = "Check that the model is in evaluation mode and that batch normalisation has settled statistics."
        return (alike, mode, regularise)
    return (regularise, more) if facts.kind == "gap" else (stop, regularise, more)


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
            "accuracies apart, without a held-out loss",
            "fires",
            lambda: made_run(
                {"accuracy": 1 - falling(60) / 3, "val_accuracy": 0.55 - falling(60) / 6 + noise(60, 0.01)}
            ),
        ),
        Case(
            "accuracies near each other, without a held-out loss",
            "almost",
            lambda: made_run({"accuracy": 0.98 - falling(60) / 3, "val_accuracy": 0.9 - falling(60) / 3}),
        ),
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
            "one value each, far apart",
            "fires",
            lambda: made_run({"train_accuracy": [0.999], "test_accuracy": [0.72], "test_roc_auc": [0.7]}, n_test=600),
        ),
        Case(
            "a forest: perfect in training, good in test",
            "almost",
            lambda: made_run({"train_accuracy": [1.0], "test_accuracy": [0.93], "test_roc_auc": [0.97]}, n_test=600),
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
    describe=describe,
    yields_to=("exploding-loss", "hidden-nan", "not-converging", "unmoved-validation", "validation-equals-training"),
)
