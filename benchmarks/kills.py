"""Kills audits and their workers at random moments, and counts what is lost: nothing may be.

Audits of made runs with a state are killed (-9) one after the other and gone on with; after each kill the state must
be whole and no link of the site dead. Then single workers are killed: the audit must name one failed run at most,
and the next one must judge it.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from analyzer.auditing.state import State
from benchmarks.night import make

ROOT = Path(__file__).resolve().parent.parent


def started(logs: Path, place: Path) -> subprocess.Popen[bytes]:
    """Return an audit that has just begun, with two workers."""
    words = [sys.executable, "-m", "analyzer", "audit", str(logs), "-o", str(place / "site"), "-q", "--jobs", "2"]
    return subprocess.Popen(
        [*words, "--state", str(place / "s.db")], env=os.environ | {"PYTHONPATH": str(ROOT)}, cwd=place
    )


def findings(place: Path) -> dict[str, object]:
    """Return what the audit found, without times."""
    document = json.loads((place / "site" / "findings.json").read_text("utf-8"))
    for run in document["runs"]:
        for finding in run["findings"]:
            for key in ("state", "first_seen", "last_seen"):
                finding.pop(key, None)
    del document["resolved"]
    return dict(document)


def dead_links(site: Path) -> list[str]:
    """Return the links of the index that lead nowhere."""
    index = site / "index.html"
    links = re.findall(r'href="(runs/[^"]+)"', index.read_text("utf-8")) if index.is_file() else []
    return [link for link in links if not (site / link).is_file()]


def worker_of(audit: subprocess.Popen[bytes]) -> int | None:
    """Return the id of one of an audit's workers."""
    listed = subprocess.run(["pgrep", "-P", str(audit.pid)], capture_output=True, text=True, check=False)
    found = listed.stdout.split()
    return int(random.choice(found)) if found else None


def main() -> None:
    """Kill, go on, and print what was lost."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kills", description=__doc__)
    parser.add_argument("--goes", type=int, default=20, help="kills of each kind (default %(default)s)")
    parser.add_argument("--runs", type=int, default=24, help="runs in the logs (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    random.seed(given.seed)
    with tempfile.TemporaryDirectory() as name:
        logs, calm, place = (Path(name) / part for part in ("logs", "calm", "place"))
        make(logs, given.runs)
        calm.mkdir()
        begun = time.monotonic()
        assert started(logs, calm).wait() == 0
        whole, expected = time.monotonic() - begun, findings(calm)
        lost = ended = 0
        for go in range(given.goes):
            place = Path(name) / f"killed{go // 4}"  # four kills each before one may come to its end
            place.mkdir(exist_ok=True)
            audit = started(logs, place)
            time.sleep(random.uniform(0.0, whole))
            audit.send_signal(signal.SIGKILL)
            ended += audit.wait() == 0
            with State(place / "s.db"):  # opening it verifies every page of the file
                lost += len(dead_links(place / "site"))
            if go % 4 == 3 or go == given.goes - 1:
                lost += started(logs, place).wait() != 0
                lost += findings(place) != expected
        print(f"{given.goes} audits killed ({ended} had just ended): {lost} lost")
        named = lost = 0
        for go in range(given.goes):
            place = Path(name) / f"worker{go}"
            place.mkdir()
            audit = started(logs, place)
            time.sleep(random.uniform(0.3, 0.8) * whole)
            victim = worker_of(audit)
            if victim is not None:
                os.kill(victim, signal.SIGKILL)
            lost += audit.wait() != 0
            failed = sum(run["status"] == "failed" for run in findings(place)["runs"])  # type: ignore[attr-defined]
            named, lost = named + failed, lost + (failed > 1)
            lost += started(logs, place).wait() != 0 or findings(place) != expected
        print(f"{given.goes} workers killed: {named} runs named as failed, judged the next time; {lost} lost")


if __name__ == "__main__":
    main()
