"""Rows of JSON: what counts as a number, and which texts are several objects."""

import json

from analyzer.readers.filelog import json_rows


def test_numbers_as_text_in_lists_of_one_and_beyond_a_double_are_numbers():
    row = {"a": "0.25", "b": [0.5], "c": 10**400, "d": "x", "e": [1, 2], "phase": "3", "f": True}
    assert json_rows.numbers_of(row) == {"a": 0.25, "b": 0.5, "c": float("inf")}


def test_a_nested_and_a_flat_name_that_are_the_same_are_two():
    assert json_rows.numbers_of({"train": {"loss": 1.0}, "train/loss": 2.0}) == {
        "train/loss": 1.0,
        "train/loss (2)": 2.0,
    }


def test_objects_over_several_lines_one_behind_the_other_are_rows():
    rows = [{"step": i, "loss": i / 4, "inner": {"x": i}} for i in range(5)]
    text = "".join(json.dumps(row, indent=2) + "\n" for row in rows)
    assert json_rows.rows_of(text.encode(), "x") == (rows, [])
    damaged = text.replace('"step": 2', '"step": @', 1)
    found, notes = json_rows.rows_of(damaged.encode(), "x")
    assert [row["step"] for row in found] == [0, 1, 3, 4] and [note.kind for note in notes] == ["damage"]
    found, notes = json_rows.rows_of(text[:-10].encode(), "x")
    assert len(found) == 4 and [note.kind for note in notes] == ["torn-tail"]
    assert json_rows.rows_of(json.dumps(rows[0], indent=2).encode(), "x")[0] == []
