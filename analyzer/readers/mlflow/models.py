"""Metrics of one name that belong to several of MLflow's logged models, told apart.

Since MLflow 3 a metric may be logged with a model's id. The run's own history then holds the points of all models under
one name; whose they are is kept with the models. A series of which at least two models have points is given as one
series for each, `<name> (model <model's name>)`; points that no model claims keep the plain name.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from analyzer.model.run import Series
from analyzer.readers.sanitize import distinct


@dataclass(frozen=True, slots=True)
class Owned:
    """One point that a logged model has: the metric's name, the model's id and name, milliseconds, step, value.

    The value tells points of one time and step apart; databases hold 0 where it is NaN.
    """

    metric: str
    model: str
    name: str
    stamp: int
    step: int
    value: float


def repeated(series: Mapping[str, Series]) -> list[str]:
    """Return the names under which several curves may lie: those that have more than one point at a step."""
    return [tag for tag, one in series.items() if np.unique(one.steps).size < one.steps.size]


def by_model(series: Mapping[str, Series], owned: Iterable[Owned]) -> dict[str, Series]:
    """Return the series, those that several models have part in replaced by one for each model."""
    places: dict[str, dict[tuple[int, int], _Claims]] = defaultdict(lambda: defaultdict(_Claims))
    models: dict[str, dict[str, str]] = defaultdict(dict)
    for point in owned:
        places[point.metric][point.stamp, point.step].add(point)
        models[point.metric][point.model] = point.name
    found: dict[str, Series] = {}
    for tag, one in series.items():
        if len(models[tag]) < 2:
            found[distinct(tag, found)] = one
            continue
        owners = np.array(_owners(one, places[tag]))
        for model in dict.fromkeys(owners.tolist()):
            title = f"{tag} (model {models[tag][model] or model})" if model else tag
            name, which = distinct(title, found), owners == model
            found[name] = Series(name, one.steps[which], one.values[which], one.wall_times[which])
    return found


class _Claims:
    """Points that models have at one time and step, each of which one point of the run may be."""

    def __init__(self) -> None:
        self._points: list[Owned] = []
        self._taken: list[bool] = []
        self._first = 0  # all before it are taken
        self._by_value: dict[float, deque[int]] = defaultdict(deque)

    def add(self, point: Owned) -> None:
        """Take in a point."""
        self._by_value[point.value].append(len(self._points))
        self._points.append(point)
        self._taken.append(False)

    def take(self, value: float) -> Owned | None:
        """Return a point of this value that is not taken, the first of all where there is none; None without any."""
        same = self._by_value.get(value, deque[int]())
        while same and self._taken[same[0]]:
            same.popleft()
        while self._first < len(self._points) and self._taken[self._first]:
            self._first += 1
        place = same[0] if same else self._first
        if place == len(self._points):
            return None
        self._taken[place] = True
        return self._points[place]


def _owners(one: Series, places: dict[tuple[int, int], _Claims]) -> list[str]:
    """Return the id of the model that each point belongs to, "" where none claims it."""
    stamps = np.rint(one.wall_times * 1000.0).astype(np.int64)
    owners = []
    for stamp, step, value in zip(stamps.tolist(), one.steps.tolist(), one.values.tolist(), strict=True):
        claims = places.get((stamp, step))
        own = claims.take(value) if claims is not None else None
        owners.append(own.model if own is not None else "")
    return owners
