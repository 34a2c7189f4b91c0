"""Whether small changes of a log change what is said of it: `python -m benchmarks.stability LOGS`.

Each run is judged as it is and after changes that mean nothing: every second point, without the last 5 %, with noise
of .3 of its own, its losses times 3, losses shifted by a constant (raw losses without metrics only), rounded to
float32. The table counts the verdicts and the leading symptoms that flip; with `-v` each flip is named.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analyzer import analyze, open_runs
from analyzer.features import RunFeatures
from analyzer.model.result import Result
from analyzer.model.run import Run, Series
from analyzer.stats import robust

Array = NDArray[np.float64]
NOW = 2e9  # Unix seconds
LEAST = 16  # points of a series that is thinned or cut: a handful of evaluations is another run without half of them
KEPT = 0.95  # share of the steps that stays when the end is cut off
NOISE = 0.3  # of the local sigma
FACTOR = 3.0  # of the losses; a loss that is recognised by its value (ln k) rightly changes its meaning
Change = Callable[[Run], Run | None]


def _with(run: Run, change: Callable[[Series], Series]) -> Run:
    return replace(run, series={tag: change(series) for tag, series in run.series.items()})


def _chosen(series: Series, keep: NDArray[np.bool_]) -> Series:
    return Series(series.tag, series.steps[keep], series.values[keep], series.wall_times[keep])


def thinned(run: Run) -> Run:
    """Return the run with every second point of each long series."""
    return _with(run, lambda s: _chosen(s, np.arange(s.points) % 2 == 0) if s.points >= LEAST else s)


def cut(run: Run) -> Run:
    """Return the run without the last twentieth of its steps."""
    last = max((int(s.steps.max()) for s in run.series.values() if s.points), default=0)
    return _with(run, lambda s: _chosen(s, s.steps <= KEPT * last) if s.points >= LEAST else s)


def _valued(run: Run, roles: Sequence[str], change: Callable[[Array], Array]) -> Run:
    known = RunFeatures(run).roles

    def changed(series: Series) -> Series:
        if known[series.tag].role not in roles:
            return series
        return Series(series.tag, series.steps, change(series.values), series.wall_times)

    return _with(run, changed)


def local_sigma(values: Array) -> Array:
    """Return the noise at each point from the differences of its neighbourhood, 0 where nothing is finite."""
    steps = np.abs(np.diff(np.where(np.isfinite(values), values, 0.0)))
    if steps.size < LEAST:
        return np.full(values.size, robust.median(steps) if steps.size else 0.0)
    edges = np.linspace(0, steps.size, max(2, min(20, steps.size // 8)) + 1).astype(np.int64)
    spread = robust.MAD_TO_SIGMA * robust.block_medians(steps, edges) / np.sqrt(2)
    return np.asarray(np.interp(np.arange(values.size), (edges[:-1] + edges[1:]) / 2, spread))


def noisier(run: Run) -> Run:
    """Return the run with a little more noise in its losses, none below 0 where none had been."""
    rng = np.random.default_rng(1)

    def change(values: Array) -> Array:
        added = values + NOISE * local_sigma(values) * rng.standard_normal(values.size)
        return np.where(values > 0, np.maximum(added, 0.1 * values), added)

    return _valued(run, ("loss",), change)


def rescaled(run: Run) -> Run:
    """Return the run with its losses times a factor."""
    return _valued(run, ("loss",), lambda values: values * FACTOR)


def shifted(run: Run) -> Run | None:
    """Return the run with a constant added to its losses, None where a loss is positive or a metric is logged."""
    features = RunFeatures(run)
    losses = features.losses
    if not losses or features.having("metric") or any(c.log or not c.n or float(c.raw.min()) >= 0 for c in losses):
        return None
    lift = max(float(np.ptp(c.raw)) for c in losses)
    return _valued(run, ("loss",), lambda values: values - lift)


def rounded(run: Run) -> Run:
    """Return the run with values as an event file stores them."""
    with np.errstate(over="ignore"):
        return _with(run, lambda s: Series(s.tag, s.steps, s.values.astype(np.float32).astype(float), s.wall_times))


CHANGES: Mapping[str, Change] = {
    "every second point": thinned,
    "without the last 5 %": cut,
    "noise of .3 sigma": noisier,
    "losses × 3": rescaled,
    "losses shifted": shifted,
    "float32": rounded,
}


def said(run: Run) -> tuple[str, str]:
    """Return the verdict of a run and its leading symptom, "" without an alarm."""
    result: Result = analyze(run, now=NOW)
    return result.verdict, next((f.symptom for f in result.findings if f.alarms), "")


def flips(run: Run) -> dict[str, tuple[tuple[str, str], tuple[str, str]]]:
    """Return what was said before and after each change that applies to the run."""
    before = said(run)
    changed = {name: change(run) for name, change in CHANGES.items()}
    return {name: (before, said(other)) for name, other in changed.items() if other is not None}


Flips = dict[str, tuple[tuple[str, str], tuple[str, str]]]


def measured(source: Path, jobs: int) -> list[tuple[str, Flips]]:
    """Return the flips of each run of a source, by its id."""
    runs = [run for run in open_runs(source) if run.series]
    if jobs == 1:
        return [(run.id, flips(run)) for run in runs]
    half = partial(_part, source, jobs)
    with get_context("spawn").Pool(jobs) as pool:
        return [row for rows in pool.map(half, range(jobs)) for row in rows]


def _part(source: Path, jobs: int, part: int) -> list[tuple[str, Flips]]:
    runs = (run for i, run in enumerate(open_runs(source)) if i % jobs == part)
    return [(run.id, flips(run)) for run in runs if run.series]


def main(argv: Sequence[str] | None = None) -> None:
    """Change, judge, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stability", description=__doc__.partition("\n")[0])
    parser.add_argument("logs", type=Path, help="a folder of logs")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("-v", "--verbose", action="store_true", help="name each flip")
    given = parser.parse_args(argv)
    rows = measured(given.logs, given.jobs)
    print("| change | runs | verdicts that flip | leading symptoms that flip |\n| --- | ---: | ---: | ---: |")
    for name in CHANGES:
        pairs = [(run, *done[name]) for run, done in rows if name in done]
        verdicts, leads = (sum(a[i] != b[i] for _, a, b in pairs) for i in (0, 1))
        shares = [f"{count} ({count / max(1, len(pairs)):.1%})" for count in (verdicts, leads)]
        print(f"| {name} | {len(pairs)} | {shares[0]} | {shares[1]} |")
    if given.verbose:
        for run, done in rows:
            for name, (before, after) in done.items():
                if before != after:
                    print(f"{run}: {name}: {' '.join(before)} -> {' '.join(after)}")


if __name__ == "__main__":
    main()
