"""A parser of the few protocol messages an event file is made of; it yields positions, never copies of payloads.

It refuses and accepts what protobuf's own parser does (unknown fields, groups, repeated single fields, merged
messages), with one difference: a tag that is not UTF-8 is kept as bytes.
Messages: tensorboard.Event, Summary, Summary.Value, SummaryMetadata (tensorboard/compat/proto/*.proto).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

VARINT, FIXED64, BYTES, GROUP, END_GROUP, FIXED32 = 0, 1, 2, 3, 4, 5

SIMPLE_VALUE, TENSOR = 2, 8
_VALUE_KINDS = frozenset({2, 3, 4, 5, 6, 8})  # the oneof of Summary.Value; all but simple_value are messages or bytes
_EVENT_KINDS = frozenset({3, 4, 5, 6, 7, 8, 9})  # the oneof of Event, all of wire type BYTES
_EVENT_WIRE = {1: FIXED64, 2: VARINT, 10: BYTES} | dict.fromkeys(_EVENT_KINDS, BYTES)
_MAX_NESTING = 100

Span = tuple[int, int]


class MalformedError(ValueError):
    """The bytes are no message of the expected type."""


def varint(data: bytes, at: int, stop: int) -> tuple[int, int]:
    """Return the unsigned 64-bit number at `at` and the offset behind it."""
    result = shift = 0
    while True:
        if at >= stop or shift > 63:
            raise MalformedError("a number runs over its end")
        byte = data[at]
        at += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result & 0xFFFF_FFFF_FFFF_FFFF, at
        shift += 7


def signed(number: int) -> int:
    """Return an unsigned 64-bit number as the int64 with the same bits."""
    return number - (1 << 64) if number >> 63 else number


def fields(data: bytes, at: int, stop: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield (field number, wire type, start, stop) of each field; for BYTES the span is the content alone."""
    while at < stop:
        number, kind, at = _tag(data, at, stop)
        start, end, at = _extent(data, (number, kind), at, stop)
        yield number, kind, start, end


def _tag(data: bytes, at: int, stop: int) -> tuple[int, int, int]:
    start = at
    tag, at = varint(data, at, stop)
    if tag >> 32 or at - start > 5 or tag < 8:
        raise MalformedError("a field has no valid number")
    return tag >> 3, tag & 7, at


def _extent(data: bytes, field_type: tuple[int, int], at: int, stop: int, depth: int = 0) -> tuple[int, int, int]:
    number, kind = field_type
    if kind == BYTES:
        length, start = varint(data, at, stop)
        end = start + length
    elif kind == VARINT:
        start, end = at, varint(data, at, stop)[1]
    elif kind in {FIXED64, FIXED32}:
        start, end = at, at + (8 if kind == FIXED64 else 4)
    elif kind == GROUP:
        start, end = at, _group_end(data, number, at, stop, depth + 1)
    else:
        raise MalformedError(f"wire type {kind} does not exist")
    if end > stop:
        raise MalformedError("a field runs over the end of its message")
    return start, end, end


def _group_end(data: bytes, number: int, at: int, stop: int, depth: int) -> int:
    if depth > _MAX_NESTING:
        raise MalformedError("groups are nested too deeply")
    while True:
        inner, kind, at = _tag(data, at, stop)
        if kind == END_GROUP:
            if inner != number:
                raise MalformedError("a group ends that did not begin")
            return at
        at = _extent(data, (inner, kind), at, stop, depth)[2]


@dataclass(slots=True)
class Value:
    """One Summary.Value: where its tag, content and metadata lie. A message that comes in parts has several spans."""

    tag: Span = (0, 0)
    kind: int = 0
    spans: list[Span] = field(default_factory=list)
    metadata: list[Span] = field(default_factory=list)


@dataclass(slots=True)
class Event:
    """One Event: where its wall time (8 bytes, None: 0.0) and step (varint, None: 0) lie, and its values."""

    wall_time: int | None = None
    step: Span | None = None
    values: list[Value] = field(default_factory=list)


def parse_event(data: bytes, at: int, stop: int) -> Event:
    """Return the event in data[at:stop]. MalformedError when protobuf would refuse it."""
    event = Event()
    kind = 0
    summaries: list[Span] = []
    for number, wire, start, end in fields(data, at, stop):
        if number == 1 and wire == FIXED64:
            event.wall_time = start
        elif number == 2 and wire == VARINT:
            event.step = (start, end)
        elif number in _EVENT_KINDS and wire == BYTES:
            if number != kind:
                kind, summaries = number, []
            summaries.append((start, end))
    if kind == 5:
        for start, end in summaries:
            event.values.extend(_values(data, start, end))
    return event


def _values(data: bytes, at: int, stop: int) -> Iterator[Value]:
    for number, wire, start, end in fields(data, at, stop):
        if number == 1 and wire == BYTES:
            yield _value(data, start, end)


def _value(data: bytes, at: int, stop: int) -> Value:
    value = Value(tag=(at, at))
    for number, wire, start, end in fields(data, at, stop):
        if number == 1 and wire == BYTES:
            value.tag = (start, end)
        elif number in _VALUE_KINDS and wire == (FIXED32 if number == SIMPLE_VALUE else BYTES):
            if number != value.kind or number == SIMPLE_VALUE:
                value.kind, value.spans = number, []
            value.spans.append((start, end))
        elif number == 9 and wire == BYTES:
            value.metadata.append((start, end))
    return value


def joined(data: bytes, spans: list[Span]) -> bytes:
    """Return the bytes of all spans: parts of a message, put one behind the other, are the merged message."""
    return b"".join(data[start:end] for start, end in spans)


@dataclass(frozen=True, slots=True)
class Metadata:
    """What SummaryMetadata says of a tag: plugin ("scalars", "histograms", "hparams", …), its content, data class."""

    plugin: bytes
    content: bytes
    data_class: int


def parse_metadata(message: bytes) -> Metadata:
    """Return the metadata of a tag. MalformedError when protobuf would refuse it."""
    parts, data_class = list[bytes](), 0
    for number, wire, start, end in fields(message, 0, len(message)):
        if number == 1 and wire == BYTES:
            parts.append(message[start:end])
        elif number == 4 and wire == VARINT:
            data_class = varint(message, start, end)[0]
    plugin_data, name, content = b"".join(parts), b"", b""
    for number, wire, start, end in fields(plugin_data, 0, len(plugin_data)):
        if number == 1 and wire == BYTES:
            name = plugin_data[start:end]
        elif number == 2 and wire == BYTES:
            content = plugin_data[start:end]
    return Metadata(name, content, data_class)


_MOST_BYTES = (1 << 31) - 1  # no serialised protocol message is longer


def begins_event(data: bytes, length: int) -> bool:
    """Whether `data`, fewer than `length` bytes, is the beginning of an event of that length.

    Tells a record that is still being written from a length that lies. Writers put fields in ascending order and
    a summary last but for the source's metadata (field 10), so what follows a summary's end must be nothing else.
    """
    if length > _MOST_BYTES:
        return False
    at = last = 0
    try:
        while at < len(data):
            number, kind, at = _tag(data, at, length)
            if number <= last or (last in _EVENT_KINDS and number < 10) or kind != _EVENT_WIRE.get(number, kind):
                return False
            last, at = number, _extent(data, (number, kind), at, length)[2]
    except MalformedError:
        return False
    except IndexError:  # a number goes on behind the last byte that is there
        return True
    return True
