"""Asking MLflow itself, in the Python that has it, and comparing what it reads with what posthoc reads."""

import json
import os
import subprocess
from collections import Counter
from pathlib import Path

import numpy as np

from analyzer.readers import Choice, open_source

PEER = Path(__file__).with_name("peer.py")
LARGEST = float(np.finfo(np.float64).max)
QUIET = {"PYTHONWARNINGS": "ignore", "MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_LOGGING_LEVEL": "ERROR"}


def asked(python, *words, **variables):
    """Return what a peer printed as JSON on its last line."""
    done = subprocess.run(
        [python, str(PEER), *map(str, words)],
        check=False,
        env=os.environ | QUIET | variables,
        capture_output=True,
        text=True,
        timeout=400,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def compare(theirs, source):
    """Assert that posthoc reads from a source what MLflow's client read: same runs, same points for every metric."""
    experiments = tuple(sorted({run["experiment"] for run in theirs.values()}))
    ours = {run.id: run for run in open_source(source, choice=Choice(experiments, deleted=True))}
    assert set(ours) == set(theirs)
    active = {key for key, run in theirs.items() if run["stage"] == "active" and "deleted" not in run["experiment"]}
    assert {run.id for run in open_source(source, choice=Choice(experiments))} == active
    for key, run in theirs.items():
        mine = ours[key]
        assert not mine.notes
        assert (mine.name, mine.declared, mine.experiment) == (run["name"], run["status"], run["experiment"])
        assert dict(mine.params) == run["params"]
        foreign = {name: text for name, text in run["tags"].items() if not name.startswith("posthoc.")}
        assert {name: text for name, text in mine.tags.items() if name in run["tags"]} == foreign
        assert set(mine.series) == set(run["metrics"])
        for name, points in run["metrics"].items():
            same_points(mine.series[name], points)


def same_points(series, points):
    """Assert the same points; posthoc's by time, ties by step."""
    wanted = Counter((stamp / 1000.0, step, _word(float(value))) for stamp, value, step in points)
    values = map(_word, series.values.tolist())
    assert Counter(zip(series.wall_times.tolist(), series.steps.tolist(), values, strict=True)) == wanted
    order = list(zip(series.wall_times.tolist(), series.steps.tolist(), strict=True))
    assert order == sorted(order)


def _word(value):
    """Return a value that equals itself; the databases' largest number stands for infinity."""
    return "nan" if value != value else float(np.copysign(np.inf, value)) if abs(value) >= LARGEST else value + 0.0
