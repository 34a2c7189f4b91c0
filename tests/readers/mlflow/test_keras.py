"""Keras as MLflow logs it by itself, in the longer suite: `python -m pytest -m long tests/readers/mlflow`."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from analyzer import analyze
from analyzer.readers import open_source
from tests.readers.mlflow.peers import QUIET

pytestmark = pytest.mark.long
SCRIPT = Path(__file__).with_name("autologged.py")


def test_autologged_keras_has_its_roles(tmp_path, request):
    python = os.environ.get("POSTHOC_KERAS") or request.getfixturevalue("mlflow_python")
    found = subprocess.run([python, "-c", "import tensorflow"], check=False, capture_output=True)
    if found.returncode:
        pytest.skip(f"tensorflow is not installed for {python}; see tests/requirements-keras.txt")
    store = f"sqlite:///{tmp_path}/mlflow.db"
    environment = os.environ | QUIET | {"MLFLOW_TRACKING_URI": store, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [python, str(SCRIPT), "keras"],
        check=False,
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    key = json.loads(done.stdout.splitlines()[-1])["keras"]
    (run,) = open_source(f"runs:/{key}", tracking_uri=store)
    result = analyze(run)
    rows = {row.tag: (row.role, row.split) for row in result.series}
    assert rows["loss"] == ("loss", "train") and rows["val_loss"] == ("loss", "validation")
    assert rows["accuracy"][0] == rows["val_accuracy"][0] == "metric"
    assert rows["learning_rate"][0] == "learning-rate" if "learning_rate" in rows else True
    assert all(run.series[tag].steps.tolist() == list(range(15)) for tag in ("loss", "val_loss", "accuracy"))
    assert run.declared == "FINISHED" and run.params["epochs"] == "15"
    assert not [f.symptom for f in result.findings if f.severity == "error"]
