"""MLflow's file store is read as it lies there: every intact point, no invented one, nothing changed."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.errors import NoRunsError, UsageError
from analyzer.readers import Choice, discover, open_source
from analyzer.readers.mlflow.metric_history import parse_history

RUN = "0123456789abcdef0123456789abcdef"


def make_run(store: Path, run_id: str = RUN, *, status: object = 3, stage: str = "active", **metrics: str) -> Path:
    place = store / "1" / run_id
    for folder in ("metrics", "params", "tags", "artifacts"):
        (place / folder).mkdir(parents=True)
    (store / "1" / "meta.yaml").write_text(
        "artifact_location: file:///x\nexperiment_id: '1'\nlifecycle_stage: active\nname: e\n"
    )
    (place / "meta.yaml").write_text(
        f"run_id: {run_id}\nstatus: {status}\nlifecycle_stage: {stage}\nrun_name: calm-fox\n"
    )
    for name, text in metrics.items():
        path = place / "metrics" / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    return place


def read_one(source: Path):
    (run,) = open_source(str(source))
    return run


def test_metrics_params_tags_name_and_status_come_along(tmp_path):
    place = make_run(tmp_path / "mlruns", train__loss="2000 0.5 1\n1000 0.9 0\n")
    (place / "params" / "lr").write_text("0.1")
    (place / "params" / "db_password").write_text("hunter2")
    (place / "tags" / "mlflow.runName").write_text("brisk-owl")
    run = read_one(tmp_path)
    assert (run.id, run.name, run.source, run.declared) == (RUN, "brisk-owl", "mlflow", "FINISHED")
    assert dict(run.params) == {"lr": "0.1", "db_password": "***"}
    loss = run.series["train/loss"]
    assert (loss.steps.tolist(), loss.values.tolist(), loss.wall_times.tolist()) == ([0, 1], [0.9, 0.5], [1.0, 2.0])


def test_the_order_is_that_of_time_so_that_a_restart_shows(tmp_path):
    make_run(tmp_path, loss="1 9 0\n2 8 1\n3 7 2\n4 6 1\n5 5 2\n")
    assert read_one(tmp_path).series["loss"].steps.tolist() == [0, 1, 2, 1, 2]


def test_values_that_are_no_numbers_are_kept(tmp_path):
    make_run(tmp_path, loss="1 nan 0\n2 inf 1\n3 -inf 2\n4 1e-3 3\n")
    np.testing.assert_array_equal(read_one(tmp_path).series["loss"].values, [np.nan, np.inf, -np.inf, 1e-3])


@pytest.mark.parametrize("source", ["", "mlruns", "mlruns/1", f"mlruns/1/{RUN}"])
def test_a_store_an_experiment_and_a_run_are_sources(tmp_path, source):
    make_run(tmp_path / "mlruns", loss="1 2 3\n")
    assert read_one(tmp_path / source).id == RUN


def test_stores_lie_under_any_name_and_inside_each_other(tmp_path):
    make_run(tmp_path / "runs" / "mlflow", "a" * 32, loss="1 2 3\n")
    make_run(tmp_path / "mlruns" / "mlruns", "b" * 32, loss="1 2 3\n")
    assert {run.id for run in open_source(str(tmp_path))} == {"a" * 32, "b" * 32}


def test_logged_models_artifacts_and_empty_folders_are_no_runs(tmp_path):
    make_run(tmp_path, loss="1 2 3\n")
    model = tmp_path / "1" / "models" / "m-0123"
    (model / "metrics").mkdir(parents=True)
    (model / "params").mkdir()
    (model / "metrics" / "loss").write_text("1 2 3 " + RUN + "\n")
    assert [run.id for run in open_source(str(tmp_path))] == [RUN]
    (tmp_path / "other" / "1" / RUN / "artifacts").mkdir(parents=True)
    with pytest.raises(NoRunsError):
        list(open_source(str(tmp_path / "other")))


def test_deleted_runs_are_left_out_unless_asked_for(tmp_path):
    make_run(tmp_path, "a" * 32, loss="1 2 3\n")
    make_run(tmp_path, "b" * 32, stage="deleted", loss="1 2 3\n")
    assert {r.id for r in open_source(str(tmp_path))} == {"a" * 32}
    assert {r.id for r in open_source(str(tmp_path), choice=Choice(deleted=True))} == {"a" * 32, "b" * 32}


def test_a_last_line_that_is_cut_off_is_work_in_progress_at_every_cut(tmp_path):
    whole = b"1000 0.25 0\n2000 0.125 10\n"
    for cut in range(len(whole)):
        history = parse_history(whole[:cut], "loss")
        kept = whole[:cut].count(b"\n")
        assert history.values.tolist() == [0.25, 0.125][:kept]
        torn = not whole[:cut].endswith(b"\n") and cut > 0
        assert [n.kind for n in history.notes] == (["torn-tail"] if torn else [])


@pytest.mark.parametrize(
    "broken",
    [
        b"garbage\n",
        b"1 0.5\x00 1\n",
        b"\x00\x00\x00\x00\n",
        b"\xff\xfe 1 2\n",
        b"1 2 x\n",
        b"1 2_0 3\n",
        b"99999999999999999999 1 1\n",
        b"2 nan(1) 1\n",
        b"2 0.5 13 0.25 2\n",  # 2 0.5 1 and 3 0.25 2, grown together
    ],
)
def test_a_damaged_line_costs_itself_and_is_named(broken):
    history = parse_history(b"1 0.5 0\n" + broken + b"3 0.25 2\n", "metrics/loss")
    assert history.values.tolist() == [0.5, 0.25]
    (note,) = history.notes
    assert (note.kind, note.file, note.offset, note.size) == ("damage", "metrics/loss", 8, len(broken))


def test_points_with_a_data_set_are_points(tmp_path):
    make_run(tmp_path, loss="1 0.5 0\n2 0.25 1 my_data 1a2b3c4d\n3 0.125 2 my data 损 1\n")
    run = read_one(tmp_path)
    assert run.series["loss"].values.tolist() == [0.5, 0.25, 0.125] and not run.notes


def test_strange_names_and_steps_are_kept(tmp_path):
    place = make_run(tmp_path, loss="1 1 0\n")
    names = ["100%/a b", "größe", "损/失", "x" * 250, "%41", "a/b/c/d", "(mAP50)"]
    for name in names:
        (place / "metrics" / name).parent.mkdir(parents=True, exist_ok=True)
        (place / "metrics" / name).write_text("1 1 -3\n1 1 -3\n1 2 -3\n-5 0 0\n")
    run = read_one(tmp_path)
    assert set(run.series) == {*names, "loss"} and not run.notes
    for name in names:
        one = run.series[name]
        assert (one.steps.tolist(), one.values.tolist()) == ([0, -3, -3, -3], [0, 1, 1, 2])


@given(st.lists(st.tuples(st.integers(0, 2**62), st.floats(), st.integers(-(2**63), 2**63 - 1)), max_size=30))
def test_any_history_comes_back_as_it_was_written(points):
    text = "".join(f"{t} {v} {s}\n" for t, v, s in points).encode()
    history = parse_history(text, "loss")
    assert history.stamps.tolist() == [p[0] for p in points]
    assert history.steps.tolist() == [p[2] for p in points]
    np.testing.assert_array_equal(history.values, [p[1] for p in points])
    assert not history.notes


@given(st.binary(max_size=200))
def test_no_bytes_make_the_parser_fail(raw):
    history = parse_history(raw, "loss")
    assert history.values.size == history.steps.size == history.stamps.size


@pytest.mark.parametrize(
    "meta",
    [
        b"",
        b"- a\n- b\n",
        b"a: &x 1\nb: *x\n",
        b"\xff\xfe",
        b"a: [",
        b"x: " + b"y" * 300_000,
        b"!!python/object/apply:os.system ['true']",
    ],
)
def test_a_broken_meta_yaml_costs_the_metadata_of_that_run_only(tmp_path, meta):
    place = make_run(tmp_path, "a" * 32, loss="1 2 3\n")
    make_run(tmp_path, "b" * 32, loss="1 2 3\n")
    (place / "meta.yaml").write_bytes(meta)
    runs = {run.id: run for run in open_source(str(tmp_path))}
    assert [n.kind for n in runs["a" * 32].notes] == ["metadata"]
    assert not runs["b" * 32].notes
    assert runs["a" * 32].series["loss"].values.tolist() == [2.0]


def test_links_and_pipes_in_the_store_are_left_alone(tmp_path):
    place = make_run(tmp_path, loss="1 2 3\n")
    os.mkfifo(place / "metrics" / "pipe")
    (place / "metrics" / "link").symlink_to("/etc/passwd")
    assert list(read_one(tmp_path).series) == ["loss"]


def test_experiments_data_sets_and_parents_come_along_and_choose(tmp_path):
    place = make_run(tmp_path / "mlruns", loss="1 2 3\n")
    (place / "tags" / "mlflow.parentRunId").write_text("p" * 32)
    for folder, text in (
        (place / "inputs" / "i", "source_type: DATASET\nsource_id: d1\ntags:\n  mlflow.data.context: training\n"),
        (place / "inputs" / "j", "source_type: DATASET\nsource_id: ../../../x\ntags: []\n"),
        (place.parent / "datasets" / "d1", "name: iris\ndigest: abc\nsource: s3://x\n"),
    ):
        folder.mkdir(parents=True)
        (folder / "meta.yaml").write_text(text)
    for source in (tmp_path, tmp_path / "mlruns" / "1", place):
        run = read_one(source)
        assert (run.experiment, run.tags["mlflow.parentRunId"]) == ("e", "p" * 32)
        assert run.tags["mlflow.datasets"] == "iris (training, abc)"
        for wanted in ("e", "1"):
            assert [r.id for r in discover(str(source), choice=Choice((wanted,)))] == [RUN]
        with pytest.raises(NoRunsError, match="there are e"):
            discover(str(source), choice=Choice(("zzz",)))
    with pytest.raises(UsageError, match="--filter"):
        discover(str(tmp_path), choice=Choice(filter="x"))


def test_naming_an_experiment_leaves_other_logs_out(tmp_path):
    make_run(tmp_path / "mlruns", loss="1 2 3\n")
    (tmp_path / "events.out.tfevents.1.host").write_bytes(b"")
    assert len(discover(str(tmp_path)).refs) == 2
    assert [r.id for r in discover(str(tmp_path), choice=Choice(("e",)))] == [RUN]


def test_files_beyond_the_limit_are_counted_in_a_note_and_losses_are_read_first(tmp_path, monkeypatch):
    monkeypatch.setattr("analyzer.readers.mlflow.file_store.MOST_FILES", 3)
    make_run(tmp_path, **dict.fromkeys(("a", "b", "c", "d", "loss"), "1 0.5 0\n"))
    run = read_one(tmp_path)
    assert "loss" in run.series and len(run.series) == 3
    assert any("5 files; 2 of them were left out" in note.message for note in run.notes)


@pytest.mark.parametrize("file", ["params/lr", "tags/mlflow.runName", "../meta.yaml"])
def test_the_token_of_a_run_changes_with_every_file_that_its_result_depends_on(tmp_path, file):
    place = make_run(tmp_path, loss="1 0.5 0\n")
    before = discover(str(tmp_path)).refs[0].stamp()
    (place / file).write_text("artifact_location: x\nexperiment_id: '1'\nlifecycle_stage: active\nname: renamed\n")
    assert discover(str(tmp_path)).refs[0].stamp() != before
