"""How fast posthoc reads each kind of log in a file, beside the usual reader of the same file.

Every file is made in its kind's own form, at about 1 KB, 1 MB and 20 MB. Each reader runs in a process of its own and
reads a small file to warm up, then the file several times; the least CPU time counts. A ratio above 1 means that
posthoc is slower. Peak memory (MB) is what the process needed above its start, imports left out. Where a peer is not
installed its cell is “–”.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.readers.filelog import logs

ROOT = Path(__file__).resolve().parent.parent
SIZES = {"1 KB": 1_000, "1 MB": 1_000_000, "20 MB": 20_000_000}
GOES = 5
Maker = Callable[[int], str]


@dataclass(frozen=True)
class Case:
    """A kind's file: its path below the source, what is in front of its rows, a row by its number, and its peer."""

    path: str
    begin: str
    row: Maker
    peer: str


def _value(n: int) -> float:
    return round(2.0 / (1 + n / 100) + (n * 7919 % 1000) / 1e4, 6)


def _csv(begin: str, *more: str) -> Maker:
    width = begin.count(",")
    return lambda n: ",".join([str(n), *(str(_value(n + at)) for at in range(width)), *more])


def _json(axis: str) -> Maker:
    return lambda n: json.dumps({axis: n, "loss": _value(n), "val_loss": _value(n + 1), "lr": 0.001})


CASES = {
    "csv": Case("log.csv", "step,loss,val_loss,lr", _csv("step,loss,val_loss,lr"), "pandas"),
    "keras-csv": Case("training.log", "epoch,accuracy,loss,val_loss", _csv("epoch,accuracy,loss,val_loss"), "pandas"),
    "lightning-csv": Case(
        "version_0/metrics.csv",
        "epoch,step,train_loss,val_loss",
        lambda n: f"{n // 50},{n},,{_value(n)}" if n % 50 == 49 else f"{n // 50},{n},{_value(n)},",
        "pandas",
    ),
    "ultralytics": Case(
        "results.csv",
        "epoch,time,train/box_loss,val/box_loss",
        _csv("epoch,time,train/box_loss,val/box_loss"),
        "pandas",
    ),
    "sb3": Case(
        "0.monitor.csv",
        '#{"t_start": 1788000000.0, "env_id": "E"}\nr,l,t',
        lambda n: f"{_value(n)},200,{n}.5",
        "pandas-1",
    ),
    "tensorboard-csv": Case(
        "run-a-tag-loss.csv", "Wall time,Step,Value", lambda n: f"{1_788_000_000 + n}.25,{n},{_value(n)}", "pandas"
    ),
    "dvclive": Case("plots/metrics/train/loss.tsv", "step\tloss", lambda n: f"{n}\t{_value(n)}", "pandas-tab"),
    "catboost": Case("catboost_info/learn_error.tsv", "iter\tRMSE", lambda n: f"{n}\t{_value(n)}", "pandas-tab"),
    "jsonl": Case("metrics.jsonl", "", _json("step"), "pandas-lines"),
    "detectron2": Case("metrics.json", "", _json("iteration"), "pandas-lines"),
    "mmengine": Case("vis_data/scalars.json", "", _json("step"), "pandas-lines"),
    "rllib": Case("result.json", "", _json("training_iteration"), "pandas-lines"),
    "trainer-state": Case("trainer_state.json", "", _json("step"), "json"),
    "json": Case("history.json", "", _json("epoch"), "json"),
    "trackio": Case("proj.db", "", _json("loss_step"), "sqlite"),
    "wandb": Case("run-20260101_120000-a/run-a.wandb", "", _json("iteration"), "wandb"),
}


def rows_of(case: Case, size: int) -> Iterator[str]:
    """Yield rows until they have `size` bytes together."""
    number = 0
    while size > 0:
        row = case.row(number)
        size -= len(row) + 1
        number += 1
        yield row


def make(kind: str, folder: Path, size: int) -> Path:
    """Write the kind's file of about `size` bytes below `folder`, and return its path."""
    case = CASES[kind]
    path = folder / case.path
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = rows_of(case, size)
    if kind == "trainer-state":
        path.write_text(f'{{"epoch": 1.0, "log_history": [{", ".join(rows)}]}}')
    elif kind == "json":
        count = size // 30  # three numbers of ten characters
        history = {name: [_value(n + at) for n in range(count)] for at, name in enumerate(("loss", "val_loss", "lr"))}
        path.write_text(json.dumps(history))
    elif kind == "wandb":
        records = (logs.history(n, **json.loads(row)) for n, row in enumerate(rows))
        path.write_bytes(logs.framed(*records, logs.exited(0)))
    elif kind == "trackio":
        _trackio(path, rows)
    else:
        path.write_text("".join(f"{line}\n" for line in (*case.begin.splitlines(), *rows)))
    return path


def _trackio(path: Path, rows: Iterator[str]) -> None:
    db = sqlite3.connect(path)
    columns = "id INTEGER PRIMARY KEY, timestamp TEXT, run_name TEXT, step INTEGER, metrics TEXT"
    db.execute(f"CREATE TABLE metrics({columns})")
    db.execute("CREATE TABLE configs(run_name TEXT, config TEXT)")
    when = "2026-01-01T12:00:00+00:00"
    values = ((when, "a", n, row) for n, row in enumerate(rows))
    db.executemany("INSERT INTO metrics(timestamp, run_name, step, metrics) VALUES(?, ?, ?, ?)", values)
    db.commit()
    db.close()


