"""Which runs are one sweep: an MLflow experiment, or the deepest folder in which settings vary; each run once."""

from dataclasses import replace

from analyzer.auditing.cross_run.run_settings import settings_of
from analyzer.auditing.cross_run.sweeps import sweeps
from benchmarks.across import run


def runs(count, name="s/r{i}", params=lambda i: {"lr": i % 3}, **more):
    return [replace(run(name.format(i=i), params(i), []), **more) for i in range(count)]


def shapes(results):
    return [(sweep.name, len(sweep.results), [s.name for s in sweep.settings]) for sweep in sweeps(results)]


def test_an_experiment_of_mlflow_is_a_sweep_whatever_the_names():
    vision = runs(9, "0af3{i}", source="mlflow", experiment="vision", main_tag="loss")
    audio = runs(9, "1bc4{i}", source="mlflow", experiment="audio/small", main_tag="loss")
    assert shapes([*vision, *audio]) == [("audio/small", 9, ["lr"]), ("vision", 9, ["lr"])]
    assert shapes([*vision[:7], *audio[:7]]) == []  # seven in each, which are never put together


def test_the_deepest_folder_in_which_settings_vary():
    assert shapes(runs(9, "p/a/r{i}") + runs(9, "p/b/r{i}")) == [("p/a", 9, ["lr"]), ("p/b", 9, ["lr"])]
    by_rate = [run(f"p/lr{i % 3}/seed{i // 3}", {"lr": i % 3, "seed": i // 3}, []) for i in range(27)]
    assert shapes(by_rate) == [("p", 27, ["lr"])]
    own_folders = runs(9, "p/run{i}/version_0")
    assert shapes(own_folders) == [("p", 9, ["lr"])]


def test_runs_of_other_curves_without_settings_or_still_going_are_left_out():
    assert shapes(runs(5) + [replace(one, main_tag="reward") for one in runs(5, "s/x{i}")]) == []
    assert shapes(runs(9, params=lambda i: {})) == [] and shapes(runs(9, status="in-progress")) == []
    assert shapes(runs(9, params=lambda i: {"lr": 1, "seed": i})) == []


def test_a_setting_that_few_runs_have_is_none():
    some = runs(10, params=lambda i: {"lr": i % 3} | ({"rare": i} if i < 5 else {}))
    assert shapes(some) == [("s", 10, ["lr"])]


def test_settings_that_tell_the_same_runs_apart_are_one_under_the_usual_suspects_name():
    columns = runs(
        9,
        params=lambda i: {
            "fall": 5 - i % 3, "lr": 10.0 ** (i % 3), "mode": "abc"[i % 3], "kind": "xyz"[i % 3], "depth": 9 - i // 3
        },
    )  # fmt: skip
    told = {setting.name: setting.along for setting in settings_of(columns)}
    assert told == {"lr": ("fall",), "depth": (), "kind": ("mode",)}
