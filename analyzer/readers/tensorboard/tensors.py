"""Scalars inside TensorProto: every numeric type, every place where a writer may put the one number."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from analyzer.readers.tensorboard.wire import BYTES, FIXED32, FIXED64, VARINT, MalformedError, Span, fields, varint

_FLOATS, _DOUBLES, _INTS, _INT64S, _BOOLS, _HALVES, _UINT32S, _UINT64S = 5, 6, 7, 10, 11, 13, 16, 17
_LISTS = {_FLOATS: FIXED32, _DOUBLES: FIXED64} | dict.fromkeys(
    (_INTS, _INT64S, _BOOLS, _HALVES, _UINT32S, _UINT64S), VARINT
)

_BOOL, _BFLOAT16 = 10, 14
_TYPES: dict[int, tuple[str, int]] = {  # DataType: how its bytes are laid out, and the list for single numbers
    1: ("<f4", _FLOATS),
    2: ("<f8", _DOUBLES),
    3: ("<i4", _INTS),
    4: ("|u1", _INTS),
    5: ("<i2", _INTS),
    6: ("|i1", _INTS),
    9: ("<i8", _INT64S),
    _BOOL: ("|u1", _BOOLS),
    _BFLOAT16: ("<u2", _HALVES),
    17: ("<u2", _INTS),
    19: ("<f2", _HALVES),
    22: ("<u4", _UINT32S),
    23: ("<u8", _UINT64S),
}


class NotScalarError(ValueError):
    """The tensor is well formed and holds no single real number; the text says what it holds."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a tensor's one number lies: bytes of `layout` (a numpy type), or a varint when `layout` is empty."""

    dtype: int
    layout: str
    start: int
    stop: int


@dataclass(slots=True)
class _Tensor:
    dtype: int = 0
    sizes: list[int] = field(default_factory=list)
    unknown_rank: bool = False
    content: Span = (0, 0)
    listed: dict[int, list[Span]] = field(default_factory=dict)


def scalar_spot(data: bytes, at: int, stop: int) -> Spot | None:
    """Return where the number of the TensorProto in data[at:stop] lies; None: it is written nowhere, which means 0.

    NotScalarError for strings, complex numbers and whatever has not exactly one element; MalformedError when
    protobuf would refuse the message.
    """
    tensor = _parsed(data, at, stop)
    if tensor.dtype not in _TYPES:
        raise NotScalarError(f"its type (number {tensor.dtype}) is not a real number")
    if tensor.unknown_rank or any(size != 1 for size in tensor.sizes):
        raise NotScalarError("its shape is unknown" if tensor.unknown_rank else f"its shape is {tensor.sizes}")
    layout, place = _TYPES[tensor.dtype]
    start, end = tensor.content
    if end > start:
        if end - start != np.dtype(layout).itemsize:
            raise NotScalarError(f"its content has {end - start} bytes")
        return Spot(tensor.dtype, layout, start, end)
    spans = tensor.listed.get(place, [])
    if len(spans) > 1:
        raise NotScalarError(f"it lists {len(spans)} numbers")
    return Spot(tensor.dtype, "" if _LISTS[place] == VARINT else layout, *spans[0]) if spans else None


def content_span(data: bytes, at: int, stop: int) -> Span:
    """Return where `tensor_content` of the TensorProto lies; an empty span when it has none."""
    return _parsed(data, at, stop).content


def scalar(data: bytes, at: int, stop: int) -> float:
    """Return the number of the TensorProto in data[at:stop]; raises as scalar_spot()."""
    spot = scalar_spot(data, at, stop)
    if spot is None:
        return 0.0
    if spot.layout:
        stored = np.frombuffer(data, spot.layout, 1, spot.start)
    else:
        stored = _from_varint(varint(data, spot.start, spot.stop)[0], spot.dtype)
    return float(decoded(spot.dtype, stored)[0])


def _from_varint(number: int, dtype: int) -> NDArray[np.generic]:
    """Return a listed number in its type's layout; a list of halves holds their bits."""
    if dtype == _BOOL:
        return np.array([number != 0])
    layout, place = _TYPES[dtype]
    if place == _HALVES:
        return np.array([number & 0xFFFF], dtype=np.uint16).view(layout)
    return np.array([number], dtype=np.uint64).astype(layout)


def decoded(dtype: int, stored: NDArray[np.generic]) -> NDArray[np.float64]:
    """Return stored numbers of a DataType as float64: bfloat16 is the upper half of a float32, any bool but 0 is 1."""
    if dtype == _BFLOAT16:
        stored = (stored.astype(np.uint32) << np.uint32(16)).view(np.float32)
    elif dtype == _BOOL:
        stored = stored != 0
    with np.errstate(invalid="ignore"):  # a signalling NaN becomes a quiet one, which is as much NaN
        return stored.astype(np.float64)


def _parsed(data: bytes, at: int, stop: int) -> _Tensor:
    tensor = _Tensor()
    for number, wire, start, end in fields(data, at, stop):
        if number == 1 and wire == VARINT:
            tensor.dtype = varint(data, start, end)[0]
        elif number == 2 and wire == BYTES:
            _add_shape(data, start, end, tensor)
        elif number == 4 and wire == BYTES:
            tensor.content = (start, end)
        elif number in _LISTS and wire in {BYTES, _LISTS[number]}:
            spans = tensor.listed.setdefault(number, [])
            spans.extend(_elements(data, start, end, _LISTS[number]) if wire == BYTES else [(start, end)])
    return tensor


def _add_shape(data: bytes, at: int, stop: int, tensor: _Tensor) -> None:
    for number, wire, start, end in fields(data, at, stop):
        if number == 2 and wire == BYTES:
            size = 0
            for inner, kind, first, last in fields(data, start, end):
                if inner == 1 and kind == VARINT:
                    size = varint(data, first, last)[0]
            tensor.sizes.append(size)
        elif number == 3 and wire == VARINT:
            tensor.unknown_rank = varint(data, start, end)[0] != 0


def _elements(data: bytes, at: int, stop: int, wire: int) -> list[Span]:
    """Return the spans of a packed list's elements; no more than two, for one is all that a scalar may have."""
    spans: list[Span] = []
    while at < stop and len(spans) < 2:
        end = varint(data, at, stop)[1] if wire == VARINT else at + (4 if wire == FIXED32 else 8)
        if end > stop:
            raise MalformedError("a packed list ends within a number")
        spans.append((at, end))
        at = end
    return spans
