"""The readers that are compared: `python -m benchmarks.reading_peers READER FOLDER` reads every scalar in this process.

It prints seconds after imports, points and peak memory (MB) as JSON.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


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
                _server_peak.append(peak(str(server.pid)))
                server.kill()


_server_peak: list[float] = []  # of a reader that works in a process of its own


def last_steps(folder: Path) -> int:
    """Return the sum over all series of the last step plus one: what a server serves when it is done."""
    from analyzer.readers import open_source

    return sum(int(s.steps.max()) + 1 for run in open_source(str(folder)) for s in run.series.values())


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
FAST = {"posthoc", "checksum pass", "data-server"}


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*tfevents*") if path.is_file())


def peak(process: str = "self") -> float:
    """Return the most memory a process has had, in MB.

    Linux' ru_maxrss would count what the process that started it had.
    """
    status = Path(f"/proc/{process}/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return int(next(line for line in status.read_text().splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


def _read(reader: str, folder: Path) -> dict[str, float]:
    for module in _IMPORTS[reader]:
        importlib.import_module(module)
    began = time.perf_counter()
    points = READERS[reader](folder)
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "points": points, "peak": _server_peak[0] if _server_peak else peak()}


def main() -> None:
    """Read once and print what it took."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reading_peers", description=__doc__)
    parser.add_argument("reader", choices=[*READERS, "last-steps"])
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    if given.reader == "last-steps":
        print(json.dumps({"seconds": 0.0, "steps": last_steps(given.folder)}))
    else:
        print(json.dumps(_read(given.reader, given.folder)))


if __name__ == "__main__":
    main()
