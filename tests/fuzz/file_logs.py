"""Coverage-guided fuzzing of logs in plain files: `python tests/fuzz/file_logs.py [-max_total_time=600 …]`.

Needs atheris (`pip install atheris`). An input's first byte chooses the kind whose file the rest becomes; records of
W&B get right lengths and checksums for half of the inputs, so that what lies behind them is reached too. No reader may
raise, and the fast way through a table must give what the way line by line gives.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import atheris  # noqa: E402 - the project's root must be on the path for what follows

with atheris.instrument_imports(include=["analyzer.readers.filelog"]):
    from analyzer.readers.filelog import delimited, kinds
    from analyzer.readers.filelog.files import Place
    from analyzer.readers.filelog.kind import Group, Reading

    kinds.known()  # imports the kinds, to be instrumented as well

from tests.readers.filelog import logs  # noqa: E402 - after the instrumented imports

NAMES = {
    "trainer-state": "trainer_state.json",
    "wandb": "run-a/run-a.wandb",
    "dvclive": "plots/metrics/loss.tsv",
    "sb3": "0.monitor.csv",
    "rllib": "result.json",
    "trackio": "proj.db",
}


def file_of_input(kind: str, data: bytes) -> bytes:
    """Return the bytes of the file that an input stands for."""
    if kind == "wandb" and data[:1] > b"\x7f":
        size = 1 + data[0] % 64
        return logs.framed(*(data[at : at + size] for at in range(1, len(data), size)))
    return data


def check(folder: Path, data: bytes) -> None:
    """Read a file as one kind would; AssertionError when the two ways through a table disagree."""
    known = kinds.known()
    kind = list(known)[data[0] % len(known)]
    name = NAMES.get(kind, "log.csv")
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(file_of_input(kind, data[1:]))
    content = known[kind].read(Reading(Place(str(folder)), Group("", ((name, ""),)), kind))
    assert all(one.points for one in content.series.values())
    same_both_ways(data[1:])


def same_both_ways(raw: bytes) -> None:
    """Compare a table read many lines at a time with the same table read line by line."""
    fast = delimited.parse(raw, "t")
    plain, delimited._plain = delimited._plain, lambda *_: None
    try:
        slow = delimited.parse(raw, "t")
    finally:
        delimited._plain = plain
    assert fast.size == slow.size
    held = {name: column for name, column in slow.columns.items() if column.at.size}
    assert {name for name, column in fast.columns.items() if column.at.size} == set(held)
    for name, column in held.items():
        assert fast.columns[name].at.tolist() == column.at.tolist()
        assert fast.columns[name].values.tobytes() == column.values.tobytes()


def seeds(folder: Path) -> None:
    """Write a few inputs to begin with."""
    table = b"step,loss,acc\n0,1.5,\n1,nan,0.5\nstep,loss,acc\n2,1e-3,.5\n"
    state = b'{"log_history": [{"step": 1, "loss": NaN}, {"step": 2, "train_runtime": 1}], "max_steps": 3}'
    wandb = logs.framed(logs.history(0, loss=1.0), logs.history(1, loss=0.5, nest={"a": 1}), logs.exited(0))
    rows = b'{"step": 1, "loss": 1.5, "in": {"a": 1}}\n{"step": 2}{"step": 3}\n'
    for number, kind in enumerate(kinds.known()):
        raw = {"trainer-state": state, "wandb": wandb}.get(kind, rows if kind in _LINES else table)
        (folder / kind).write_bytes(bytes([number]) + raw)


_LINES = ("jsonl", "rllib", "detectron2", "mmengine")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as corpus, tempfile.TemporaryDirectory() as place:
        seeds(Path(corpus))
        atheris.Setup([*sys.argv, corpus], lambda data: check(Path(place), data) if data else None)
        atheris.Fuzz()
