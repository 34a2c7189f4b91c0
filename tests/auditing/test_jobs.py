"""Nightly jobs in an audit: found by their schedule, told once, gated, kept when their runs vanish, with pages."""

import json
import shutil
from importlib import resources
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from analyzer.auditing import jobs as audit_jobs
from analyzer.auditing.cross_run.recurring_jobs import Logged, jobs
from analyzer.cli import main
from analyzer.settings import Histories

DAY = 86_400.0
START = 1.751e9


def logged(i: int, *, value: float = 0.9, at: float | None = None, place: str = "churn", **settings) -> Logged:
    started = START + DAY * i if at is None else at
    return Logged(f"{place}-{i:03}", f"run {i}", place, started, settings, {"test_accuracy": (value, "higher")})


def noisy(n: int, change: int | None = None) -> list[float]:
    values = 0.9 + 0.005 * np.random.default_rng(1).normal(size=n)
    values[change if change is not None else n :] -= 0.04
    return values.tolist()


def test_runs_night_after_night_are_a_job_and_a_sweep_of_one_night_is_none():
    nightly = [logged(i, value=v) for i, v in enumerate(noisy(30))]
    sweep = [logged(i, at=START + 60 * i, place="sweep", lr=str(i)) for i in range(40)]
    found = jobs([*sweep, *nightly], Histories())
    assert [job.job for job in found.found] == ["churn"]
    assert "started within six hours" in jobs(sweep, Histories()).why_none
    assert "11 runs; a history needs at least 12" in jobs(nightly[:11], Histories()).why_none


def test_a_sweep_that_is_run_again_each_night_has_a_history_for_each_configuration():
    runs = [logged(2 * i + k, at=START + DAY * i + k, lr=lr) for i in range(20) for k, lr in enumerate(("0.1", "0.01"))]
    assert [job.job for job in jobs(runs, Histories()).found] == ["churn (lr=0.01)", "churn (lr=0.1)"]


def test_a_setting_that_changed_once_makes_no_job_of_its_own_unless_it_is_asked_for():
    runs = [logged(i, depth="6" if i < 20 else "12") for i in range(40)]
    assert [job.job for job in jobs(runs, Histories()).found] == ["churn"]
    cut = jobs(runs, Histories(group_by=("depth",))).found
    assert [job.job for job in cut] == ["churn (depth=12)", "churn (depth=6)"]


def write_run(store: Path, i: int, value: float, depth: str = "6", commit: str = "c0") -> None:
    """Write one finished run with one value a metric into an MLflow file store."""
    at, run = int((START + DAY * i) * 1000), f"{i:032x}"
    folder = store / "1" / run
    for part, values in (
        ("metrics", {"test_accuracy": f"{at + 50_000} {value!r} 0\n"}),
        ("params", {"max_depth": depth, "random_state": str(i)}),
        ("tags", {"mlflow.source.git.commit": commit}),
    ):
        (folder / part).mkdir(parents=True)
        for name, text in values.items():
            (folder / part / name).write_text(text)
    (store / "1" / "meta.yaml").write_text("experiment_id: '1'\nlifecycle_stage: active\nname: churn\n")
    (folder / "meta.yaml").write_text(
        f"end_time: {at + 60_000}\nexperiment_id: '1'\nlifecycle_stage: active\nrun_id: {run}\nrun_name: night {i}\n"
        f"run_uuid: {run}\nstart_time: {at}\nstatus: 3\n"
    )


def night(tmp_path: Path, *more: str) -> tuple[int, dict]:
    site = tmp_path / "site"
    code = main(["audit", str(tmp_path / "mlruns"), "-o", str(site), "-q", "--jobs", "0", *more])
    return code, json.loads((site / "findings.json").read_text())


def changes(document: dict) -> list[dict]:
    return [one["history"] for one in document["across"] if one["kind"] == "history"]


