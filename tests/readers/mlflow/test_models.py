"""Metrics of several logged models under one name are distinguished, in databases and file stores; none is lost."""

import sqlite3
import time

import numpy as np
import pytest

from analyzer.diagnosis import judge_run
from analyzer.features import RunFeatures
from analyzer.model.run import Run, Series
from analyzer.readers import open_source
from analyzer.readers.mlflow.models import Owned, by_model
from tests.readers.mlflow.test_database import RUN, make_database
from tests.readers.mlflow.test_file_store import RUN as RUN_IN_FILES
from tests.readers.mlflow.test_file_store import make_run

MODELS = """
CREATE TABLE logged_models (model_id VARCHAR(36) PRIMARY KEY, name VARCHAR(500), source_run_id VARCHAR(32));
CREATE TABLE logged_model_metrics (model_id VARCHAR(36), metric_name VARCHAR(500), metric_timestamp_ms BIGINT,
                                   metric_step BIGINT, metric_value FLOAT, run_id VARCHAR(32));
"""


def in_database(folder, points):
    connection = make_database(folder / "mlflow.db")
    connection.executescript(f"DELETE FROM metrics; {MODELS}")
    connection.executemany("INSERT INTO logged_models VALUES (?, ?, ?)", [("m-1", "a", RUN), ("m-2", "b", RUN)])
    for model, stamp, value, step in points:
        connection.execute("INSERT INTO metrics VALUES ('loss', ?, ?, ?, ?, 0)", (value, stamp, RUN, step))
        if model:
            row = (model, stamp, step, value, RUN)
            connection.execute("INSERT INTO logged_model_metrics VALUES (?, 'loss', ?, ?, ?, ?)", row)
    connection.commit()


def in_files(folder, points):
    run = make_run(folder / "mlruns", loss="".join(f"{stamp} {value} {step}\n" for _, stamp, value, step in points))
    for model, name in (("m-1", "a"), ("m-2", "b")):
        place = run.parent / "models" / model
        (place / "metrics").mkdir(parents=True)
        (place / "meta.yaml").write_text(f"model_id: {model}\nname: {name}\n")
        lines = [f"{stamp} {value} {step} {RUN_IN_FILES}\n" for owner, stamp, value, step in points if owner == model]
        (place / "metrics" / "loss").write_text("".join(lines) + "1 9.0 0 another-run\n")


@pytest.mark.parametrize("write", [in_database, in_files])
def test_two_models_of_a_run_are_two_curves(tmp_path, write):
    """Also where both logged in the same millisecond; a point of no model keeps the plain name."""
    points = [(model, 1000 + step, value, step) for step in range(20) for model, value in (("m-1", 1.0), ("m-2", 5.0))]
    write(tmp_path, [*points, ("", 2000, 0.25, 0)])
    (run,) = open_source(str(tmp_path))
    values = {tag: one.values.tolist() for tag, one in run.series.items()}
    assert values == {"loss (model a)": [1.0] * 20, "loss (model b)": [5.0] * 20, "loss": [0.25]}


def test_one_model_alone_keeps_the_plain_name(tmp_path):
    in_database(tmp_path, [("m-1", 1000, 1.0, 0), ("m-1", 1001, 0.5, 0)])
    (run,) = open_source(str(tmp_path))
    assert list(run.series) == ["loss"]


def test_a_value_that_is_no_number_stays_with_its_model():
    """Databases hold 0 for NaN in the metrics of models."""
    series = {"loss": Series("loss", np.array([0, 0, 1, 1]), np.array([1, 5, np.nan, 6.0]), np.array([1, 1, 2, 2]))}
    owned = [Owned("loss", "m", "", 1000, 0, 1.0), Owned("loss", "n", "", 1000, 0, 5.0)]
    owned += [Owned("loss", "m", "", 2000, 1, 0.0), Owned("loss", "n", "", 2000, 1, 6.0)]
    found = by_model(series, owned)
    np.testing.assert_array_equal(found["loss (model m)"].values, [1, np.nan])
    np.testing.assert_array_equal(found["loss (model n)"].values, [5, 6])


def test_each_model_is_judged_and_compared_with_its_own_losses():
    good = np.exp(-np.arange(60) / 12) + 0.2 + 0.001 * np.sin(np.arange(60) * 9.0)
    bad = np.where(np.arange(60) < 36, good, 9.0 + 0.01 * np.sin(np.arange(60) * 7.0))
    made = {"loss (model b)": bad, "loss (model a)": good, "val_loss (model a)": good * 1.05}
    series = {tag: Series(tag, np.arange(60), values, 1.7e9 + np.arange(60.0)) for tag, values in made.items()}
    run = Run("r", "r", "mlflow", "x", series)
    features = RunFeatures(run)
    assert features.partner(features.validation[0]).tag == "loss (model a)"
    without = Run("r", "r", "mlflow", "x", {tag: one for tag, one in series.items() if tag.startswith("loss")})
    alarms = [(f.symptom, f.tags) for f in judge_run(without, now=2e9).findings if f.alarms]
    assert alarms == [("exploding-loss", ("loss (model b)",))]


def test_a_database_whose_models_lack_columns_is_read_as_before(tmp_path):
    in_database(tmp_path, [("m-1", 1000, 1.0, 0), ("m-2", 1000, 5.0, 0)])
    with sqlite3.connect(tmp_path / "mlflow.db") as connection:
        connection.execute("ALTER TABLE logged_models DROP COLUMN source_run_id")
    (run,) = open_source(str(tmp_path))
    assert list(run.series) == ["loss"]


def test_many_points_of_one_time_and_step_are_told_apart_in_time_that_grows_with_their_number():
    values = np.random.default_rng(3).permutation(50_000).astype(float)
    series = {"loss": Series("loss", np.zeros(50_000, int), values, np.zeros(50_000))}
    owned = [Owned("loss", "ab"[n % 2], "", 0, 0, float(n)) for n in range(50_000)]
    begun = time.thread_time()
    found = by_model(series, owned)
    assert time.thread_time() - begun < 20  # seconds; it takes below one, and took two minutes
    assert {tag: set(one.values % 2) for tag, one in found.items()} == {
        "loss (model a)": {0.0},
        "loss (model b)": {1.0},
    }
