"""What nights cost, as ratios in one run: the first, the second over unchanged logs, one after some runs have grown.

Each night is a process of its own, as a scheduler would start it. Beside them the time that tbparse takes to read the
same logs, the time of reading, judging and drawing alone, and first nights of other sizes (`--sizes`), with the memory
of the process that tells. Seconds of work are those of all processes: a busy machine adds little to them. Seconds of
the clock mean something on a machine that does nothing else.
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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.reading_cases import event, scalar, write_log

ROOT = Path(__file__).resolve().parent.parent
TAGS = ("train/loss", "val/loss", "train/accuracy", "val/accuracy", "lr", "grad_norm", "m/a", "m/b", "m/c", "m/d")
POINTS, NOW = 500, 1.79e9
TBPARSE = """
import sys, time
from tbparse import SummaryReader
work, clock = time.process_time(), time.perf_counter()
for folder in sys.argv[1:]:
    assert len(SummaryReader(folder).scalars)
print(time.process_time() - work, time.perf_counter() - clock)
"""
AUDIT = """
import re, sys
from analyzer.__main__ import main
try:
    main()
finally:
    print("peak", *re.findall(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read()), file=sys.stderr)
"""


@dataclass(frozen=True)
class Night:
    """What one audit cost: seconds of work of all its processes, seconds by the clock, MB of the one that tells."""

    work: float
    clock: float
    memory: float


def make(root: Path, runs: int) -> None:
    """Write so many runs, a seventh of them with NaN."""
    for run in range(runs):
        folder = root / f"sweep{run % 20:02d}" / f"run{run:05d}"
        write_log(folder / "events.out.tfevents.1700000000.host", points(run, 0, POINTS))


def points(run: int, first: int, last: int) -> Iterator[bytes]:
    """Yield the records of a run from one step to another."""
    noise = np.random.default_rng([run, first]).normal(size=(last - first, len(TAGS)))
    for step in range(first, last):
        loss = 0.2 + 2.0 * np.exp(-step / 100)
        for tag, noisy in zip(TAGS, loss * (1 + 0.05 * noise[step - first]), strict=True):
            value = 1 - loss / 3 if tag.endswith("accuracy") else 1e-3 if tag == "lr" else noisy
            value = float("nan") if run % 7 == 0 and step > 400 and tag == "train/loss" else value
            yield event(step, scalar(tag.encode(), value))


def grow(root: Path, part: int) -> int:
    """Write 50 steps more to every `part`-th run; return how many have grown."""
    files = sorted(root.glob("*/*/events*"))[::part]
    for i, path in enumerate(files):
        with path.open("ab") as file:
            file.writelines(points(i * part, POINTS, POINTS + 50))
    return len(files)


def audit(logs: Path, site: Path, *more: str) -> Night:
    """Return what one audit costs as a command."""
    command = [sys.executable, "-c", AUDIT, "audit", str(logs), "-o", str(site), "-q", *more]
    work, clock = worked(), time.perf_counter()
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, check=True, env=environment, stderr=subprocess.PIPE, text=True)
    peak = next(int(line.split()[1]) for line in done.stderr.splitlines() if line.startswith("peak "))
    return Night(worked() - work, time.perf_counter() - clock, peak / 1024)


def worked() -> float:
    """Return the seconds of work of all processes that this one has started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def parts(logs: Path, runs: int) -> tuple[float, float, float]:
    """Return milliseconds per run of reading, judging and drawing, over the first runs, in this process."""
    from analyzer.auditing import judging, provenance
    from analyzer.settings import Settings
    from analyzer.writers.page import run_page

    settings, guides = Settings(), provenance.guides()
    spent = np.zeros(3)
    for ref in judging.find_runs([str(logs)]).refs[:runs]:
        marks = [time.process_time()]
        run = ref.read()
        marks.append(time.process_time())
        result = judging.judge(run, settings, NOW)
        marks.append(time.process_time())
        run_page(result, guides, provenance.making("1", "logs", ref.id, settings))
        marks.append(time.process_time())
        spent += np.diff(marks)
    read, judged, drawn = spent / runs * 1000
    return float(read), float(judged), float(drawn)


def tbparse(logs: Path, runs: int) -> tuple[float, float]:
    """Return the seconds, of work and by the clock, that tbparse takes to read a sample of runs, scaled to so many."""
    folders = [str(path) for path in sorted(logs.glob("*/*"))[: min(runs, 50)]]
    done = subprocess.run([sys.executable, "-c", TBPARSE, *folders], check=True, capture_output=True, text=True)
    work, clock = (float(word) * runs / len(folders) for word in done.stdout.split())
    return work, clock


def nights(place: Path, runs: int) -> None:
    """Let the nights over so many runs pass and print what they cost."""
    logs, site, state = (place / name for name in ("logs", "site", "night.db"))
    make(logs, runs)
    work, clock = tbparse(logs, runs)
    first = audit(logs, site, "--state", str(state))
    second = min((audit(logs, site, "--state", str(state)) for _ in range(3)), key=lambda night: night.work)
    grown = grow(logs, 20)
    third = audit(logs, site, "--state", str(state))
    read, judged, drawn = parts(logs, min(100, runs))
    print(f"{runs:,} runs x {len(TAGS)} tags x {POINTS} points, {os.cpu_count()} cores\n")
    print("| what | s of work | s by the clock | beside |\n| --- | --- | --- | --- |")
    print(f"| tbparse reads | {work:.1f} | {clock:.1f} | |")
    print(
        f"| first night | {first.work:.1f} | {first.clock:.1f} | {first.work / work:.2f} of tbparse's work, "
        f"{first.clock / clock:.2f} of its time |"
    )
    for name, night in (("second night, nothing changed", second), (f"third night, {grown} runs grown", third)):
        print(f"| {name} | {night.work:.2f} | {night.clock:.2f} | {night.work / first.work:.1%} of the first |")
    print(f"| state | | | {state.stat().st_size / runs / 1024:.1f} KiB a run |")
    print(f"\nms a run in one process: reading {read:.1f}, judging {judged:.1f}, drawing {drawn:.1f}", flush=True)


def sizes(place: Path, counts: Sequence[int]) -> None:
    """Let a first and a second night over so many runs pass for each count, and print what a run of each costs."""
    print("\n| runs | ms of work a run | second night | MB of the telling process | second night |")
    print("| --- | --- | --- | --- | --- |")
    for count in counts:
        logs, site, state = (place / f"{name}-{count}" for name in ("logs", "site", "night.db"))
        make(logs, count)
        first, second = (audit(logs, site, "--state", str(state)) for _ in range(2))
        costs = (first.work / count * 1000, second.work / count * 1000)
        row = (f"{count:,}", *(f"{cost:.1f}" for cost in costs), f"{first.memory:.0f}", f"{second.memory:.0f}")
        print(f"| {' | '.join(row)} |", flush=True)
        shutil.rmtree(logs)
        shutil.rmtree(site)


def main() -> None:
    """Make the logs, let the nights pass and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.night", description=__doc__)
    parser.add_argument("--runs", type=int, default=2000, help="runs of 10 tags and 500 points (default %(default)s)")
    parser.add_argument(
        "--sizes", default="100,1000", help="numbers of runs of further nights (default %(default)s); 0: none"
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        if given.runs:
            nights(Path(place), given.runs)
        counts = [count for count in map(int, given.sizes.split(",")) if count]
        if counts:
            sizes(Path(place), counts)


if __name__ == "__main__":
    main()
