"""Each kind of log in files: what is recognised, on which axis, with which declared facts."""

from __future__ import annotations

import json
import math
import sqlite3
from pathlib import Path

import pytest

from analyzer.cli import main
from analyzer.errors import NoRunsError
from analyzer.model.run import Run
from analyzer.readers import discover, open_source
from analyzer.readers.filelog import kinds
from tests.readers.filelog import logs


def only(place: Path) -> Run:
    (run,) = open_source(str(place))
    return run


def points(run: Run, tag: str) -> list[tuple[int, float]]:
    one = run.series[tag]
    return list(zip(one.steps.tolist(), one.values.tolist(), strict=True))


def test_every_kind_of_the_contract_is_there() -> None:
    named = "lightning-csv ultralytics trainer-state wandb keras-csv csv jsonl sb3 rllib detectron2 mmengine dvclive"
    assert set(kinds.known()) == {*named.split(), "trackio", "catboost", "tensorboard-csv", "json"}


def test_lightning_keeps_nan_and_drops_blanks(tmp_path: Path) -> None:
    logs.text(tmp_path / "version_0" / "hparams.yaml", "lr: 0.01", "model:", "  depth: 3", "api_key: abcdefgh")
    logs.text(
        tmp_path / "version_0" / "metrics.csv",
        "epoch,step,train_loss,val_loss",
        "0,4,2.5,",
        "0,9,nan,",
        "0,9,,inf",
    )
    run = only(tmp_path)
    assert (run.source, run.id) == ("lightning-csv", "version_0")
    assert points(run, "train_loss")[0] == (4, 2.5)
    assert math.isnan(run.series["train_loss"].values[1])
    assert points(run, "val_loss") == [(9, math.inf)]
    assert run.params == {"lr": "0.01", "model.depth": "3", "api_key": "***"}


def test_a_lightning_run_that_has_logged_nothing_is_a_run_without_series(tmp_path: Path) -> None:
    logs.text(tmp_path / "version_0" / "hparams.yaml", "lr: 0.1")
    (tmp_path / "version_0" / "metrics.csv").write_bytes(b"\n")
    run = only(tmp_path)
    assert (run.source, dict(run.series), run.notes) == ("lightning-csv", {}, ())


