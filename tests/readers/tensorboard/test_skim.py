"""The quick look says *no scalar* only where the parser finds one value that never is a scalar."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import HistogramProto, Summary

from analyzer.readers.tensorboard import wire
from analyzer.readers.tensorboard.files import SPARE
from analyzer.readers.tensorboard.skim import without_scalar
from tests.readers.tensorboard.records import scalar, tensor


def silent(*payloads: bytes) -> list[bool]:
    """Look at payloads that lie one behind the other, each followed by the bytes of its checksum."""
    lengths = np.array([len(payload) for payload in payloads], np.int64)
    buffer = np.frombuffer(b"".join(payload + b"\xff" * 4 for payload in payloads) + bytes(SPARE), np.uint8)
    stops = np.cumsum(lengths + 4) - 4
    return without_scalar(buffer, stops - lengths, stops).tolist()


def image(size: int, step: int = 5, tag: str = "samples") -> bytes:
    value = Summary.Value(tag=tag, image=Summary.Image(encoded_image_string=b"\x15" * size))
    return Event(wall_time=1.0, step=step, summary=Summary(value=[value])).SerializeToString()


def histogram(size: int, step: int) -> bytes:
    value = Summary.Value(tag="w", histo=HistogramProto(bucket=[1.0] * size, bucket_limit=[2.0] * size))
    return Event(wall_time=1.0, step=step, summary=Summary(value=[value])).SerializeToString()


@pytest.mark.parametrize("step", [0, 1, 127, 128, 2**20, 2**62])
def test_images_and_histograms_of_any_length_are_told(step: int) -> None:
    payloads = [image(size, step) for size in (120, 127, 128, 300, 16_383, 16_384, 2_097_152, 3_000_000)]
    payloads += [histogram(size, step) for size in (10, 100, 1000)]
    assert all(silent(*payloads))


def test_what_holds_or_may_hold_a_scalar_is_never_passed_over() -> None:
    both = Summary(value=[Summary.Value(tag="a", image=Summary.Image(encoded_image_string=b"x" * 500))])
    both.value.add(tag="b", simple_value=1.0)
    assert not any(
        silent(
            scalar("t" * 500, 1, 1.0),
            tensor("loss", 1, [1.0] * 500),
            Event(wall_time=1.0, step=1, summary=both).SerializeToString(),
            image(500) + scalar("loss", 1, 1.0),
            image(500, tag="t" * 61),
            image(500, step=-1),
            image(2),
            bytes(500),
            b"\x80" * 500,
            b"\x09" + b"\x80" * 500,
            b"\x09" + bytes(8) + b"\x10" + b"\x80" * 500,
        )
    )


@given(st.sampled_from([image(130), image(20_000, 300), histogram(20, 2)]), st.data())
def test_a_changed_byte_never_hides_a_scalar(payload: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, 40))
    payload = payload[:at] + bytes([data.draw(st.integers(0, 255))]) + payload[at + 1 :]
    if silent(payload)[0]:
        (value,) = wire.parse_event(payload, 0, len(payload)).values
        assert value.kind not in {wire.SIMPLE_VALUE, wire.TENSOR}
