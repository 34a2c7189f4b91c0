"""Tables in which a column of words says what a row is about: the split, the metric, or the run.

`phase` (train, val) divides the other columns; `metric` beside `value` names a column of its own; `fold`, `run` and
their kin hold several runs in one table, as do the columns of several runs side by side (`RUN - metric`, as W&B exports
them).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from analyzer.readers.filelog.rows import AXES, CLOCKS, INDEXES, Column, Table
from analyzer.readers.sanitize import distinct

SPLITS = ("phase", "split", "stage", "mode", "subset", "partition")
METRICS = ("metric", "metric_name", "metrics", "name", "tag", "variable", "key")
VALUES = ("value", "metric_value", "values")
RUNS = ("run", "run_id", "run_name", "run_uuid", "trial", "trial_id", "experiment", "fold", "cv_fold", "kfold", "seed")
NAMES = frozenset((*SPLITS, *METRICS, *RUNS))
"""Columns whose words are kept."""

MOST_PARTS = 8  # splits that a training has
LEAST_ROWS = 2  # of a run: with one row each, the column counts
UNNAMED = "unnamed"  # rows that name no run, beside rows that do
_BESIDE = " - "
_BOUNDS = ("__MIN", "__MAX")


def spread(table: Table) -> Table:
    """Return a table with a column for each metric or split that its words name, without those labels."""
    return _by_split(_by_metric(table))


def unused(table: Table) -> list[str]:
    """Return the labels of a table that was spread which say nothing of its rows."""
    return [name for name in table.labels if name.lower() not in RUNS]


def _by_metric(table: Table) -> Table:
    """Return a table in long form (metric, value) with a column for each metric."""
    label = next((name for name in table.labels if name.lower() in METRICS), None)
    value = next((name for name in table.columns if name.lower() in VALUES), None)
    if label is None or value is None:
        return table
    column = table.columns[value]
    found = {name: one for name, one in table.columns.items() if name != value}
    for metric, own in _places(np.array(table.labels[label], dtype=object)[column.at]):
        found[distinct(metric or value, found)] = Column(column.at[own], column.values[own])
    return replace(table, columns=found, labels=_without(table, label))


def _without(table: Table, label: str) -> dict[str, list[str]]:
    return {name: words for name, words in table.labels.items() if name != label}


def _places(words: NDArray[np.object_]) -> list[tuple[str, NDArray[np.int64]]]:
    """Return each word, in the order of first appearance, with the indices at which it stands, in one pass."""
    names, first, inverse, counts = np.unique(words, return_index=True, return_inverse=True, return_counts=True)
    where = np.split(np.argsort(inverse, kind="stable"), np.cumsum(counts)[:-1])
    return [(str(names[i]), where[i]) for i in np.argsort(first)] if names.size else []


def _by_split(table: Table) -> Table:
    """Return a table whose other columns are divided by the words of a split; rows without one keep plain names."""
    name = next((name for name in table.labels if name.lower() in SPLITS), None)
    if name is None:
        return table
    words = np.array(table.labels[name], dtype=object)
    parts = [part for part in dict.fromkeys(table.labels[name]) if part]
    if not 1 < len(parts) <= MOST_PARTS:
        return table
    found: dict[str, Column] = {}
    for tag, column in table.columns.items():
        if tag.lower() in (*AXES, *CLOCKS, *INDEXES, *RUNS):
            found[tag] = column
            continue
        for part, own in _places(words[column.at]):
            found[distinct(f"{part}/{tag}" if part else tag, found)] = Column(column.at[own], column.values[own])
    return replace(table, columns=found, labels=_without(table, name))


def may_hold_runs(table: Table) -> bool:
    """Whether a column may name runs, or columns stand for runs; whether there are several, only the rows tell."""
    return bool(_beside(table)) or any(name.lower() in RUNS for name in (*table.columns, *table.labels))


def by_run(table: Table) -> dict[str, Table]:
    """Return the rows or columns of each run that a table holds, in their order; none where it holds one run."""
    beside = _beside(table)
    if beside:
        shared = {name: one for name, one in table.columns.items() if _BESIDE not in name}
        own: dict[str, dict[str, Column]] = {}
        for (run, metric), name in beside.items():
            own.setdefault(run, {})[metric] = table.columns[name]
        return {run: replace(table, columns=shared | columns) for run, columns in own.items()}
    words = _run_words(table)
    if words is None:
        return {}
    places = _places(words)
    rank = np.empty(table.size, np.int64)
    for _, rows in places:
        rank[rows] = np.arange(rows.size)
    found = {run: replace(table, size=int(rows.size), columns={}) for run, rows in places}
    for name, column in table.columns.items():
        if name.lower() not in RUNS:
            for run, at in _places(words[column.at]):
                found[run].columns[name] = Column(rank[column.at[at]], column.values[at])
    return found


def _beside(table: Table) -> dict[tuple[str, str], str]:
    """Return the columns of tables in which the runs stand side by side, by run and metric."""
    if not any(name.endswith(_BOUNDS) for name in table.columns):
        return {}
    parts = ((name, name.rpartition(_BESIDE)) for name in table.columns if not name.endswith(_BOUNDS))
    return {(run, metric): name for name, (run, between, metric) in parts if between and not metric.startswith("_")}


def _run_words(table: Table) -> NDArray[np.object_] | None:
    """Return the name of the run of each row, None where no column says it.

    Several columns name it together (`experiment` and `seed`), but for those that divide no further.
    """
    words, parts = None, 1
    for own in _naming_columns(table):
        joined = own if words is None else np.array([f"{a}, {b}" for a, b in zip(words, own, strict=True)], object)
        counts = np.unique(joined, return_counts=True)[1]
        if counts.size > parts and counts.min() >= LEAST_ROWS:
            words, parts = joined, counts.size
    return words


def _naming_columns(table: Table) -> Iterator[NDArray[np.object_]]:
    """Yield the words of each column that may name runs, a text for each row."""
    for name in RUNS:
        for label, words in table.labels.items():
            if label.lower() == name:
                yield np.array([word or UNNAMED for word in words], dtype=object)
        for tag, column in table.columns.items():
            if tag.lower() == name and (np.isnan(column.values) | (column.values % 1 == 0)).all():
                named = np.full(table.size, UNNAMED, dtype=object)
                named[column.at] = [f"{tag} {value:.0f}" for value in column.values]
                yield named
