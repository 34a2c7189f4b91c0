"""Clean curves for the benchmarks: from a folder of arrays with an index, or from runs of the truth yardstick."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analyzer import open_runs
from analyzer.model.run import Run, Series
from benchmarks.plant import Curve, losses

POWER = Path("../shared/power")
SPAN = 0.8  # share of the run's steps that a loss must span to be planted into
START = 1.7e9  # Unix seconds


@dataclass(frozen=True)
class Clean:
    """The losses of a run that did its job; `kind` names where it comes from."""

    name: str
    kind: str
    curve: Curve


def run_of(curve: Curve, name: str = "run") -> Run:
    """Return a run in memory with the series of a curve, one second a step."""
    series = {
        tag: Series(tag, steps, np.asarray(values, np.float64), START + steps.astype(np.float64))
        for tag, (steps, values) in curve.items()
    }
    return Run(name, name, "made", name, series, {})


def spanning(curve: Curve) -> Curve:
    """Return the losses that span the run: metrics would contradict a fault that is planted into losses alone."""
    train, held_out = losses(curve)
    end = max((int(steps[-1]) for steps, _ in curve.values()), default=0)
    long = [t for t in train + held_out if curve[t][0][-1] - curve[t][0][0] >= SPAN * end]
    return {tag: curve[tag] for tag in long}


def from_arrays(folder: Path) -> Iterator[Clean]:
    """Yield the runs of a folder with index.json and compressed arrays that reached their target, losses only."""
    opened: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for row in json.loads((folder / "index.json").read_text()):
        if row.get("reached") is False or (row.get("outcome") not in (None, "success") and not row.get("reached")):
            continue
        if row["file"] not in opened:
            with np.load(folder / row["file"]) as stored:
                opened[row["file"]] = np.cumsum(stored["steps"]), stored["values"].astype(np.float64)
        steps, values = opened[row["file"]]
        curve = spanning({tag: (steps[a:b], values[a:b]) for tag, a, b, _ in row["tags"] if b > a})
        if curve:
            yield Clean(row["name"], row["kind"], curve)


def from_yardstick(folder: Path) -> Iterator[Clean]:
    """Yield the healthy runs of a folder made by `python -m benchmarks.truth make`, losses only."""
    for row in json.loads((folder / "truth.json").read_text())["runs"]:
        if row["expected"]:
            continue
        for run in open_runs(folder / row["path"]):
            curve = spanning({tag: (s.steps, s.values) for tag, s in run.series.items() if _ordered(s)})
            if curve:
                yield Clean(row["path"], "trained", curve)


def _ordered(series: Series) -> bool:
    return series.points > 1 and bool(np.all(np.diff(series.steps) > 0))


def clean_curves(power: Path | None, yardstick: Path | None) -> list[Clean]:
    """Return the curves of the folders that are given; without any, small runs are trained for the purpose."""
    found = [*(from_arrays(power) if power else ()), *(from_yardstick(yardstick) if yardstick else ())]
    if found:
        return found
    from benchmarks.truth.make import make

    with tempfile.TemporaryDirectory() as place:
        make(Path(place), jobs=2, only=["healthy"], splits=("tune",), seed=0)
        return list(from_yardstick(Path(place)))
