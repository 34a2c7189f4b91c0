"""Damaged logs in files: every intact row is kept, nothing is invented, and the place of the damage is named."""

from __future__ import annotations

import math
import os
import time
from pathlib import Path

import pytest

from analyzer.errors import NoRunsError
from analyzer.model.run import Run
from analyzer.readers import discover, open_source
from analyzer.readers.filelog.delimited import LONGEST_LINE, parse
from analyzer.readers.filelog.json_rows import rows_of
from tests.readers.filelog import logs

HEAD, ROWS = b"step,loss,acc\n", [b"0,1.5,0.1\n", b"10,1.25,0.2\n", b"20,1.0,0.3\n", b"30,0.75,0.4\n"]


def read(raw: bytes) -> tuple[dict[str, list[float]], list[tuple[str, str]]]:
    table = parse(raw, "f.csv")
    values = {name: column.values.tolist() for name, column in table.columns.items()}
    return values, [(note.kind, note.message) for note in table.notes]


def only(place: Path) -> Run:
    (run,) = open_source(str(place))
    return run


def test_a_line_without_its_end_is_never_read() -> None:
    values, notes = read(HEAD + b"".join(ROWS)[:-2])
    assert values["loss"] == [1.5, 1.25, 1.0]
    assert [kind for kind, _ in notes] == ["torn-tail"]
    assert "line (5)" in notes[0][1]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"20,1.0\n", "2 cells"),
        (b"20,1.0,0.3,7\n", "4 cells"),
        (b"20,1.0,0.\x00\xff\n", "not text"),
        (b'20,"1.0,0.3\n', "quotation mark"),
        (b"20,1.0,0.30.4\n", "not a number"),
        (b"20,=1+1,0.3\n", "not a number"),
        ("20,1.0,٣\n".encode(), "not a number"),
        (b"20,1_0,0.3\n", "not a number"),
        (b"20,1.0," + b"3" * LONGEST_LINE + b"\n", "longer than"),
    ],
    ids=["few", "many", "binary", "quote", "merged", "formula", "digits", "underscore", "huge"],
)
def test_a_damaged_line_is_left_out_whole_and_named(line: bytes, why: str) -> None:
    values, notes = read(HEAD + ROWS[0] + ROWS[1] + line + ROWS[3])
    assert values == {"step": [0, 10, 30], "loss": [1.5, 1.25, 0.75], "acc": [0.1, 0.2, 0.4]}
    ((kind, message),) = notes
    assert kind == "damage"
    assert "line 4 " in message
    assert why in message


def test_a_header_that_comes_again_or_changes_is_no_row_and_no_damage() -> None:
    values, notes = read(HEAD + ROWS[0] + HEAD + ROWS[1] + b"step,loss,f1\n" + ROWS[2])
    assert values == {"step": [0, 10, 20], "loss": [1.5, 1.25, 1.0], "acc": [0.1, 0.2], "f1": [0.3]}
    assert {kind for kind, _ in notes} == {"layout"}


@pytest.mark.parametrize(
    "raw",
    [
        b"\xef\xbb\xbf" + HEAD + b"".join(ROWS),
        (HEAD + b"".join(ROWS)).replace(b"\n", b"\r\n"),
        (HEAD + b"".join(ROWS)).decode().encode("utf-16"),
        HEAD.replace(b",", b";") + b"".join(ROWS).replace(b",", b";"),
        HEAD + b"".join(row.replace(b"\n", b",\n") for row in ROWS),
        HEAD + b"\n\n" + b"\n".join(ROWS),
    ],
    ids=["bom", "crlf", "utf-16", "semicolons", "trailing separators", "blank lines"],
)
def test_other_spellings_of_a_table_are_the_same_table(raw: bytes) -> None:
    values, notes = read(raw)
    assert values == {"step": [0, 10, 20, 30], "loss": [1.5, 1.25, 1.0, 0.75], "acc": [0.1, 0.2, 0.3, 0.4]}
    assert notes == []


