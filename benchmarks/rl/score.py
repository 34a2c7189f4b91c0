"""What is said of the runs, by posthoc and by rl-doctor's own command, beside what is true."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from analyzer import analyze, open_runs
from benchmarks.rl.kinds import KINDS

NOW = 2e9
"""When the runs are judged, in Unix seconds: all have long ended."""
RANK = {"info": 0, "warning": 1, "error": 2}
MEANING = {
    "advantage_collapse": ("no-learning-signal",),
    "entropy_collapse": ("entropy-collapse",),
    "reward_hacking": ("reward-hacking",),
    "length_pathology": ("truncated-completions",),
    "clip_saturation": ("policy-update-too-large",),
    "kl_drift": ("kl-blow-up",),
    "gradient_pathology": ("gradient-spike", "no-learning-signal"),
    "reward_composition": ("lopsided-reward",),
    "plateau": ("reward-plateau",),
}
"""What rl-doctor's detectors mean in our words."""
SEVERITY = {"INFO": "info", "WARNING": "warning", "WARN": "warning", "CRITICAL": "error"}


@dataclass(frozen=True)
class Said:
    """Findings as (symptoms that it may mean, severity); the verdict and the family, "" where a tool has none."""

    findings: tuple[tuple[tuple[str, ...], str], ...]
    verdict: str = ""
    family: str = ""


def by_posthoc(folder: Path) -> Said:
    """Return what posthoc says of the one run in a folder."""
    run = next(iter(open_runs(folder)))
    result = analyze(run, now=NOW)
    told = [f for f in result.findings if f.explained_by is None and f.suppressed is None]
    return Said(tuple(((f.symptom,), f.severity) for f in told), result.verdict, result.family)


def by_rl_doctor(folder: Path, env: Path) -> Said:
    """Return what rl-doctor says of a run, asked by its own command line."""
    command = [str(env / "bin" / "rl-doctor"), "diagnose", str(folder), "-f", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if not done.stdout.lstrip().startswith("{"):
        return Said((), "unread")
    found = json.loads(done.stdout)["findings"]
    told = [f for f in found if f["severity"] in SEVERITY]
    findings = tuple((MEANING.get(f["detector"], (f["detector"],)), SEVERITY[f["severity"]]) for f in told)
    return Said(findings, "" if findings else "healthy")


@dataclass
class Counts:
    """Of the runs of one kind: those that were named or called healthy, alarms that are false, …"""

    runs: int = 0
    right: int = 0
    false: int = 0
    unjudged: int = 0
    family: int = 0

    def add(self, kind_name: str, said: Said) -> str:
        """Count a run; return "" or what is wrong with what was said of it."""
        kind = KINDS[kind_name]
        named = any(set(names) & set(kind.named) and RANK[sev] >= RANK[kind.least] for names, sev in said.findings)
        free = {*kind.named, *kind.beside}
        false = sorted({names[0] for names, sev in said.findings if sev != "info" and not free & set(names)})
        right = named if kind.named else said.verdict == "healthy" or (not said.verdict and not false)
        self.runs += 1
        self.right += right
        self.false += bool(false)
        self.unjudged += said.verdict in ("unjudged", "unread")
        self.family += said.family == kind.family
        told = ", ".join(f"{names[0]} ({sev})" for names, sev in said.findings) or "nothing"
        return "" if right and not false and said.family in (kind.family, "") else f"{said.verdict}: told {told}"


def table(counts: dict[str, Counts], peer: dict[str, Counts]) -> Iterable[str]:
    """Yield the lines of the table by kind, with the peer's columns where it was asked."""
    head = "| kind | truth | runs | right | false alarms | unjudged | family |"
    yield head + (" rl-doctor right | its false alarms |" if peer else "")
    yield "| --- | --- |" + " ---: |" * (7 if peer else 5)
    for name, c in counts.items():
        truth = " or ".join(KINDS[name].named) or "healthy"
        beside = peer.get(name)
        more = (f" {beside.right} | {beside.false} |" if beside else " | |") if peer else ""
        yield f"| {name} | {truth} | {c.runs} | {c.right} | {c.false} | {c.unjudged} | {c.family} |{more}"


def totals(counts: dict[str, Counts], who: str) -> Iterable[str]:
    """Yield the shares over all kinds."""
    yield who
    sick = [c for name, c in counts.items() if KINDS[name].named]
    well = [c for name, c in counts.items() if not KINDS[name].named]
    yield f"  faults named: {_share(sick, 'right')}"
    yield f"  healthy called healthy: {_share(well, 'right')}"
    yield f"  runs with a false alarm: {_share([*sick, *well], 'false')}, of the healthy {_share(well, 'false')}"
    yield f"  unjudged: {_share([*sick, *well], 'unjudged')}, of the healthy {_share(well, 'unjudged')}"


def family_line(counts: dict[str, Counts]) -> str:
    """Return the share of runs whose kind of training is taken for another."""
    runs = sum(c.runs for c in counts.values())
    wrong = runs - sum(c.family for c in counts.values())
    return f"  family wrong: {wrong} of {runs}"


def _share(counts: Sequence[Counts], what: str) -> str:
    hits, runs = sum(getattr(c, what) for c in counts), sum(c.runs for c in counts)
    return f"{hits} of {runs} ({hits / max(1, runs):.3f})"
