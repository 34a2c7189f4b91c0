"""How many examples the sets of a run have, how many classes, and which share the commonest class has.

They are read from parameters (`n_test`, `test_size`, `num_classes`), from what `mlflow.evaluate` logs (`example_count`,
`true_positives`), and, of two classes, from metrics that together leave one confusion matrix only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from analyzer.model.roles import words_of
from analyzer.model.vocabulary import SPLIT_WORDS


@dataclass(frozen=True)
class Params:
    """What is assumed where the log does not tell."""

    examples: int = field(
        default=1000, metadata={"unit": "examples", "why": "a held-out set of usual size where none is logged"}
    )
    most_classes: int = field(default=100_000, metadata={"unit": "classes", "why": "more are an identifier, no class"})


PARAMS = Params()

COUNTS = frozenset(
    {"n", "num", "number", "nb", "size", "samples", "rows", "len", "length", "count", "examples", "nrows"}
)
WHOLE_SET = frozenset({"total", "dataset", "data", "all"})
CLASSES = frozenset({"class", "classes", "labels"})
CONFUSION = ("true_positives", "true_negatives", "false_positives", "false_negatives")
SHARES = ("majority share", "majority class share", "prevalence", "positive rate", "class share", "base rate",
          "positive share", "pos rate")  # fmt: skip


@dataclass(frozen=True)
class Sizes:
    """Examples by set, `test_known` whether the log has the number of held-out ones.

    `classes` and `share` (of the commonest) are None where they are unknown.
    """

    train: int
    test: int
    test_known: bool
    classes: int | None
    share: float | None
    confusion: tuple[float, float, float, float] | None = None


def sizes_of(params: Mapping[str, object], last: Mapping[str, float]) -> Sizes:
    """Return the sizes that parameters and the values of a run tell; `last` are its metrics by tag."""
    numbers = {name: number for name, value in params.items() if (number := _number(value)) is not None}
    confusion = _confusion(last)
    test = _count(numbers, "test") or (int(sum(confusion)) if confusion else None) or _examples(last)
    train = _count(numbers, "train")
    share = _share(numbers, last)
    if share is None and confusion:
        positive = confusion[0] + confusion[3]
        share = max(positive, sum(confusion) - positive) / sum(confusion)
    classes = next((int(v) for n, v in numbers.items() if _counts_classes(n) and 2 <= v <= PARAMS.most_classes), None)
    usual = PARAMS.examples
    return Sizes(
        train or usual, test or usual, test is not None, classes or (2 if confusion else None),
        share, confusion,
    )  # fmt: skip


def _number(value: object) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        number = float(str(value))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _count(numbers: Mapping[str, float], side: str) -> int | None:
    """Return the examples of the training or of the held-out set, None where no parameter tells."""
    shares = []
    for name, number in numbers.items():
        words = words_of(name)
        splits = {SPLIT_WORDS[w] for w in words if w in SPLIT_WORDS}
        mine = splits == {"train"} if side == "train" else bool(splits) and "train" not in splits
        if not mine or not set(words) & COUNTS:
            continue
        if number > 1 and number == int(number):
            return int(number)
        if 0 < number < 1:
            shares.append(number)
    whole = next((n for name, n in numbers.items() if _is_whole(name) and n > 1), None)
    return max(2, round(shares[0] * whole)) if shares and whole else None


def _is_whole(name: str) -> bool:
    """Whether a parameter counts all examples (`n_samples`, `dataset_size`)."""
    own = set(words_of(name))
    return bool(own & COUNTS) and own <= COUNTS | WHOLE_SET and len(own) > 1


def _counts_classes(name: str) -> bool:
    own = set(words_of(name))
    return bool(own & CLASSES) and bool(own & {"n", "num", "number", "nb"})


def _examples(last: Mapping[str, float]) -> int | None:
    found = next((v for tag, v in last.items() if words_of(tag)[-2:] == ("example", "count")), None)
    return int(found) if found is not None and found > 1 else None


def _confusion(last: Mapping[str, float]) -> tuple[float, float, float, float] | None:
    """Return true positives, true negatives, false positives and false negatives where a run has all four."""
    cells = []
    for name in CONFUSION:
        cell = next((v for tag, v in last.items() if tag.endswith(name) and v >= 0 and math.isfinite(v)), None)
        if cell is None:
            return None
        cells.append(cell)
    return (cells[0], cells[1], cells[2], cells[3]) if sum(cells) > 1 else None


def _share(numbers: Mapping[str, float], last: Mapping[str, float]) -> float | None:
    """Return the share of the commonest class that a parameter or metric names."""
    for name, value in (*numbers.items(), *last.items()):
        if " ".join(words_of(name)) in SHARES and 0 < value < 1:
            return value if "majority" in words_of(name) else max(value, 1 - value)
    return None
