"""What the held-out values of a run without curves say of chance: each kind of metric beside what guessing reaches."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from analyzer.features.single_values.confusion import table_of
from analyzer.features.single_values.errors import least_entropy, standard_error
from analyzer.features.single_values.values import Single, Value
from analyzer.model.metric_kinds import Kind
from analyzer.model.vocabulary import Split


@dataclass(frozen=True)
class Params:
    """What separates a value from chance."""

    clear: float = field(
        default=2.5, metadata={"unit": "standard errors", "why": "one model in 160 that guesses comes so far"}
    )
    near: float = field(
        default=0.1, metadata={"unit": "of 1", "why": "a share farther from chance is a matter of too few examples"}
    )
    gain: float = field(
        default=0.03, metadata={"unit": "of the entropy", "why": "a log loss below guessing by so much has learnt"}
    )
    guess: float = field(
        default=0.05, metadata={"unit": "nats", "why": "so far from ln k lies the log loss of guessing, fitted or not"}
    )
    fitted: float = field(
        default=4.0, metadata={"unit": "nats × examples", "why": "what estimated class shares cost besides"}
    )


PARAMS = Params()

LEVELS: dict[Kind, float] = {"auc": 0.5, "mcc": 0.0, "kappa": 0.0, "r2": 0.0}
"""What guessing reaches whatever the classes."""

WIDTH: dict[Kind, float] = {"mcc": 2.0, "kappa": 2.0}
"""Kinds that run from -1 to 1 have twice the width of a share."""

LOWER: frozenset[Kind] = frozenset({"rmse", "mse", "mae", "error", "log-loss", "loss"})

State = Literal["clear", "at-chance", "unclear"]


@dataclass(frozen=True, slots=True)
class Witness:
    """A held-out value beside chance: `above` is how far it is better, `errors` the same in standard errors."""

    tags: tuple[str, ...]
    kind: str
    value: float
    level: float
    above: float
    errors: float
    near: float
    split: Split = "test"
    reference: bool = False

    @property
    def state(self) -> State:
        """Whether it is clearly better than chance, at chance, or neither."""
        if self.errors > PARAMS.clear:
            return "clear"
        return "at-chance" if self.above <= self.near else "unclear"


def witnesses(single: Single) -> list[Witness]:
    """Return every held-out value that chance can be compared with, those that hold for any class shares first."""
    found = [w for value in single.held_out if not value.of_class for w in _of_value(single, value)]
    for split in dict.fromkeys(v.split for v in single.held_out):
        found += _of_split(single, split)
    return found


def verdict(found: list[Witness]) -> Witness | None:
    """Return the witness that speaks for the run: the clearest that is better than chance, else one at chance."""
    clear = [w for w in found if w.state == "clear"]
    if clear:
        return max(clear, key=lambda w: w.errors)
    return next((w for w in found if w.state == "at-chance"), found[0] if found else None)


def _of_value(single: Single, value: Value) -> Iterator[Witness]:
    kind, n, share = value.kind, single.sizes.test, single.sizes.share
    reference = single.references.get(kind)
    level = reference if reference is not None else LEVELS.get(kind)
    if kind == "accuracy" and level is None:
        level = share
    if kind == "balanced-accuracy" and level is None and (single.sizes.classes or _two_classes(single)):
        level = 1 / (single.sizes.classes or 2)
    if level is None:
        return
    above = level - value.value if kind in LOWER else value.value - level
    error = standard_error(kind, value.value if kind == "r2" else level, n, share)
    near = PARAMS.near * (abs(level) if kind in LOWER else WIDTH.get(kind, 1.0))
    yield Witness(
        (value.tag,), kind, value.value, level, above, above / error if error > 0 else 0.0, near, value.split,
        reference is not None,
    )  # fmt: skip


def _two_classes(single: Single) -> bool:
    """Whether a metric says that there are two classes: a recall or specificity of one of them, without an average."""
    return any(v.kind in ("specificity", "auc") and not v.average for v in single.values)


def _of_split(single: Single, split: Split) -> Iterator[Witness]:
    """Yield what several metrics of one split say together."""
    n = single.sizes.test
    table = table_of(single, split)
    if table is not None:
        error = standard_error("mcc", 0.0, n)
        near = PARAMS.near * 2.0
        yield Witness(table.tags, "mcc", table.mcc, 0.0, table.mcc, table.mcc / error, near, split)
    else:
        yield from _either_way(single, split)
    accuracy, loss = single.one("accuracy", split), single.one("log-loss", split)
    if accuracy is not None and table is not None:
        error = standard_error("accuracy", table.share, n)
        above = accuracy.value - table.share
        if above > PARAMS.clear * error:
            yield Witness(
                (accuracy.tag,), "accuracy", accuracy.value, table.share, above, above / error, PARAMS.near, split
            )
    if accuracy is not None and loss is not None and 0 < accuracy.value < 1:
        yield from _beside_entropy(single, accuracy, loss, n)
    elif accuracy is not None and single.sizes.classes:
        yield from _beside_classes(accuracy, single.sizes.classes, n)


def _either_way(single: Single, split: Split) -> Iterator[Witness]:
    """Yield a recall that is above chance both as that of one of two classes and as a mean over classes.

    The mean over k classes of a constant answer is 1/k, one half at most.
    """
    table, recall = table_of(single, split, surely=False), single.one("recall", split)
    if table is None or recall is None:
        return
    n = single.sizes.test
    above, error = recall.value - 0.5, standard_error("recall", 0.5, n)
    errors = min(above / error, table.mcc / standard_error("mcc", 0.0, n))
    if errors > PARAMS.clear:
        yield Witness(table.tags[1:], "recall", recall.value, 0.5, above, errors, PARAMS.near, split)


def _beside_entropy(single: Single, accuracy: Value, loss: Value, n: int) -> Iterator[Witness]:
    """Yield what the log loss says beside what guessing by class shares costs."""
    known = single.sizes.share
    # a model that guesses may fall short of the share of the commonest class: the share is then a little larger
    larger = accuracy.value + PARAMS.clear * standard_error("accuracy", accuracy.value, n)
    least = least_entropy(known if known is not None else min(larger, 1.0))
    margin = max(PARAMS.gain * least, PARAMS.fitted / n)
    tags = (loss.tag, accuracy.tag)
    if loss.value < least - margin:
        errors = PARAMS.clear * (least - loss.value) / margin
        yield Witness(tags, "log-loss", loss.value, least, least - loss.value, errors, margin, loss.split)
        return
    classes = single.sizes.classes or max(2, round(math.exp(min(loss.value, math.log(n)))))
    error = standard_error("accuracy", 1 / classes, n)
    guessing = abs(loss.value - math.log(classes)) <= PARAMS.guess or (
        single.sizes.classes is not None and loss.value > math.log(classes)
    )
    if guessing and accuracy.value <= 1 / classes + PARAMS.clear * error:
        above = math.log(classes) - loss.value
        yield Witness(tags, "log-loss", loss.value, math.log(classes), above, above / margin, margin, loss.split)
    elif known is not None and loss.value >= least and accuracy.value <= known:
        above = least - loss.value
        yield Witness(tags, "log-loss", loss.value, least, above, above / margin, margin, loss.split)


def _beside_classes(accuracy: Value, classes: int, n: int) -> Iterator[Witness]:
    """Yield the accuracy where it is no better than that of equal classes: no shares can make it better then."""
    level = 1 / classes
    error = standard_error("accuracy", level, n)
    above = accuracy.value - level
    if above <= PARAMS.clear * error:
        yield Witness(
            (accuracy.tag,), "accuracy", accuracy.value, level, above, above / error, PARAMS.near, accuracy.split
        )
