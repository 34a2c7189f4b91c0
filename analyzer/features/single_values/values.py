"""The last value of every metric of a run that has no curve, by kind and set of data, with what is known of its size.

A run counts here when no series of a loss or metric has more than two points. Counters and measures of the machine may
have any number.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from analyzer.features.single_values import sizes
from analyzer.model.metric_kinds import ACCURACIES, Average, Kind, Score, is_clustering, reference_of, score_of
from analyzer.model.roles import Role, words_of
from analyzer.model.vocabulary import Split

if TYPE_CHECKING:
    from analyzer.features import RunFeatures

POINTS = 2
"""Points of the longest series: a last value and perhaps a first one, which is no course."""

PERCENT = 100.0
"""A score that lies above 1 and not above this is logged in percent."""

HUGE = 1e300
"""MLflow's databases hold ±1.797e308 for the infinities."""

BESIDE = frozenset({"system", "counter", "learning-rate", "gradient-norm"})
"""Roles of series that may have any number of points in a run without curves."""

REGRESSION = frozenset({"r2", "mse", "rmse", "mae"})
TASKS = {"regressor": "r2", "regression": "r2", "classifier": "accuracy", "classification": "accuracy"}
"""Words of an estimator's name and what its `score` is."""


@dataclass(frozen=True, slots=True)
class Value:
    """One logged number: `value` is a share where the log has percent, and positive where it has a negated error.

    `split` is the set of data; a number without one is held out (`named` False), as training scores are called so by
    MLflow's autologging and by nearly everybody.
    """

    tag: str
    kind: Kind
    split: Split
    value: float
    named: bool
    average: Average = ""
    of_class: bool = False

    @property
    def held_out(self) -> bool:
        """Whether it was measured on data that the model was not fitted to."""
        return self.split != "train"

    @property
    def finite(self) -> bool:
        """Whether it is a number at all."""
        return math.isfinite(self.value) and abs(self.value) < HUGE


@dataclass(frozen=True)
class Single:
    """The values of a run without curves.

    `unread` are metrics whose kind is not known, `clusters` those of clusterings, `references` are values of
    a model that has learnt nothing, by kind.
    """

    values: tuple[Value, ...]
    unread: tuple[str, ...]
    clusters: tuple[str, ...]
    references: Mapping[Kind, float]
    sizes: sizes.Sizes
    not_finite: tuple[str, ...]

    @cached_property
    def held_out(self) -> tuple[Value, ...]:
        """Finite values of held-out data, test before validation."""
        found = [v for v in self.values if v.held_out and v.finite]
        return tuple(sorted(found, key=lambda v: (v.split != "test", not v.named)))

    @cached_property
    def training(self) -> tuple[Value, ...]:
        """Finite values of the training data."""
        return tuple(v for v in self.values if not v.held_out and v.finite)

    @property
    def regression(self) -> bool:
        """Whether the metrics are those of a regression."""
        return any(v.kind in REGRESSION for v in self.values)

    def one(self, kind: Kind, split: Split, *, named: bool | None = None) -> Value | None:
        """Return the first finite value of a kind on a split."""
        fitting = (v for v in self.values if v.kind == kind and v.split == split and v.finite and not v.of_class)
        return next((v for v in fitting if named is None or v.named == named), None)

    def partner(self, value: Value) -> Value | None:
        """Return the training value that belongs to a held-out one: of the same kind, averaged alike."""
        alike = [v for v in self.training if v.kind == value.kind and v.of_class == value.of_class]
        return next((v for v in alike if v.average == value.average), alike[0] if alike and not value.average else None)