def test_texts_in_another_encoding_do_not_cost_their_rows() -> None:
    values, notes = read("step,loss,état\n0,1.5,déjà\n1,1.0,après\n".encode("latin-1"))
    assert values["loss"] == [1.5, 1.0]
    assert "metadata" in {kind for kind, _ in notes}


def test_many_damaged_lines_are_counted_not_listed() -> None:
    values, notes = read(HEAD + ROWS[0] + b"1,2\n" * 1000 + ROWS[1])
    assert values["step"] == [0, 10]
    assert "995 further" in notes[-1][1]


def test_json_lines_keep_what_is_closed() -> None:
    raw = b'{"a": 1}\n{"a": 2\n{"a": 3}{"a": 4}\nnull\n\x00\x00\n' + b'{"a":' * 5000 + b'\n{"a": 5}'
    rows, notes = rows_of(raw, "f.jsonl")
    assert [row["a"] for row in rows] == [1, 3, 4, 5]
    assert [note.message.split("line ")[1].split(" ")[0] for note in notes] == ["2", "4", "5", "6"]


def test_a_cut_last_object_is_a_torn_tail() -> None:
    rows, notes = rows_of(b'{"a": 1}\n{"a": 2', "f.jsonl")
    assert len(rows) == 1
    assert [note.kind for note in notes] == ["torn-tail"]


@pytest.mark.parametrize("name", ["trainer_state.json", "run-x/run-x.wandb", "metrics.csv", "result.json"])
def test_what_stands_for_a_log_is_an_unreadable_run(tmp_path: Path, name: str) -> None:
    logs.text(tmp_path / name, "version https://git-lfs.github.com/spec/v1", "oid sha256:0", "size 12")
    run = only(tmp_path)
    assert not run.could_be_read
    assert "git lfs pull" in run.notes[0].message


@pytest.mark.parametrize("name", ["trainer_state.json", "run-x/run-x.wandb"])
def test_an_empty_log_is_no_damage(tmp_path: Path, name: str) -> None:
    logs.text(tmp_path / name)
    run = only(tmp_path)
    assert run.could_be_read
    assert run.notes == ()


def test_damaged_checkpoints_of_one_history_are_still_one_run(tmp_path: Path) -> None:
    rows = logs.losses(12)
    for count in (6, 9, 12):
        path = logs.state(tmp_path / f"checkpoint-{count}0" / "trainer_state.json", rows[:count])
        raw = path.read_bytes()
        broken = raw.index(b'"step": %d' % (10 * count - 30))
        path.write_bytes(raw[:broken] + b"\x00\xff" + raw[broken + 2 :])
    run = only(tmp_path)
    assert run.series["loss"].steps.tolist() == [10 * n for n in range(1, 13) if n != 9]
    assert any(note.kind == "damage" for note in run.notes)


def test_braces_without_end_in_a_state_cost_their_line_only(tmp_path: Path) -> None:
    path = logs.state(tmp_path / "trainer_state.json", logs.losses(6))
    raw = path.read_bytes()
    place = raw.rindex(b"\n", 0, raw.index(b'"step": 30'))
    path.write_bytes(raw[:place] + b"\n" + b'{"a":' * 20_000 + raw[place:])
    assert only(tmp_path).series["loss"].steps.tolist() == [10, 20, 40, 50, 60]


def test_a_file_that_is_no_log_says_what_it_is(tmp_path: Path) -> None:
    for name, raw, why in (("metrics.csv", b"", "empty"), ("x.csv", b"PK\x03\x04", "zip archive")):
        (tmp_path / name).write_bytes(raw)
        with pytest.raises(NoRunsError, match=why):
            discover(str(tmp_path / name))


