"""Event files for the reading benchmark, written byte by byte because no writer makes a million records in seconds."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import google_crc32c

NAME = "events.out.tfevents.1700000000.host.1.0"
_SCALARS = b"\x0a\x09\x0a\x07scalars"  # SummaryMetadata: plugin_data { plugin_name: "scalars" }


@dataclass(frozen=True)
class Case:
    """Logs to be read: `make` writes them below a folder and returns how many scalars they hold.

    `aims`: how many times a reader's seconds posthoc's are to be in; `pace`: points per second, in those of the first
    case; `peak`: most memory of posthoc's process, in MB; 0 where there is no such aim.
    """

    key: str
    name: str
    make: Callable[[Path], int]
    aims: tuple[tuple[str, float], ...] = ()
    pace: float = 0
    peak: int = 0


def _varint(number: int) -> bytes:
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _masked(data: bytes) -> bytes:
    crc = google_crc32c.value(data)
    return struct.pack("<I", (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF)


@cache
def _header(length: int) -> bytes:
    raw = struct.pack("<Q", length)
    return raw + _masked(raw)


def record(payload: bytes) -> bytes:
    """Return an event as a record of a file: length, payload and their checksums."""
    return _header(len(payload)) + payload + _masked(payload)


def event(step: int, values: bytes) -> bytes:
    """Return the record of an event with these summary values, a quarter of a second after the step before."""
    wall = struct.pack("<d", 1.7e9 + step * 0.25 + 1e-5 * (step % 7919))
    return record(b"\x09" + wall + (b"\x10" + _varint(step) if step else b"") + _field(5, values))


def scalar(tag: bytes, number: float) -> bytes:
    """Return one value of a summary, stored as simple_value (float32)."""
    return _field(1, _field(1, tag) + b"\x15" + struct.pack("<f", number))


def _tensor(tag: bytes, number: float, *, first: bool) -> bytes:
    tensor = b"\x08\x01\x12\x00" + _field(4, struct.pack("<f", number))
    return _field(1, _field(1, tag) + _field(8, tensor) + (_field(9, _SCALARS) if first else b""))


def _loss(step: int) -> float:
    return 2.0 / (1 + step * 0.001) + random.random() * 0.1


def write_log(path: Path, records: Iterable[bytes]) -> None:
    """Write an event file: the version record, then these."""
    path.parent.mkdir(parents=True, exist_ok=True)
    random.seed(1)
    with path.open("wb") as file:
        file.write(record(b"\x09" + struct.pack("<d", 1.7e9) + _field(3, b"brain.Event:2")))
        file.writelines(records)


def _tags(count: int) -> list[bytes]:
    names = ("train/loss", "train/accuracy", "lr", "grad_norm", "val/loss")
    return [f"{names[i % 5]}{'' if i < 5 else f'/{i // 5}'}".encode() for i in range(count)]


def _in_turn(folder: Path, tags: int, steps: int) -> int:
    names = _tags(tags)
    write_log(folder / NAME, (event(step, scalar(tag, _loss(step))) for step in range(steps) for tag in names))
    return tags * steps


def _tensors(folder: Path) -> int:
    names = _tags(5)
    records = (event(s, _tensor(tag, _loss(s), first=s == 0)) for s in range(200_000) for tag in names)
    write_log(folder / f"{NAME}.v2", records)
    return 1_000_000


def _many_runs(folder: Path) -> int:
    return sum(_in_turn(folder / f"run_{i:03}", 5, 1000) for i in range(200))


def _heavy(folder: Path) -> int:
    """Per step ten scalars and three histograms, at every second step an image."""
    noise = random.Random(2).randbytes(1 << 20)

    def records() -> Iterator[bytes]:
        for step in range(2000):
            yield from (event(step, scalar(tag, _loss(step))) for tag in _tags(10))
            for layer in range(3):
                size, at = 8000 + (step * 31 + layer * 7) % 200, (step * 977 + layer) % 800_000
                histogram = _field(6, noise[at : at + size // 16 * 8]) + _field(7, noise[at : at + size // 16 * 8])
                yield event(step, _field(1, _field(1, b"layer_%d/weights" % layer) + _field(5, histogram)))
            if step % 2:
                at = step * 131 % 500_000
                image = _field(4, noise[at : at + 212_000 + step])
                yield event(step, _field(1, _field(1, b"samples/generated") + _field(4, image)))

    write_log(folder / NAME, records())
    return 20_000


def _random_order(folder: Path) -> int:
    names = [
        b"loss",
        b"lr",
        b"acc",
        b"val_loss",
        b"grad_norm",
        b"train/accuracy",
        b"f1",
        b"momentum",
        b"epoch",
        b"time/step",
    ]
    choose = random.Random(3).choice
    write_log(folder / NAME, (event(i // 10, scalar(choose(names), _loss(i))) for i in range(1_000_000)))
    return 1_000_000


def _several_values(folder: Path) -> int:
    names = _tags(20)
    write_log(folder / NAME, (event(s, b"".join(scalar(tag, _loss(s)) for tag in names)) for s in range(50_000)))
    return 1_000_000


def _long_period(folder: Path) -> int:
    train, evaluation = _tags(5), [b"eval/%s" % name for name in (b"loss", b"accuracy", b"f1", b"recall", b"precision")]

    def records() -> Iterator[bytes]:
        for step in range(198_000):
            yield from (event(step, scalar(tag, _loss(step))) for tag in train)
            if step % 100 == 99:
                yield from (event(step, scalar(tag, _loss(step))) for tag in evaluation)

    write_log(folder / NAME, records())
    return 198_000 * 5 + 1980 * 5


def tiny_log() -> bytes:
    """Return an event file of three points."""
    return b"".join(event(step, scalar(b"loss", _loss(step))) for step in range(3))


CASES = (
    Case(
        "simple",
        "1 M scalars, simple_value, 5 tags",
        lambda folder: _in_turn(folder, 5, 200_000),
        (("tbparse", 80), ("data-server", 3.5)),
        peak=200,
    ),
    Case("tensors", "1 M scalars, tensors (TF2), 5 tags", _tensors, (("data-server", 7),)),
    Case("many-runs", "200 runs × 5 tags × 1,000", _many_runs, (("data-server", 1),)),
    Case(
        "heavy",
        "250 MiB of histograms and images, 20 k scalars",
        _heavy,
        (("EventAccumulator", 300), ("checksum pass", 1 / 1.2)),
    ),
    Case("thousand-tags", "1,000 tags × 1,000 in one file", lambda folder: _in_turn(folder, 1000, 1000), pace=1 / 6),
    Case("random-order", "10 tags in random order, 1 M", _random_order, pace=1 / 4),
    Case("several-values", "20 values an event, 1 M", _several_values, pace=2),
    Case("long-period", "5 tags, evaluation every 100 steps (period 505), 1 M", _long_period, pace=1 / 2),
)
