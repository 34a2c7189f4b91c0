"""A result as an event file for TensorBoard's text tab, beside the curves that it speaks of.

The file holds two events: the version of the format, and one summary whose value is a Markdown text (a string tensor of
the plug-in *text*). Encoded by hand: tensorboard's own writer starts a thread and takes a second to import.
"""

from __future__ import annotations

import struct
from pathlib import Path

from analyzer.errors import OutputError
from analyzer.files import replace_file
from analyzer.readers.tensorboard.crc32c import checksum
from analyzer.readers.tensorboard.logdir import OWN_FILE

FILE = f"events.out.tfevents.0{OWN_FILE}"
"""One name, so that a later report replaces the text of an earlier one."""

TAG = "posthoc/report"
VERSION = b"brain.Event:2"
STRING, TENSOR = 7, 2
"""DT_STRING of a tensor, and DATA_CLASS_TENSOR of a summary's metadata."""

_VARINT, _DOUBLE, _BYTES = 0, 1, 2


def write_text_event(folder: Path, text: str, at: float) -> Path:
    """Write the text (Markdown) of a report made `at` Unix seconds into a folder; return the file.

    OutputError when the file cannot be written or is there and not from posthoc.
    """
    path = folder / FILE
    if path.exists() and TAG.encode() not in path.read_bytes():
        raise OutputError(f"{path} is not from posthoc; give another folder with --tensorboard")
    data = _record(_event(at, _field(3, VERSION))) + _record(_event(at, _field(5, _summary(text))))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        replace_file(path, lambda file: file.write(data))
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from error
    return path


def _record(payload: bytes) -> bytes:
    """Return a record of an event file: length, its checksum, payload, its checksum."""
    length = struct.pack("<Q", len(payload))
    return length + struct.pack("<I", checksum(length)) + payload + struct.pack("<I", checksum(payload))


def _event(at: float, what: bytes) -> bytes:
    """Return an Event (event.proto): wall_time 1, step 2, file_version 3, summary 5."""
    return _key(1, _DOUBLE) + struct.pack("<d", at) + _key(2, _VARINT) + _varint(0) + what


def _summary(text: str) -> bytes:
    """Return a Summary (summary.proto) with one Value: tag 1, tensor 8, metadata 9."""
    plugin = _field(1, _field(1, b"text")) + _key(4, _VARINT) + _varint(TENSOR)
    tensor = _key(1, _VARINT) + _varint(STRING) + _field(2, b"") + _field(8, text.encode("utf-8", "replace"))
    return _field(1, _field(1, TAG.encode()) + _field(8, tensor) + _field(9, plugin))


def _field(number: int, data: bytes) -> bytes:
    return _key(number, _BYTES) + _varint(len(data)) + data


def _key(number: int, kind: int) -> bytes:
    return _varint(number << 3 | kind)


def _varint(value: int) -> bytes:
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])
