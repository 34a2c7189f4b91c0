"""`python -m benchmarks.mlflow_ours URI`: posthoc reads every run; figures as JSON, as mlflow_peers prints them."""

from __future__ import annotations

import importlib
import json
import sys
import time

from analyzer.readers import open_source
from benchmarks.reading_peers import peak


def main() -> None:
    """Read once."""
    for name in ("database", "files", "server", "sql"):  # what importing takes is not counted, as for the client
        importlib.import_module(f"analyzer.readers.mlflow.{name}")
    importlib.import_module("sqlalchemy")
    began, worked = time.perf_counter(), time.process_time()
    points = sum(one.points for run in open_source(sys.argv[1].removeprefix("file:")) for one in run.series.values())
    figures = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - worked, "points": points}
    print(json.dumps(figures | {"peak": peak()}))


if __name__ == "__main__":
    main()
