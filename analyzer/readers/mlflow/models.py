"""Metrics of one name that belong to several of MLflow's logged models, told apart.

Since MLflow 3 a metric may be logged with a model's id. The run's own history then holds the points of all models under
one name; whose they are is kept with the models. A series of which at least two models have points is given as one
series for each, `<name> (model <model's name>)`; points that no model claims keep the plain name.
"""

from __future__ import annotations

from collections import defaultdict
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
    places: dict[str, dict[tuple[int, int], list[Owned]]] = defaultdict(lambda: defaultdict(list))
    models: dict[str, dict[str, str]] = defaultdict(dict)
    for point in owned:
        places[point.metric][point.stamp, point.step].append(point)
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


def _owners(one: Series, places: dict[tuple[int, int], list[Owned]]) -> list[str]:
    """Return the id of the model that each point belongs to, "" where none claims it."""
    stamps = np.rint(one.wall_times * 1000.0).astype(np.int64)
    owners = []
    for stamp, step, value in zip(stamps.tolist(), one.steps.tolist(), one.values.tolist(), strict=True):
        claims = places.get((stamp, step), [])
        own = next((claim for claim in claims if claim.value == value), claims[0] if claims else None)
        if own is not None:
            claims.remove(own)
        owners.append(own.model if own is not None else "")
    return owners
