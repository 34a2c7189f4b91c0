"""How fast MLflow's stores are read, beside MlflowClient: one table of seconds, memory and ratios, made in one run.

Needs a Python with MLflow (`--env`, see tests/requirements-mlflow.txt) and, for PostgreSQL, its package. Every reader
runs in a process of its own and reads every point; of posthoc's three goes and the client's two the best is taken. The
ratio of the processor's seconds is that of the reading processes alone, and holds on a busy machine, too. Over HTTP a
tenth of the points is read, from a server as `mlflow server` starts it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.readers.mlflow import servers

ROOT = Path(__file__).resolve().parent.parent
PEERS = str(ROOT / "benchmarks" / "mlflow_peers.py")
METRICS, STEPS = 10, 1_000
GOES = 3
AIMS = {"sqlite": 20.0, "files": 8.0, "postgresql": 10.0, "http": 1.5}
Figures = dict[str, float]


def told(*command: str) -> Figures:
    """Return what a command printed as JSON on its last line. SystemExit with its error when it fails."""
    environment = os.environ | {"PYTHONWARNINGS": "ignore", "MLFLOW_DISABLE_TELEMETRY": "true"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=ROOT)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.stderr[-2000:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


class Bench:
    """Compares readers of one amount of points; `env` is the Python with MLflow."""

    def __init__(self, env: str, runs: int) -> None:
        self.env, self.runs = env, runs

    def made(self, uri: str, runs: int) -> None:
        """Fill a store."""
        told(self.env, "-I", PEERS, "make", uri, str(runs), str(METRICS), str(STEPS))

    def compare(self, case: str, uri: str, ours: str, runs: int) -> None:
        """Print a row of the table. SystemExit when a reader does not read all points."""
        goes = [told(sys.executable, "-m", "benchmarks.mlflow_ours", ours) for _ in range(GOES)]
        peers = [told(self.env, "-I", PEERS, "read", uri) for _ in range(GOES - 1)]
        own, client = (min(some, key=lambda go: go["seconds"]) for some in (goes, peers))
        for name, figures in (("posthoc", own), ("MlflowClient", client)):
            if figures["points"] != runs * METRICS * STEPS:
                raise SystemExit(f"{case}: {name} read {figures['points']} of {runs * METRICS * STEPS} points")
        ratio, worked = client["seconds"] / own["seconds"], client["cpu"] / own["cpu"]
        met = "yes" if ratio >= AIMS[case] else "no"
        print(
            f"| {case} | {own['points']:,.0f} | {own['seconds']:.2f} | {own['peak']:.0f} | {client['seconds']:.2f} "
            f"| {client['peak']:.0f} | {ratio:.1f} | {worked:.1f} | ≥ {AIMS[case]:g} | {met} |",
            flush=True,
        )

    def sqlite(self, place: Path) -> None:
        """A database file."""
        uri = f"sqlite:///{place}/mlflow.db"
        self.made(uri, self.runs)
        self.compare("sqlite", uri, uri, self.runs)

    def files(self, place: Path) -> None:
        """A file store, which the client has to be allowed."""
        uri = f"file:{place}/mlruns"
        self.made(uri, self.runs)
        self.compare("files", uri, uri, self.runs)

    def postgresql(self, place: Path) -> None:
        """A PostgreSQL of its own."""
        with servers.postgres() as database:
            address = database()
            uri = address.replace("postgresql:", "postgresql+psycopg:")
            self.made(uri, self.runs)
            self.compare("postgresql", uri, address, self.runs)

    def http(self, place: Path) -> None:
        """A tracking server over a database file, a tenth of the runs."""
        uri, runs = f"sqlite:///{place}/mlflow.db", max(1, self.runs // 10)
        self.made(uri, runs)
        with servers.tracking_server(self.env, uri, place) as address:
            told(self.env, "-I", PEERS, "read", address)  # the server's processes begin slowly
            self.compare("http", address, address, runs)


def main() -> None:
    """Run the cases asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mlflow", description=__doc__)
    parser.add_argument("case", nargs="*", help=f"one or more of {', '.join(AIMS)}; all when none is given")
    parser.add_argument("--env", default=str(ROOT / ".venv-mlflow/bin/python"), help="a Python that has MLflow")
    parser.add_argument("--runs", type=int, default=100, help=f"runs of {METRICS} × {STEPS:,} points (default 100)")
    given = parser.parse_args()
    unknown = [case for case in given.case if case not in AIMS]
    if unknown or not Path(given.env).exists():
        parser.error(f"no case is called {unknown[0]!r}" if unknown else f"{given.env} does not exist; give --env")
    print("| store | points | posthoc, s | MB | MlflowClient, s | MB | ÷ posthoc | processor's ÷ | aim | met |")
    print("|" + " --- |" * 10)
    bench = Bench(given.env, given.runs)
    cases: dict[str, Callable[[Path], None]] = {case: getattr(bench, case) for case in AIMS}
    for case in given.case or AIMS:
        with tempfile.TemporaryDirectory() as place:
            cases[case](Path(place))


if __name__ == "__main__":
    main()
