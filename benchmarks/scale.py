"""Whether cost stays linear and memory small at the far end: points in a run, tags in a run, runs in an audit.

Each size is made, then judged by `posthoc audit` in a process of its own; printed are CPU seconds (with those of its
workers), peak memory of the largest process, and CPU seconds for each unit beside those of the size before.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks.reading_cases import NAME, event, scalar, write_log

MOST_MEMORY = 2 << 20  # KiB that one process may take
MOST_GROWTH = 1.5  # times the cost of a unit at the size before: what is linear stays below
BLOCK = 100_000  # records that are made at once
POINTS_OF_A_RUN = 100  # in the audit of many runs
TAU, FLOOR, NOISE = 0.2, 0.2, 0.02  # of the falling curve, in shares of its length and in loss


def losses(count: int, seed: int = 0) -> np.ndarray:
    """Return a loss that falls and settles, with a little noise."""
    at = np.arange(count) / count
    return FLOOR + 2 * np.exp(-at / TAU) + NOISE * np.random.default_rng(seed).normal(size=count)


def points(folder: Path, count: int) -> None:
    """Make one run with so many points of one loss."""
    write_log(folder / "run" / NAME, _events(count))


def _events(count: int, seed: int = 0) -> Iterator[bytes]:
    values = losses(count, seed)
    for start in range(0, count, BLOCK):
        for step, value in enumerate(values[start : start + BLOCK].tolist(), start):
            yield event(step, scalar(b"train/loss", value))


def tags(folder: Path, count: int) -> None:
    """Make one run with so many tags of one point each, and one loss."""
    write_log(folder / "run" / NAME, (event(i % 8, scalar(b"layer%07d/norm" % i, 1.0 + i % 7)) for i in range(count)))
    write_log(folder / "run" / f"{NAME}.1", _events(POINTS_OF_A_RUN))


def runs(folder: Path, count: int) -> None:
    """Make so many runs of 100 points."""
    for run in range(count):
        write_log(folder / f"group{run // 1000}" / f"run{run:06d}" / NAME, _events(POINTS_OF_A_RUN, run))


KINDS: dict[str, tuple[Callable[[Path, int], None], tuple[int, ...]]] = {
    "points": (points, (1_000_000, 10_000_000)),
    "tags": (tags, (100_000, 1_000_000)),
    "runs": (runs, (2_000, 20_000)),
}


def measured(logs: Path, place: Path, timeout: str) -> tuple[int, float, int, str]:
    """Return exit code, CPU seconds, peak KiB of the largest process, and the last words of an audit."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    words = [sys.executable, "-m", "analyzer", "audit", str(logs), "-o", str(place / "site"), "--run-timeout", timeout]
    done = subprocess.run([*words, "--state", str(place / "s.db")], capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    said = [line for line in done.stdout.splitlines() if line][:1]
    return done.returncode, cpu, after.ru_maxrss, (said or [done.stderr[-300:]])[0]


def main(argv: Sequence[str] | None = None) -> int:
    """Measure; return 1 when a size fails, takes too much memory, or costs more a unit than the one before allows."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("kinds", nargs="*", default=[*KINDS], help="points, tags, runs (default: all)")
    parser.add_argument(
        "--sizes", type=lambda text: tuple(map(int, text.split(","))), help="sizes instead of the usual"
    )
    parser.add_argument("--run-timeout", default="30min", help="time for one run (default %(default)s)")
    given = parser.parse_args(argv)
    wrong = 0
    for kind in given.kinds:
        make, usual = KINDS[kind]
        unit_before = 0.0
        for size in given.sizes or usual:
            with tempfile.TemporaryDirectory(prefix="posthoc-scale-") as name:
                place = Path(name)
                make(place / "logs", size)
                code, cpu, peak, said = measured(place / "logs", place, given.run_timeout)
                shutil.rmtree(place / "logs")
            unit = cpu / size
            growth = unit / unit_before if unit_before else 1.0
            bad = code not in (0, 1) or peak > MOST_MEMORY or growth > MOST_GROWTH
            wrong += bad
            print(
                f"{size:>12,} {kind:<7} {cpu:8.1f} s CPU  {peak / 1024:8,.0f} MiB  {1e6 * unit:10.2f} µs each "
                f"({growth:.2f} times)  exit {code}  {'TOO MUCH: ' if bad else ''}{said}", flush=True
            )  # fmt: skip
            unit_before = unit
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
