"""Event files made byte by byte: records, events of every encoding, with tensorboard's own protocol classes."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path

import google_crc32c
import numpy as np
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.util.tensor_util import make_tensor_proto


def masked_crc(data: bytes) -> int:
    crc = google_crc32c.value(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def header(length: int) -> bytes:
    raw = struct.pack("<Q", length)
    return raw + struct.pack("<I", masked_crc(raw))


def record(payload: bytes) -> bytes:
    return header(len(payload)) + payload + struct.pack("<I", masked_crc(payload))


VERSION = record(Event(wall_time=1.5e9, file_version="brain.Event:2").SerializeToString())


def scalar(tag: str, step: int, value: float, wall: float = 1.6e9) -> bytes:
    """One event as torch and tensorboardX write it."""
    summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
    return Event(wall_time=wall, step=step, summary=summary).SerializeToString()


def tensor(
    tag: str, step: int, value: object, wall: float = 1.6e9, *, dtype: object = np.float32, plugin: str | None = None
) -> bytes:
    """One event as TF2 writes it: content in `tensor_content`; `plugin` only in a tag's first record."""
    array = np.asarray(value, dtype)
    proto = make_tensor_proto(array)
    for name in ("float_val", "double_val", "int_val", "int64_val", "half_val", "bool_val"):
        proto.ClearField(name)
    proto.tensor_content = array.tobytes()
    made = Summary.Value(tag=tag, tensor=proto)
    if plugin is not None:
        made.metadata.CopyFrom(SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name=plugin)))
    return Event(wall_time=wall, step=step, summary=Summary(value=[made])).SerializeToString()


def file_of(events: Iterable[bytes], *, version: bool = True) -> bytes:
    return VERSION * version + b"".join(record(event) for event in events)


def written(folder: Path, events: Iterable[bytes], name: str = "events.out.tfevents.1600000000.host") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(file_of(events))
    return path
