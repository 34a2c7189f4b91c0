"""Every point is dumped, every damage named, and the object is whole even when the source fails."""

import io
import json

import numpy as np

from analyzer.errors import SourceError
from analyzer.model.run import Note, Run, Series
from analyzer.writers.points_json import write_points

AT = np.array([0, 1, 1])
RUN = Run(
    "r", "r", "tensorboard", "logs/r", {"a": Series("a", AT, np.array([1.5, np.nan, -np.inf]), AT * 1.0)},
    notes=(Note("torn-tail", "the last record is not complete", "f.1", 10, 3), Note("layout", "one run")),
)  # fmt: skip
BROKEN = Run("b", "b", "tensorboard", "logs/b", notes=(Note("unreadable", "cannot be opened", "f.2"),))


def dumped(runs):
    file = io.StringIO()
    read = write_points(runs, file)
    return read, json.loads(file.getvalue(), parse_constant=lambda c: 1 / 0)


def test_points_in_the_order_written_and_problems_by_name():
    read, document = dumped(lambda: [RUN])
    assert read and document["points"] == [["a", 0, 1.5, "r"], ["a", 1, "NaN", "r"], ["a", 1, "-Infinity", "r"]]
    assert document["problems"] == ["r: the last record is not complete (f.1, offset 10, 3 bytes)"]


def test_whatever_a_reader_left_out_is_a_problem_but_not_how_files_were_put_together():
    notes = [Note(kind, kind) for kind in ("damage", "limit", "not-scalar", "metadata", "layout")]
    _, document = dumped(lambda: [Run("r", "r", "tensorboard", "x", notes=tuple(notes))])
    assert document["problems"] == ["r: damage", "r: limit", "r: not-scalar", "r: metadata"]


def test_a_source_that_fails_half_way_still_makes_an_object():
    def runs():
        yield RUN
        raise SourceError("the disk went away")

    read, document = dumped(runs)
    assert read and len(document["points"]) == 3 and document["problems"][-1] == "the disk went away"


def test_nothing_read_is_said():
    assert dumped(lambda: [BROKEN]) == (False, {"points": [], "problems": ["b: cannot be opened (f.2)"]})
    read, document = dumped(lambda: [Run("empty", "empty", "tensorboard", "x")])
    assert read and document == {"points": [], "problems": []}


def test_a_fault_of_a_reader_leaves_the_object_whole():
    def failing():
        yield Run("a", "a", "x", "a")
        raise ValueError("no digit at http://me:hunter2@h/")

    file = io.StringIO()
    assert write_points(failing, file)
    (said,) = json.loads(file.getvalue())["problems"]
    assert said.startswith("reading stopped here (ValueError: no digit at") and "hunter2" not in said
