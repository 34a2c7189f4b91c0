"""What a tracking server's answers mean: JSON of whatever shape in, names, texts and columns of numbers out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzer.model.run import Series
from analyzer.readers.mlflow.points import series_of, unstored

Object = Mapping[str, Any]
Column = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]
"""Timestamps in milliseconds, values, steps."""
WORDS = {"NaN": np.nan, "Infinity": np.inf, "-Infinity": -np.inf}
"""How JSON holds what are no numbers to it."""
_WRONG = (TypeError, KeyError, ValueError, OverflowError, AttributeError)


@dataclass
class History:
    """The columns of one metric, page by page, and what went wrong with it."""

    parts: list[Column] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def add(self, points: object) -> None:
        """Take the points of a page, of which an empty one has none; what is no point is counted."""
        if not isinstance(points, list):
            if points is not None:
                self.problems.append("a page of its history is not a list and was left out")
            return
        if not points:
            return
        try:
            columns = columns_of(points)
        except _WRONG:
            columns = self._one_by_one(points)
        self.parts.append(columns)

    def _one_by_one(self, points: list[Any]) -> Column:
        good = []
        for point in points:
            try:
                good.append(columns_of([point]))
            except _WRONG:
                continue
        self.problems.append(f"{len(points) - len(good)} values that are not points were left out")
        if not good:
            return _whole([]), np.empty(0), _whole([])
        return joined(good)

    @property
    def size(self) -> int:
        """How many points there are so far."""
        return sum(part[0].size for part in self.parts)

    def series(self, tag: str) -> Series | None:
        """Return all points under a name; None when there are none."""
        if not self.parts:
            return None
        stamps, values, steps = joined(self.parts)
        return series_of(tag, stamps, unstored(values, np.zeros(values.size, np.bool_)), steps) if stamps.size else None


def columns_of(points: list[Any]) -> Column:
    """Return timestamps, values and steps. ValueError and the like when one of them is no number."""
    stamps, steps = [p["timestamp"] for p in points], [p.get("step", 0) for p in points]
    values = [p["value"] for p in points]
    if str in set(map(type, values)):
        values = [WORDS[v] if type(v) is str else v for v in values]
    if not set(map(type, values)) <= {float, int}:
        raise ValueError("a value is not a number")
    return _whole(stamps), np.array(values, np.float64), _whole(steps)


def _whole(numbers: list[Any]) -> NDArray[np.int64]:
    if not set(map(type, numbers)) <= {int}:
        numbers = [int(n) if type(n) is str and n.lstrip("-").isdecimal() else n for n in numbers]
        if not set(map(type, numbers)) <= {int}:
            raise ValueError("a step or timestamp is not an integer")
    return np.array(numbers, np.int64)


def joined(parts: list[Column]) -> Column:
    """Return columns, part after part."""
    stamps, values, steps = zip(*parts, strict=True)
    return np.concatenate(stamps), np.concatenate(values), np.concatenate(steps)


def parts_of(answer: Object) -> tuple[Object, Object, Object]:
    """Return info, data and inputs of an answer's run; what is not there is empty."""
    run = answer.get("run")
    parts = [run.get(name) if isinstance(run, dict) else None for name in ("info", "data", "inputs")]
    info, data, inputs = (part if isinstance(part, dict) else {} for part in parts)
    return info, data, inputs


def key_of(info: Object) -> str:
    """Return a run's id ("" when there is none)."""
    return str(info.get("run_id") or info.get("run_uuid") or "")


def objects(value: object) -> list[Object]:
    """Return the objects in a list; what is none is left out."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def pairs(value: object) -> dict[str, str]:
    """Return params or tags, lists of key and value."""
    return {str(pair.get("key", "")): str(pair.get("value", "")) for pair in objects(value)}


def metric_names(metrics: object) -> list[str]:
    """Return the names of the metrics of a run."""
    return sorted({metric["key"] for metric in objects(metrics) if isinstance(metric.get("key"), str)})


def datasets(inputs: Object) -> list[tuple[str, str, str]]:
    """Return name, digest and context of the data sets among a run's inputs."""
    found = []
    for each in objects(inputs.get("dataset_inputs")):
        data = each.get("dataset")
        if isinstance(data, dict) and data.get("name"):
            context = pairs(each.get("tags")).get("mlflow.data.context", "")
            found.append((str(data["name"]), str(data.get("digest", "")), context))
    return sorted(found)


def whole(value: object) -> int:
    """Return a whole number, 0 for what is none."""
    try:
        return int(str(value))
    except ValueError:
        return 0
