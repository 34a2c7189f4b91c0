"""The one number of a tensor is found wherever a writer may have put it, for every numeric type."""

from __future__ import annotations

import numpy as np
import pytest
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.util.tensor_util import make_tensor_proto

from analyzer.readers.tensorboard.tensors import NotScalarError, scalar
from analyzer.readers.tensorboard.wire import MalformedError

TYPES = {
    np.float32: 1, np.float64: 2, np.int32: 3, np.uint8: 4, np.int16: 5, np.int8: 6, np.int64: 9, np.bool_: 10,
    np.uint16: 17, np.float16: 19, np.uint32: 22, np.uint64: 23,
}  # fmt: skip


def read(proto: TensorProto) -> float:
    data = proto.SerializeToString()
    return scalar(b"__" + data + b"__", 2, 2 + len(data))


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", [(), (1,), (1, 1, 1)])
def test_content_of_every_type_is_read(dtype: type, shape: tuple[int, ...]) -> None:
    for number in (0, 1, 3, 100) if dtype is not np.bool_ else (0, 1):
        proto = TensorProto(dtype=TYPES[dtype], tensor_content=np.array(number, dtype).tobytes())
        for size in shape:
            proto.tensor_shape.dim.add(size=size)
        assert read(proto) == float(np.array(number, dtype))


@pytest.mark.parametrize("dtype", [t for t in TYPES if t not in {np.uint32, np.uint64}])
def test_listed_numbers_of_every_type_are_read(dtype: type) -> None:
    lowest = {np.int8: -128, np.int16: -32768, np.int32: -(2**31), np.int64: -(2**63), np.float32: -1.5}
    for number in (0, 1, lowest.get(dtype, 1)):
        assert read(make_tensor_proto(np.array(number, dtype))) == float(np.array(number, dtype))


def test_unsigned_and_brain_floats_are_read_from_their_lists() -> None:
    assert read(TensorProto(dtype=22, uint32_val=[2**32 - 1])) == 2**32 - 1
    assert read(TensorProto(dtype=23, uint64_val=[2**64 - 1])) == float(2**64 - 1)
    assert read(TensorProto(dtype=14, half_val=[0x3FC0])) == 1.5
    assert read(TensorProto(dtype=14, tensor_content=b"\xc0\x3f")) == 1.5
    assert read(TensorProto(dtype=19, half_val=[0x3C00])) == 1.0


def test_a_number_that_is_written_nowhere_is_zero() -> None:
    assert read(TensorProto(dtype=1)) == 0.0


def test_lists_that_are_not_packed_are_read() -> None:
    assert scalar(b"\x08\x01\x2d" + np.float32(2.5).tobytes(), 0, 7) == 2.5
    assert scalar(b"\x08\x09\x50\x07", 0, 4) == 7.0


@pytest.mark.parametrize(
    ("proto", "why"),
    [
        (make_tensor_proto(np.zeros(2, np.float32)), "shape is \\[2\\]"),
        (make_tensor_proto(np.zeros((0,), np.float32)), "shape is \\[0\\]"),
        (make_tensor_proto(np.array("text", object)), "type"),
        (TensorProto(dtype=8, scomplex_val=[1.0, 2.0]), "type"),
        (TensorProto(dtype=1, tensor_content=b"\0" * 8), "8 bytes"),
        (TensorProto(dtype=1, float_val=[1.0, 2.0]), "lists 2"),
        (TensorProto(dtype=1, tensor_shape={"unknown_rank": True}), "unknown"),
        (TensorProto(dtype=1, tensor_shape={"dim": [{"size": 2**62}]}), "shape"),
        (TensorProto(dtype=1, tensor_shape={"dim": [{"size": -1}]}), "shape"),
        (TensorProto(tensor_content=b"\0" * 4), "type"),
    ],
)
def test_what_is_no_single_number_is_refused_with_its_reason(proto: TensorProto, why: str) -> None:
    with pytest.raises(NotScalarError, match=why):
        read(proto)


def test_a_packed_list_that_ends_within_a_number_is_malformed() -> None:
    with pytest.raises(MalformedError):
        scalar(b"\x08\x01\x2a\x03abc", 0, 7)