def test_wandb_damage_costs_the_records_that_it_hits(tmp_path: Path) -> None:
    path = logs.wandb_run(tmp_path, *(logs.history(n, loss=float(n)) for n in range(2000)), logs.exited(0))
    raw = bytearray(path.read_bytes())
    assert len(raw) > 3 * 32768
    raw[40_000] ^= 0xFF
    path.write_bytes(raw)
    run = only(tmp_path)
    kept = run.series["loss"].values.tolist()
    assert 1990 < len(kept) < 2000
    assert kept == sorted(kept)
    (note,) = run.notes
    assert (note.kind, note.offset is not None) == ("damage", True)


@pytest.mark.parametrize("lost", [1, 20_000])
def test_bytes_lost_from_the_middle_of_a_wandb_file_shift_blocks_and_cost_no_more(tmp_path: Path, lost: int) -> None:
    path = logs.wandb_run(tmp_path, *(logs.history(n, loss=float(n)) for n in range(2000)), logs.exited(0))
    raw = path.read_bytes()
    path.write_bytes(raw[:50_000] + raw[50_000 + lost :])
    run = only(tmp_path)
    each = len(raw) // 2000
    assert 2000 - run.series["loss"].points <= lost // each + 3
    assert {note.kind for note in run.notes} == {"damage"}
    assert run.declared == "FINISHED"


@pytest.mark.parametrize("cut", [1, 3, 100, 32768])
def test_a_wandb_file_that_ends_inside_a_record_has_a_torn_tail(tmp_path: Path, cut: int) -> None:
    path = logs.wandb_run(tmp_path, *(logs.history(n, loss=float(n)) for n in range(1500)), logs.exited(0))
    path.write_bytes(path.read_bytes()[:-cut])
    run = only(tmp_path)
    assert [note.kind for note in run.notes] == ["torn-tail"]
    assert run.declared == "RUNNING"
    assert run.series["loss"].values.tolist() == [float(n) for n in range(run.series["loss"].points)]


def test_a_torn_table_that_was_just_written_is_in_progress(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_bytes(HEAD + b"".join(ROWS)[:-2])
    os.utime(path, (1_788_000_000, 1_788_000_000))
    assert only(path).last_event == 1_788_000_000


def test_settings_that_are_bombs_cost_the_settings_only(tmp_path: Path) -> None:
    logs.text(tmp_path / "v" / "metrics.csv", "epoch,loss,step", "0,1.5,1", "0,1.0,2")
    bombs = {
        "deep": "a: " + "[" * 5000,
        "object": "a: !!python/object/apply:os.system ['false']",
        "laughs": "\n".join(f"k{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9) if n else 1}]" for n in range(12)),
        "large": "a: 1\n" + "#" * (1 << 21),
    }
    for bomb in bombs.values():
        logs.text(tmp_path / "v" / "hparams.yaml", bomb)
        run = only(tmp_path)
        assert run.series["loss"].points == 2
        assert sum(len(str(value)) for value in run.params.values()) < 10_000


DEFINED = [logs.message((12, logs.message((1, f"c{n}{'*' * (n % 2)}"), (4, f"c{n + 2}")))) for n in range(10_000)]


def _table_of(*names: str) -> bytes:
    """Return a table in which all columns hold text."""
    return b"%s\n%s\n" % (",".join(names).encode(), b",".join(b"x " for _ in names))


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("trainer_state.json", b'{"log_history": [' + b'{"a":' * 1_000_000),
        ("metrics.csv", b"step,loss\n0,1.5\n" + b'1,"2,3\n' * 100_000),
        ("metrics.jsonl", b'{"step": 1, "loss": 1.5}\n' + b'{"a":\n' * 100_000),
        ("metrics.jsonl", b'{\n"step": 1, "loss": 1.5\n}\n' + b'{"a":1,\n' * 400_000),
        ("metrics.csv", b"step,loss\n0,1.5\n1," + b"1" * 1_000_000 + b"x\n"),
        ("metrics.csv", b"step,loss\n0,1.5\n1,tensor(" + b" " * 1_000_000 + b"x)\n"),
        ("run-a/run-a.wandb", logs.framed() + b"\x00\x00\x00\x00\xf0\x7f\x01" * 1_000_000),
        ("metrics.csv", b"step,loss\n0,1.5\n" + b"loss,step\n1,2\nstep,loss\n3,4\n" * 100_000),
        ("metrics.csv", b"step,loss\n0,1.5\n" + _table_of(*(f"c{n}" for n in range(100_000)))),
        ("run-a/run-a.wandb", logs.framed(*DEFINED, *(logs.history(n, **{f"c{n}": 1.0}) for n in range(10_000)))),
    ],
    ids=[
        "nested",
        "quotes",
        "cut lines",
        "cut objects",
        "digits",
        "blanks",
        "false chunks",
        "headers",
        "columns of text",
        "definitions",
    ],
)
def test_damage_that_is_made_to_take_long_takes_seconds(tmp_path: Path, name: str, raw: bytes) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(raw)
    begun = time.perf_counter()
    only(tmp_path)
    assert time.perf_counter() - begun < 30  # seconds; each takes below three on a machine that is not busy


