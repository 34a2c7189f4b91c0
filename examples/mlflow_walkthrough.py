"""A walk with MLflow from end to end: a real server, runs that log themselves, an audit, its verdicts found in MLflow.

    python -m examples.mlflow_walkthrough --env .venv-mlflow/bin/python

needs a Python with MLflow, scikit-learn, xgboost and lightgbm (tests/requirements-mlflow.txt says how). It starts
`mlflow server` in a folder of its own, trains small models with autologging, lets posthoc audit the server and hand its
verdicts back, and asks the server, through its own interface, which runs are sick. `--stay` leaves the server running
until Enter is pressed, to look at the runs in a browser. With `--server` a server that runs already is taken.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.readers.mlflow.servers import tracking_server

ROOT = Path(__file__).resolve().parent.parent
TRAINING = ROOT / "tests" / "readers" / "mlflow" / "autologged.py"
API, KEPT = "/api/2.0/mlflow/", "/api/2.0/mlflow-artifacts/artifacts/"
SICK = "tags.`posthoc.verdict` = 'problems'"
EXPERIMENT = "autologs"


def logged(env: str, address: str) -> None:
    """Train small models whose runs MLflow logs by itself, and two that are logged by hand."""
    said("train with autologging: scikit-learn, xgboost, lightgbm; by hand: a run that diverges")
    quiet = {"PYTHONWARNINGS": "ignore", "MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_TRACKING_URI": address}
    words = [env, str(TRAINING), "by_hand", "sklearn", "xgboost", "lightgbm"]
    done = subprocess.run(words, env=os.environ | quiet, check=True, capture_output=True, text=True)
    for name, key in json.loads(done.stdout.splitlines()[-1]).items():
        print(f"  {key}  {name}")


def audited(address: str, site: Path) -> None:
    """Let posthoc audit the server's runs and write the verdicts back."""
    words = ["audit", address, "--experiment", EXPERIMENT, "-o", str(site), "--write-back"]
    said(f"posthoc {' '.join(words)}", "$")
    subprocess.run([sys.executable, "-m", "analyzer", *words], cwd=ROOT, check=True)


def found(address: str, wanted: str = SICK) -> list[dict[str, Any]]:
    """Return the runs that the server's own search finds."""
    experiments = json.loads(asked(address + API + "experiments/search", {"max_results": 1000}))["experiments"]
    ids = [one["experiment_id"] for one in experiments if one["name"] == EXPERIMENT]
    body = {"experiment_ids": ids, "filter": wanted, "max_results": 100}
    return list(json.loads(asked(address + API + "runs/search", body)).get("runs", []))


def shown(address: str) -> int:
    """Print what MLflow itself knows of the verdicts; return how many sick runs have their page there."""
    said(f"MLflow's own search: {SICK}")
    pages = 0
    for run in found(address):
        info, tags = run["info"], {tag["key"]: tag["value"] for tag in run["data"]["tags"]}
        print(f"  {info['run_id']}  {info['run_name']}  {info['status']}")
        print(f"    posthoc.verdict = {tags['posthoc.verdict']}, posthoc.symptoms = {tags['posthoc.symptoms']}")
        place = f"{address}{API}artifacts/list?run_id={info['run_id']}&path=posthoc"
        for file in json.loads(asked(place)).get("files", []):
            kept = info["artifact_uri"].removeprefix("mlflow-artifacts:/")
            page = asked(address + KEPT + quote(f"{kept}/{file['path']}"))
            pages += page.lower().startswith(b"<!doctype html>")
            print(f"    artifact {file['path']}: {len(page):,} bytes, as the server lists ({file['file_size']:,})")
    return pages


def asked(address: str, body: object = None) -> bytes:
    """Return a server's answer, with the login of MLflow's variables when they are set."""
    headers = {"Content-Type": "application/json"}
    user, password = (os.environ.get(f"MLFLOW_TRACKING_{name}") for name in ("USERNAME", "PASSWORD"))
    if user and password:
        headers["Authorization"] = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(address, data, headers), timeout=60) as answer:
        return bytes(answer.read())


def said(what: str, mark: str = "#") -> None:
    """Print a step."""
    print(f"\n{mark} {what}", flush=True)


def main() -> int:
    """Go through all of it; 0 when MLflow finds a sick run with its page."""
    parser = argparse.ArgumentParser(
        prog="python -m examples.mlflow_walkthrough",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--env", default=str(ROOT / ".venv-mlflow/bin/python"), help="a Python that has MLflow")
    parser.add_argument("--server", help="the address of a server that runs already")
    parser.add_argument("--stay", action="store_true", help="leave the server running until Enter is pressed")
    given = parser.parse_args()
    if not Path(given.env).exists():
        parser.error(f"{given.env} does not exist; give --env")
    with ExitStack() as ending:
        place = Path(ending.enter_context(tempfile.TemporaryDirectory()))
        address = given.server
        if address is None:
            said(f"{given.env} -m mlflow server --backend-store-uri sqlite:///mlflow.db …")
            store = f"sqlite:///{place}/mlflow.db"
            address = ending.enter_context(tracking_server(given.env, store, place, "--workers", "1"))
            print(f"  {address}")
        logged(given.env, address)
        audited(address, place / "site")
        pages = shown(address)
        if given.stay:
            input(f"\n{address} runs until you press Enter")
    return 0 if pages else 1


if __name__ == "__main__":
    sys.exit(main())
