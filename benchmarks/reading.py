"""How fast event files are read: `python benchmarks/reading.py [case number …] [--quick]` prints one table.

Every reader runs in a process of its own and reads every point of every scalar series; seconds are those inside the
process after imports, best of three for ours and the checksum pass, one go for the others; memory is its peak.
`--quick` leaves the slow peers out.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]


def ours(folder: Path) -> int:
    """Posthoc."""
    from analyzer.readers import open_source

    return sum(series.points for run in open_source(str(folder)) for series in run.series.values())


def checksums(folder: Path) -> int:
    """Nothing but one CRC-32C over each file, mapped into memory: what verifying costs at least."""
    import mmap

    import google_crc32c
    import numpy as np

    for path in _files(folder):
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            data = np.frombuffer(mapped, np.uint8)
            google_crc32c.value(data)
            del data
    return 0


def accumulator(folder: Path) -> int:
    """Tensorboard's EventAccumulator without limits."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    points = 0
    for path in _files(folder):
        made = EventAccumulator(str(path), size_guidance=dict.fromkeys(_KINDS, 0), purge_orphaned_data=False)
        made.Reload()
        tags = made.Tags()
        points += sum(len(made.Scalars(tag)) for tag in tags["scalars"])
        points += sum(len(made.Tensors(tag)) for tag in tags["tensors"])
    return points


_KINDS = ("compressedHistograms", "images", "audio", "scalars", "histograms", "tensors")


def tbparse(folder: Path) -> int:
    """Tbparse's SummaryReader, scalars and tensors."""
    from tbparse import SummaryReader

    points = 0
    for path in _files(folder):
        reader = SummaryReader(str(path), event_types={"scalars", "tensors"})
        points += len(reader.scalars) + len(reader.tensors)
    return points


def data_server(folder: Path) -> int:
    """tensorboard-data-server (Rust), until it serves the last step of every series; checksums off, its default."""
    import grpc
    import tensorboard_data_server
    from tensorboard.data.proto import data_provider_pb2 as messages
    from tensorboard.data.proto import data_provider_pb2_grpc as service

    with tempfile.TemporaryDirectory() as place:
        port = Path(place) / "port"
        binary = tensorboard_data_server.server_binary()
        args = [binary, f"--logdir={folder}", "--port=0", f"--port-file={port}", "--samples-per-plugin=scalars=all"]
        with subprocess.Popen([*args, "--reload=once"], stderr=subprocess.DEVNULL) as server:
            try:
                while not port.exists() or not port.read_text().strip():
                    time.sleep(0.002)
                stub = service.TensorBoardDataProviderStub(
                    grpc.insecure_channel(f"localhost:{port.read_text().strip()}")
                )
                request = messages.ListScalarsRequest(experiment_id="x")
                request.plugin_filter.plugin_name = "scalars"
                return _served(lambda: stub.ListScalars(request), int(os.environ["READING_SERVED"]))
            finally:
                server.kill()


def _served(ask: Callable[[], Any], enough: int) -> int:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:  # it serves what it has so far
        served = sum(tag.metadata.max_step + 1 for run in ask().runs for tag in run.tags)
        if served >= enough:
            return served
        time.sleep(0.002)
    raise SystemExit("the data server never came to the end of the log")


READERS: dict[str, Callable[[Path], int]] = {
    "posthoc": ours,
    "checksum pass": checksums,
    "EventAccumulator": accumulator,
    "tbparse": tbparse,
    "data-server": data_server,
}
_IMPORTS = {
    "posthoc": ("analyzer.readers.tensorboard", "analyzer.readers.mlflow"),
    "checksum pass": ("google_crc32c", "numpy"),
    "EventAccumulator": ("tensorboard.backend.event_processing.event_accumulator",),
    "tbparse": ("tbparse",),
    "data-server": ("grpc", "tensorboard_data_server", "tensorboard.data.proto.data_provider_pb2_grpc"),
}
_FAST = {"posthoc", "checksum pass", "data-server"}


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*tfevents*") if path.is_file())


def _one(reader: str, folder: Path) -> None:
    """Print seconds and points of one reading: the body of a reader's own process."""
    import resource

    read = READERS[reader]
    for module in _IMPORTS[reader]:
        importlib.import_module(module)
    began = time.perf_counter()
    points = read(folder)
    seconds = time.perf_counter() - began
    who = resource.RUSAGE_CHILDREN if reader == "data-server" else resource.RUSAGE_SELF
    peak = resource.getrusage(who).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "points": points, "peak": peak}))


def measured(reader: str, folder: Path, steps: int) -> dict[str, float]:
    """Return seconds, points and peak memory (MB) of a reader, in a process of its own.

    `steps` is the sum over all series of the last step plus one: what a server serves when it is done.
    """
    environment = os.environ | {"PYTHONWARNINGS": "ignore", "READING_SERVED": str(steps)}
    results = []
    for _ in range(3 if reader in _FAST else 1):
        command = [sys.executable, __file__, "--one", reader, str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        results.append(json.loads(done.stdout.splitlines()[-1]))
    return min(results, key=lambda result: result["seconds"])


def main(arguments: list[str]) -> None:
    """Make the logs of each case, read them with each reader, print the table."""
    from reading_cases import CASES

    from analyzer.readers import open_source

    chosen = [int(word) - 1 for word in arguments if word.isdigit()] or range(len(CASES))
    names = [name for name in READERS if "--quick" not in arguments or name in _FAST]
    print("| case | points | " + " | ".join(f"{name}, s | MB" for name in names) + " | tbparse ÷ posthoc |")
    print("|" + " --- |" * (3 + 2 * len(names)))
    for number in chosen:
        case = CASES[number]
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place) / "logs"
            points = case.make(folder)
            steps = sum(int(s.steps.max()) + 1 for run in open_source(str(folder)) for s in run.series.values())
            results = {name: measured(name, folder, steps) for name in names}
        if results["posthoc"]["points"] != points:
            raise SystemExit(f"{case.name}: read {results['posthoc']['points']} of {points} points")
        cells = " | ".join(f"{result['seconds']:.3f} | {result['peak']:.0f}" for result in results.values())
        slow = results.get("tbparse", {}).get("seconds", float("nan"))
        print(
            f"| {number + 1}. {case.name} | {points:,} | {cells} | {slow / results['posthoc']['seconds']:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        _one(sys.argv[2], Path(sys.argv[3]))
    else:
        main(sys.argv[1:])
