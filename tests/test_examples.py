"""The examples are real trainings with known faults: each shows its own first, and the healthy ones nothing."""

import json
from pathlib import Path

import pytest

from analyzer.cli import main

ROOT = Path(__file__).parent.parent
EXPECTED = {
    "unicorn_bouncing": "not-converging",
    "unicorn_exploding": "exploding-loss",
    "unicorn_one_bad_batch": "loss-spike",
    "unicorn_sorted": "repetitive-loss",
    "unicorn_never_found": "contradictory-metrics",
    "unicorn_by_heart": "overfitting",
    "unicorn_not_a_number": "non-finite",
    "unicorn_stuck": "plateau",
    "unicorn_working": None,
    "unicorn_also_working": None,
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    site = tmp_path_factory.mktemp("site") / "site"
    assert main(["audit", str(ROOT / "examples"), "-o", str(site), "-q"]) == 0
    document = json.loads((site / "findings.json").read_text())
    return {
        next(e for e in EXPECTED if e in (run["run"] + "/" + run["name"]).split("/")): run for run in document["runs"]
    }


def test_every_example_is_found_as_one_run(runs):
    assert set(runs) == set(EXPECTED)


@pytest.mark.parametrize(("name", "symptom"), EXPECTED.items(), ids=list(EXPECTED))
def test_an_example_shows_its_own_sickness_first_and_nothing_false(runs, name, symptom):
    run = runs[name]
    alarms = [f["symptom"] for f in run["findings"] if f["explained_by"] is None and f["severity"] != "info"]
    assert alarms == ([symptom] if symptom else []), run["sentence"]
    assert run["verdict"] == ("problems" if symptom else "healthy")


CAUSES = {
    "unicorn_exploding": "learning rate",
    "unicorn_sorted": "order of the data",
    "unicorn_never_found": "threshold",
    "unicorn_by_heart": "memorising",
    "unicorn_not_a_number": "bad batch",
    "unicorn_one_bad_batch": "batch",
    "unicorn_stuck": "guessing",
}


@pytest.mark.parametrize(("name", "words"), CAUSES.items(), ids=list(CAUSES))
def test_the_cause_told_is_the_one_that_was_done_to_it(runs, name, words):
    assert words in runs[name]["findings"][0]["cause"]


def test_the_examples_stay_small():
    files = [p for p in (ROOT / "examples").rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    assert sum(p.stat().st_size for p in files) < 3e6
