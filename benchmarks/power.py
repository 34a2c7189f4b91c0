"""How small a fault is found: `python -m benchmarks.power [--power DIR] [--yardstick DIR] [--curves 40]`.

Faults of graded sizes are planted into curves of runs that did their job, and each is judged in memory. A fault
counts where it is visible (six standard errors, twice what the curve does by itself). Per kind of curve and fault the
table gives, for the half of the curves that nothing was tuned on: the recall at the size that must be found, the
sizes found in half and in 95 of 100 cases, the share of runs called healthy, and, at the end, how many of the
untouched curves were alarmed.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from analyzer import analyze
from benchmarks.curves import POWER, Clean, clean_curves, run_of
from benchmarks.plant import FAULTS, Curve

NOW = 2e9  # Unix seconds, long after the curves: none is still going
HALVES = ("tune", "report")
SHOWN = ("found", "alarmed", "healthy")


@dataclass(frozen=True)
class Judged:
    """What was said of one curve: `found` a right alarm, `alarmed` any alarm, `healthy` the verdict."""

    kind: str
    half: str
    fault: str
    size: float
    found: bool
    alarmed: bool
    healthy: bool


def judged(half: str, seed: int, clean: Clean) -> list[Judged]:
    """Return what is said of a curve as it is and with each fault of each size."""
    rng = np.random.default_rng(seed)
    rows = [_row(clean, half, ("clean", 0.0), frozenset(), clean.curve)]
    for fault, (plant, sizes, _) in FAULTS.items():
        at = float(rng.uniform(0.0, 1.0) if fault == "wave" else rng.uniform(0.4, 0.75))
        for size in sizes:
            try:
                sick = plant(clean.curve, at, size)
            except ValueError:  # the curve has no loss of that kind, or too few points for this fault
                break
            if sick.visible:
                rows.append(_row(clean, half, (fault, size), sick.symptoms, sick.curve))
    return rows


def _row(clean: Clean, half: str, planted: tuple[str, float], wanted: frozenset[str], curve: Curve) -> Judged:
    result = analyze(run_of(curve, clean.name), now=NOW)
    alarms = {f.symptom for f in result.findings if f.alarms}
    # what another finding explains was still seen; what an event explains is no alarm
    seen = {
        f.symptom
        for f in result.findings
        if f.severity != "info" and not str(f.explained_by or "").startswith("event:")
    }
    fault, size = planted
    return Judged(clean.kind, half, fault, size, bool(seen & wanted), bool(alarms), result.verdict == "healthy")


def _one(work: tuple[str, int, Clean]) -> list[Judged]:
    return judged(*work)


def measured(curves: Sequence[Clean], jobs: int) -> list[Judged]:
    """Return the rows of all curves; even ones are for tuning, odd ones for the report."""
    work = [(HALVES[i % 2], i, clean) for i, clean in enumerate(curves)]
    if jobs == 1:
        return [row for one in work for row in _one(one)]
    with get_context("spawn").Pool(jobs) as pool:
        return [row for rows in pool.imap_unordered(_one, work, chunksize=2) for row in rows]


def size_found(rows: Iterable[Judged], share: float) -> float:
    """Return the smallest size from which on every size is found in that share of the cases, inf for none."""
    by_size: dict[float, list[bool]] = defaultdict(list)
    for row in rows:
        by_size[row.size].append(row.found)
    smallest = float("inf")
    for size in sorted(by_size, reverse=True):
        if float(np.mean(by_size[size])) < share:
            break
        smallest = size
    return smallest


def table(rows: Sequence[Judged], half: str) -> str:
    """Return the table of one half as Markdown."""
    lines = [
        f"\n## {half} half",
        "| curves | fault | size | visible | recall | any alarm | healthy | found in 50 % | in 95 % |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    here = [row for row in rows if row.half == half]
    for kind in (*sorted({row.kind for row in here}), "all"):
        group = [row for row in here if kind in ("all", row.kind)]
        lines += [_line(kind, fault, group) for fault in FAULTS if any(row.fault == fault for row in group)]
        clean = [row for row in group if row.fault == "clean"]
        shares = [float(np.mean([getattr(row, name) for row in clean])) for name in ("alarmed", "healthy")]
        lines.append(f"| {kind} | none | | {len(clean)} | | {shares[0]:.3f} | {shares[1]:.2f} | | |")
    return "\n".join(lines)


def _line(kind: str, fault: str, group: Sequence[Judged]) -> str:
    graded = [row for row in group if row.fault == fault]
    needed = FAULTS[fault][2]
    at = [row for row in graded if row.size == needed]
    shares = [f"{np.mean([getattr(row, name) for row in at]):.2f}" if at else "" for name in SHOWN]
    sizes = [f"{size_found(graded, share):g}" for share in (0.5, 0.95)]
    return f"| {' | '.join([kind, fault, f'{needed:g}', str(len(at)), *shares, *sizes])} |"


def sampled(curves: Sequence[Clean], most: int) -> list[Clean]:
    """Return at most so many curves of each kind, evenly over all of them."""
    by_kind: dict[str, list[Clean]] = defaultdict(list)
    for clean in curves:
        by_kind[clean.kind].append(clean)
    return [one for group in by_kind.values() for one in group[:: -(-len(group) // most)]]


def main(argv: Sequence[str] | None = None) -> None:
    """Plant, judge, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.power", description=__doc__.partition("\n")[0])
    power = POWER if (POWER / "index.json").exists() else None
    parser.add_argument("--power", type=Path, default=power, help=f"folder with index.json (default: {POWER} if there)")
    parser.add_argument("--yardstick", type=Path, help="folder made by `python -m benchmarks.truth make`")
    parser.add_argument("--curves", type=int, default=40, help="curves of each kind at most (default: 40)")
    parser.add_argument("--kinds", default="", help="comma-separated kinds of curves (default: all)")
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args(argv)
    kinds = {kind for kind in given.kinds.split(",") if kind}
    curves = [c for c in clean_curves(given.power, given.yardstick) if not kinds or c.kind in kinds]
    rows = measured(sampled(curves, given.curves), given.jobs)
    for half in HALVES:
        print(table(rows, half), flush=True)


if __name__ == "__main__":
    main()
