"""Coverage-guided fuzzing of MLflow's file store: `python tests/fuzz/mlflow_files.py [-max_total_time=600 …]`.

Needs atheris (`pip install atheris`). An input's first byte says which file of a run the rest becomes: a metric's
history, the meta.yaml of the run or of its experiment, a data set, a parameter. No reader may raise, and the quick way
through a history must give what the way line by line gives.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import atheris  # noqa: E402 - the project's root must be on the path for what follows

with atheris.instrument_imports(include=["analyzer.readers.mlflow"]):
    from analyzer.readers.folder_walk import walk
    from analyzer.readers.formats import EVERY
    from analyzer.readers.mlflow import file_store, metric_history

RUN = "0123456789abcdef0123456789abcdef"
HISTORY = f"1/{RUN}/metrics/loss"
FILES = (HISTORY, f"1/{RUN}/meta.yaml", "1/meta.yaml", f"1/{RUN}/params/lr", f"1/{RUN}/inputs/i/meta.yaml")


def check(folder: Path, data: bytes) -> None:
    """Read a store with one file of these bytes; AssertionError when a reader fails or two ways disagree."""
    path = folder / FILES[data[0] % len(FILES)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data[1:])
    (folder / f"1/{RUN}/params").mkdir(parents=True, exist_ok=True)
    (folder / f"1/{RUN}/metrics").mkdir(parents=True, exist_ok=True)
    try:
        for ref in file_store.runs_in(walk(folder), EVERY):
            run = ref.load({}).run
            assert all(one.points for one in run.series.values())
    finally:
        path.unlink()
    same_both_ways(data[1:])


def same_both_ways(raw: bytes) -> None:
    """Compare a history read many lines at a time with the same read line by line."""
    whole = raw[: raw.rfind(b"\n") + 1]
    quick = metric_history._columns(whole)
    if quick is None:
        return
    slow = metric_history._line_by_line(whole, "t", [])
    assert not slow.notes
    for one, other in zip(quick, (slow.stamps, slow.values, slow.steps), strict=True):
        assert one.tobytes() == other.tobytes() or (one != one).any()  # NaNs may differ in their sign


def seeds(folder: Path) -> None:
    """Write a few inputs to begin with."""
    meta = f"run_id: {RUN}\nrun_name: fox\nstatus: 3\nlifecycle_stage: active\nstart_time: 1\n".encode()
    texts = (
        b"1000 0.5 0\n2000 nan 1\n3000 -inf 2\n", meta, b"name: vision\nexperiment_id: '1'\n", b"0.1",
        b"digest: abc\nname: iris\nschema: '{}'\n",
    )  # fmt: skip
    for number, text in enumerate(texts):
        (folder / f"seed{number}").write_bytes(bytes([number]) + text)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as corpus, tempfile.TemporaryDirectory() as place:
        seeds(Path(corpus))
        atheris.Setup([*sys.argv, corpus], lambda data: check(Path(place), data) if data else None)
        atheris.Fuzz()
