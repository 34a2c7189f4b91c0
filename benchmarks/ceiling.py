"""What a learned judge makes of the same measures: `python -m benchmarks.ceiling YARDSTICK`.

A gradient-boosted classifier for each symptom is trained on the measures that the detectors take of the tune part of
the truth yardstick, and scored on its test part beside the rules. Where it is better by more than .03 F1, the rules
ignore something that they measure; the measures that it uses most are named. It is a microscope, nothing that ships.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analyzer import analyze, open_runs
from analyzer.model.result import JudgedMeasure, Result

NOW = 2e9  # Unix seconds
FEWEST = 5  # runs of a symptom in the tune part: with fewer nothing can be learned
BETTER = 0.03  # F1 by which the learned judge must win to point at something
NAMED = 3  # measures that are named


@dataclass(frozen=True)
class Sample:
    """A run: its measures by name, the symptoms of the truth, those that the rules name, those that may be named."""

    split: str
    measures: Mapping[str, float]
    expected: frozenset[str]
    said: frozenset[str]
    tolerated: frozenset[str]


def _measures(result: Result) -> Iterator[tuple[str, JudgedMeasure]]:
    for finding in result.findings:
        yield from ((finding.symptom, measure) for measure in finding.measures)
    for check in result.checked:
        yield from ((check.symptom, measure) for measure in check.measures)


def measured(results: Sequence[Result]) -> dict[str, float]:
    """Return the largest value of each measure over the readings of a run, by symptom and name."""
    found: dict[str, float] = {}
    for result in results:
        for symptom, measure in _measures(result):
            name = f"{symptom}: {measure.name}"
            value = float(np.clip(measure.value, -1e12, 1e12))
            if not np.isnan(value):
                found[name] = max(value, found.get(name, -np.inf))
    return found


def sample(work: tuple[Path, Mapping[str, object]]) -> Sample:
    """Return the sample of a row of the truth."""
    folder, row = work
    results = [analyze(run, now=NOW) for run in open_runs(folder / str(row["path"]))]
    said = frozenset(f.symptom for result in results for f in result.findings if f.alarms)
    expected, tolerated = (frozenset(str(s) for s in row[name]) for name in ("expected", "tolerated"))  # type: ignore[attr-defined]
    return Sample(str(row["split"]), measured(results), expected, said, tolerated)


def matrix(samples: Sequence[Sample], names: Sequence[str]) -> NDArray[np.float64]:
    """Return the measures, float64[samples, names], NaN where one was not taken."""
    return np.array([[one.measures.get(name, np.nan) for name in names] for one in samples])


def f1(said: NDArray[np.bool_], true: NDArray[np.bool_]) -> float:
    """Return F1, 0 where nothing is right."""
    return float(2 * np.sum(said & true) / max(1, np.sum(said) + np.sum(true)))


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, learn, compare, print."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.inspection import permutation_importance

    parser = argparse.ArgumentParser(prog="python -m benchmarks.ceiling", description=__doc__.partition("\n")[0])
    parser.add_argument("yardstick", type=Path, help="folder made by `python -m benchmarks.truth make`")
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args(argv)
    rows = json.loads((given.yardstick / "truth.json").read_text())["runs"]
    work = [(given.yardstick, row) for row in rows]
    if given.jobs == 1:
        samples = [sample(one) for one in work]
    else:
        with get_context("spawn").Pool(given.jobs) as pool:
            samples = pool.map(sample, work, chunksize=8)
    tune = [one for one in samples if one.split == "tune"]
    names = sorted({name for one in tune for name in one.measures})
    print("| symptom | runs | rules F1 | learned F1 | measures it uses most where it wins |")
    print("| --- | ---: | ---: | ---: | --- |")
    for symptom in sorted({s for one in samples for s in one.expected}):
        # what is arguable in a run teaches nothing and counts for nobody
        learn, test = (
            [one for one in samples if one.split == split and symptom not in one.tolerated]
            for split in ("tune", "test")
        )
        truth, wanted = (np.array([symptom in one.expected for one in part]) for part in (learn, test))
        if truth.sum() < FEWEST or not wanted.any():
            print(f"| {symptom} | {int(wanted.sum())} | | too few | |")
            continue
        model = HistGradientBoostingClassifier(class_weight="balanced", random_state=0)
        model.fit(matrix(learn, names), truth)
        seen = matrix(test, names)
        learned = f1(np.asarray(model.predict(seen), dtype=np.bool_), wanted)
        rules = f1(np.array([symptom in one.said for one in test]), wanted)
        used = ""
        if learned > rules + BETTER:
            weight = permutation_importance(model, seen, wanted, scoring="f1", n_repeats=3, random_state=0)
            used = "; ".join(names[i] for i in np.argsort(-weight.importances_mean)[:NAMED])
        print(f"| {symptom} | {int(wanted.sum())} | {rules:.2f} | {learned:.2f} | {used} |", flush=True)


if __name__ == "__main__":
    main()
