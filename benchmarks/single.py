"""Runs with one value a metric: how many bad ones are named, good ones alarmed, good ones healthy.

python -m benchmarks.single [--store STORE --truth FILE] [--models N] [--seed N]

Without a store, models of scikit-learn are trained on data made here by formula (good, memorised, at chance,
constant, NaN; two classes, several, rare ones, regression), logged as an MLflow file store under the names of four
habits (by hand, MLflow's autologging, mlflow.evaluate, folders and percent), and judged in one audit. What is bad is
known by how a model was made, and by its true scores on 20,000 further examples.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import warnings
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from analyzer import audit
from benchmarks.single_store import trained_store

NAMES = {
    "gap": {"overfitting"},
    "chance": {"chance-level", "constant-predictor"},
    "constant": {"constant-predictor"},
    "nan": {"non-finite"},
}
"""What each kind of bad run may be called."""


def main() -> None:
    """Score and print."""
    ask = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    ask.add_argument("--store", help="an MLflow store of runs with one value a metric")
    ask.add_argument("--truth", type=Path, help="JSON: kind of each run by its id")
    ask.add_argument("--part", default="singles.db", help="the entry of the truth that is about the store")
    ask.add_argument("--models", type=int, default=160)
    ask.add_argument("--seed", type=int, default=1)
    options = ask.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if options.store:
            truth = json.loads(options.truth.read_text())
            truth = truth.get(options.part, truth)
            store = options.store
        else:
            warnings.simplefilter("ignore")
            store = str(Path(folder) / "mlruns")
            truth = trained_store(Path(store), options.models, np.random.default_rng(options.seed))
        print_scores(scores(store, truth, Path(folder) / "site"))


def scores(store: str, truth: Mapping[str, str], site: Path) -> dict[str, Any]:
    """Audit a store and return the verdicts and alarms by kind of run, and each run that was judged otherwise."""
    night = audit([store], str(site))
    found: dict[str, Counter[str]] = defaultdict(Counter)
    missed = []
    for result in night.results:
        kind = truth.get(result.run.rpartition("/")[2])
        if kind is None:
            continue
        alarms = sorted(f.symptom for f in result.findings if f.alarms)
        named = bool(NAMES.get(kind, set()) & {f.symptom for f in result.findings if f.severity != "info"})
        good = kind.startswith("good")
        outcome = result.verdict if good else "named" if named else f"missed ({result.verdict})"
        found[kind][outcome] += 1
        if (good and result.verdict != "healthy") or (not good and not named):
            values = {row.tag: row.last for row in result.series}
            missed.append((kind, result.verdict, alarms, result.sentence, values))
    return {"found": found, "missed": missed}


def print_scores(scored: Mapping[str, Any]) -> None:
    """Print the counts by kind, the three rates, and what was judged otherwise."""
    found: dict[str, Counter[str]] = scored["found"]
    for kind, outcomes in sorted(found.items()):
        print(f"{kind:12s} {dict(outcomes)}")
    bad = {kind: outcomes for kind, outcomes in found.items() if not kind.startswith("good")}
    named, all_bad = sum(o["named"] for o in bad.values()), sum(o.total() for o in bad.values())
    good = sum((outcomes for kind, outcomes in found.items() if kind.startswith("good")), Counter())
    print(f"bad named {named} of {all_bad}, good alarmed {good['problems']} of {good.total()}, ", end="")
    print(f"good healthy {good['healthy']} of {good.total()}")
    for kind, verdict, alarms, sentence, values in scored["missed"]:
        shown = ", ".join(f"{tag} {value:.4g}" for tag, value in values.items() if value is not None)
        print(f"- {kind}: {verdict} {alarms}: {sentence}\n    {shown}")


if __name__ == "__main__":
    main()