def test_an_unannounced_change_is_told_once_gated_once_and_never_forgotten(tmp_path):
    values = noisy(40, 30)
    for i, value in enumerate(values[:30]):
        write_run(tmp_path / "mlruns", i, value)
    state = ("--state", str(tmp_path / "state.db"), "--fail-on-regression")
    assert night(tmp_path, *state)[0] == 0
    for i in range(30, 36):
        write_run(tmp_path / "mlruns", i, values[i], commit="c1")
    code, document = night(tmp_path, *state)
    jsonschema.validate(document, json.loads(resources.files("analyzer.schema").joinpath("posthoc-1.json").read_text()))
    (change,) = changes(document)
    assert code == 1
    assert (change["state"], change["index"], change["run"]) == ("new", 30, f"{30:032x}")
    assert change["code"] == {"from": "c0", "to": "c1"}
    code, document = night(tmp_path, *state)
    assert (code, [one["state"] for one in changes(document)]) == (0, ["persisting"])

    for i in range(15):  # collected by the tracker
        shutil.rmtree(tmp_path / "mlruns" / "1" / f"{i:032x}")
    code, document = night(tmp_path, *state)
    (change,) = changes(document)
    assert (code, change["state"], change["index"], change["nights"]) == (0, "persisting", 30, 36)
    page = next((tmp_path / "site").glob("history-*.html")).read_text()
    assert "is worse since night" in page
    assert 'href="runs/' in page
    index = (tmp_path / "site" / "index.html").read_text()
    assert "Nightly jobs" in index
    assert next((tmp_path / "site").glob("history-*.html")).name in index


def test_an_announced_change_is_told_as_information_and_passes_the_gate(tmp_path):
    for i, value in enumerate(noisy(34, 30)):
        write_run(tmp_path / "mlruns", i, value, depth="6" if i < 30 else "12")
    code, document = night(tmp_path, "--state", str(tmp_path / "state.db"), "--fail-on-regression")
    (change,) = changes(document)
    assert code == 0
    assert change["announced"]
    assert change["changed"] == [{"name": "max_depth", "from": "6", "to": "12"}]


def test_without_a_state_the_night_that_tells_it_gates(tmp_path):
    for i, value in enumerate(noisy(34, 30)[:33]):
        write_run(tmp_path / "mlruns", i, value)
    code, document = night(tmp_path, "--fail-on-regression")
    (change,) = changes(document)
    assert (code, change["told"], change["state"]) == (1, 32, None)
    write_run(tmp_path / "mlruns", 33, noisy(34, 30)[33])
    assert night(tmp_path, "--fail-on-regression")[0] == 0


def test_the_verb_reads_the_same_jobs(tmp_path, capsys):
    for i, value in enumerate(noisy(40, 30)):
        write_run(tmp_path / "mlruns", i, value)
    assert main(["history", str(tmp_path / "mlruns"), "--json", "-", "-q", "--fail-on", "worse"]) == 1
    told = json.loads(capsys.readouterr().out)["changes"]
    audited = changes(night(tmp_path)[1])
    assert told == audited


def test_a_source_without_a_job_is_refused_with_the_reason(tmp_path, capsys):
    for i, value in enumerate(noisy(40)[:5]):
        write_run(tmp_path / "mlruns", i, value)
    assert main(["history", str(tmp_path / "mlruns")]) == 2
    assert "no job that runs every night (churn: 5 runs; a history needs at least 12)" in capsys.readouterr().err


def test_a_fault_in_a_history_costs_the_histories_alone(monkeypatch):
    def broken(*_):
        raise ValueError("no such luck")

    monkeypatch.setattr(audit_jobs, "jobs", broken)
    made = audit_jobs.nightly_jobs([], Histories(), None, ["x"], 0.0)
    assert made.histories == ()
    assert "no such luck" in made.notes[0].message


@pytest.mark.parametrize(
    ("toml", "sentence"),
    [
        ("[history]\ngroup = 1", "group"),
        ("[limits.history]\nweigth = 1", "weigth"),
        ("[history]\nmetric = 3", "metric"),
    ],
)
def test_settings_that_mean_nothing_are_refused(tmp_path, capsys, toml, sentence):
    (tmp_path / "own.toml").write_text(toml)
    code = main(["history", str(tmp_path), "--config", str(tmp_path / "own.toml")])
    assert code == 2
    assert sentence in capsys.readouterr().err


def test_settings_choose_metrics_and_weight(tmp_path, capsys):
    for i, value in enumerate(noisy(40, 30)):
        write_run(tmp_path / "mlruns", i, value)
    (tmp_path / "own.toml").write_text('[history]\nignore = ["test_accuracy"]\n[limits.history]\nweight = 7\n')
    assert main(["history", str(tmp_path / "mlruns"), "--config", str(tmp_path / "own.toml")]) == 2
    assert "no metric or loss has a value" in capsys.readouterr().err