def test_an_empty_file_of_which_nothing_else_is_known_is_named(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_bytes(b"\n")
    with pytest.raises(NoRunsError, match=r"metrics\.csv is not read"):
        discover(str(tmp_path))


def test_ultralytics_padding_and_the_planned_epochs(tmp_path: Path) -> None:
    logs.text(tmp_path / "train" / "args.yaml", "epochs: 100", "lr0: 0.01")
    header = "   epoch,   train/box_loss,  metrics/mAP50(B)"
    logs.text(tmp_path / "train" / "results.csv", header, "  0,  1.5,  0.2", "  1, 1.2, 0.3")
    run = only(tmp_path)
    assert run.source == "ultralytics"
    assert points(run, "train/box_loss") == [(0, 1.5), (1, 1.2)]
    assert run.params["epochs"] == "100"


def test_a_trainers_history_without_its_closing_row_and_with_its_plan(tmp_path: Path) -> None:
    rows = [*logs.losses(5), {"step": 50, "train_loss": 1.1, "train_runtime": 9.0}]
    logs.state(tmp_path / "out" / "trainer_state.json", rows, max_steps=500, num_train_epochs=3)
    run = only(tmp_path)
    assert run.source == "trainer-state"
    assert run.series["loss"].steps.tolist() == [10, 20, 30, 40, 50]
    assert "train_loss" not in run.series
    assert run.tags["train_loss"] == "1.1"
    assert (run.params["max_steps"], run.params["num_train_epochs"]) == (500, 3)
    assert any("closing row" in note.message for note in run.notes)


def test_checkpoints_of_one_history_are_one_run_and_a_stale_one_is_another(tmp_path: Path) -> None:
    rows, other = logs.losses(9), logs.losses(4, start=7.0)
    for count in (2, 9, 5):
        logs.state(tmp_path / "out" / f"checkpoint-{count}0" / "trainer_state.json", rows[:count], max_steps=90)
    logs.state(tmp_path / "out" / "checkpoint-40" / "trainer_state.json", other, max_steps=40)
    whole, stale = open_source(str(tmp_path))
    assert (whole.id, whole.series["loss"].points) == ("out", 9)
    assert (stale.id, stale.series["loss"].points) == ("out/checkpoint-40", 4)
    assert any("checkpoint-20" in note.message and "checkpoint-50" in note.message for note in whole.notes)


def test_a_state_that_was_cut_keeps_the_rows_in_front_of_the_cut(tmp_path: Path) -> None:
    path = logs.state(tmp_path / "trainer_state.json", logs.losses(6))
    raw = path.read_bytes()
    path.write_bytes(raw[: raw.index(b'"step": 40') - 20])
    run = only(tmp_path)
    assert run.series["loss"].steps.tolist() == [10, 20, 30]
    assert any(note.kind == "damage" for note in run.notes)


@pytest.mark.parametrize(
    ("code", "declared"), [(0, "FINISHED"), (1, "FAILED"), (None, "RUNNING")], ids=["done", "failed", "killed"]
)
def test_wandb_status_config_and_axis(tmp_path: Path, code: int | None, declared: str) -> None:
    defined = logs.message((12, logs.message((1, "loss"), (4, "examples"))))
    config = logs.message((1, logs.message((1, "lr"), (16, "0.5"))))
    begun = logs.message((17, logs.message((1, "abc"), (4, config))))
    end = [] if code is None else [logs.exited(code)]
    rows = [logs.history(n, loss=float(n), examples=64 * n, note="text", flag=True) for n in range(4)]
    path = logs.wandb_run(tmp_path / "wandb", begun, defined, *rows, *end)
    logs.text(path.parent / "files" / "config.yaml", "_wandb: {value: {}}", "depth: {desc: null, value: 3}")
    run = only(tmp_path)
    assert (run.source, run.declared) == ("wandb", declared)
    assert points(run, "loss") == [(0, 0.0), (64, 1.0), (128, 2.0), (192, 3.0)]
    assert run.series["loss"].wall_times[1] == 1_788_000_001.0
    assert set(run.series) == {"loss", "examples"}
    assert run.params == {"lr": 0.5, "depth": "3"}


def test_of_the_axes_that_a_user_of_wandb_defined_the_last_that_was_logged_counts(tmp_path: Path) -> None:
    pairs = (("*", "Epoch"), ("val/*", "images"), ("val/loss", "absent"), ("Epoch", "images"), ("val/acc[1]", "Epoch"))
    defined = [logs.message((12, logs.message((2 if "*" in name else 1, name), (4, axis)))) for name, axis in pairs]
    values = {"loss": 1.0, "val/loss": 2.0, "val/acc[1]": 0.5}
    rows = [logs.history(n, Epoch=10 * n, images=64 * n, **values) for n in range(3)]
    logs.wandb_run(tmp_path, *defined, *rows, logs.exited(0))
    run = only(tmp_path)
    steps = {tag: one.steps.tolist() for tag, one in run.series.items()}
    epochs, images = [0, 10, 20], [0, 64, 128]
    assert steps == {
        "Epoch": images, "images": epochs, "loss": epochs, "val/loss": images, "val/acc[1]": epochs,
    }  # fmt: skip


def test_wandb_typed_values_are_taken_beside_json(tmp_path: Path) -> None:
    items = [((1, "a"), (5, 5)), ((1, "b"), (6, 0.25)), ((1, "c"), (4, 1)), ((1, "d"), (7, "1.5"))]
    items.append(((2, "e"), (2, "f"), (16, "NaN")))
    row = logs.message((2, logs.message(*((1, logs.message(*item)) for item in items), (2, logs.message((1, 7))))))
    logs.wandb_run(tmp_path, row, logs.exited(0))
    run = only(tmp_path)
    assert points(run, "a") == [(7, -3.0)]  # 5 in zigzag
    assert points(run, "b") == [(7, 0.25)]
    assert math.isnan(run.series["e/f"].values[0])
    assert set(run.series) == {"a", "b", "e/f"}


def test_wandb_folders_with_one_id_are_one_resumed_run(tmp_path: Path) -> None:
    logs.wandb_run(tmp_path, *(logs.history(n, loss=1.0) for n in range(3)), time="20260101_120000")
    logs.wandb_run(tmp_path, *(logs.history(n, loss=0.5) for n in range(3, 5)), logs.exited(0), time="20260101_130000")
    run = only(tmp_path)
    assert run.series["loss"].steps.tolist() == [0, 1, 2, 3, 4]
    assert run.declared == "FINISHED"


def test_a_record_over_several_blocks_is_read_whole(tmp_path: Path) -> None:
    long = logs.message((4, b"x" * 100_000))  # console text
    logs.wandb_run(tmp_path, logs.history(0, loss=1.0), long, logs.history(1, loss=0.5), logs.exited(0))
    assert points(only(tmp_path), "loss") == [(0, 1.0), (1, 0.5)]


def test_keras_separators_missing_values_and_arrays(tmp_path: Path) -> None:
    logs.text(tmp_path / "training.log", "epoch;loss;val_loss;matrix", '0;1.5;NA;"[1; 2]"', '1;1.0;1.25;"[3; 4]"')
    run = only(tmp_path)
    assert run.source == "keras-csv"
    assert points(run, "loss") == [(0, 1.5), (1, 1.0)]
    assert points(run, "val_loss") == [(1, 1.25)]
    assert any(note.kind == "not-scalar" and "matrix" in note.message for note in run.notes)


def test_a_keras_history_without_epochs_counts_its_rows(tmp_path: Path) -> None:
    logs.text(tmp_path / "m" / "log.csv", "val_loss,loss", "1.5,1.25", "1.0,0.75")
    run = only(tmp_path)
    assert (run.source, points(run, "loss")) == ("keras-csv", [(0, 1.25), (1, 0.75)])


def test_the_unnamed_index_of_pandas_is_an_axis_and_no_curve(tmp_path: Path) -> None:
    logs.text(tmp_path / "m" / "history.csv", ",loss,val_loss", "5,1.25,1.5", "6,0.75,1.0")
    run = only(tmp_path)
    assert points(run, "loss") == [(5, 1.25), (6, 0.75)]
    assert set(run.series) == {"loss", "val_loss"}


def test_tables_are_logs_by_what_their_columns_mean(tmp_path: Path) -> None:
    logs.text(tmp_path / "a" / "curve.csv", "step,loss", "0,2.0", "10,1.0")
    logs.text(tmp_path / "b" / "progress.csv", "city,population", "Rome,3", "Oslo,1")
    logs.text(tmp_path / "b" / "iris.csv", "sepal,petal,label", "5.1,1.4,0", "4.9,1.4,1")
    logs.text(tmp_path / "b" / "sensor.csv", "step,temperature", "0,20.5", "1,20.6")
    logs.lines(tmp_path / "b" / "data.jsonl", {"text": "hello", "label": 1})
    assert [(ref.id, ref.source) for ref in discover(str(tmp_path))] == [("a", "csv")]


def test_tables_of_two_splits_are_one_run(tmp_path: Path) -> None:
    for split, value in (("train", 1.0), ("val", 2.0)):
        logs.text(tmp_path / "m" / f"{split}_performance.csv", "accuracy,loss", f"0.5,{value}", f"0.6,{value / 2}")
    run = only(tmp_path)
    assert points(run, "train/loss") == [(0, 1.0), (1, 0.5)]
    assert points(run, "val/loss") == [(0, 2.0), (1, 1.0)]
    assert any("rows are counted" in note.message for note in run.notes)


def test_a_batch_number_that_restarts_each_epoch_each_epoch_is_no_axis(tmp_path: Path) -> None:
    rows = [f"{epoch},{batch},1.0" for epoch in range(3) for batch in range(4)]
    logs.text(tmp_path / "m" / "log.csv", "epoch,step,loss", *rows)
    assert only(tmp_path).series["loss"].steps.tolist() == list(range(12))


def test_json_lines_keep_bare_nan_and_leave_out_what_is_no_number(tmp_path: Path) -> None:
    logs.text(
        tmp_path / "r" / "metrics.jsonl",
        '{"step": 1, "loss": NaN, "ok": true, "name": "x", "two": [1, 2], "one": [7], "text": "5", "in": {"lr": 0.1}}',
        '{"step": 2, "loss": -Infinity}',
    )
    run = only(tmp_path)
    assert run.source == "jsonl"
    assert set(run.series) == {"loss", "one", "text", "in/lr"}
    assert run.series["loss"].values[1] == -math.inf and run.series["text"].values[0] == 5


def test_monitors_count_the_steps_of_their_environments(tmp_path: Path) -> None:
    for number in range(2):
        begun = '#{"t_start": 1788000000.0, "env_id": "E"}'
        logs.text(tmp_path / "logs" / f"{number}.monitor.csv", begun, "r,l,t", "1.0,10,0.5", "2.0,15,0.9")
    run = only(tmp_path)
    assert run.source == "sb3"
    assert points(run, "1/r") == [(10, 1.0), (25, 2.0)]
    assert run.series["0/r"].wall_times.tolist() == [1788000000.5, 1788000000.9]
    assert run.params["env_id"] == "E"


def test_rllib_is_read_from_result_json_and_its_table_is_a_twin(tmp_path: Path) -> None:
    rows = [{"training_iteration": n, "timesteps_total": 100 * n, "info": {"loss": 1.0 / n}} for n in (1, 2, 3)]
    logs.lines(tmp_path / "PPO" / "result.json", *({**row, "config": {"lr": 0.1}, "done": True} for row in rows))
    logs.text(tmp_path / "PPO" / "progress.csv", "training_iteration,info/loss", "1,1.0", "2,0.5", "3,0.33333")
    run = only(tmp_path)
    assert (run.source, run.declared, run.params["lr"]) == ("rllib", "FINISHED", 0.1)
    assert run.series["info/loss"].steps.tolist() == [100, 200, 300]
    assert any("PPO/progress.csv describes the same" in note.message for note in run.notes)


def test_a_twin_that_has_more_gives_what_is_missing(tmp_path: Path) -> None:
    rows = [{"training_iteration": n, "info": {"loss": 1.0 / n}} for n in range(1, 30)]
    logs.lines(tmp_path / "PPO" / "result.json", *rows[:20])
    table = (f"{n},{1.0 / n},{n / 30}" for n in range(1, 30))
    logs.text(tmp_path / "PPO" / "progress.csv", "training_iteration,info/loss,info/entropy", *table)
    run = only(tmp_path)
    assert (run.series["info/loss"].points, run.series["info/entropy"].points) == (29, 29)


def test_detectron2_and_mmengine(tmp_path: Path) -> None:
    logs.lines(tmp_path / "d" / "metrics.json", {"iteration": 19, "total_loss": 2.0}, {"iteration": 39, "bbox/AP": 3.0})
    rows = [{"loss": 1.0, "epoch": 1, "iter": 10, "step": 10}, {"coco/bbox_mAP": 0.1, "step": 1}]
    for name in ("scalars.json", "20260101_120000.json"):
        logs.lines(tmp_path / "w" / "20260101_120000" / "vis_data" / name, *rows)
    detectron, engine = open_source(str(tmp_path))
    assert (detectron.source, points(detectron, "bbox/AP")) == ("detectron2", [(39, 3.0)])
    assert (engine.source, engine.id) == ("mmengine", "w/20260101_120000")
    assert points(engine, "coco/bbox_mAP") == [(1, 0.1)]


def test_dvclive_is_one_run_of_many_tables(tmp_path: Path) -> None:
    folder = tmp_path / "dvclive" / "plots" / "metrics"
    logs.text(folder / "train" / "loss.tsv", "step\tloss", "0\t1.5", "1\tnan")
    logs.text(folder / "lr.tsv", "timestamp\tstep\tlr", "1788000000000\t0\t0.1", "1788000001000\t1\t0.1")
    logs.text(tmp_path / "dvclive" / "params.yaml", "epochs: 20")
    run = only(tmp_path)
    assert (run.source, run.id, sorted(run.series)) == ("dvclive", "dvclive", ["lr", "train/loss"])
    assert run.series["lr"].wall_times.tolist() == [1_788_000_000.0, 1_788_000_001.0]
    assert run.params == {"epochs": "20"}


def test_trackio_has_a_run_for_each_name(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "proj.db") as db:
        columns = "id INTEGER PRIMARY KEY, timestamp TEXT, run_name TEXT, step INTEGER, metrics TEXT"
        db.execute(f"CREATE TABLE metrics({columns})")
        db.execute("CREATE TABLE configs(run_name TEXT, config TEXT)")
        db.execute("INSERT INTO configs VALUES('a', ?)", (json.dumps({"lr": 0.1, "token": "hf_secret"}),))
        for name in ("a", "b"):
            for step, loss in enumerate((1.0, "NaN")):
                row = (f"2026-01-01T12:00:0{step}+00:00", name, step, json.dumps({"loss": loss, "note": "x"}))
                db.execute("INSERT INTO metrics(timestamp, run_name, step, metrics) VALUES(?, ?, ?, ?)", row)
    db.close()
    first, second = open_source(str(tmp_path))
    assert [run.name for run in (first, second)] == ["a", "b"]
    assert first.source == "trackio"
    assert first.series["loss"].steps.tolist() == [0, 1]
    assert math.isnan(first.series["loss"].values[1])
    assert first.series["loss"].wall_times[0] == 1_767_268_800.0
    assert first.params == {"lr": 0.1, "token": "***"}


def test_trackio_loses_no_row_whatever_the_type_of_its_name_and_time(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "proj.db") as db:
        db.execute(
            "CREATE TABLE metrics(id INTEGER PRIMARY KEY, timestamp TEXT, run_name TEXT, step INTEGER, metrics TEXT)"
        )
        names = ("CAST(x'61ff' AS TEXT)", "x'62'", "NULL", "'c'", "x'63'")
        for step, (name, time) in enumerate(
            zip(names, ("0001-01-01", "9999-12-31T23:59:59", "x", "", "2026"), strict=True)
        ):
            query = f"INSERT INTO metrics(timestamp, run_name, step, metrics) VALUES(?, {name}, ?, ?)"
            db.execute(query, (time, step, json.dumps({"loss": float(step)})))
    db.close()
    found = {run.id: points(run, "loss") for run in open_source(str(tmp_path))}
    assert found == {
        "proj.db/a\\udcff": [(0, 0.0)],
        "proj.db/b": [(1, 1.0)],
        "proj.db/unnamed": [(2, 2.0)],
        "proj.db/c": [(3, 3.0), (4, 4.0)],
    }


def test_catboosts_tables_alone_are_one_run_with_its_plan(tmp_path: Path) -> None:
    folder = tmp_path / "catboost_info"
    logs.text(folder / "learn_error.tsv", "iter\tRMSE", "0\t0.9", "1\t0.8")
    logs.text(folder / "test_error.tsv", "iter\tRMSE", "0\t1.0", "1\t0.95")
    logs.text(folder / "time_left.tsv", "iter\tPassed\tRemaining", "0\t1\t2", "1\t2\t1")
    logs.text(folder / "catboost_training.json", '{"meta":{"iteration_count":100}}')
    run = only(tmp_path)
    assert (run.source, run.params) == ("catboost", {"iterations": 100})
    assert points(run, "test/RMSE") == [(0, 1.0), (1, 0.95)]


@pytest.mark.parametrize("name", ["metrics.csv", "renamed.txt"])
def test_a_single_file_is_a_source_whatever_its_name(tmp_path: Path, name: str) -> None:
    path = logs.text(tmp_path / name, "step,loss", "0,2.0", "1,1.0")
    run = only(path)
    assert (run.id, run.source) == (name, "csv")


def test_a_file_that_the_user_names_is_a_log_whatever_its_columns_are_called(tmp_path: Path) -> None:
    path = logs.text(tmp_path / "a.csv", "step,quantity", "0,2.0", "1,1.0")
    lines = logs.lines(tmp_path / "b.jsonl", {"step": 0, "quantity": 2.0}, {"step": 1, "quantity": 1.0})
    for file in (path, lines):
        assert points(only(file), "quantity") == [(0, 2.0), (1, 1.0)]
    with pytest.raises(NoRunsError):
        discover(str(tmp_path))


@pytest.mark.parametrize("name", ["metrics.csv", "trainer_state.json", "run-abc.wandb", "metrics.jsonl"])
def test_the_verbs_work_on_a_file_and_on_its_folder(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{"step": n, "loss": 2.0 / n} for n in range(1, 60)]
    folder = tmp_path / "run-20260101_120000-abc"
    if name == "metrics.csv":
        logs.text(folder / name, "step,loss", *(f"{row['step']},{row['loss']}" for row in rows))
    elif name == "metrics.jsonl":
        logs.lines(folder / name, *rows)
    elif name == "trainer_state.json":
        logs.state(folder / name, rows)
    else:
        logs.wandb_run(tmp_path, *(logs.history(row["step"], loss=row["loss"]) for row in rows), logs.exited(0))
    for source in (folder, folder / name, (folder / name).as_uri()):
        assert main(["series", str(source)]) == 0
        assert "loss" in capsys.readouterr().out
        assert main(["dump", str(source)]) == 0
        dumped = json.loads(capsys.readouterr().out)
        assert (len(dumped["points"]), dumped["problems"]) == (59, [])
        assert main(["report", str(source), "-o", str(tmp_path / "page.html"), "-q"]) == 0
        assert main(["audit", str(source), "-o", str(tmp_path / "site"), "-q"]) == 0
        capsys.readouterr()
    assert main(["report", str(folder / name), "-o", str(folder / name)]) == 2  # a log is never replaced
