"""The small files of MLflow's file store (meta.yaml, params, tags, data sets): the run beside them is always read.

The first byte says which file the rest becomes (inputs.grown).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from analyzer.readers.folder_walk import walk
from analyzer.readers.formats import Choice
from analyzer.readers.mlflow import file_store
from analyzer.readers.mlflow.meta import read_meta
from tests.fuzz.inputs import Taken, growing, grown
from tests.fuzz.laws import sound

RUN = "0123456789abcdef0123456789abcdef"
META = f"run_id: {RUN}\nrun_name: fox\nstatus: 3\nlifecycle_stage: active\nstart_time: 1\n"
FILES = (
    f"1/{RUN}/meta.yaml", "1/meta.yaml", f"1/{RUN}/params/lr", f"1/{RUN}/tags/mlflow.runName",
    f"1/{RUN}/inputs/i/meta.yaml", "1/datasets/d/meta.yaml", "1/models/m-1/meta.yaml", "1/models/m-1/metrics/loss",
)  # fmt: skip
OTHERS = {
    f"1/{RUN}/metrics/loss": "1000 0.5 0\n1000 0.25 0\n",
    f"1/{RUN}/params/momentum": "0.9",
    f"1/{RUN}/inputs/i/meta.yaml": "source_type: DATASET\nsource_id: d\ntags: {mlflow.data.context: training}\n",
    "1/datasets/d/meta.yaml": "name: iris\ndigest: abc\n",
}


def one_input(data: bytes) -> None:
    """Read a store with one file of these bytes."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for name, text in OTHERS.items():
            _written(folder / name, text.encode())
        path = folder / FILES[Taken(data).number() % len(FILES)]
        _written(path, grown(data[1:]))
        found, problem = read_meta(path)
        assert isinstance(found, Mapping) and (problem is None or "\n" not in problem)
        refs = file_store.runs_in(walk(folder), Choice(deleted=True))
        runs = [sound(ref.load({}).run) for ref in refs]
    (run,) = [run for run in runs if run.id == RUN]
    assert sum(one.points for one in run.series.values()) == 2


def _written(path: Path, raw: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw)


def seeds() -> Iterator[bytes]:
    """Yield each file as MLflow writes it, and what YAML has besides."""
    texts = (META, "name: vision\nexperiment_id: '1'\nlifecycle_stage: deleted\n", "0.1", "fox",
             "source_type: 1\nsource_id: d\n", "name: iris\nschema: '{}'\n", "name: a\n",
             f"1000 0.5 0 {RUN}\n1000 0.25 0 {RUN}\n")  # fmt: skip
    for number, text in enumerate(texts):
        yield bytes([number, 0]) + text.encode()
    for text in (
        "a: &x [1]\nb: *x\n",
        "!!python/object:os.system {a: 1}\n",
        "? [a]\n: {b: c}\n",
        "a: !!float .nan\n---\nb",
    ):
        yield b"\0\0" + text.encode()
    yield b"\0" + growing(b"a: ", b"[", 1 << 11)
    yield b"\0" + growing(b"", b"a: 1\n", 1 << 10)
