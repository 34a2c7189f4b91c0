"""How long whole commands take, beside another tool's: `python -m benchmarks.judging --env DIR`.

Two cases, each command a process of its own, called in turn (so that a machine's moods fall on both alike):

- *one run*: 50,000 steps of 4 tags; `posthoc report`, page included, beside `runmedic diagnose` of the same folder.
- *a folder*: 200 runs of 5 tags and 1,000 points; `posthoc audit` with all pages, beside one runmedic call over it,
  which writes none.

`--env` is an environment with the other tool's command in bin/; without it only our own seconds are printed.
With `--runs DIR` the runs of that folder are timed instead, in CPU milliseconds a run: reading, judging and drawing in
this process, beside one call of the other tool over the folder, the start of its process included.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.reading_cases import NAME, event, scalar, write_log

Curves = dict[str, NDArray[np.float64]]
RUNS = 200


def curves(steps: int, seed: int, *, extra: bool) -> Curves:
    """Return the curves of a run that trains well, as float64 arrays of `steps` values by tag."""
    rng = np.random.default_rng(seed)
    at = np.arange(steps) / steps
    fall = (1 + 40 * at) ** -0.8
    made = {
        "train/loss": (0.2 + 2.1 * fall) * np.exp(0.15 * rng.standard_normal(steps)),
        "val/loss": 0.25 + 2.1 * fall + 0.01 * rng.standard_normal(steps),
        "val/accuracy": 0.95 - 0.85 * fall + 0.004 * rng.standard_normal(steps),
        "learning_rate": 0.05 * (1 + np.cos(np.pi * at)),
    }
    if extra:
        made["grad_norm"] = (0.3 + fall) * np.exp(0.3 * rng.standard_normal(steps))
    return made


def write_scalars(folder: Path, made: Curves) -> None:
    """Write the curves as an event file, one record a value, all tags of a step together."""
    tags = [tag.encode() for tag in made]
    rows = zip(*(values.tolist() for values in made.values()), strict=True)
    pairs = ((step, tag, value) for step, row in enumerate(rows) for tag, value in zip(tags, row, strict=True))
    write_log(folder / NAME, (event(step, scalar(tag, value)) for step, tag, value in pairs))


def one_run(folder: Path) -> None:
    """Write the first case."""
    write_scalars(folder, curves(50_000, 0, extra=False))


def many_runs(folder: Path) -> None:
    """Write the second case."""
    for number in range(RUNS):
        write_scalars(folder / f"run{number:03}", curves(1000, number, extra=True))


def seconds(command: Sequence[str]) -> float:
    """Return the wall time of a command; its findings may make it exit with 1."""
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command)} exits with {done.returncode}: {done.stderr.strip()[-300:]}")
    return time.perf_counter() - began


def compared(name: str, ours: Sequence[str], theirs: Sequence[str], rounds: int) -> None:
    """Print a row: median seconds of both and the ratio of each round."""
    pairs = [(seconds(ours), seconds(theirs) if theirs else float("nan")) for _ in range(rounds)]
    mine, other = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratios = sorted(a / b for a, b in pairs)
    print(f"| {name} | {mine:.2f} | {other:.2f} | {statistics.median(ratios):.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f}) |")


def stages(folder: Path) -> dict[str, float]:
    """Return CPU milliseconds a run for reading, judging and drawing the runs of a folder, and how many there are."""
    from analyzer import analyze, open_runs
    from analyzer.api import guides
    from analyzer.auditing.provenance import making
    from analyzer.settings import Settings
    from analyzer.writers.fallback_page import page_or_plain

    known, made = guides(), making("benchmark", str(folder), None, Settings())
    spent, count = dict.fromkeys(("reading", "judging", "drawing"), 0.0), 0
    mark = time.process_time()

    def lap(stage: str) -> None:
        nonlocal mark
        now = time.process_time()
        spent[stage] += now - mark
        mark = now

    for run in open_runs(folder):
        lap("reading")
        result = analyze(run)
        lap("judging")
        page_or_plain(result, known, made)
        lap("drawing")
        count += 1
    return {stage: 1000 * total / max(1, count) for stage, total in spent.items()} | {"runs": float(count)}


def cpu_of(command: Sequence[str]) -> float:
    """Return the CPU seconds of a command and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds(command)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def staged(folder: Path, theirs: Sequence[str]) -> None:
    """Print a row with the stages of a folder, beside the other tool's one call."""
    spent = stages(folder)
    runs = int(spent.pop("runs"))
    together = spent["reading"] + spent["judging"]
    other = f"{1000 * cpu_of([*theirs, str(folder)]) / max(1, runs):.1f}" if theirs else ""
    print("| runs | reading, ms | judging, ms | both, ms | drawing, ms | runmedic, ms |\n|" + " ---: |" * 6)
    cells = [
        str(runs),
        *(f"{ms:.1f}" for ms in (spent["reading"], spent["judging"], together, spent["drawing"])),
        other,
    ]
    print(f"| {' | '.join(cells)} |")


def main(argv: Sequence[str] | None = None) -> None:
    """Make the logs, time both tools on them, print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.judging", description=__doc__.partition("\n")[0])
    parser.add_argument("--env", type=Path, help="environment with runmedic installed")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--runs", type=Path, help="time the stages of the runs of this folder instead")
    given = parser.parse_args(argv)
    theirs = [str(given.env / "bin" / "runmedic"), "diagnose"] if given.env else []
    if given.runs:
        staged(given.runs, theirs)
        return
    posthoc = [sys.executable, "-m", "analyzer"]
    print("| case | posthoc, s | runmedic, s | posthoc ÷ runmedic (range) |\n| --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as place:
        one, many, site = Path(place, "one"), Path(place, "many"), Path(place, "site")
        one_run(one)
        page = str(Path(place, "page.html"))
        report = [*posthoc, "report", str(one), "-o", page, "-q"]
        compared("one run, 50,000 steps × 4 tags", report, theirs and [*theirs, str(one)], given.rounds)
        many_runs(many)
        audit = [*posthoc, "audit", str(many), "-o", str(site), "-q"]
        compared(f"{RUNS} runs, 5 tags × 1,000", audit, theirs and [*theirs, str(many)], given.rounds)


if __name__ == "__main__":
    main()
