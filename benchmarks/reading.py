"""How fast event files are read and found, beside the peers: one table of seconds and memory, one of aims.

Every reader runs in a process of its own and reads every point of every scalar series; seconds are those inside the
process after imports, best of five for the fast ones, one go for the others; memory is its peak.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import reading_discovery
from benchmarks.reading_cases import CASES, Case
from benchmarks.reading_peers import FAST, READERS

ROOT = Path(__file__).resolve().parent.parent
GOES = 5
FIRST = CASES[0].key
Figures = dict[str, dict[str, float]]
"""By reader: seconds, points, peak (MB)."""


def in_own_process(module: str, *arguments: str, served: int = 0) -> dict[str, float]:
    """Return what a module printed that ran in a process of its own."""
    environment = os.environ | {"PYTHONWARNINGS": "ignore", "READING_SERVED": str(served)}
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, cwd=ROOT)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def fastest(results: list[dict[str, float]]) -> dict[str, float]:
    """Return the go that took the least time."""
    return min(results, key=lambda result: result["seconds"])


def figures_of(case: Case, names: list[str]) -> Figures:
    """Make the case's logs and read them with each reader. SystemExit when posthoc reads too few or many points.

    Fast readers take turns, so that a busy minute of the machine meets all of them.
    """
    results: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "logs"
        points = case.make(folder)
        steps = int(in_own_process("benchmarks.reading_peers", "last-steps", str(folder))["steps"])
        for turn in range(GOES):
            for name in names if turn == 0 else FAST.intersection(names):
                results[name].append(in_own_process("benchmarks.reading_peers", name, str(folder), served=steps))
    found = {name: fastest(goes) for name, goes in results.items()}
    if found["posthoc"]["points"] != points:
        raise SystemExit(f"{case.key}: read {found['posthoc']['points']} of {points} points")
    return found


def aims_of(case: Case, figures: Figures, first: Figures | None) -> list[str]:
    """Return one line of the table of aims for each aim of the case that the figures allow to judge."""
    own = figures["posthoc"]
    lines = []
    for name, wanted in case.aims:
        if name in figures:
            lines.append(_judged(case, f"{name} ÷ posthoc", wanted, figures[name]["seconds"] / own["seconds"]))
    if case.pace and first:
        pace = own["points"] / own["seconds"] / (first["posthoc"]["points"] / first["posthoc"]["seconds"])
        lines.append(_judged(case, f"points per second ÷ those of {FIRST}", case.pace, pace))
    if case.peak:
        line = f"| {case.key} | peak memory, MB | ≤ {case.peak} | {own['peak']:.0f} |"
        lines.append(f"{line} {'yes' if own['peak'] <= case.peak else 'no'} |")
    return lines


def _judged(case: Case, what: str, wanted: float, measured: float) -> str:
    met = "yes" if measured >= wanted else "no"
    return f"| {case.key} | {what} | ≥ {wanted:.3g} | {measured:.3g} | {met} |"


def print_reading(cases: list[Case], names: list[str]) -> None:
    """Print the table of seconds and memory, case by case, and the table of aims."""
    print("| case | points | " + " | ".join(f"{name}, s | MB" for name in names) + " |")
    print("|" + " --- |" * (2 + 2 * len(names)))
    known: dict[str, Figures] = {}
    aims = []
    for case in cases:
        known[case.key] = figures = figures_of(case, names)
        cells = " | ".join(f"{one['seconds']:.3f} | {one['peak']:.0f}" for one in figures.values())
        print(f"| {case.key}: {case.name} | {figures['posthoc']['points']:,} | {cells} |", flush=True)
        aims += aims_of(case, figures, known.get(FIRST))
    print("\n| case | what | aim | measured | met |\n| --- | --- | --- | --- | --- |", *aims, sep="\n")


def print_discovery() -> None:
    """Print what finding the runs of a large folder costs."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "logs"
        files = reading_discovery.make(folder)
        print(f"\n{reading_discovery.KEY}: {files:,} files, {reading_discovery.RUNS:,} of them event files in folders")
        print("| way | found | s | MB above start | folders listed | stat calls a file | files opened |")
        print("| --- | --- | --- | --- | --- | --- | --- |")
        for way in reading_discovery.WAYS:
            one = fastest([in_own_process("benchmarks.reading_discovery", way, str(folder)) for _ in range(GOES)])
            print(
                f"| {way} | {one['found']:,} | {one['seconds']:.3f} | {one['growth']:.0f} | {one['listed']:,} "
                f"| {one['looked_at'] / files:.2f} | {one['opened']:,} |",
                flush=True,
            )


def main() -> None:
    """Run the cases asked for."""
    keys = [*(case.key for case in CASES), reading_discovery.KEY]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reading", description=__doc__)
    parser.add_argument("case", nargs="*", help=f"one or more of {', '.join(keys)}; all when none is given")
    parser.add_argument("--list", action="store_true", help="list the cases and run nothing")
    parser.add_argument("--quick", action="store_true", help="leave the slow peers out")
    given = parser.parse_args()
    unknown = [key for key in given.case if key not in keys]
    if unknown:
        parser.error(f"no case is called {unknown[0]!r}; there are {', '.join(keys)}")
    if given.list:
        print(*(f"{case.key}: {case.name}" for case in CASES), sep="\n")
        print(f"{reading_discovery.KEY}: {reading_discovery.NAME}")
        return
    chosen = given.case or keys
    cases = [case for case in CASES if case.key in chosen]
    if cases:
        print_reading(cases, [name for name in READERS if not given.quick or name in FAST])
    if reading_discovery.KEY in chosen:
        print_discovery()


if __name__ == "__main__":
    main()
