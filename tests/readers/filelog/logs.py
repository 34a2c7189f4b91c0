"""Small logs of each kind as their writers leave them, made for tests."""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path


def text(path: Path, *lines: str) -> Path:
    """Write lines, each with its end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def lines(path: Path, *rows: dict) -> Path:
    """Write JSON lines."""
    return text(path, *map(json.dumps, rows))


def state(path: Path, rows: list[dict], **more: object) -> Path:
    """Write a trainer_state.json."""
    return text(path, json.dumps({"epoch": 1.0, "log_history": rows, **more}, indent=2, sort_keys=True))


def losses(count: int, start: float = 2.0) -> list[dict]:
    """Return rows of a Trainer's history."""
    return [
        {"epoch": n / 10, "loss": start / (n + 1), "learning_rate": 0.1, "step": 10 * n} for n in range(1, count + 1)
    ]


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def message(*fields: tuple[int, int | float | bytes | str]) -> bytes:
    """Encode the fields of a protocol buffer: int as varint, float as double, the rest as bytes."""
    out = b""
    for number, value in fields:
        if isinstance(value, float):
            out += varint(number << 3 | 1) + struct.pack("<d", value)
        elif isinstance(value, int):
            out += varint(number << 3) + varint(value)
        else:
            raw = value.encode() if isinstance(value, str) else value
            out += varint(number << 3 | 2) + varint(len(raw)) + raw
    return out


def history(step: int, **values: object) -> bytes:
    """Encode one call of wandb.log()."""
    items = {**values, "_step": step, "_timestamp": 1_788_000_000.0 + step}
    return message((1, step), (2, message(*((1, message((1, k), (16, json.dumps(v)))) for k, v in items.items()))))


def exited(code: int) -> bytes:
    """Encode the record that closes a run."""
    return message((18, message((1, code), (2, 5))))


def framed(*records: bytes) -> bytes:
    """Frame records as W&B's client does."""
    out = bytearray(b":W&B" + struct.pack("<HB", 0xBEE1, 0))
    for record in records:
        rest, first = record, True
        while True:
            left = 32768 - len(out) % 32768
            if left < 7:
                out += b"\0" * left
                continue
            part, rest = rest[: left - 7], rest[left - 7 :]
            kind = (1 if not rest else 2) if first else (4 if not rest else 3)
            out += struct.pack("<IHB", zlib.crc32(part, zlib.crc32(bytes([kind]))), len(part), kind) + part
            first = False
            if not rest:
                break
    return bytes(out)


def wandb_run(folder: Path, *records: bytes, run_id: str = "abc", time: str = "20260101_120000") -> Path:
    """Write a run folder of W&B and return its .wandb file."""
    path = folder / f"run-{time}-{run_id}" / f"run-{run_id}.wandb"
    path.parent.mkdir(parents=True)
    path.write_bytes(framed(*records))
    return path
