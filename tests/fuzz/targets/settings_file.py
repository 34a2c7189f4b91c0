"""posthoc.toml and pyproject.toml: settings or one sentence; what is accepted can be asked.

The first byte chooses the file's name; the rest is the file (inputs.grown).
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from analyzer.api import vocabulary
from analyzer.errors import SettingsError
from analyzer.settings import load_settings
from tests.fuzz.inputs import Taken, growing, grown
from tests.fuzz.laws import only

NAMES = ("posthoc.toml", "pyproject.toml")
KNOWN = vocabulary()


def one_input(data: bytes) -> None:
    """Load a settings file from the folder it lies in."""
    with tempfile.TemporaryDirectory() as folder, only(SettingsError):
        (Path(folder) / NAMES[Taken(data).number() % len(NAMES)]).write_bytes(grown(data[1:]))
        found = load_settings(None, KNOWN, Path(folder))
        assert 0 < found.alpha < 1 and found.run_timeout > 0 and found.retention > 0
        assert all(math.isfinite(value) for limits in found.limits.values() for value in limits.values())
        assert found.run_memory is None or found.run_memory >= 0
        for one in found.suppress:
            one.covers(one.symptom, "run/a", ["train/loss"], date(2026, 1, 1))


def seeds() -> Iterator[bytes]:
    """Yield all keys, and long files."""
    everything = b"""select = ["plateau"]
fail-on = "warning"
stale-after = "6h"
alpha = 1e-3
run-memory = "4GiB"
notify = ["json://a"]
[roles]
"a/b" = "loss:training:lower"
[limits.plateau]
[limits.history]
weight = 0.5
[history]
group-by = "a"
[links]
mlflow = "http://a"
[cost]
gpu-hour = 2
[[suppress]]
symptom = "plateau"
reason = "x"
run = "[a-z]*"
expires = 2026-12-31
"""
    yield b"\0\0" + everything
    yield b"\1\0[tool.posthoc]\nalpha = nan\n"
    yield b'\0\0[[suppress]]\nsymptom="plateau"\nreason="x"\nexpires="2026-1"\n'
    yield b"\0" + growing(b"a = ", b"[", 1 << 12)
    yield b"\0" + growing(b"alpha = ", b"9", 1 << 13)
    yield b"\0" + growing(b'stale-after = "', b"9", 1 << 13, b'"')
    yield b"\0" + growing(b'run-memory = "', b"9", 1 << 10, b'GiB"')
