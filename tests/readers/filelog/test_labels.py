"""Tables in which words say what a row is about, and cells in other notations, give the curves that people mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzer.model.run import Run
from analyzer.readers import open_source
from analyzer.readers.filelog import delimited
from tests.readers.filelog import logs

STEPS = range(40)


def runs(place: Path) -> dict[str, Run]:
    return {run.id: run for run in open_source(str(place))}


def only(place: Path) -> Run:
    (run,) = runs(place).values()
    return run


def values(run: Run, tag: str) -> list[float]:
    return run.series[tag].values.tolist()


def test_a_column_of_phases_divides_the_others(tmp_path: Path) -> None:
    rows = [f"{n},{phase},{n + shift}" for n in STEPS for phase, shift in (("train", 0.25), ("val", 0.5))]
    logs.text(tmp_path / "log.csv", "epoch,phase,loss", *rows)
    run = only(tmp_path)
    assert set(run.series) == {"train/loss", "val/loss"}
    assert values(run, "val/loss") == [n + 0.5 for n in STEPS]
    assert run.series["train/loss"].steps.tolist() == list(STEPS)


def test_a_table_in_long_form_has_a_curve_for_each_metric(tmp_path: Path) -> None:
    rows = [f"{n},{name},{n + shift}" for n in STEPS for name, shift in (("train_loss", 0.25), ("val_loss", 0.5))]
    logs.text(tmp_path / "log.csv", "step,metric,value", *rows)
    run = only(tmp_path)
    assert values(run, "train_loss") == [n + 0.25 for n in STEPS]
    assert values(run, "val_loss") == [n + 0.5 for n in STEPS]


@pytest.mark.parametrize(("column", "words"), [("fold", ("0", "1", "2")), ("run_id", ("a", "b", "c"))])
def test_a_column_of_runs_makes_a_run_of_each(tmp_path: Path, column: str, words: tuple[str, ...]) -> None:
    # sorted by run: the first four KiB hold the first one only
    rows = [f"{word},{n},{n + i / 4:.20f}" for i, word in enumerate(words) for n in range(200)]
    logs.text(tmp_path / "log.csv", f"{column},epoch,train_loss", *rows)
    found = runs(tmp_path)
    names = [f"fold {word}" if column == "fold" else word for word in words]
    assert list(found) == [f"log.csv/{name}" for name in names]
    for i, run in enumerate(found.values()):
        assert values(run, "train_loss") == [n + i / 4 for n in range(200)]
        assert set(run.series) == {"train_loss"}


def test_json_lines_have_labels_too(tmp_path: Path) -> None:
    rows = [{"epoch": n, "phase": phase, "loss": n + 0.5} for n in STEPS for phase in ("train", "val")]
    logs.lines(tmp_path / "a" / "log.jsonl", *rows)
    logs.lines(tmp_path / "b" / "log.jsonl", *({"step": n, "key": "loss", "value": n + 0.5} for n in STEPS))
    logs.lines(tmp_path / "c" / "log.jsonl", *({"run": r, "step": n, "loss": n + 0.5} for r in "xy" for n in STEPS))
    found = {name: set(run.series) for name, run in runs(tmp_path).items()}
    assert found == {
        "a": {"train/loss", "val/loss"},
        "b": {"loss"},
        "c/log.jsonl/x": {"loss"},
        "c/log.jsonl/y": {"loss"},
    }


@pytest.mark.parametrize("column", ["run", "fold"])
def test_rows_that_name_no_run_are_a_run_of_their_own(tmp_path: Path, column: str) -> None:
    rows = [f"{word},{n},{n + i / 4}" for i, word in enumerate(("1", "")) for n in STEPS]
    logs.text(tmp_path / "log.csv", f"{column},epoch,loss", *rows)
    found = runs(tmp_path)
    assert [name.rpartition("/")[2] for name in found] == [f"{column} 1", "unnamed"]
    assert [values(run, "loss")[0] for run in found.values()] == [0.0, 0.25]


def test_a_metric_with_the_name_of_a_column_keeps_its_points(tmp_path: Path) -> None:
    logs.text(tmp_path / "log.csv", "epoch,metric,value,loss", *(f"{n},loss,{n}.5,7" for n in STEPS))
    run = only(tmp_path)
    assert sorted(one.values[1] for one in run.series.values()) == [1.5, 7.0]


def test_words_that_say_nothing_are_named(tmp_path: Path) -> None:
    logs.text(tmp_path / "log.csv", "epoch,phase,loss", *(f"{n},p{n},{n}.5" for n in STEPS))
    run = only(tmp_path)
    assert values(run, "loss")[0] == 0.5
    assert any("“phase”" in note.message for note in run.notes)


def test_entries_of_a_document_that_are_no_numbers_are_counted(tmp_path: Path) -> None:
    huge = "9" * 400
    logs.text(tmp_path / "history.json", f'{{"loss": [3.5, "a", null, {huge}, true], "val_loss": [1, 2, 3, 4, 5]}}')
    run = only(tmp_path)
    assert values(run, "loss") == [3.5, float("inf")]
    assert any("2 entries that are no numbers" in note.message for note in run.notes)


def test_a_table_of_many_runs_is_parsed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = []
    whole = delimited.parse
    monkeypatch.setattr(delimited, "parse", lambda raw, shown: parsed.append(len(raw)) or whole(raw, shown))
    rows = [f"r{run},{n},{n}.5" for run in range(300) for n in range(3)]
    path = logs.text(tmp_path / "log.csv", "run,epoch,train_loss", *rows)
    assert len(runs(tmp_path)) == 300
    assert parsed.count(path.stat().st_size) <= 2  # to recognise it, and to read it


def test_a_seed_that_never_changes_is_one_run(tmp_path: Path) -> None:
    logs.text(tmp_path / "log.csv", "seed,epoch,train_loss", *(f"7,{n},{n}.5" for n in STEPS))
    assert list(runs(tmp_path)) == [only(tmp_path).id]


def test_runs_side_by_side_are_runs_without_their_bounds(tmp_path: Path) -> None:
    header = ",".join(f'"{run} - loss{end}"' for run in ("a", "b - 2") for end in ("", "__MIN", "__MAX"))
    rows = (f'"{n}","{n}.5","0","9","{n}.25","0","9"' for n in STEPS)
    logs.text(tmp_path / "wandb_export.csv", f'"Step",{header}', *rows)
    found = runs(tmp_path)
    assert [name.rpartition("/")[2] for name in found] == ["a", "b - 2"]
    assert [set(run.series) for run in found.values()] == [{"loss"}, {"loss"}]
    assert [values(run, "loss")[1] for run in found.values()] == [1.5, 1.25]


@pytest.mark.parametrize(
    ("separator", "cell", "value"),
    [
        (";", "0,25", 0.25),
        (";", "1,5e-3", 0.0015),
        (",", "25%", 0.25),
        (",", "tensor(0.25)", 0.25),
        (";", "tensor(0.25, device='cuda:0', grad_fn=<NllLossBackward0>)", 0.25),
        (",", "np.float32(0.25)", 0.25),
        (",", "[0.25]", 0.25),
    ],
)
def test_a_number_in_another_notation_is_read(tmp_path: Path, separator: str, cell: str, value: float) -> None:
    rows = (separator.join([str(n), cell, "1.5"]) for n in STEPS)
    logs.text(tmp_path / "log.csv", separator.join(["epoch", "train_loss", "val_loss"]), *rows)
    run = only(tmp_path)
    assert values(run, "train_loss") == [value] * len(STEPS)
    assert values(run, "val_loss") == [1.5] * len(STEPS)


def test_words_and_lists_are_no_numbers(tmp_path: Path) -> None:
    rows = (f'{n},"[0.25, 0.5]",{n}.5' for n in STEPS)
    logs.text(tmp_path / "log.csv", "epoch,train_losses,val_loss", *rows)
    assert set(only(tmp_path).series) == {"val_loss"}


def test_times_of_iso_8601_are_wall_times(tmp_path: Path) -> None:
    rows = (f"2026-01-02T03:04:{n:02d}+00:00,{n}.5,1.5" for n in STEPS)
    logs.text(tmp_path / "log.csv", "timestamp,train_loss,val_loss", *rows)
    run = only(tmp_path)
    assert set(run.series) == {"train_loss", "val_loss"}
    assert run.series["train_loss"].wall_times[:2].tolist() == [1767323040.0, 1767323041.0]


def test_an_unnamed_index_of_pandas_is_no_curve(tmp_path: Path) -> None:
    logs.text(tmp_path / "log.csv", ",epoch,train_loss", *(f"{n},{n + 1},{n}.5" for n in STEPS))
    run = only(tmp_path)
    assert set(run.series) == {"train_loss"}
    assert run.series["train_loss"].steps[0] == 1


def test_downloads_from_tensorboard_are_one_run_with_splits(tmp_path: Path) -> None:
    for split, shift in (("train", 0.25), ("validation", 0.5)):
        rows = (f"{1_788_000_000 + n},{10 * n},{n + shift}" for n in STEPS)
        logs.text(tmp_path / f"run-exp_{split}-tag-epoch_loss.csv", "Wall time,Step,Value", *rows)
    run = only(tmp_path)
    assert (run.source, set(run.series)) == ("tensorboard-csv", {"train/epoch_loss", "validation/epoch_loss"})
    assert run.series["train/epoch_loss"].steps[-1] == 390
    assert run.series["train/epoch_loss"].wall_times[0] == 1_788_000_000


@pytest.mark.parametrize(
    "document",
    [
        '{"loss": [3.5, 2.5, 1.5], "val_loss": [4.5, 3.5, 2.5]}',
        '{"history": {"loss": [3.5, 2.5, 1.5], "val_loss": [4.5, 3.5, 2.5]}, "lr": 0.1}',
        '[{"loss": 3.5, "val_loss": 4.5}, {"loss": 2.5, "val_loss": 3.5}, {"loss": 1.5, "val_loss": 2.5}]',
        '{"history": [{"loss": 3.5, "val_loss": 4.5}, {"loss": 2.5, "val_loss": 3.5}, {"loss": 1.5, "val_loss": 2.5}]}',
    ],
)
def test_a_history_in_one_document_is_read(tmp_path: Path, document: str) -> None:
    logs.text(tmp_path / "history.json", document)
    run = only(tmp_path)
    assert values(run, "loss") == [3.5, 2.5, 1.5]
    assert values(run, "val_loss") == [4.5, 3.5, 2.5]


def test_a_document_that_is_damaged_is_named(tmp_path: Path) -> None:
    logs.text(tmp_path / "history.json", '{"loss": [3.5, 2.5, @@, 1.5], "val_loss": [4.5, 3.5, 2.5]}')
    run = only(tmp_path)
    assert [note.kind for note in run.notes] == ["unreadable"]
    assert "history.json" in run.notes[0].message


@pytest.mark.parametrize("document", ['{"a": [1, 2], "b": [3, 4]}', '{"weights": [0.5, 0.25]}', "[1, 2, 3]", "{}"])
def test_a_document_of_something_else_is_no_log(tmp_path: Path, document: str) -> None:
    logs.text(tmp_path / "results.json", document)
    logs.text(tmp_path / "log.csv", "epoch,train_loss", *(f"{n},{n}.5" for n in STEPS))
    assert only(tmp_path).source != "json"


@pytest.mark.parametrize(("first", "second"), [("run", "seed"), ("experiment", "fold"), ("experiment", "seed")])
def test_two_columns_name_the_runs_together(tmp_path: Path, first: str, second: str) -> None:
    rows = [f"{a},{b},{n},{n + 10 * b + 100 * (a == 'y')}" for a in "xy" for b in (0, 1) for n in STEPS]
    logs.text(tmp_path / "log.csv", f"{first},{second},epoch,loss", *rows)
    found = runs(tmp_path)
    assert set(found) == {f"log.csv/{a}, {second} {b}" for a in "xy" for b in (0, 1)}
    assert all(run.series["loss"].points == len(STEPS) for run in found.values())
    assert values(found[f"log.csv/y, {second} 1"], "loss") == [n + 110.0 for n in STEPS]


def test_a_column_that_divides_no_further_adds_no_name(tmp_path: Path) -> None:
    rows = [f"r{a},id{a},7,{n},{n}" for a in (0, 1) for n in STEPS]
    logs.text(tmp_path / "log.csv", "run,run_id,seed,epoch,loss", *rows)
    assert set(runs(tmp_path)) == {"log.csv/r0", "log.csv/r1"}


def test_rows_without_a_phase_keep_their_own_curve(tmp_path: Path) -> None:
    rows = [f"{n},{phase},{n}" for n in STEPS for phase in ("train", "val", "")]
    logs.text(tmp_path / "log.csv", "epoch,phase,loss", *rows)
    run = only(tmp_path)
    assert {tag: series.points for tag, series in run.series.items()} == dict.fromkeys(
        ("train/loss", "val/loss", "loss"), len(STEPS)
    )


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ('"1,000"', 1000.0),
        ('"1,234,567.5"', 1234567.5),
        ("10k", 10_000.0),
        ("1.5M", 1.5e6),
        ("25 %", 0.25),
        ("3K", 3e3),
    ],
)
def test_counts_are_read_as_people_write_them(cell: str, number: float) -> None:
    table = delimited.parse(f"step,loss\n{cell},1\n".encode(), "x")
    assert table.columns["step"].values.tolist() == [number] and not table.notes


def test_columns_that_blanks_align_are_read(tmp_path: Path) -> None:
    logs.text(tmp_path / "log.csv", "step  loss   val_loss", *(f"{n:4d}  {n / 8}   {n / 4}" for n in STEPS))
    run = only(tmp_path)
    assert values(run, "loss") == [n / 8 for n in STEPS] and values(run, "val_loss") == [n / 4 for n in STEPS]
