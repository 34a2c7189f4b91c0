"""A run's page and findings.json know the nearest healthy run, what differs, and what siblings say of single values."""

import json
import re
import shutil

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from tensorboardX import SummaryWriter
from tensorboardX.summary import hparams

from analyzer import audit
from analyzer.auditing.cross_run.nearest_healthy import RATE, nearest
from analyzer.auditing.cross_run.observations import observed
from analyzer.auditing.cross_run.single_values import amended
from analyzer.auditing.pipeline import Plan
from analyzer.diagnosis import judge_run
from analyzer.model.case import falling, made_run, noise
from analyzer.model.run import Run
from analyzer.schema import findings_schema
from analyzer.writers.page import page_name
from analyzer.writers.related_runs import course_of, unpacked
from benchmarks.single_store import write_run


def result_of(name, curves, source="made", **params):
    run = made_run(curves, **params)
    return judge_run(Run(name, name, source, "x", run.series, run.params, experiment="e"), now=2e9)


def good(seed):
    loss = falling(100, 2.3, 0.3)
    return {"train/loss": loss + noise(100, 0.01, seed), "val/loss": loss + noise(100, 0.01, seed + 50)}


def burst(seed):
    curves = good(seed)
    return {tag: values * np.where(np.arange(100) > 50, 9.0, 1.0) for tag, values in curves.items()}


def test_the_nearest_is_the_healthy_run_in_which_fewest_settings_differ_then_the_nearest_number_then_the_latest():
    runs = [
        result_of("sick", burst(1), lr=0.3, batch=32, seed=1),
        result_of("far", good(2), lr=0.001, batch=32, seed=2),
        result_of("near", good(3), lr=0.1, batch=32, seed=3),
        result_of("two", good(4), lr=0.29, batch=64, seed=4),
    ]
    assert [r.verdict for r in runs] == ["problems", "healthy", "healthy", "healthy"]
    place, sibling = nearest(runs)[0]
    assert (place, sibling.run) == (2, "near")
    assert sibling.settings == (("lr", "0.3", "0.1"),)
    assert (sibling.tag, sibling.this > 1, sibling.value < 1) == ("val/loss", True, True)


def test_a_seed_is_no_setting_and_sick_runs_are_no_siblings():
    runs = [result_of("sick", burst(1), lr=0.1, seed=1), result_of("also", burst(2), lr=0.1, seed=2)]
    assert nearest(runs) == {}
    runs.append(result_of("well", good(3), lr=0.1, seed=3))
    assert nearest(runs)[0][1].settings == ()


def test_the_learning_rate_is_read_from_its_curve_where_no_param_has_it():
    rate = {"lr": np.full(100, 0.3)}
    runs = [result_of("sick", burst(1) | rate), result_of("well", good(2) | {"lr": np.full(100, 0.01)})]
    assert nearest(runs)[0][1].settings == ((RATE, "0.3", "0.01"),)


def test_the_order_of_runs_changes_nothing():
    runs = [result_of(f"r{i}", (burst if i % 3 == 0 else good)(i), lr=0.1 + i / 7, batch=i % 2) for i in range(9)]
    there = {runs[i].run: s.run for i, (_, s) in nearest(runs).items()}
    back = runs[::-1]
    assert {back[i].run: s.run for i, (_, s) in nearest(back).items()} == there


def test_two_sick_runs_and_a_healthy_one_make_an_observation_without_a_chance():
    runs = [result_of("a", burst(1), lr=0.3), result_of("b", burst(2), lr=0.5), result_of("c", good(3), lr=0.01)]
    said = observed(runs)
    symptom = next(f.symptom for f in runs[0].findings if f.alarms)
    assert "lr ≥ 0.3" in said[0, symptom]
    assert "not a test" in said[0, symptom]
    assert observed(runs[1:]) == {}


def test_a_packed_course_is_the_curve_again():
    result = result_of("a", good(1))
    again = unpacked(course_of(result))
    row = next(r for r in result.series if r.tag == result.main_tag)
    assert again.steps[0] == row.curve.steps[0]
    assert again.steps[-1] == row.curve.steps[-1]
    assert np.allclose(np.interp(again.steps, row.curve.steps, row.curve.values), again.values, rtol=1e-3)


def sweep(folder, runs=6):
    for i in range(runs):
        with SummaryWriter(str(folder / f"trial_{i}")) as writer:
            for part in hparams({"lr": 0.3 if i % 3 == 0 else 0.01, "seed": i}, {}):
                writer.file_writer.add_summary(part)
            for tag, values in (burst if i % 3 == 0 else good)(i).items():
                for step, value in enumerate(values):
                    writer.add_scalar(tag, float(value), step, walltime=1.7e9 + step)


@pytest.fixture
def site(tmp_path):
    sweep(tmp_path / "logs")
    audit([str(tmp_path / "logs")], str(tmp_path / "site"), plan=Plan(state=tmp_path / "state.db"))
    return tmp_path


def document(folder):
    return json.loads((folder / "site" / "findings.json").read_text())


def test_findings_json_names_the_sibling_and_the_schema_allows_it(site):
    found = document(site)
    Draft202012Validator(findings_schema()).validate(found)
    sick = next(run for run in found["runs"] if run["run"].endswith("trial_0"))
    leading = next(f for f in sick["findings"] if f["explained_by"] is None)
    assert leading["sibling"]["settings"] == [{"name": "lr", "this": "0.3", "sibling": "0.01"}]
    assert all("sibling" not in f for run in found["runs"] if run["verdict"] == "healthy" for f in run["findings"])


