"""Logs that the real libraries write, point by point and bit by bit."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from analyzer.readers import open_source
from tests.readers.filelog import write_with

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[3]
TAGS = {"dvclive": "train/loss", "keras": "loss", "lightning": "train_loss", "trackio": "loss", "wandb": "loss"}
SOURCES = {"keras": "keras-csv", "lightning": "lightning-csv"}
PARAMS: dict[str, dict[str, object]] = {
    "dvclive": {"lr": "0.1"},
    "lightning": {"lr": "0.1"},
    "wandb": {"lr": 0.1, "net.width": 8},
}
DECLARED = {"wandb": "FAILED"}


@pytest.fixture(scope="module")
def python() -> str:
    found = os.environ.get("POSTHOC_WRITERS") or str(ROOT / ".venv-writers" / "bin" / "python")
    if not Path(found).exists():
        pytest.skip("no environment with the writers (.venv-writers, or POSTHOC_WRITERS); see requirements-writers.txt")
    return found


def test_every_writer_is_compared() -> None:
    assert set(TAGS) == set(write_with.WRITERS)


@pytest.mark.parametrize("library", sorted(TAGS))
def test_a_real_log_is_read_bit_by_bit(python: str, tmp_path: Path, library: str) -> None:
    command = [python, write_with.__file__, library, str(tmp_path)]
    environment = {**os.environ, "HOME": str(tmp_path / "home"), "WANDB_DIR": str(tmp_path)}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment, cwd=tmp_path, timeout=120
    )
    if done.returncode == write_with.ABSENT:
        pytest.skip(f"{library} is not installed: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    (run,) = open_source(str(tmp_path))
    series = run.series[TAGS[library]]
    assert list(zip(series.steps.tolist(), series.values.tolist(), strict=True)) == write_with.POINTS
    assert run.source == SOURCES.get(library, library)
    assert {key: run.params.get(key) for key in PARAMS.get(library, {})} == PARAMS.get(library, {})
    assert run.declared == DECLARED.get(library, run.declared)
    assert [note.message for note in run.notes if note.kind in ("damage", "torn-tail", "unreadable")] == []
