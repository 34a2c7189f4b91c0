"""How findings on public logs agree with what a careful eye saw: `python -m benchmarks.public [LOGS]`.

LOGS (default: ../shared/real) holds the logs and a truth.json: for each run what must be found (`expected`), what may
be found (`tolerated`) and what is a false alarm (`forbidden`); runs of status *ambiguous* are left out. Printed are
precision, recall and F1 by symptom, their mean, the sick runs that are called healthy, the share of runs without a
verdict, and every disagreement.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from analyzer import analyze, open_runs
from analyzer.errors import PosthocError

REAL = Path("../shared/real")
NOW = 2e9  # Unix seconds
COUNTS_AS = {"loss-spike": "exploding-loss", "slow-divergence": "exploding-loss", "hidden-nan": "non-finite"}
"""What the truth holds under another name."""


@dataclass(frozen=True)
class Said:
    """Alarms of a run, under the truth's names, and its verdict; "unread" where it could not be opened.

    `seen` holds the alarms and what another finding explains: a NaN after an explosion is seen, and no second alarm.
    """

    alarms: frozenset[str]
    seen: frozenset[str]
    verdict: str


def said(folder: Path, row: Mapping[str, Any]) -> Said:
    """Return what is said of a row's run; where its path holds several runs, all of them speak for it."""
    alarms: set[str] = set()
    seen: set[str] = set()
    verdicts: set[str] = set()
    try:
        for run in open_runs(folder / row["path"], run=row.get("run_id")):
            result = analyze(run, now=NOW)
            severe = [f for f in result.findings if f.severity != "info" and f.suppressed is None]
            alarms |= {COUNTS_AS.get(f.symptom, f.symptom) for f in severe if f.explained_by is None}
            by_finding = (f for f in severe if not str(f.explained_by).startswith("event:"))
            seen |= {COUNTS_AS.get(f.symptom, f.symptom) for f in by_finding}
            verdicts.add(result.verdict)
    except PosthocError:
        return Said(frozenset(), frozenset(), "unread")
    worst = next((v for v in ("problems", "suppressed", "healthy") if v in verdicts), "unjudged")
    return Said(frozenset(alarms), frozenset(seen), worst)


@dataclass(frozen=True)
class Score:
    """Counts of one symptom: rightly found, falsely found, missed."""

    hits: int
    false: int
    missed: int

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; NaN where the symptom is neither expected nor found."""
        total = 2 * self.hits + self.false + self.missed
        return 2 * self.hits / total if total else float("nan")


def expected(row: Mapping[str, Any]) -> frozenset[str]:
    """Return the symptoms that must be found."""
    return frozenset(one if isinstance(one, str) else one["symptom"] for one in row["expected"])


def scores(rows: Sequence[Mapping[str, Any]], heard: Sequence[Said], symptoms: Sequence[str]) -> dict[str, Score]:
    """Return the counts by symptom; what is tolerated counts neither way."""
    counts: Counter[tuple[str, str]] = Counter()
    for row, one in zip(rows, heard, strict=True):
        wanted, forbidden = expected(row), frozenset(row["forbidden"])
        counts.update((name, "hits") for name in wanted & one.seen)
        counts.update((name, "missed") for name in wanted - one.seen)
        counts.update((name, "false") for name in (forbidden & one.alarms) - wanted)
    return {s: Score(*(counts[s, kind] for kind in ("hits", "false", "missed"))) for s in symptoms}


def disagreements(rows: Sequence[Mapping[str, Any]], heard: Sequence[Said]) -> list[str]:
    """Return a line for each run with a false alarm or a miss."""
    lines = []
    for row, one in zip(rows, heard, strict=True):
        wanted, forbidden = expected(row), frozenset(row["forbidden"])
        missed, false = sorted(wanted - one.seen), sorted((forbidden & one.alarms) - wanted)
        if missed or false:
            parts = [f"misses {', '.join(missed)}"] * bool(missed) + [f"falsely says {', '.join(false)}"] * bool(false)
            why = f" ({row['why']})" if row.get("why") else ""
            lines.append(f"{row['run']}: {'; '.join(parts)}; verdict {one.verdict}{why}")
    return lines


def main(argv: Sequence[str] | None = None) -> None:
    """Judge the logs, compare, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.public", description=__doc__.partition("\n")[0])
    parser.add_argument("logs", type=Path, nargs="?", default=REAL, help=f"folder with truth.json (default: {REAL})")
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args(argv)
    truth = json.loads((given.logs / "truth.json").read_text())
    rows = [row for row in truth["runs"] if row.get("status", "clear") == "clear"]
    judge = partial(said, given.logs)
    if given.jobs == 1:
        heard = [judge(row) for row in rows]
    else:
        with get_context("spawn").Pool(given.jobs) as pool:
            heard = pool.map(judge, rows, chunksize=4)
    found = scores(rows, heard, [s for s in truth["symptoms"] if s != "healthy"])
    print("| symptom | found | false | missed | precision | recall | F1 |\n| --- |" + " ---: |" * 6)
    for symptom, score in found.items():
        precision = score.hits / max(1, score.hits + score.false)
        recall = score.hits / max(1, score.hits + score.missed)
        numbers = f"{score.hits} | {score.false} | {score.missed} | {precision:.2f} | {recall:.2f} | {score.f1:.2f}"
        print(f"| {symptom} | {numbers} |")
    known = [score.f1 for score in found.values() if score.hits + score.missed]
    print(f"\nmacro F1 over the {len(known)} symptoms that occur: {sum(known) / max(1, len(known)):.3f}")
    sick = [row["run"] for row, one in zip(rows, heard, strict=True) if expected(row) and one.verdict == "healthy"]
    print(f"sick but called healthy: {len(sick)} of {sum(bool(expected(row)) for row in rows)}", *sick, sep="\n  ")
    for verdict in ("unjudged", "unread"):
        count = sum(one.verdict == verdict for one in heard)
        print(f"{verdict}: {count} of {len(rows)} ({count / max(1, len(rows)):.0%})")
    print("\ndisagreements:", *disagreements(rows, heard), sep="\n  ")


if __name__ == "__main__":
    main()