def test_the_page_draws_the_sibling_and_lists_what_differs(site):
    page = (site / "site" / "runs" / page_name("trial_0")).read_text()
    assert 'class="sibling"' in page
    assert "The nearest healthy run" in page
    assert "an observation, not a test" in page
    curves = json.loads(re.search(r'id="curves">(.*?)</script>', page, re.DOTALL)[1])
    assert [one["t"].startswith("healthy sibling trial_") for one in curves if one.get("sibling")] == [True]
    number = re.search(r'class="sibling".*?data-curve="(\d+)"', page)[1]
    assert curves[int(number)].get("sibling") == 1
    healthy = (site / "site" / "runs" / page_name("trial_1")).read_text()
    assert 'class="sibling"' not in healthy


def test_unchanged_runs_keep_their_pages_and_a_new_sibling_changes_them(site):
    page = site / "site" / "runs" / page_name("trial_0")
    before, at = page.read_bytes(), page.stat().st_mtime_ns
    audit([str(site / "logs")], str(site / "site"), plan=Plan(state=site / "state.db"))
    assert page.stat().st_mtime_ns == at
    for i in (1, 2, 4, 5):
        shutil.rmtree(site / "logs" / f"trial_{i}")
    audit([str(site / "logs")], str(site / "site"), plan=Plan(state=site / "state.db"))
    text = page.read_text()
    assert before != page.read_bytes()
    assert 'class="sibling"' not in text
    assert "The nearest healthy run" not in text
    curves = json.loads(re.search(r'id="curves">(.*?)</script>', text, re.DOTALL)[1])
    assert not any(one.get("sibling") for one in curves)


def single(name, metrics, source="mlflow", **params):
    run = made_run({tag: [value] for tag, value in metrics.items()}, **params)
    return judge_run(Run(name, name, source, "x", run.series, run.params, experiment="e"), now=2e9)


def test_the_same_digits_under_other_settings_are_a_constant_answer():
    runs = [single(f"r{i}", {"train_accuracy": 0.913, "test_accuracy": 0.9075}, C=10.0**-i) for i in range(3)]
    told = amended(runs)
    assert {f.symptom for r in told.values() for f in r.findings} == {"constant-predictor"}
    assert len(told) == 3


def test_the_same_digits_of_a_run_clear_of_chance_or_with_idle_settings_are_none():
    clear = [single(f"r{i}", {"train_roc_auc": 0.91, "test_roc_auc": 0.9}, C=10.0**-i) for i in range(3)]
    idle = [single(f"r{i}", {"train_accuracy": 0.91, "test_accuracy": 0.9}, n_jobs=i) for i in range(3)]
    assert amended(clear) == {}
    assert amended(idle) == {}


def test_the_dummy_of_an_experiment_tells_what_chance_is():
    dummy = single("d", {"train_accuracy": 0.705, "test_accuracy": 0.7}, model="DummyClassifier")
    bad = single("b", {"train_accuracy": 0.73, "test_accuracy": 0.69}, model="SVC")
    well = single("w", {"train_accuracy": 0.93, "test_accuracy": 0.91}, model="LogisticRegression")
    told = amended([dummy, bad, well])
    assert [f.symptom for f in told[1].findings] == ["chance-level"]
    assert well.verdict == "unjudged"
    assert told[2].verdict == "healthy"
    assert 0 not in told


def test_a_metric_that_is_nan_in_all_runs_is_a_note():
    runs = [
        single(f"r{i}", {"train_roc_auc": 0.9, "test_roc_auc": 0.88 + i / 100, "test_f1": np.nan}) for i in range(3)
    ]
    assert all(r.verdict == "problems" for r in runs)
    told = amended(runs)
    assert all(r.verdict == "healthy" for r in told.values())
    assert "not computed" in told[0].findings[0].summary
    assert amended(runs[:2]) == {}


def test_what_siblings_say_of_single_values_is_on_their_pages_and_goes_with_them(tmp_path):
    store = tmp_path / "mlruns"
    for i in range(3):
        metrics = {"train_accuracy": 0.913, "test_accuracy": 0.9075}
        write_run(store, "1", f"{i:032x}", 1_760_000_000_000 + i, metrics, {"C": str(10.0**-i)})
    options = {"plan": Plan(state=tmp_path / "state.db")}
    night = audit([str(store)], str(tmp_path / "site"), **options)
    assert [r.verdict for r in night.results] == ["problems"] * 3
    Draft202012Validator(findings_schema()).validate(document(tmp_path))
    page = tmp_path / "site" / "runs" / page_name(f"{0:032x}")
    assert "Constant predictor" in page.read_text()
    assert "Runs with one value a metric" in (tmp_path / "site" / "index.html").read_text()
    at = page.stat().st_mtime_ns
    audit([str(store)], str(tmp_path / "site"), **options)
    assert page.stat().st_mtime_ns == at
    for i in (1, 2):
        shutil.rmtree(store / "1" / f"{i:032x}")
    night = audit([str(store)], str(tmp_path / "site"), **options)
    assert [r.verdict for r in night.results] == ["unjudged"]
    assert "Constant predictor:" not in page.read_text()
