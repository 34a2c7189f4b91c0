"""The samples of other kinds of logs, point by point against their reference parse; skipped where they are absent."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from analyzer.model.run import Run
from analyzer.readers import open_source

SAMPLES = Path(__file__).parents[3].parent / "shared" / "samples"
TRUTH = json.loads((SAMPLES / "truth.json").read_text()) if (SAMPLES / "truth.json").exists() else {}
KINDS = {
    "catboost": "catboost",
    "csv": "csv",
    "detectron2": "detectron2",
    "dvclive": "dvclive",
    "jsonl": "jsonl",
    "keras_csv": "keras-csv",
    "lightning_csv": "lightning-csv",
    "mmengine": "mmengine",
    "rllib": "rllib",
    "sb3": "sb3",
    "trackio": "trackio",
    "trainer_state": "trainer-state",
    "ultralytics": "ultralytics",
    "wandb": "wandb",
}
SINGLE = 1e-6  # relative: CatBoost's and TensorBoard's event files hold single precision

pytestmark = pytest.mark.skipif(not TRUTH, reason="the samples of other kinds are not there")


@pytest.mark.parametrize("sample", sorted(TRUTH))
def test_a_sample_is_read_as_its_reference_says(sample: str) -> None:
    runs = list(open_source(str(SAMPLES / sample)))
    assert len(runs) == len(TRUTH[sample])
    for wanted in TRUTH[sample]:
        assert any(not faults(run, wanted) for run in runs), [faults(run, wanted) for run in runs]
    if sample != "lightning_csv/beside_events":
        assert {run.source for run in runs} == {KINDS[sample.partition("/")[0]]}


def faults(run: Run, wanted: dict) -> list[str]:
    found = []
    for tag, truth in wanted.items():
        if tag not in run.series:
            found.append(f"{tag} is missing")
            continue
        one = run.series[tag]
        counts = [one.points, sum(map(math.isnan, one.values)), sum(map(math.isinf, one.values))]
        if counts != [truth["points"], truth["nan"], truth["infinite"]]:
            found.append(f"{tag}: {counts}")
        ends = [one.values[0], one.values[-1]]
        if ends != pytest.approx([float(truth["first"]), float(truth["last"])], rel=SINGLE, abs=0, nan_ok=True):
            found.append(f"{tag}: {ends}")
        if [one.steps[0], one.steps[-1]] not in [list(ends) for ends in truth["axis"].values()]:
            found.append(f"{tag}: steps {one.steps[0]} to {one.steps[-1]}")
    return found
