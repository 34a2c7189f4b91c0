"""The own parser accepts, refuses and reads what protobuf's parser does."""

from __future__ import annotations

import random
import struct
import time

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import HistogramProto, Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto

from analyzer.readers.tensorboard import wire
from analyzer.readers.tensorboard.wire import MalformedError
from tests.readers.tensorboard.records import scalar, tensor

SEEDS = [
    scalar("loss", 300, 1.5),
    tensor("acc", -5, 0.25, plugin="scalars"),
    Event(wall_time=1.0, file_version="brain.Event:2").SerializeToString(),
    Event(step=2**62, session_log={"status": 1}).SerializeToString(),
    Event(summary=Summary(value=[Summary.Value(tag="h", histo=HistogramProto(bucket=[1.0, 2.0]))])).SerializeToString(),
]


def kind_of(value: Summary.Value) -> str | None:
    return value.WhichOneof("value")


KINDS = {2: "simple_value", 3: "obsolete_old_style_histogram", 4: "image", 5: "histo", 6: "audio", 8: "tensor", 0: None}


def assert_read_alike(data: bytes) -> None:
    """Hold the parser to protobuf's where protobuf accepts the message."""
    try:
        event = Event.FromString(data)
    except DecodeError:
        return  # it also looks into messages that are passed over here, and refuses text that is not UTF-8
    parsed = wire.parse_event(data, 0, len(data))
    wall = 0.0 if parsed.wall_time is None else struct.unpack_from("<d", data, parsed.wall_time)[0]
    assert struct.pack("<d", wall) == struct.pack("<d", event.wall_time)
    step = wire.signed(wire.varint(data, *parsed.step)[0]) if parsed.step else 0
    assert step == event.step
    assert len(parsed.values) == len(event.summary.value)
    for one, other in zip(parsed.values, event.summary.value, strict=True):
        assert data[slice(*one.tag)].decode() == other.tag
        assert KINDS[one.kind] == kind_of(other)
        metadata = wire.parse_metadata(wire.joined(data, one.metadata))
        assert metadata.plugin.decode() == other.metadata.plugin_data.plugin_name
        assert metadata.content == other.metadata.plugin_data.content
        if one.kind == wire.TENSOR:
            assert TensorProto.FromString(wire.joined(data, one.spans)) == other.tensor


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(SEEDS), st.integers(0, 10**9), st.integers(1, 4))
def test_mutated_events_are_read_as_protobuf_reads_them(seed: bytes, chance: int, times: int) -> None:
    rng, data = random.Random(chance), bytearray(seed)
    for _ in range(times):
        at = rng.randrange(len(data))
        match rng.randrange(4):
            case 0:
                data[at] = rng.randrange(256)
            case 1:
                del data[at]
            case 2:
                data.insert(at, rng.choice([0, 1, 0x0A, 0x0B, 0x0C, 0x2A, 0x7F, 0x80, 0xFF]))
            case _:
                data[at:at] = rng.choice(SEEDS)
    assert_read_alike(bytes(data))


def test_summaries_and_tensors_that_come_in_parts_are_merged() -> None:
    assert_read_alike(scalar("a", 1, 1.0) + scalar("b", 2, 2.0))
    one, two = TensorProto(dtype=1).SerializeToString(), TensorProto(float_val=[3.0]).SerializeToString()
    parts = b"\x0a\x01t" + b"".join(b"\x42" + bytes([len(part)]) + part for part in (one, two))
    assert_read_alike(b"\x2a" + bytes([len(parts) + 2]) + b"\x0a" + bytes([len(parts)]) + parts)


def test_the_last_of_several_kinds_wins() -> None:
    graph_last = scalar("a", 1, 1.0) + Event(graph_def=b"x").SerializeToString()
    assert wire.parse_event(graph_last, 0, len(graph_last)).values == []
    assert_read_alike(graph_last)
    assert_read_alike(Event(graph_def=b"x").SerializeToString() + scalar("a", 1, 1.0))


def test_unknown_fields_and_groups_are_stepped_over() -> None:
    group = b"\xa3\x06" + b"\x08\x01" + b"\x0b\x0c" + b"\xa4\x06"  # field 100, with a field and a group inside
    assert_read_alike(group + scalar("a", 1, 1.0) + b"\xf8\x7f\x05")


@pytest.mark.parametrize(
    "data",
    [
        b"\x09\x00",  # a double that ends early
        b"\x10" + b"\xff" * 10 + b"\x01",  # a number of eleven bytes
        b"\x2a\x05\x0a",  # a length over the end
        b"\x07",  # wire type 7
        b"\x00\x00",  # field 0
        b"\x0c",  # the end of a group that did not begin
        b"\xa3\x06\x08\x01",  # a group without end
        b"\xa3\x06" * 200 + b"\xa4\x06" * 200,  # groups nested too deeply
    ],
)
def test_what_protobuf_refuses_is_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        Event.FromString(data)
    with pytest.raises(MalformedError):
        wire.parse_event(data, 0, len(data))


def test_an_unfinished_event_is_told_from_bytes_that_are_none() -> None:
    for event in (*SEEDS, scalar("x" * 300, 1, 1.0) + b""):
        for size in range(len(event)):
            assert wire.begins_event(event[:size], len(event))
    assert not wire.begins_event(b"\x00" * 20, 100)
    assert not wire.begins_event(scalar("a", 1, 1.0), 2**40)
    assert not wire.begins_event(scalar("a", 1, 1.0) + b"\x12\x34\x56", 1000)
    assert wire.begins_event(b"", 10)


def test_metadata_tells_plugin_and_class() -> None:
    made = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name="p", content=b"c"), data_class=2)
    assert wire.parse_metadata(made.SerializeToString()) == wire.Metadata(b"p", b"c", 2)


def test_metadata_in_many_parts_is_merged_in_time_that_grows_with_them() -> None:
    parts = b"\x0a\x02\x0a\x00" * 400_000 + SummaryMetadata(plugin_data={"plugin_name": "scalars"}).SerializeToString()
    begun = time.thread_time()
    assert wire.parse_metadata(parts).plugin == b"scalars"
    assert time.thread_time() - begun < 10  # seconds; it takes below one, and took twenty
