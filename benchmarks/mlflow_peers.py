"""What MLflow itself does, run by a Python that has it (never imported by posthoc's own).

`mlflow_peers.py make URI RUNS METRICS STEPS` fills a store, `mlflow_peers.py read URI` reads every history with
MlflowClient. Both print seconds, those of the processor, points and peak memory (MB) as JSON. It is run isolated
(`python -I`): `mlflow.py` lies beside it.
"""

import importlib
import json
import math
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
START = 1_700_000_000_000
INSERT = "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) VALUES (:k, :v, :t, :r, :s, :n)"
LATEST = "INSERT INTO latest_metrics (key, value, timestamp, run_uuid, step, is_nan) VALUES (:k, :v, :t, :r, :s, :n)"


def value(metric: int, step: int, steps: int) -> float:
    """Return a loss that falls, a little different for each metric."""
    return (1 + metric) * math.exp(-3 * step / steps) + 0.01 * math.sin(step * (metric + 1))


def make(uri: str, runs: int, metrics: int, steps: int) -> int:
    """Make runs through the client, and their points in bulk: through the client it would take an hour."""
    from mlflow import MlflowClient
    from mlflow.entities import Param

    client = MlflowClient(uri)
    experiment = client.create_experiment("benchmark")
    for number in range(runs):
        run = client.create_run(experiment, run_name=f"run {number}").info
        client.log_batch(run.run_id, params=[Param("lr", "0.1"), Param("batch", "64")])
        if uri.startswith("file:"):
            _files(Path(uri.removeprefix("file:")) / experiment / run.run_id / "metrics", metrics, steps)
        else:
            _rows(uri, run.run_id, metrics, steps)
        client.set_terminated(run.run_id)
    return runs * metrics * steps


def _files(folder: Path, metrics: int, steps: int) -> None:
    folder.mkdir(exist_ok=True)
    for metric in range(metrics):
        lines = (f"{START + 1000 * i} {value(metric, i, steps)} {i}\n" for i in range(steps))
        (folder / f"metric_{metric}").write_text("".join(lines))


_engines: dict[str, Any] = {}


def _rows(uri: str, run: str, metrics: int, steps: int) -> None:
    import sqlalchemy

    engine = _engines.setdefault(uri, sqlalchemy.create_engine(uri))
    for metric in range(metrics):
        rows = [
            {"k": f"metric_{metric}", "v": value(metric, i, steps), "t": START + 1000 * i, "r": run, "s": i, "n": False}
            for i in range(steps)
        ]
        with engine.begin() as connection:
            connection.execute(sqlalchemy.text(INSERT), rows)
            connection.execute(sqlalchemy.text(LATEST), rows[-1])


def read(uri: str) -> int:
    """Read every history of every run with the client, as its documentation says."""
    from mlflow import MlflowClient

    client, points, token = MlflowClient(uri), 0, None
    experiments = [one.experiment_id for one in client.search_experiments()]
    while True:
        page = client.search_runs(experiments, max_results=1000, page_token=token)
        points += sum(len(client.get_metric_history(r.info.run_id, key)) for r in page for key in r.data.metrics)
        token = page.token
        if not token:
            return points


def main() -> None:
    """Do what the words say."""
    for name in ("sqlalchemy_store", "file_store", "rest_store"):  # what importing takes is not counted
        importlib.import_module(f"mlflow.store.tracking.{name}")

    began, worked = time.perf_counter(), time.process_time()
    points = make(sys.argv[2], *map(int, sys.argv[3:6])) if sys.argv[1] == "make" else read(sys.argv[2])
    figures = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - worked, "points": points}
    print(json.dumps(figures | {"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


if __name__ == "__main__":
    main()
