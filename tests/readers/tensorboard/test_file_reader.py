"""The fast way and the plain way read the same points and name the same gaps, whatever is in the file."""

from __future__ import annotations

import random
import struct
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import HistogramProto, Summary, SummaryMetadata
from tensorboard.util.tensor_util import make_tensor_proto

from analyzer.readers.tensorboard.file_reader import Content, read_file
from tests.readers.tensorboard.plain import PlainReading, same
from tests.readers.tensorboard.records import VERSION, header, record, scalar, tensor


def read(data: bytes) -> Content:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.out.tfevents.1"
        path.write_bytes(data)
        return read_file(path, "file")


def agree(data: bytes) -> Content:
    """Read both ways; fail unless they agree in points, gaps and hyper-parameters."""
    content, plain = read(data), PlainReading(data)
    assert same(content.points, plain.points)
    assert content.hparams == plain.hparams
    named = [note for note in content.notes if note.kind in {"damage", "torn-tail"}]
    if not any(note.kind == "unreadable" for note in content.notes) and len(plain.gaps) <= 50:
        assert [(n.offset, n.offset + n.size, n.kind == "torn-tail") for n in named] == plain.gaps
    return content


FLOAT_BITS = st.sampled_from([0x7FC00001, 0xFF800001, 0x7F800000, 0xFF800000, 0x80000000, 1, 0x7F7FFFFF]) | st.integers(
    0, 2**32 - 1
)
STEPS = st.sampled_from([0, 1, 127, 128, 2**31, 2**63 - 1, -1, -(2**63)]) | st.integers(0, 300)
TAGS = st.sampled_from(["loss", "acc!", "val/loss", "lr", "", "é", "x" * 300]) | st.text(max_size=12)
WALLS = st.sampled_from([0.0, -1.0, float("nan"), float("inf")]) | st.floats(1.5e9, 1.8e9)


@st.composite
def values(draw: st.DrawFn) -> Summary.Value:
    tag, kind = draw(TAGS), draw(st.integers(0, 9))
    number = np.uint32(draw(FLOAT_BITS)).view(np.float32) if kind < 6 else draw(st.integers(0, 255))
    value = Summary.Value(tag=tag)
    if kind < 3:
        value.simple_value = float(number)
    elif kind == 3:
        value.tensor.dtype = 1
        value.tensor.tensor_content = struct.pack("<I", draw(FLOAT_BITS))
    elif kind == 4:
        value.tensor.CopyFrom(make_tensor_proto(np.float64(number)))
    elif kind == 5:
        value.tensor.CopyFrom(make_tensor_proto(np.float32(number)))
    elif kind == 6:
        dtype = draw(st.sampled_from([np.int8, np.int16, np.int32, np.int64, np.uint8, np.float16, np.bool_]))
        value.tensor.CopyFrom(make_tensor_proto(np.array(number % 100).astype(dtype)))
    elif kind == 7:
        value.histo.CopyFrom(HistogramProto(min=0, max=1, bucket=[1.0] * 30, bucket_limit=[float(number)] * 30))
    elif kind == 8:
        value.image.encoded_image_string = bytes([number]) * 400
    else:
        value.tensor.CopyFrom(make_tensor_proto(np.full(draw(st.integers(0, 3)), number, np.float32)))
    if draw(st.integers(0, 5)) == 0:
        plugin = draw(st.sampled_from(["scalars", "histograms", ""]))
        value.metadata.CopyFrom(SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name=plugin)))
    return value


@st.composite
def event_files(draw: st.DrawFn) -> bytes:
    """Shapes of events repeated many times with other numbers, so that rhythm and templates have something to do."""
    shapes = draw(st.lists(st.lists(values(), min_size=1, max_size=3), min_size=1, max_size=4))
    walls, steps = draw(st.lists(WALLS, min_size=1, max_size=3)), draw(st.lists(STEPS, min_size=1, max_size=3))
    chance = random.Random(draw(st.integers(0, 10**6)))
    out = [VERSION] * draw(st.integers(0, 1))
    for number in range(draw(st.integers(1, 120))):
        shape = shapes[chance.randrange(len(shapes)) if chance.random() < 0.3 else number % len(shapes)]
        step = chance.choice(steps) if chance.random() < 0.1 else number
        event = Event(wall_time=chance.choice(walls) + number, step=step, summary=Summary(value=shape))
        for value in event.summary.value:
            if value.WhichOneof("value") == "simple_value" and chance.random() < 0.8:
                value.simple_value = chance.random()
        out.append(record(event.SerializeToString()))
    return b"".join(out)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(event_files())