@pytest.mark.parametrize(
    ("name", "raw", "found"),
    [
        ("metrics.csv", b"step,loss,\xff,\\xff\n0,1,2,3\n", {"loss": 1.0, r"\xff": 2.0, r"\xff (2)": 3.0}),
        ("metrics.jsonl", b'{"step": 0, "loss": 1, "\\ud800": 2}\n', {"loss": 1.0, r"\ud800": 2.0}),
        (
            "metrics.jsonl",
            b'{"step": 0, "loss": 1, "a/b": 2, "a": {"b": 3}}\n',
            {"loss": 1.0, "a/b": 2.0, "a/b (2)": 3.0},
        ),
        ("metrics.jsonl", b'{"step": 0, "loss": 1' + b"0" * 400 + b"}\n", {"loss": math.inf}),
        ("0.monitor.csv", b'#{"t_start": 1' + b"0" * 400 + b"}\nr,l,t\n1,10,0.1\n", {"r": 1.0}),
        ("0.monitor.csv", b'#{"t_start": 1e308}\nr,l,t\n1,10,1e308\n', {"r": 1.0}),
        ("0.monitor.csv", b'#{"t_start": 1}\nr,l,t\n1,1e300,0.1\n', {"r": 1.0}),
    ],
    ids=["bytes", "surrogate", "nested", "large", "start", "time", "length"],
)
def test_no_name_and_no_number_costs_a_point(tmp_path: Path, name: str, raw: bytes, found: dict[str, float]) -> None:
    (tmp_path / name).write_bytes(raw)
    run = only(tmp_path / name)
    assert {tag: one.values.tolist() for tag, one in run.series.items()} == {tag: [one] for tag, one in found.items()}


def test_a_monitor_whose_lengths_go_beyond_all_steps_counts_its_rows(tmp_path: Path) -> None:
    (tmp_path / "0.monitor.csv").write_text('#{"t_start": 1}\nr,l,t\n' + "1.5,4e18,0.1\n" * 3)
    assert only(tmp_path).series["r"].steps.tolist() == [0, 1, 2]


def test_a_row_with_too_many_numbers_is_named(tmp_path):
    from analyzer.readers.filelog.json_rows import MOST_KEYS, table_of

    notes = []
    table = table_of([{f"k{i}": float(i) for i in range(MOST_KEYS + 5)}, {"k0": 1.0}], notes)
    assert len(table.columns) == MOST_KEYS and "1 row with more than 5,000 numbers" in notes[0].message


def test_a_document_over_many_lines_is_no_json_lines(tmp_path: Path) -> None:
    lines = [
        '{"schema": "posthoc/1",',
        ' "runs": [',
        '  {"run": "a", "cost": {"hours": 1.5}},',
        '  {"run": "b", "cost": {"hours": 2.5}}',
        " ]}",
    ]
    (tmp_path / "found.json").write_text("\n".join([lines[0], *lines[2:3] * 20, *lines[1:]]))
    with pytest.raises(NoRunsError):
        next(iter(discover(str(tmp_path / "found.json")).refs))
