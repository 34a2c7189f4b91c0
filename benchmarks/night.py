"""What nights cost, as ratios in one run: the first, the second over unchanged logs, one after some runs have grown.

Each night is a process of its own, as a scheduler would start it. Beside them the time that tbparse takes to read the
same logs, the time of reading, judging and drawing alone, and the cost per run at a tenth of the runs.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

ROOT = Path(__file__).resolve().parent.parent
TAGS = ("train/loss", "val/loss", "train/accuracy", "val/accuracy", "lr", "grad_norm", "m/a", "m/b", "m/c", "m/d")
POINTS, START = 500, 1.79e9
TBPARSE = """
import sys, time
from tbparse import SummaryReader
start = time.process_time()
for folder in sys.argv[1:]:
    assert len(SummaryReader(folder).scalars)
print(time.process_time() - start)
"""


def make(root: Path, runs: int) -> None:
    """Write so many runs, a seventh of them with NaN."""
    for run in range(runs):
        folder = root / f"sweep{run % 20:02d}" / f"run{run:05d}"
        folder.mkdir(parents=True)
        with (folder / "events.out.tfevents.1790000000.host").open("wb") as file:
            writer = RecordWriter(file)
            writer.write(Event(wall_time=START, file_version="brain.Event:2").SerializeToString())
            extend(writer, run, 0, POINTS)


def extend(writer: RecordWriter, run: int, first: int, last: int) -> None:
    """Write the points of a run from one step to another."""
    draw = np.random.default_rng([run, first])
    for step in range(first, last):
        loss = 0.2 + 2.0 * np.exp(-step / 100)
        for tag in TAGS:
            value = loss * (1 + 0.05 * draw.normal())
            value = 1 - loss / 3 if tag.endswith("accuracy") else 1e-3 if tag == "lr" else value
            value = float("nan") if run % 7 == 0 and step > 400 and tag == "train/loss" else value
            summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
            writer.write(Event(wall_time=START + step, step=step, summary=summary).SerializeToString())


def grow(root: Path, part: int) -> int:
    """Write 50 steps more to every `part`-th run; return how many have grown."""
    files = sorted(root.glob("*/*/events*"))[::part]
    for i, path in enumerate(files):
        with path.open("ab") as file:
            extend(RecordWriter(file), i * part, POINTS, POINTS + 50)
    return len(files)


def audit(logs: Path, site: Path, *more: str) -> float:
    """Return the seconds of all its processes' work that one audit takes as a command: a busy machine adds nothing."""
    command = [sys.executable, "-m", "analyzer", "audit", str(logs), "-o", str(site), "-q", *more]
    before = worked()
    subprocess.run(command, check=True, env=os.environ | {"PYTHONPATH": str(ROOT)})
    return worked() - before


def worked() -> float:
    """Return the seconds of work of all processes that this one has started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def parts(logs: Path, runs: int) -> tuple[float, float, float]:
    """Return milliseconds per run of reading, judging and drawing, over the first runs, in this process."""
    from analyzer.fleet import making, night
    from analyzer.settings import Settings
    from analyzer.writers.page import run_page

    settings, guides = Settings(), making.guides()
    spent = np.zeros(3)
    for ref in night.find_runs([str(logs)]).refs[:runs]:
        marks = [time.process_time()]
        run = ref.read()
        marks.append(time.process_time())
        result = night.judge(run, settings, START)
        marks.append(time.process_time())
        run_page(result, guides, making.making("1", "logs", ref.id, settings))
        marks.append(time.process_time())
        spent += np.diff(marks)
    read, judged, drawn = spent / runs * 1000
    return float(read), float(judged), float(drawn)


def tbparse(logs: Path, runs: int) -> float:
    """Return the seconds that tbparse takes to read a sample of runs, scaled to so many."""
    folders = [str(path) for path in sorted(logs.glob("*/*"))[: min(runs, 50)]]
    done = subprocess.run([sys.executable, "-c", TBPARSE, *folders], check=True, capture_output=True, text=True)
    return float(done.stdout) * runs / len(folders)


def main() -> None:
    """Make the logs, let the nights pass and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.night", description=__doc__)
    parser.add_argument("--runs", type=int, default=2000, help="runs of 10 tags and 500 points (default %(default)s)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        logs, few, site, state = (Path(place) / name for name in ("logs", "few", "site", "night.db"))
        make(logs, given.runs)
        make(few, max(20, given.runs // 10))
        peer = tbparse(logs, given.runs)
        first = audit(logs, site, "--state", str(state))
        second = min(audit(logs, site, "--state", str(state)) for _ in range(3))
        grown = grow(logs, 20)
        third = audit(logs, site, "--state", str(state))
        tenth = audit(few, site.with_name("few-site"))
        shutil.rmtree(few)
        read, judged, drawn = parts(logs, min(100, given.runs))
        print(f"{given.runs:,} runs x {len(TAGS)} tags x {POINTS} points, {os.cpu_count()} cores")
        print("| what | s of work | beside |\n| --- | --- | --- |")
        print(f"| first night | {first:.1f} | {first / peer:.2f} of tbparse's reading ({peer:.1f} s) |")
        print(f"| second night, nothing changed | {second:.2f} | {second / first:.1%} of the first |")
        print(f"| third night, {grown} runs grown | {third:.2f} | {third / first:.1%} of the first |")
        per = first / given.runs * 1000
        print(
            f"| a run | {per / 1000:.4f} | {tenth / max(20, given.runs // 10) * 1000 / per:.2f} times that at a tenth |"
        )
        print(f"| state | | {state.stat().st_size / given.runs / 1024:.1f} KiB a run |")
        print(f"\nms a run in one process: reading {read:.1f}, judging {judged:.1f}, drawing {drawn:.1f}")


if __name__ == "__main__":
    main()
