"""The confusion matrix of two classes that a few metrics leave, and digits that only a constant answer has."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from analyzer.features.single_values.values import Single, Value
from analyzer.model.vocabulary import Split


@dataclass(frozen=True)
class Params:
    """What the comparisons take."""

    digits: float = field(
        default=1e-6, metadata={"unit": "of the value", "why": "metrics of one constant answer agree to the last digit"}
    )
    rare: float = field(
        default=1e-3, metadata={"unit": "of the examples", "why": "a share below it comes of rounded metrics"}
    )
    apart: float = field(
        default=0.01, metadata={"unit": "of 1", "why": "a recall nearer to the accuracy may be an average over classes"}
    )
    classes: int = field(
        default=20, metadata={"unit": "classes", "why": "an average over more is looked for in no accuracy"}
    )


PARAMS = Params()


@dataclass(frozen=True, slots=True)
class Table:
    """Shares of all examples that a binary confusion matrix holds: of positives, and what is found of either class."""

    positives: float
    recall: float
    fall_out: float
    tags: tuple[str, ...]

    @property
    def share(self) -> float:
        """Share of the commonest class."""
        return max(self.positives, 1 - self.positives)

    @property
    def mcc(self) -> float:
        """Matthews' correlation coefficient."""
        said = self.positives * self.recall + (1 - self.positives) * self.fall_out
        if not 0 < said < 1:
            return 0.0
        size = self.positives * (1 - self.positives)
        return (self.recall - self.fall_out) * math.sqrt(size / (said * (1 - said)))


def table_of(single: Single, split: Split, *, surely: bool = True) -> Table | None:
    """Return the matrix that the metrics of a split leave; None where they do not.

    `surely`: None as well where they may be averages over classes.
    """
    cells = single.sizes.confusion
    if cells is not None and split != "train":
        right, wrong = cells[0] + cells[3], cells[1] + cells[2]
        if right > 0 and wrong > 0:
            tags = tuple(v.tag for v in single.held_out[:1])
            return Table(right / (right + wrong), cells[0] / right, cells[2] / wrong, tags)
    accuracy, recall = single.one("accuracy", split), single.one("recall", split)
    if accuracy is None or recall is None or (single.sizes.classes or 2) > 2 or recall.average:
        return None
    other = single.one("precision", split) or single.one("f1", split)
    if other is None or other.average or recall.value == accuracy.value:
        return None
    if surely and abs(recall.value - accuracy.value) < PARAMS.apart:
        return None
    precision = other.value
    if other.kind == "f1":
        below = 2 * recall.value - other.value
        precision = other.value * recall.value / below if below > 0 else 0.0
    return _table(accuracy.value, recall.value, precision, (accuracy.tag, recall.tag, other.tag))


def _table(accuracy: float, recall: float, precision: float, tags: tuple[str, ...]) -> Table | None:
    if not (0 < precision <= 1 and 0 < recall <= 1 and 0 <= accuracy < 1):
        return None
    positives = (1 - accuracy) / (recall * (1 - precision) / precision + 1 - recall) if recall * precision < 1 else 0.0
    if not PARAMS.rare < positives < 1 - PARAMS.rare:
        return None
    fall_out = recall * positives * (1 - precision) / precision / (1 - positives)
    return Table(positives, recall, fall_out, tags) if 0 <= fall_out <= 1 else None


def constant_digits(single: Single, split: Split) -> tuple[Value, Value, str] | None:
    """Return two metrics of a split whose digits only a constant answer has, and which averages they are.

    One class is always given, which has the share a of the examples. Then the weighted precision is a², the weighted F1
    2a²/(1 + a), the F1 that is the mean over k classes 2a/(1 + a)/k; and if the class is the positive one, recall is 1,
    and precision is the accuracy a.
    """
    accuracy = single.one("accuracy", split)
    if accuracy is None or not 0 < accuracy.value < 1:
        return None
    a = accuracy.value
    always = 2 * a / (1 + a)
    for value in single.values:
        if value.split != split or not value.finite or value.of_class:
            continue
        if value.kind == "precision" and _same(value.value, a * a):
            return accuracy, value, "weighted"
        if value.kind == "f1" and _same(value.value, a * always):
            return accuracy, value, "weighted"
        if value.kind == "f1" and any(_same(value.value, always / k) for k in _counts(single)):
            return accuracy, value, "mean"
    recall, precision = single.one("recall", split), single.one("precision", split)
    if recall is not None and precision is not None and recall.value == 1 and _same(precision.value, a):
        return accuracy, precision, "positive"
    return None


def _counts(single: Single) -> range:
    """Return the numbers of classes that a mean over classes may be of; 1 is the F1 of the class that is given."""
    known = single.sizes.classes
    return range(1, PARAMS.classes + 1) if known is None else range(1, known + 1)


def _same(one: float, other: float) -> bool:
    return abs(one - other) <= PARAMS.digits * max(abs(other), PARAMS.digits)