def single_of(features: RunFeatures) -> Single | None:
    """Return the values of a run without curves, None where it has a curve, is still going, or is no such training."""
    if features.ongoing or features.family not in ("supervised", "boosting", "unknown"):
        return None
    logged = {t: c for t, c in features.curves.items() if features.roles[t].role not in BESIDE and c.values.size}
    if not logged or any(features.run.series[tag].points > POINTS for tag in logged):
        return None
    last = {tag: float(curve.values[-1]) for tag, curve in logged.items()}
    read = {tag: _score(tag, features.roles[tag]) for tag in logged}
    scores = {tag: score for tag, score in read.items() if score is not None}
    clusters = tuple(tag for tag in logged if is_clustering(tag))
    if not clusters and all(score.kind == "loss" for score in scores.values()) and scores:
        return None  # the first points of a curve
    percent = _in_percent((last[tag], score) for tag, score in scores.items())
    found = [_value(tag, score, last[tag], features.roles, percent) for tag, score in scores.items()]
    task = _task(found, features.run.params, features.run.tags)
    return Single(
        tuple(v for v in (_settled(one, found, task) for one in found) if v is not None),
        tuple(t for t in logged if t not in scores and t not in clusters and features.roles[t].role != "constant"),
        clusters,
        _references(last),
        sizes.sizes_of(features.run.params, last),
        tuple(
            tag
            for tag, value in last.items()
            if features.roles[tag].role in ("loss", "metric") or tag in scores
            if not (math.isfinite(value) and abs(value) < HUGE)
        ),
    )


def _score(tag: str, role: Role) -> Score | None:
    """Return the reading of a name; a role that the user set is kept, as far as it says which set of data it is."""
    if role.given and role.role not in ("loss", "metric"):
        return None
    score = score_of(tag)
    if score is None or not role.given or role.split is None:
        return score
    return Score(score.kind, role.split, score.average, score.negated, score.of_class)


def _value(tag: str, score: Score, value: float, roles: Mapping[str, Role], percent: frozenset[Kind]) -> Value:
    split = score.split
    if split == "validation" and words_of(tag)[:2] == ("validation", "0"):
        split = roles[tag].split or split  # xgboost's first set is the training set where there is a second
    value = -value if score.negated else value
    if score.kind in percent:
        value /= PERCENT
    return Value(tag, score.kind, split or "test", value, split is not None, score.average, score.of_class)


def _in_percent(scores: Iterable[tuple[float, Score]]) -> frozenset[Kind]:
    """Return the kinds of shares that the run logs in percent: one value is above 1, and none above 100."""
    most: dict[Kind, float] = {}
    for value, score in scores:
        if score.kind in ACCURACIES and math.isfinite(value):
            most[score.kind] = max(value, most.get(score.kind, value))
    return frozenset(kind for kind, value in most.items() if 1 < value <= PERCENT)


def _task(values: Iterable[Value], params: Mapping[str, object], tags: Mapping[str, str]) -> str:
    """Return what `score` is in this run: r2, accuracy, or "" where nothing tells."""
    kinds = {v.kind for v in values}
    if kinds & REGRESSION:
        return "r2"
    if kinds & (ACCURACIES | {"mcc", "kappa", "log-loss"}):
        return "accuracy"
    texts = [str(value).lower() for value in (*params.values(), *tags.values()) if len(str(value)) <= PERCENT]
    return next((kind for word, kind in TASKS.items() if any(word in text for text in texts)), "")


def _settled(value: Value, values: Iterable[Value], task: str) -> Value | None:
    """Return the value with the kind of a `score` settled; None where it repeats another or none tells."""
    if value.kind != "score":
        return value
    same = any(v is not value and v.split == value.split and v.value == value.value for v in values)
    if same or not task or value.value > 1:  # neither R² nor the share that scikit-learn calls a score
        return None
    kind: Kind = "r2" if task == "r2" else "accuracy"
    return Value(value.tag, kind, value.split, value.value, value.named)


def _references(last: Mapping[str, float]) -> dict[Kind, float]:
    """Return what a model reaches that has learnt nothing, by kind of metric, as far as it is logged."""
    found = {kind: value for tag, value in last.items() if (kind := reference_of(tag)) and math.isfinite(value)}
    return {kind: v / PERCENT if kind in ACCURACIES and 1 < v <= PERCENT else v for kind, v in found.items()}
