"""Which bytes of an event may differ without changing what the plain parser would make of the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from analyzer.readers.tensorboard import tensors, wire
from analyzer.readers.tensorboard.hparams import PLUGIN


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of the event, which begins `at`: that decides the order of points.

    A *number* lies at `start` and is of numpy type `layout`; *odd* is a tensor that holds no scalar, `why` says why;
    *other* is an image or the like. `dtype` is a tensor's DataType, 0 for a simple_value.
    """

    kind: Literal["number", "odd", "other"]
    tag: bytes
    at: int = 0
    start: int = 0
    layout: str = ""
    dtype: int = 0
    why: str = ""
    metadata: wire.Metadata | None = None


@dataclass(frozen=True, slots=True)
class Structure:
    """Where an event's fields lie; `fixed` has a 1 for each bit that must agree. `tag` is set when it may differ."""

    fixed: bytes
    wall_time: int | None
    step: wire.Span | None
    cells: tuple[Cell, ...]
    tag: wire.Span | None


def structure(payload: bytes) -> Structure | None:
    """Return the structure of an event; None when other events with the same fixed bytes might mean something else.

    MalformedError when the payload is no event.
    """
    event = wire.parse_event(payload, 0, len(payload))
    fixed = bytearray(b"\xff" * len(payload))
    if event.wall_time is not None:
        _free(fixed, (event.wall_time, event.wall_time + 8))
    if event.step:
        start, stop = event.step
        fixed[start : min(stop, start + 9)] = b"\x80" * min(stop - start, 9)  # where the step ends is fixed
    cells = []
    for value in event.values:
        made = _cell(payload, value)
        if made is None:
            return None
        cells.append(made[0])
        _free(fixed, made[1])
    tag = event.values[0].tag if len(cells) == 1 and event.values[0].tag[1] > event.values[0].tag[0] else None
    if tag:
        _free(fixed, tag)
    return Structure(bytes(fixed), event.wall_time, event.step, tuple(cells), tag)


def _free(fixed: bytearray, span: wire.Span) -> None:
    fixed[span[0] : span[1]] = bytes(span[1] - span[0])


def _cell(payload: bytes, value: wire.Value) -> tuple[Cell, wire.Span] | None:
    """Return the cell of one value, and the bytes of it that may differ."""
    tag = payload[slice(*value.tag)]
    metadata = wire.parse_metadata(wire.joined(payload, value.metadata)) if value.metadata else None
    if len(value.spans) > 1 or (metadata and metadata.plugin == PLUGIN):
        return None
    span = value.spans[0] if value.spans else (0, 0)
    if value.kind == wire.SIMPLE_VALUE:
        return Cell("number", tag, span[0], span[0], "<f4", metadata=metadata), span
    if value.kind != wire.TENSOR:
        return Cell("other", tag, metadata=metadata), span
    try:
        spot = tensors.scalar_spot(payload, *span)
    except tensors.NotScalarError as error:
        return Cell("odd", tag, why=str(error), metadata=metadata), tensors.content_span(payload, *span)
    if spot is None or not spot.layout:
        return None
    return Cell("number", tag, span[0], spot.start, spot.layout, spot.dtype, metadata=metadata), (spot.start, spot.stop)
