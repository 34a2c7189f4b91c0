"""A short, fixed stretch of fuzzing; longer by `python tests/fuzz/event_files.py`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def test_a_fixed_number_of_fuzzed_event_files_is_read_alike_both_ways() -> None:
    pytest.importorskip("atheris", reason="coverage-guided fuzzing needs atheris")
    harness = Path(__file__).with_name("event_files.py")
    done = subprocess.run(
        [sys.executable, str(harness), "-runs=3000", "-seed=1", "-max_len=2000"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