def test_healthy_files_of_any_shape_are_read_alike(data: bytes) -> None:
    assert not [note for note in agree(data).notes if note.kind in {"damage", "torn-tail", "unreadable"}]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(event_files(), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 3), st.integers(1, 255)), max_size=4))
def test_damaged_files_are_read_alike(data: bytes, hurts: list[tuple[float, int, int]]) -> None:
    for where, how, what in hurts:
        at = int(where * max(0, len(data) - 1))
        if how == 0:
            data = data[:at] + bytes(byte ^ what for byte in data[at : at + 1]) + data[at + 1 :]  # none when all is cut
        elif how == 1:
            data = data[:at] + data[at + what :]
        elif how == 2:
            data = data[:at] + bytes(what) + data[at:]
        else:
            data = data[:at] + data[at : at + what] + data[at:]
    agree(data)


def test_a_regular_file_with_flips_everywhere_is_read_alike() -> None:
    clean = VERSION + b"".join(record(scalar(f"tag{i % 5}", i, i * 0.5)) for i in range(2000))
    chance = random.Random(5)
    for _ in range(10):
        data = bytearray(clean)
        for _ in range(30):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        agree(bytes(data))


def test_files_longer_than_a_window_are_read_alike(monkeypatch) -> None:
    monkeypatch.setattr("analyzer.readers.tensorboard.file_reader.WINDOW", 4096)
    events = []
    for i in range(600):
        events += [scalar("loss", i, 1 / (i + 1)), tensor("t/loss", i, i, plugin="scalars" if i == 0 else None)]
        if i % 50 == 7:
            image = Summary.Value(tag="image", image=Summary.Image(encoded_image_string=bytes(i * 20)))
            events.append(Event(step=i, wall_time=1.0, summary=Summary(value=[image])).SerializeToString())
    data = VERSION + b"".join(map(record, events))
    assert agree(data).points[b"loss"].steps.size == 600
    chance = random.Random(6)
    for _ in range(40):
        hurt = bytearray(data)
        for _ in range(3):
            hurt[chance.randrange(len(hurt))] ^= 1 << chance.randrange(8)
        agree(bytes(hurt[: chance.randrange(len(hurt))]))


def test_hostile_lengths_with_right_checksums_cost_one_place() -> None:
    before, behind = record(scalar("a", 1, 1.0)), record(scalar("a", 2, 2.0))
    for length in (2**64 - 1, 2**63, 2**62, 10**18, 2**40, 2**31, 10**6, 1000):
        content = agree(VERSION + before + header(length) + behind * 3)
        assert content.points[b"a"].steps.tolist() == [1, 2, 2, 2], length
        (note,) = content.notes
        assert (note.kind, note.offset, note.size) == ("damage", len(VERSION + before), 12)


def test_a_record_beyond_the_limit_is_stepped_over_and_named(monkeypatch) -> None:
    monkeypatch.setattr("analyzer.readers.tensorboard.file_reader.WINDOW", 4096)
    monkeypatch.setattr("analyzer.readers.tensorboard.file_reader.LONGEST_EVENT", 10_000)
    data = VERSION + record(scalar("a", 1, 1.0)) + record(scalar("b" * 20_000, 1, 1.0)) + record(scalar("a", 2, 2.0))
    content = read(data)
    assert {tag: curve.steps.tolist() for tag, curve in content.points.items()} == {b"a": [1, 2]}
    assert [note.kind for note in content.notes] == ["limit"]


def test_threads_that_read_different_files_do_not_mix_their_tags() -> None:
    files = [b"".join(record(scalar(f"{name}{i % 40:02}", i, i)) for i in range(4000)) for name in "abcd"]
    expected = [list(read(data).points) for data in files]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(5):
            assert [list(content.points) for content in pool.map(read, files)] == expected
