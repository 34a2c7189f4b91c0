"""Runs for comparisons, by formula and in memory."""

import numpy as np

from analyzer.model.run import Note, Run, Series

STEPS = np.arange(0, 1001, 50)


def run(name, end, *, tag="val/loss", steps=STEPS, params=None, nan_from=None, seed=0, more=None, **fields):
    """Return a run whose metric falls to `end`, the same shape whatever the seed; `more` are other metrics by tag."""
    values = end + 2 * np.exp(-np.asarray(steps) / 100) if np.size(steps) > 1 else np.array([end])
    if nan_from is not None:
        values = np.where(np.asarray(steps) >= nan_from, np.nan, values)
    series = {tag: Series(tag, steps, values, 1.7e9 + np.asarray(steps, float))}
    for other, last in (more or {}).items():
        series[other] = Series(other, steps, last + 0 * np.asarray(steps, float), 1.7e9 + np.asarray(steps, float))
    given = {"location": f"/logs/{name}", "params": {"seed": seed, **(params or {})}} | fields
    return Run(name, name, "made", series=series, **given)


def side(name, ends, **fields):
    """Return runs that end at the given values."""
    return [run(f"{name}/seed-{i}", end, seed=i, **fields) for i, end in enumerate(ends)]


def damaged(name):
    """Return a run whose log is damaged in the middle."""
    return run(name, 1.0, notes=(Note("damage", "12 bytes at 400 could not be read"),))
