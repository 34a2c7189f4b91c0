"""What a healthy run with one value a metric must show: held-out values above chance, and near those of training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from analyzer.features.single_values.chance import Witness, verdict, witnesses
from analyzer.features.single_values.gaps import Gap, gaps
from analyzer.features.single_values.values import Single
from analyzer.model.formatting import counted, number
from analyzer.model.health import Criterion

if TYPE_CHECKING:
    from analyzer.features import RunFeatures


@dataclass(frozen=True)
class Params:
    """How far training may be above held-out data."""

    gap: float = field(default=0.15, metadata={"unit": "of 1", "why": "a larger gap of shares is learning by heart"})
    gap_auc: float = field(
        default=0.2, metadata={"unit": "of 1", "why": "the same of the AUC: forests that test well rank their own rows"}
    )
    gap_r2: float = field(default=0.25, metadata={"unit": "of 1", "why": "the same of R², which errors magnify"})
    noise: float = field(
        default=3.0, metadata={"unit": "standard errors", "why": "a smaller gap may come of few examples"}
    )


PARAMS = Params()


def enough_data(features: RunFeatures) -> Criterion:
    """Whether a held-out value is logged whose kind is known."""
    single = _single(features)
    if single.held_out:
        tags = tuple(v.tag for v in single.held_out)
        text = f"{counted(len(tags), 'held-out value')} of a known kind"
        sizes = {"examples": float(single.sizes.test)} if single.sizes.test_known else {}
        return Criterion("enough-data", "shown", text, {"values": float(len(tags)), **sizes}, tags)
    if single.training:
        tag = single.training[0].tag
        text = f"only values of the training data are logged ({tag}); log the same of held-out data, too"
        return Criterion("enough-data", "unclear", text, {}, (tag,))
    if single.clusters:
        text = f"{single.clusters[0]} measures a clustering, for which no level is known that is good or bad"
        return Criterion("enough-data", "unclear", text, {}, single.clusters)
    if single.unread:
        text = f"which way {single.unread[0]} is better is not known; say so with --role, or log accuracy, AUC or R²"
        return Criterion("enough-data", "unclear", text, {}, single.unread)
    return Criterion("enough-data", "unclear", "no value of a loss or metric is a finite number")


def finite(features: RunFeatures) -> Criterion:
    """Whether every value is a number."""
    single = _single(features)
    if not single.not_finite:
        values = len(single.values) + len(single.unread)
        return Criterion("finite", "shown", f"all {counted(values, 'value')} are finite", {"values": float(values)})
    text = f"{single.not_finite[0]} is NaN or infinite"
    return Criterion("finite", "refuted", text, {"values": float(len(single.not_finite))}, single.not_finite)


def learnt(features: RunFeatures) -> Criterion:
    """Whether a held-out value is clearly better than chance."""
    single = _single(features)
    one = verdict(witnesses(single))
    if one is None:
        return Criterion("learnt", "unclear", f"chance could not be judged: {missing_for_chance(single)}")
    numbers = {"value": one.value, "chance": one.level, "errors": one.errors}
    if one.state == "clear":
        return Criterion("learnt", "shown", f"{_told(one)}, better than {_level(one)}", numbers, one.tags)
    if one.state == "at-chance":
        return Criterion("learnt", "refuted", f"{_told(one)}, no better than {_level(one)}", numbers, one.tags)
    text = f"{_told(one)}, too near {_level(one)} to tell them apart on {single.sizes.test:,} examples"
    return Criterion("learnt", "unclear", text, numbers, one.tags)


def held_out(features: RunFeatures) -> Criterion:
    """Whether training and held-out values of one kind are near each other."""
    single = _single(features)
    found = gaps(single)
    if not found:
        return Criterion("held-out", "unclear", f"the gap to training could not be judged: {missing_for_gap(single)}")
    widest = max(found, key=lambda gap: gap.size - limit(gap))
    text = (
        f"{widest.held_out.tag} is {number(widest.held_out.value)} and {widest.train.tag} {number(widest.train.value)}"
    )
    numbers = {"gap": widest.size, "errors": widest.errors}
    tags = (widest.held_out.tag, widest.train.tag)
    if widest.size <= limit(widest):
        return Criterion("held-out", "shown", text, numbers, tags)
    return Criterion("held-out", "refuted" if widest.errors > PARAMS.noise else "unclear", text, numbers, tags)


def limit(gap: Gap) -> float:
    """Return the largest gap that is usual, in the unit of `gap.size`."""
    return {"r2": PARAMS.gap_r2, "auc": PARAMS.gap_auc}.get(gap.kind, PARAMS.gap)


def missing_for_chance(single: Single) -> str:
    """Return what would have to be logged so that held-out values could be compared with chance."""
    if not single.held_out:
        return "log a metric of held-out data (test_roc_auc, test_r2)"
    if single.regression:
        return "log test_r2, or the error of a baseline (baseline_rmse)"
    if any(v.kind == "accuracy" for v in single.held_out):
        return "log test_roc_auc, test_mcc or test_log_loss too: the share of the commonest class is not known"
    return "log test_roc_auc, test_mcc, or test_accuracy with test_log_loss"


def missing_for_gap(single: Single) -> str:
    """Return what would have to be logged so that held-out values could be compared with training."""
    if not single.held_out:
        return "log the same metric of held-out data"
    if single.regression:
        return "log train_r2 and test_r2"
    best = next((v for v in single.held_out if v.kind in ("accuracy", "auc", "balanced-accuracy", "mcc")), None)
    if best is None or single.partner(best) is not None:
        return "log train_accuracy and test_accuracy"
    return f"log train_{best.kind.replace('-', '_')} too"


def _single(features: RunFeatures) -> Single:
    if features.single is None:
        raise ValueError("the run has curves")
    return features.single


def _told(one: Witness) -> str:
    joined = " and ".join(one.tags)
    if len(one.tags) > 1 and one.kind == "mcc":
        return f"{', '.join(one.tags)} together make a correlation (MCC) of {number(one.value)}"
    return f"{one.tags[0] if one.kind == 'log-loss' else joined} is {number(one.value)}"


def _level(one: Witness) -> str:
    return f"the baseline's {number(one.level)}" if one.reference else f"the {number(one.level)} of guessing"


def _of_curves(name: str) -> Callable[[RunFeatures], Criterion]:
    return lambda features: Criterion(name, "not-applicable", "the run logs one value a metric, and no curve")


CHECKS: tuple[Callable[[RunFeatures], Criterion], ...] = (
    enough_data,
    finite,
    learnt,
    held_out,
    *map(_of_curves, ("kept", "calm", "metrics")),
)