def ours(folder: Path, path: Path) -> int:
    """Read the folder with posthoc and return the points of all series."""
    from analyzer.readers import open_source

    return sum(series.points for run in open_source(str(folder)) for series in run.series.values())


def pandas(folder: Path, path: Path, **options: Any) -> int:
    """Read a table with pandas.read_csv."""
    import pandas as pd

    return int(pd.read_csv(path, **options).count().sum())


def pandas_lines(folder: Path, path: Path) -> int:
    """Read JSON lines with pandas.read_json."""
    import pandas as pd

    return int(pd.read_json(path, lines=True).count().sum())


def document(folder: Path, path: Path) -> int:
    """Read a document with json and put it into a data frame, as its users do."""
    import pandas as pd

    read = json.loads(path.read_text())
    return int(pd.DataFrame(read.get("log_history", read)).count().sum())


def sqlite(folder: Path, path: Path) -> int:
    """Read every row of a Trackio database with sqlite3 and json."""
    db = sqlite3.connect(path)
    rows = db.execute("SELECT timestamp, run_name, step, metrics FROM metrics").fetchall()
    db.close()
    return sum(len(json.loads(row[3])) for row in rows)


def datastore(folder: Path, path: Path) -> int:
    """Read every record with the reader that wandb had until 0.29."""
    from wandb.proto import wandb_internal_pb2
    from wandb.sdk.internal.datastore import DataStore

    store, points = DataStore(), 0
    store.open_for_scan(str(path))
    while (raw := store.scan_data()) is not None:
        record = wandb_internal_pb2.Record()
        record.ParseFromString(raw)
        points += len([json.loads(item.value_json) for item in record.history.item])
    return points


PEERS: dict[str, tuple[str, Callable[..., int], dict[str, Any]]] = {
    "pandas": ("pandas", pandas, {}),
    "pandas-1": ("pandas", pandas, {"skiprows": 1}),
    "pandas-tab": ("pandas", pandas, {"sep": "\t", "quoting": csv.QUOTE_NONE}),
    "pandas-lines": ("pandas", pandas_lines, {}),
    "json": ("pandas", document, {}),
    "sqlite": ("sqlite3", sqlite, {}),
    "wandb": ("wandb.sdk.internal.datastore", datastore, {}),
}


def installed(module: str) -> bool:
    """Whether a module can be imported."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def peak_kib() -> int:
    """Return this program's peak of resident memory in KiB (Linux); ru_maxrss would begin with the parent's."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def measured(reader: str, kind: str, folder: Path) -> dict[str, float]:
    """Read once to warm up, then GOES times; return the least CPU seconds, the points and the peak (MB)."""
    path = folder / CASES[kind].path
    _, read, options = ("", ours, {}) if reader == "posthoc" else PEERS[reader]
    with tempfile.TemporaryDirectory() as place:  # imports are no part of the peak
        read(Path(place), make(kind, Path(place), 500), **options)
    start, seconds, points = peak_kib(), [], 0
    for _ in range(GOES):
        begun = time.process_time()
        points = read(folder, path, **options)
        seconds.append(time.process_time() - begun)
    peak = (peak_kib() - start) / 1024
    return {"seconds": min(seconds), "points": points, "peak": peak}


def in_own_process(reader: str, kind: str, folder: Path) -> dict[str, float]:
    """Return `measured` of a process of its own."""
    command = [sys.executable, "-m", "benchmarks.inputs", "--read", reader, kind, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def print_kind(kind: str, sizes: list[str]) -> None:
    """Print a row of the table for each size. SystemExit when posthoc reads nothing."""
    module, _, _ = PEERS[CASES[kind].peer]
    for name in sizes:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            make(kind, folder, SIZES[name])
            own = in_own_process("posthoc", kind, folder)
            if not own["points"]:
                raise SystemExit(f"{kind}: posthoc reads no point of a file of {name}")
            cells = f"| {kind} | {name} | {own['points']:,} | {own['seconds'] * 1000:.1f} | {own['peak']:.0f}"
            if not installed(module):
                print(f"{cells} | – | – | – |", flush=True)
                continue
            peer = in_own_process(CASES[kind].peer, kind, folder)
            ratio = own["seconds"] / peer["seconds"]
            print(f"{cells} | {peer['seconds'] * 1000:.1f} | {peer['peak']:.0f} | {ratio:.2f} |", flush=True)


def main() -> None:
    """Run the kinds asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.inputs", description=__doc__)
    parser.add_argument("kind", nargs="*", help=f"one or more of {', '.join(CASES)}; all when none is given")
    parser.add_argument("--size", choices=SIZES, action="append", help="a size; all when none is given")
    parser.add_argument("--read", nargs=3, metavar=("READER", "KIND", "FOLDER"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.read:
        reader, kind, folder = given.read
        print(json.dumps(measured(reader, kind, Path(folder))))
        return
    if unknown := [kind for kind in given.kind if kind not in CASES]:
        parser.error(f"no kind is called {unknown[0]!r}; there are {', '.join(CASES)}")
    print("| kind | size | points | posthoc, ms of CPU | MB | peer, ms of CPU | MB | ratio |")
    print("|" + " --- |" * 8)
    for kind in given.kind or CASES:
        print_kind(kind, given.size or list(SIZES))


if __name__ == "__main__":
    main()
