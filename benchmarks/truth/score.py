"""Scores what was said of each run against truth.json: precision, recall, F1 with Wilson intervals, false alarms."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SYMPTOMS = (
    "not-converging",
    "exploding-loss",
    "loss-spike",
    "non-finite",
    "contradictory-metrics",
    "overfitting",
    "repetitive-loss",
    "plateau",
)
ALARMS = ("error", "warning")
Row = Mapping[str, Any]


@dataclass
class Said:
    """What a tool said of one run: severity and first step by symptom (alarms only); `runs` results made it up."""

    alarms: dict[str, str] = field(default_factory=dict)
    onset: dict[str, tuple[str, int]] = field(default_factory=dict)
    runs: int = 0
    verdicts: list[str] = field(default_factory=list)

    def add(self, symptom: str, severity: str, tag: str = "", step: int | None = None) -> None:
        """Keep the worst severity and the first onset."""
        if self.alarms.get(symptom) != "error":
            self.alarms[symptom] = severity
        if step is not None and symptom not in self.onset:
            self.onset[symptom] = (tag, step)


def truth(where: Path, split: str | None) -> list[dict[str, Any]]:
    """Return the rows of truth.json, of one split or of both."""
    rows = json.loads((where / "truth.json").read_text())["runs"]
    return [row for row in rows if split is None or row["split"] == split]


def audited(where: Path, out: Path, split: str | None) -> Path:
    """Run the product's own command on the logs; returns its findings.json."""
    source = where / split if split else where
    command = [sys.executable, "-m", "analyzer", "audit", str(source), "-o", str(out), "-q"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode not in (0, 1):
        raise SystemExit(f"the audit of {source} ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    return out / "findings.json"


def said_by_posthoc(findings: Path, rows: Sequence[Row]) -> dict[str, Said]:
    """Read findings.json: alarms that are neither explained nor suppressed, by the path of each run of the truth."""
    said = {row["path"]: Said() for row in rows}
    for run in json.loads(findings.read_text())["runs"]:
        path = _path_of(run["run"], rows)
        if path is None:
            continue
        here = said[path]
        here.runs += 1
        here.verdicts.append(run["verdict"])
        for found in run["findings"]:
            if found["explained_by"] is None and found["suppressed"] is None and found["severity"] in ALARMS:
                here.add(found["symptom"], found["severity"], (found["tags"] or [""])[0], found["first_step"])
    return said


def _path_of(run: str, rows: Sequence[Row]) -> str | None:
    """Path of the run that a result belongs to: itself, a folder in it, or an MLflow run's id."""
    for row in rows:
        path = row["path"]
        below = path.partition("/")[2]
        if run in {path, below, path.rpartition("/")[2]} or run.startswith((f"{path}/", f"{below}/")):
            return str(path)
        if f"{path}/".startswith(f"{run}/") or f"{below}/".startswith(f"{run}/"):
            return str(path)
    return None


def wilson(hits: int, of: int) -> str:
    """Return a share with its 95 % interval (Wilson, 1927)."""
    if not of:
        return "   –            "
    z, share = 1.96, hits / of
    middle, spread = share + z * z / (2 * of), z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    low, high = (middle - spread) / (1 + z * z / of), (middle + spread) / (1 + z * z / of)
    return f"{share:5.3f} [{max(0.0, low):.2f},{high:.2f}]"


def report(rows: Sequence[Row], said: Mapping[str, Said], title: str) -> dict[str, float]:
    """Print all tables of one split; returns macro F1 and the rate of false alarms on healthy runs."""
    print(f"\n=== {title}: {len(rows)} runs ===")
    macro = _by_symptom(rows, said)
    rate = _healthy(rows, said)
    _onsets(rows, said)
    _confusion(rows, said)
    missing = [row["path"] for row in rows if not said[row["path"]].runs]
    split_up = [row["path"] for row in rows if said[row["path"]].runs > 1]
    print(f"runs without a result: {len(missing)} {missing[:3]}; runs seen as several: {len(split_up)} {split_up[:3]}")
    return {"macro F1": macro, "false alarms on healthy": rate}


def _by_symptom(rows: Sequence[Row], said: Mapping[str, Said]) -> float:
    print(f"{'symptom':22} {'n':>4}  precision          recall             F1")
    scores = []
    for symptom in SYMPTOMS:
        hit = sum(symptom in row["expected"] and symptom in said[row["path"]].alarms for row in rows)
        wanted = sum(symptom in row["expected"] for row in rows)
        false = sum(symptom in _false(row, said[row["path"]]) for row in rows)
        f1 = 2 * hit / max(1, wanted + hit + false)
        if wanted:
            scores.append(f1)
        print(f"{symptom:22} {wanted:4}  {wilson(hit, hit + false)}  {wilson(hit, wanted)}  {f1:.3f}")
    macro = sum(scores) / max(1, len(scores))
    print(f"{'macro F1':66}{macro:.3f}")
    return macro


def _false(row: Row, said: Said) -> set[str]:
    """Alarms neither expected nor tolerated."""
    return set(said.alarms) - set(row["expected"]) - set(row["tolerated"])


def _healthy(rows: Sequence[Row], said: Mapping[str, Said]) -> float:
    well = [row for row in rows if not row["expected"]]
    alarmed = [row for row in well if _false(row, said[row["path"]])]
    wrong = [row for row in well if any(said[row["path"]].alarms[s] == "error" for s in _false(row, said[row["path"]]))]
    print(
        f"healthy {len(well)}: false alarms {wilson(len(alarmed), len(well))}, errors {wilson(len(wrong), len(well))}"
    )
    of, by = Counter(row["cause"] for row in well), defaultdict(Counter)
    for row in alarmed:
        by[row["cause"]].update(_false(row, said[row["path"]]))
    for cause, symptoms in sorted(by.items(), key=lambda pair: -sum(pair[1].values())):
        count = sum(row["cause"] == cause for row in alarmed)
        print(f"  {cause:32} {count}/{of[cause]}: {', '.join(f'{s} {n}' for s, n in symptoms.most_common())}")
    return len(alarmed) / max(1, len(well))


def _onsets(rows: Sequence[Row], said: Mapping[str, Said]) -> None:
    """Print how far the first step named is from the onset, in the steps of the tag named and as a share of it."""
    for symptom in SYMPTOMS:
        misses, shares = [], []
        for row in rows:
            named, real = said[row["path"]].onset.get(symptom), row["onset_steps"].get(symptom)
            if named is None or not real or symptom not in row["expected"]:
                continue
            begin, end = real.get(named[0], next(iter(real.values())))
            misses.append(abs(named[1] - begin))
            shares.append(misses[-1] / max(1, end))
        if misses:
            steps = f"{_quantile(misses, 0.5):.0f} / {_quantile(misses, 0.9):.0f} steps"
            share = f"{_quantile(shares, 0.5):.1%} / {_quantile(shares, 0.9):.1%} of the run"
            print(f"onset of {symptom:22} {len(misses):3}: off by {steps} (median / 90 %), {share}")


def _quantile(values: Iterable[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _confusion(rows: Sequence[Row], said: Mapping[str, Said]) -> None:
    """Print which alarms the runs of each class got (several may be raised on one run)."""
    print(f"{'':22}" + "".join(f"{s[:9]:>11}" for s in (*SYMPTOMS, "other", "nothing")))
    for claim in (*SYMPTOMS, "healthy"):
        inside = [row for row in rows if row["claim"] == claim]
        counts = Counter[str]()
        for row in inside:
            alarms = said[row["path"]].alarms
            counts.update({s if s in SYMPTOMS else "other" for s in alarms} or {"nothing"})
        print(f"{claim:22}" + "".join(f"{counts[s] or '·':>11}" for s in (*SYMPTOMS, "other", "nothing")))


def disagreements(rows: Sequence[Row], said: Mapping[str, Said]) -> list[str]:
    """One line for each run that was missed or falsely accused."""
    lines = []
    for row in rows:
        here = said[row["path"]]
        missed, false = sorted(set(row["expected"]) - set(here.alarms)), sorted(_false(row, here))
        if missed or false:
            numbers = ", ".join(f"{k} {v:.3g}" for k, v in row["oracle"].items())
            about = ", ".join(str(row[k]) for k in ("claim", "cause", "data", "family", "layout", "points"))
            lines.append(
                f"{row['path']}  missed {','.join(missed) or '–'}  false {','.join(false) or '–'}"
                f"  said {','.join(sorted(here.alarms)) or '–'}  ({about}; {numbers})"
            )
    return lines


def score(where: Path, *, split: str | None, out: Path | None, findings: Path | None, listing: Path | None) -> None:
    """Audit and print; splits apart. `findings` scores an audit that was made before."""
    rows = truth(where, split)
    place = findings or audited(where, out or where.with_name(f"{where.name}-site"), split)
    said = said_by_posthoc(place, rows)
    lines = []
    for part in sorted({row["split"] for row in rows}, reverse=True):
        inside = [row for row in rows if row["split"] == part]
        report(inside, said, f"posthoc, {part}")
        lines += disagreements(inside, said)
    print(f"\n{len(lines)} disagreements" + (f" in {listing}" if listing else ""))
    if listing:
        listing.write_text("\n".join(lines) + "\n")
    else:
        print("\n".join(lines))
