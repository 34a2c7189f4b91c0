"""Runs other tools' own commands on the same logs and scores them in the same way.

What their findings mean in our words stands in MEANING; what has no counterpart is left out there and counts as
`other` on healthy runs only if the tool itself calls it a warning or worse. Tools that read single files are given the
run's event files; a tool that cannot read MLflow's files, or that needs to be told the tags, is scored as it comes.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.truth.score import Said, report, truth

MEANING: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "runmedic": {
        "non_finite": ("non-finite",),
        "divergence": ("exploding-loss",),
        "loss_spikes": ("loss-spike",),
        "no_learning": ("plateau", "not-converging"),
        "constant_lr_plateau": ("plateau",),
        "overfitting": ("overfitting",),
    },
    "trainspotter": {
        "divergence: Diverged (non-finite values)": ("non-finite",),
        "divergence: Diverged (sustained growth)": ("exploding-loss",),
        "spikes: Loss spike": ("loss-spike",),
        "overfitting: Overfitting onset": ("overfitting",),
        "plateau: Plateau": ("plateau",),
    },
    "trainproof": {
        "TP-NAN": ("non-finite",),
        "TP-DIVERGE": ("exploding-loss",),
        "TP-FLAT": ("plateau",),
        "TP-DEAD-RUN": ("plateau", "not-converging"),
        "TP-ZERO-LR": ("plateau",),
        "TP-OVERFIT": ("overfitting",),
    },
    "losslint": {
        "nan_inf": ("non-finite",),
        "divergence": ("exploding-loss",),
        "loss_spike": ("loss-spike",),
        "overfit_onset": ("overfitting",),
        "stagnation": ("plateau",),
    },
}
SEVERITY = {"critical": "error", "FAIL": "error", "error": "error", "warning": "warning", "WARN": "warning"}
NOT_JUDGED = {"TP-NO-LOSS", "TP-NO-RECORDS", "TP-NOT-CHECKED", "TP-PASS"}


@dataclass(frozen=True)
class Peer:
    """How a tool is called on one run, and how its findings are listed: (its id, its severity)."""

    name: str
    command: Callable[[Path], list[str]]
    findings: Callable[[Any], list[tuple[str, str]]]


def _files(run: Path) -> list[str]:
    return sorted(str(path) for path in run.rglob("events.out.*"))


def _runmedic(found: Any) -> list[tuple[str, str]]:
    return [(f["check"], f["severity"]) for run in found for f in run["findings"]]


def _trainspotter(found: Any) -> list[tuple[str, str]]:
    return [(f"{f['detector']}: {f['title']}", f["severity"]) for f in found["findings"]]


def _trainproof(found: Any) -> list[tuple[str, str]]:
    return [(f["id"], f["level"]) for one in found["reports"] for f in one["findings"] if f["id"] not in NOT_JUDGED]


def _losslint(found: Any) -> list[tuple[str, str]]:
    return [(f["check"], f["severity"]) for f in found["findings"]]


PEERS = (
    Peer("runmedic", lambda run: ["diagnose", "--json", str(run)], _runmedic),
    Peer("trainspotter", lambda run: ["analyze", "--output", "json", str(run)], _trainspotter),
    Peer("trainproof", lambda run: ["doctor", "--json", str(run)], _trainproof),
    Peer("losslint", lambda run: ["check", "--format", "json", *_files(run)], _losslint),
)


def compare(where: Path, env: Path, *, split: str | None, only: Sequence[str] = (), jobs: int = 2) -> None:
    """Score every peer found in the environment on every run.

    Two tables a tool: all findings that it has a word for (`anything said`), so that tools which call an
    overfitting run *info* are not marked down for manners, and its warnings and worse alone (`alarms`).
    """
    rows = truth(where, split)
    for peer in PEERS:
        if only and peer.name not in only:
            continue
        program = env / "bin" / peer.name
        if not program.exists():
            print(f"{peer.name}: not installed in {env}, left out")
            continue
        with ThreadPoolExecutor(jobs) as pool:
            answers = list(pool.map(lambda row, p=peer, at=program: _asked(p, at, where / row["path"]), rows))
        unread = sum(answer is None for answer in answers)
        for title, every in (("anything said", True), ("alarms", False)):
            said = {row["path"]: _said(peer, a, every) for row, a in zip(rows, answers, strict=True)}
            report(rows, said, f"{peer.name}, {title}; {unread} runs it could not read")


def _asked(peer: Peer, program: Path, run: Path) -> list[tuple[str, str]] | None:
    """Return the tool's findings of a run, None where it answers with no JSON."""
    command = [str(program), *peer.command(run)]
    quiet = {**os.environ, "NO_COLOR": "1"}
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300, env=quiet)
    begin = min((i for i in (done.stdout.find("["), done.stdout.find("{")) if i >= 0), default=-1)
    try:
        return peer.findings(json.loads(done.stdout[begin:])) if begin >= 0 else None
    except (json.JSONDecodeError, KeyError, TypeError):
        return None


def _said(peer: Peer, answer: list[tuple[str, str]] | None, every: bool) -> Said:
    said = Said(runs=int(answer is not None))
    for name, severity in answer or []:
        level = SEVERITY.get(severity)
        if level is None and every and name in MEANING[peer.name]:
            level = "warning"
        for symptom in MEANING[peer.name].get(name, (f"other: {name}",)) if level else ():
            said.add(symptom, level or "warning")
    return said
