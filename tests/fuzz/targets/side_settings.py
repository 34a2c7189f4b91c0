"""Settings that lie with a log, as YAML or JSON: a bounded number of plain values, or a note; the log is read anyway.

The first byte chooses the file's name; the rest is the file (inputs.grown).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from analyzer.model.run import Run
from analyzer.readers.filelog import config_files
from tests.fuzz.inputs import Taken, growing, grown
from tests.fuzz.laws import sound

NAMES = ("config.yaml", "wandb-summary.json")


def one_input(data: bytes) -> None:
    """Read a document of settings and flatten it."""
    found, problem = config_files.settings_of(grown(data[1:]), NAMES[Taken(data).number() % len(NAMES)])
    assert isinstance(found, Mapping) and (problem is None or "\n" not in problem)
    flat = config_files.flat(found)
    assert len(flat) <= config_files.MOST_PARAMS
    sound(Run("a", "a", "made", "", params=flat))


def seeds() -> Iterator[bytes]:
    """Yield documents of both kinds, and deep and long ones."""
    yield b"\0\0lr: 0.1\nmodel: {depth: 3, sizes: [1, 2, 3]}\n_wandb: {value: {}}\n"
    yield b"\0\0a: &x [1]\nb: *x\nc: !!python/name:os.system x\nd: 2026-01-02\n? [e]\n: f\n"
    yield b'\1\0{"a": {"b": [1, "x", null]}, "\\ud800": true, "api_key": "\\udfff", "c": 1e999}'
    for number in range(len(NAMES)):
        yield bytes([number]) + growing(b"", b'{"a": ', 1 << 12)
        yield bytes([number]) + growing(b'{"a": [', b"[1],", 1 << 12)
    yield b"\0" + growing(b"a: &a [1]\n", b"b: [*a, *a]\n", 1 << 10)
    yield b"\0" + growing(b"", b"- ", 1 << 12)
