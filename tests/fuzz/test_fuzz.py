"""A short, fixed stretch of fuzzing; longer by `python tests/fuzz/event_files.py` and `tests/fuzz/file_logs.py`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("harness", ["event_files.py", "file_logs.py"])
def test_a_fixed_number_of_fuzzed_files_is_read_without_fault(harness: str) -> None:
    pytest.importorskip("atheris", reason="coverage-guided fuzzing needs atheris")
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name(harness)), "-runs=3000", "-seed=1", "-max_len=2000"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
