"""Metric files and database rows of any kind, held against oracles that are plain, slow and obviously right."""

import math
import os
import re
import sqlite3
from collections import Counter
from contextlib import closing

from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.readers import open_source
from analyzer.readers.mlflow.metric_history import parse_history

RUN = "a" * 32
NUMBER = rb"[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|(?i:nan|inf|infinity))"
LINE = re.compile(
    rb"\s*([+-]?\d+)\s+(" + NUMBER + rb")(?:\s+([+-]?\d+)(?:\s+(?!" + NUMBER + rb"(\s|$))\S.*)?)?\s*", re.S
)
BITS = 1 << 63


def oracle(raw):
    """Return the points of a metric file, line by line, and which lines are damage."""
    *lines, tail = raw.split(b"\n")
    points, bad, offset = [], [], 0
    for line in lines:
        found = LINE.fullmatch(line)
        whole = (int(found[1]), int(found[6] or b"0")) if found else (BITS, BITS)
        if found and all(-BITS <= number < BITS for number in whole):
            points.append((whole[0], float(found[2]), whole[1]))
        elif line.strip():
            bad.append((offset, len(line) + 1))
        offset += len(line) + 1
    return points, bad, len(tail)


words = ["nan", "inf", "-inf", "Infinity", "1e-7", "-0.0", "1.", ".5", "1e999"]
words += ["nan(1)", "0x10", "1_0", "1d5", "--1", "", "\t", "1" * 70 + "_0"]
numbers = st.one_of(st.floats().map(repr), st.integers(-(10**6), 10**6).map(str), st.sampled_from(words))
wholes = st.one_of(st.integers(-(2**65), 2**65), st.integers(-5, 10**13)).map(str)
good = st.builds("{} {} {}".format, st.integers(0, 2 * 10**12), st.floats(width=32).map(repr), st.integers(0, 10**6))
odd = st.builds("{} {} {}".format, wholes, numbers, wholes)
more = st.builds("{} {}".format, good, st.sampled_from(["my_data 1a2b", "4 5 6", "name", "a b c d", "损 x", "1e5 x"]))
short = st.builds("{} {}".format, wholes, numbers)
nearly = st.builds("{} {} {}".format, st.integers(0, 10**13), numbers, st.integers(0, 10**6))
texts = st.one_of(good, good, good, odd, more, short, st.text(max_size=12))
lines = texts.map(lambda line: line.encode("utf-8", "replace"))
several = st.one_of(st.lists(lines, max_size=12), st.lists(nearly.map(str.encode), max_size=5))
files = several.map(lambda some: b"".join(line + b"\n" for line in some))


@st.composite
def damaged(draw):
    """Return a metric file with some of its bytes changed, put in or left out, or cut short."""
    raw = bytearray(draw(files))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(raw)))
        raw[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(raw)


@settings(max_examples=250)
@given(st.one_of(files, damaged()))
def test_a_metric_file_holds_what_reading_it_line_by_line_gives(raw):
    history = parse_history(raw, "loss")
    points, bad, tail = oracle(raw)
    ours = zip(history.stamps.tolist(), history.values.tolist(), history.steps.tolist(), strict=True)
    assert list(map(_same, ours)) == list(map(_same, points))
    notes = {note.kind: (note.offset, note.size) for note in history.notes}
    wanted = {"damage": (bad[0][0], sum(size for _, size in bad))} if bad else {}
    assert notes == wanted | ({"torn-tail": (len(raw) - tail, tail)} if tail else {})


def _same(point):
    return point[0], "nan" if math.isnan(point[1]) else (point[1], math.copysign(1, point[1])), point[2]


cells = st.one_of(
    st.none(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), st.text(max_size=4), st.binary(max_size=4),
    st.sampled_from([0, 1, True, "1", "0.5", 1.7976931348623157e308, -1.7976931348623157e308]),
)  # fmt: skip
steps = st.integers(-3, 50)
plain = st.tuples(st.sampled_from("ab"), st.floats(allow_nan=False), steps, steps, st.just(0))
strange = st.tuples(st.sampled_from(["a", "b", "a/b", "%s", "é", None, b"\xff"]), *[cells] * 4)
rows = st.lists(st.one_of(plain, plain, plain, strange), max_size=15)
LARGEST = 1.7976931348623157e308
TABLE = "key VARCHAR(250), value FLOAT, timestamp BIGINT, step BIGINT, is_nan BOOLEAN, run_uuid VARCHAR(32)"


@settings(max_examples=80)
@given(rows, st.booleans())
def test_the_rows_of_a_database_are_what_looking_at_each_gives(tmp_path_factory, some, indexed):
    file = tmp_path_factory.mktemp("db") / "mlflow.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE runs (run_uuid TEXT, status TEXT, lifecycle_stage TEXT)")
        connection.execute("INSERT INTO runs VALUES (?, 'FINISHED', 'active')", (RUN,))
        connection.execute(f"CREATE TABLE metrics ({TABLE})")
        connection.executescript("CREATE TABLE params (key, value, run_uuid); CREATE TABLE tags (key, value, run_uuid)")
        if indexed:
            connection.execute("CREATE INDEX by_run ON metrics (run_uuid)")
        connection.executemany("INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?)", [(*row, RUN) for row in some])
        connection.commit()
        connection.text_factory = bytes
        kept = connection.execute("SELECT key, value, timestamp, step, is_nan FROM metrics").fetchall()
    points, lost = Counter(), 0
    for key, value, stamp, step, nan in kept:
        number = isinstance(value, (int, float))
        if not (isinstance(stamp, int) and isinstance(step, int) and nan in (0, 1, None) and (number or nan == 1)):
            lost += 1
            continue
        seen = (
            math.nan if nan == 1 else math.copysign(math.inf, value) if abs(value) >= 1.7976931348623157e308 else value
        )
        name = "(no name)" if key is None else key.decode("utf-8", "backslashreplace")
        points[name, *_same((stamp / 1000.0, float(seen), step))] += 1
    os.utime(file, (1, 1))  # what has just been written is waited for
    (run,) = open_source(str(file))
    ours = Counter(
        (tag, *_same(point))
        for tag, one in run.series.items()
        for point in zip(one.wall_times.tolist(), one.values.tolist(), one.steps.tolist(), strict=True)
    )
    assert ours == points
    assert sum(int(re.search(r"(\d+) rows that are not points", note.message)[1]) for note in run.notes) == lost
    for one in run.series.values():
        order = list(zip(one.wall_times.tolist(), one.steps.tolist(), strict=True))
        assert order == sorted(order)
