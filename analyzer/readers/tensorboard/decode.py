"""One event's bytes into points, metadata and hyper-parameters: the way for records that no template fits."""

from __future__ import annotations

import struct

from analyzer.readers.tensorboard import tensors, wire
from analyzer.readers.tensorboard.hparams import PLUGIN
from analyzer.readers.tensorboard.points import Columns

_EXACT = struct.Struct("<d")
_SIMPLE = struct.Struct("<f")


class Decoder:
    """Puts what events say into columns, and keeps the contents that the hparams plugin wrote.

    `hparams` has (offset, tag, plugin content) of each such value.
    """

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self.hparams: list[tuple[int, bytes, bytes]] = []

    def add(self, data: bytes, at: int, stop: int, offset: int) -> float:
        """Take in the event in data[at:stop], which lies `offset` bytes further in the file; return its wall time.

        MalformedError when it is no event; nothing of it is kept then.
        """
        event = wire.parse_event(data, at, stop)
        wall = 0.0 if event.wall_time is None else float(_EXACT.unpack_from(data, event.wall_time)[0])
        step = wire.signed(wire.varint(data, *event.step)[0]) if event.step else 0
        readings = [(value, self._reading(data, value), self._metadata(data, value)) for value in event.values]
        for value, reading, metadata in readings:
            tag = data[slice(*value.tag)]
            if metadata:
                self._note_metadata(tag, at + offset, metadata)
            place = value.spans[0][0] + offset if value.spans else offset
            if isinstance(reading, float):
                self.columns.add(tag, value.kind == wire.TENSOR, (place, step, reading, wall))
            elif reading is not None:
                self.columns.add_odd(tag, at + offset, reading)
        return wall

    def _reading(self, data: bytes, value: wire.Value) -> float | str | None:
        """Return the value's number, why it is none, or None for what never is a scalar."""
        if value.kind == wire.SIMPLE_VALUE:
            return float(_SIMPLE.unpack_from(data, value.spans[0][0])[0])
        if value.kind != wire.TENSOR:
            return None
        try:
            if len(value.spans) == 1:
                return tensors.scalar(data, *value.spans[0])
            message = wire.joined(data, value.spans)
            return tensors.scalar(message, 0, len(message))
        except tensors.NotScalarError as error:
            return str(error)

    def _metadata(self, data: bytes, value: wire.Value) -> wire.Metadata | None:
        return wire.parse_metadata(wire.joined(data, value.metadata)) if value.metadata else None

    def _note_metadata(self, tag: bytes, at: int, metadata: wire.Metadata) -> None:
        self.columns.add_metadata(tag, at, metadata)
        if metadata.plugin == PLUGIN:
            self.hparams.append((at, tag, metadata.content))
