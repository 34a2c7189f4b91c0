"""One training that several formats describe is one run, judged from the source that says most."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from analyzer.model.run import Run
from analyzer.readers import discover, open_source
from tests.readers.filelog import logs
from tests.readers.mlflow.test_file_store import RUN, make_run
from tests.readers.tensorboard.records import scalar, written

CURVE = [2.0 / (n + 1) + 0.01 * (n % 7) for n in range(40)]


def only(place: Path) -> Run:
    (run,) = open_source(str(place))
    return run


def events(folder: Path, tag: str = "train_loss", values: list[float] = CURVE) -> None:
    written(folder, [scalar(tag, step, value, 1.6e9 + step) for step, value in enumerate(values)])


def table(path: Path, name: str = "train_loss", values: list[float] = CURVE) -> Path:
    return logs.text(path, f"epoch,step,{name}", *(f"0,{step},{value!r}" for step, value in enumerate(values)))


def said(run: Run) -> str:
    return " ".join(note.message for note in run.notes if note.kind == "layout")


def test_a_table_beside_event_files_is_the_same_run_with_its_settings(tmp_path: Path) -> None:
    events(tmp_path / "version_0")
    table(tmp_path / "version_0" / "metrics.csv")
    logs.text(tmp_path / "version_0" / "hparams.yaml", "max_epochs: 10")
    run = only(tmp_path)
    assert (run.source, run.id, run.params) == ("tensorboard", "version_0", {"max_epochs": "10"})
    assert set(run.series) == {"train_loss", "epoch"}
    assert np.isfinite(run.series["train_loss"].wall_times).all()
    assert "version_0/metrics.csv describes the same training" in said(run)
    assert "1 curve repeated" in said(run)


def test_what_only_the_other_source_has_is_not_lost(tmp_path: Path) -> None:
    events(tmp_path / "v", values=CURVE[:10])
    rows = (f"0,{step},{value!r},{9 - value!r}" for step, value in enumerate(CURVE))
    logs.text(tmp_path / "v" / "metrics.csv", "epoch,step,train_loss,val_loss", *rows)
    logs.text(tmp_path / "v" / "hparams.yaml", "{}")
    run = only(tmp_path)
    assert run.series["train_loss"].values.tolist() == CURVE
    assert run.series["val_loss"].points == 40
    assert "longer there" in said(run)


def test_an_event_file_without_curves_does_not_hide_the_table(tmp_path: Path) -> None:
    written(tmp_path / "version_0", [])
    table(tmp_path / "version_0" / "metrics.csv")
    assert only(tmp_path).series["train_loss"].values.tolist() == CURVE


def test_a_table_of_something_else_beside_event_files_is_a_run_of_its_own(tmp_path: Path) -> None:
    events(tmp_path / "exp")
    logs.text(tmp_path / "exp" / "other.csv", "step,loss", *(f"{n},{5.0 + n % 3}" for n in range(20)))
    assert [ref.source for ref in discover(str(tmp_path))] == ["tensorboard", "csv"]


def test_results_in_the_artifacts_of_an_mlflow_run_belong_to_it(tmp_path: Path) -> None:
    history = "".join(f"{1000 + step} {value!r} {step}\n" for step, value in enumerate(CURVE))
    place = make_run(tmp_path / "mlruns", **{"train__box_loss": history})
    logs.text(place / "artifacts" / "args.yaml", "epochs: 50")
    header, rows = "epoch,train/box_loss,val/box_loss", (f"{n},{v:.5g},{v + 1:.5g}" for n, v in enumerate(CURVE))
    logs.text(place / "artifacts" / "results.csv", header, *rows)
    (ref,) = discover(str(tmp_path))
    run = ref.read()
    assert (run.id, run.source, run.declared, run.params["epochs"]) == (RUN, "mlflow", "FINISHED", "50")
    assert set(run.series) == {"train/box_loss", "val/box_loss"}
    assert ref.accepts_verdicts


def test_the_file_that_was_copied_into_the_artifacts_is_the_same_run_with_its_events(tmp_path: Path) -> None:
    history = "".join(f"{1000 + step} {value!r} {step}\n" for step, value in enumerate(CURVE))
    place = make_run(tmp_path / "mlruns", **{"train__box_loss": history})
    rows = ["epoch,train/box_loss", *(f"{n},{v:.5g}" for n, v in enumerate(CURVE))]
    for folder in (place / "artifacts", tmp_path / "runs" / "detect" / "train"):
        logs.text(folder / "results.csv", *rows)
    events(tmp_path / "runs" / "detect" / "train", "train/box_loss")
    logs.text(tmp_path / "runs" / "detect" / "train2" / "results.csv", *rows[:20])
    united, other = discover(str(tmp_path))
    assert (united.id, other.id) == (RUN, "runs/detect/train2")
    assert set(united.read().series) == {"train/box_loss"}


def test_artifacts_of_a_run_that_the_tracker_does_not_list_are_no_runs(tmp_path: Path) -> None:
    make_run(tmp_path / "mlruns", loss="1 0.5 0\n")
    table(tmp_path / "mlruns" / "1" / ("f" * 32) / "artifacts" / "metrics.csv")
    assert [ref.id for ref in discover(str(tmp_path))] == [RUN]
    table(tmp_path / "other" / ("f" * 32) / "artifacts" / "metrics.csv")
    assert [ref.source for ref in discover(str(tmp_path / "other"))] == ["lightning-csv"]


def test_a_trainers_events_below_runs_are_its_state_and_others_are_not(tmp_path: Path) -> None:
    rows = [{"step": n, "loss": value} for n, value in enumerate(CURVE)]
    logs.state(tmp_path / "out" / "checkpoint-40" / "trainer_state.json", rows, max_steps=80)
    events(tmp_path / "out" / "runs" / "Jan01", "train/loss")
    events(tmp_path / "out" / "runs" / "Jan02", "train/loss", [3.0 / (n + 2) for n in range(30)])
    first, second = open_source(str(tmp_path))
    assert [run.id for run in (first, second)] == ["out/runs/Jan01", "out/runs/Jan02"]
    assert (first.params["max_steps"], set(first.series)) == (80, {"train/loss"})
    assert "max_steps" not in second.params


def test_events_that_a_trainer_keeps_beside_its_output_are_found(tmp_path: Path) -> None:
    rows = [{"step": n, "loss": value, "learning_rate": 0.5 - n / 100} for n, value in enumerate(CURVE)]
    logs.state(tmp_path / "results" / "checkpoint-40" / "trainer_state.json", rows)
    events(tmp_path / "logs" / "a", "train/loss")
    written(tmp_path / "logs" / "b", [scalar("train/learning_rate", n, 0.5 - n / 100) for n in range(40)])
    first, second = open_source(str(tmp_path))
    assert "results/checkpoint-40" in said(first)
    assert "describes" not in said(second)  # the same schedule is not the same training


def test_the_pieces_of_a_resumed_trainer_are_the_run_that_its_state_has_whole(tmp_path: Path) -> None:
    rows = [{"step": n, "loss": value} for n, value in enumerate(CURVE)]
    logs.state(tmp_path / "out" / "trainer_state.json", rows)
    events(tmp_path / "out" / "runs" / "Jan01", "train/loss", CURVE[:20])
    events(tmp_path / "out" / "runs" / "Jan02", "train/loss", CURVE[20:])
    run = only(tmp_path)
    assert (run.source, run.series["loss"].values.tolist()) == ("trainer-state", CURVE)


def test_events_in_a_folder_of_wandb_are_the_wandb_run(tmp_path: Path) -> None:
    path = logs.wandb_run(tmp_path, *(logs.history(n, loss=v) for n, v in enumerate(CURVE)), logs.exited(0))
    events(path.parent / "files", "loss")
    run = only(tmp_path)
    assert (run.source, run.declared, set(run.series)) == ("wandb", "FINISHED", {"loss"})


def test_the_same_curve_at_another_time_is_another_training(tmp_path: Path) -> None:
    rows = [{"step": n, "loss": v, "time": 1_788_000_000 + n} for n, v in enumerate(CURVE)]
    logs.lines(tmp_path / "exp" / "log.jsonl", *rows)
    points = [scalar("train/loss", n, v, 1_789_000_000 + n) for n, v in enumerate(CURVE)]
    written(tmp_path / "exp", points)
    assert [ref.source for ref in discover(str(tmp_path))] == ["tensorboard", "jsonl"]


def test_catboosts_events_and_tables_are_one_run_of_catboost(tmp_path: Path) -> None:
    events(tmp_path / "catboost_info" / "learn", "RMSE")
    logs.text(
        tmp_path / "catboost_info" / "learn_error.tsv", "iter\tRMSE", *(f"{n}\t{v!r}" for n, v in enumerate(CURVE))
    )
    run = only(tmp_path)
    assert (run.id, run.source, set(run.series)) == ("catboost_info", "catboost", {"learn/RMSE"})


def test_the_stamp_of_a_run_changes_with_each_of_its_sources(tmp_path: Path) -> None:
    events(tmp_path / "version_0")
    path = table(tmp_path / "version_0" / "metrics.csv")
    stamps = [ref.stamp() for _ in range(2) for ref in discover(str(tmp_path))]
    with path.open("a") as file:
        file.write("0,40,0.5\n")
    (after,) = discover(str(tmp_path))
    assert stamps[0] == stamps[1] != after.stamp()


def test_what_an_audit_wrote_is_no_log(tmp_path: Path) -> None:
    table(tmp_path / "logs" / "a" / "metrics.csv")
    logs.text(tmp_path / "logs" / "site" / ".posthoc-site", "{}")
    logs.lines(tmp_path / "logs" / "site" / "findings.jsonl", {"step": 1, "loss": 2.0})
    assert [ref.id for ref in discover(str(tmp_path / "logs"))] == ["a"]
