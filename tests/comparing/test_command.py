"""`posthoc compare`: exit codes, gates, outputs, and the same answer as from Python."""

import csv
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from tensorboardX import SummaryWriter

import analyzer
from analyzer.auditing.state import State
from analyzer.cli import main

STEPS = np.arange(0, 1000, 50)
ENDS = {"a": (1.0, 1.02, 0.98), "b": (0.8, 0.82, 0.78), "c": (1.3, 1.31, 1.32)}


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    root = tmp_path_factory.mktemp("logs")
    for name, ends in ENDS.items():
        for seed, end in enumerate(ends):
            with SummaryWriter(str(root / name / f"seed-{seed}")) as writer:
                for step in STEPS:
                    writer.add_scalar("val/loss", end + 2 * np.exp(-step / 100), int(step))
                    writer.add_scalar("val/accuracy", 1 / (1 + end), int(step))
    sweep = root / "sweep"
    for lr in (0.1, 0.01):
        for seed in range(3):
            place = sweep / f"lr{lr}-{seed}"
            place.mkdir(parents=True)
            rows = "".join(f"{s},{lr + 0.01 * seed + np.exp(-s / 100)}\n" for s in STEPS)
            (place / "metrics.csv").write_text("step,val/loss\n" + rows)
            (place / "hparams.yaml").write_text(f"lr: {lr}\nseed: {seed}\n")
    return root


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def call(capsys, *words):
    code = main(["compare", *map(str, words)])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_the_command_says_what_python_says(capsys, logs):
    code, out, err = call(capsys, logs / "a", logs / "b", "-q", "--json", "-")
    assert (code, err) == (0, "")
    assert json.loads(out) == analyzer.compare(logs / "a", logs / "b").to_dict()
    assert json.loads(out)["base"]["name"] == "a"


def test_several_sources_are_one_side(capsys, logs):
    given = [logs / "b" / f"seed-{i}" for i in range(3)]
    _, out, _ = call(capsys, "--base", logs / "a", "--candidate", *given, "-q", "--json", "-")
    assert json.loads(out) == analyzer.compare(logs / "a", given).to_dict()


@pytest.mark.parametrize(
    ("candidate", "gate", "code"),
    [
        ("b", "never", 0), ("b", "worse", 0), ("b", "not-better", 0), ("b", "cannot-tell", 0),
        ("c", "never", 0), ("c", "worse", 1), ("c", "not-better", 1), ("c", "cannot-tell", 1),
        ("a", "worse", 0), ("a", "not-better", 1), ("a", "cannot-tell", 1),
    ],
)  # fmt: skip
def test_the_gate_decides_between_zero_and_one(capsys, logs, candidate, gate, code):
    assert call(capsys, logs / "a", logs / candidate, "--fail-on", gate)[0] == code


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing", "b"], "does not exist"),
        (["a"], "needs a BASE and a CANDIDATE"),
        (["a", "b", "--metric", "val/lossy"], "no run of a logs 'val/lossy'; did you mean 'val/loss'"),
        (["a", "b", "--worth", "lots"], "is not a relevant difference"),
        (["a", "b", "--at", "moon"], "is not a budget"),
        (["a", "b", "--at", "tokens"], "counts tokens"),
        (["a", "b", "--level", "95"], "between 0.5 and 1"),
        (["a", "b", "--looks", "3/2"], "looks"),
        (["sweep", "--group-by", "momentum"], "no run has a setting 'momentum'"),
        (["sweep", "--group-by", "lr", "--base", "7"], "no run has lr = 7; there are 0.01, 0.1"),
        (["a", "b", "--state", "none.db"], "there is no state yet"),
    ],
)
def test_every_mistake_is_one_sentence_and_two(capsys, logs, monkeypatch, words, said):
    monkeypatch.chdir(logs)
    code, out, err = call(capsys, *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err


def test_one_source_is_cut_by_a_setting(capsys, logs):
    code, out, _ = call(capsys, logs / "sweep", "--group-by", "lr", "--base", "0.1", "-q", "--json", "-")
    found = json.loads(out)
    assert (code, found["verdict"], found["base"]["name"]) == (0, "better", "lr=0.1")
    assert found["settings"] == [{"name": "lr", "base": "0.1", "candidate": "0.01", "kind": "param"}]
    assert call(capsys, "--group-by", "lr", "--base", "0.1", logs / "sweep", "-q", "--json", "-")[1] == out


def test_several_candidates_are_adjusted_and_the_best_leads(capsys, logs):
    code, out, _ = call(capsys, logs / "a", logs / "c", logs / "b", "-q", "--json", "-", "--fail-on", "worse")
    found = json.loads(out)
    assert (code, found["candidate"]["name"], found["verdict"]) == (1, "b", "better")
    assert [one["verdict"] for one in found["candidates"]] == ["worse", "better"]
    first = found["metrics"][0]
    assert first["p_value"] < first["p_adjusted"] <= 2 * first["p_value"] or first["p_adjusted"] == first["p_value"]
    assert found["anova"]["p_value"] < 0.001


def test_options_of_a_side_may_be_given_several_times(capsys, logs):
    words = [word for i in range(3) for word in ("--base", logs / "a" / f"seed-{i}")]
    _, out, _ = call(capsys, *words, "--candidate", logs / "b", "-q", "--json", "-")
    assert json.loads(out) == analyzer.compare([logs / "a" / f"seed-{i}" for i in range(3)], logs / "b").to_dict()


def test_the_word_paired_takes_no_source_for_its_value(capsys, logs):
    _, out, _ = call(capsys, "--paired", logs / "a", logs / "b", "-q", "--json", "-")
    assert json.loads(out)["metrics"][0]["test"] == "paired-t"


def test_all_outputs_are_written(capsys, logs, tmp_path):
    words = ["-o", "page.html", "--json", "c.json", "--markdown", "c.md", "--run-list", "runs.csv"]
    code, out, _ = call(capsys, logs / "a", logs / "b", "--worth", "0.05", *words)
    assert code == 0 and "b is better than a" in out and (tmp_path / "page.html").as_uri() in out
    page = (tmp_path / "page.html").read_text()
    assert page.startswith("<!doctype html>") and "b is better than a" in page and 'class="worth"' in page
    assert "<script>" not in page and not re.search(r'(?:src|href)="https?:', page)
    assert json.loads((tmp_path / "c.json").read_text())["verdict"] == "better"
    assert "| val/loss |" in (tmp_path / "c.md").read_text()
    rows = list(csv.DictReader(io.StringIO((tmp_path / "runs.csv").read_text())))
    assert [row["side"] for row in rows] == ["base"] * 3 + ["candidate"] * 3
    assert call(capsys, logs / "a", logs / "b", *words)[0] == 0  # its own files may be written again


def test_a_log_is_never_overwritten(capsys, logs):
    event = next((logs / "a" / "seed-0").iterdir())
    code, _, err = call(capsys, logs / "a", logs / "b", "-o", event)
    assert code == 2 and "log" in err


def test_later_looks_are_held_to_less_of_the_error(capsys, logs):
    levels = []
    for look in ("1/3", "3/3"):
        _, out, _ = call(capsys, logs / "a", logs / "b", "-q", "--json", "-", "--looks", look)
        levels.append(json.loads(out)["metrics"][0]["level"])
    assert 0.95 < levels[1] < levels[0] < 1


def test_seed_noise_comes_from_the_state_of_audits(capsys, logs, tmp_path):
    rng = np.random.default_rng(3)
    for group in range(6):
        for seed in range(4):
            place = tmp_path / "old" / f"g{group}" / f"s{seed}"
            place.mkdir(parents=True)
            end = 1 + 0.01 * rng.normal()
            rows = "".join(f"{s},{end + np.exp(-s / 100)}\n" for s in STEPS)
            (place / "metrics.csv").write_text("step,val/loss\n" + rows)
    assert main(["audit", "old", "-q", "--state", "state.db", "--jobs", "0", "-o", "site"]) == 0
    sides = [logs / "a" / "seed-0", logs / "b" / "seed-0"]
    _, out, _ = call(capsys, *sides, "--state", "state.db", "-q", "--json", "-")
    found = json.loads(out)
    assert (found["verdict"], found["metrics"][0]["noise"]["from"]) == ("better", "pool")
    assert found["metrics"][0]["noise"]["groups"] == 6


def test_a_pair_that_is_compared_again_with_more_runs_hears_of_the_earlier_looks(capsys, tmp_path):
    with State(Path("state.db")):
        pass

    def notes(*words):
        _, out, _ = call(capsys, "base", "new", "--state", "state.db", "-q", "--json", "-", "-o", "page.html", *words)
        json.loads(out)
        page = Path("page.html").read_text("utf-8")
        return sorted(set(re.findall(r"compared before with fewer runs \(([^)]*)\)", page)))

    write_sides(tmp_path, 2)
    assert notes() == []
    assert notes() == []  # the same runs again are no further look
    write_sides(tmp_path, 3)
    assert notes() == ["2 v 2"]
    write_sides(tmp_path, 5)
    assert notes() == ["2 v 2, 3 v 3"]
    assert notes("--looks", "3/4") == []


def write_sides(folder, runs):
    for side, level in (("base", 0.3), ("new", 0.31)):
        for seed in range(runs):
            place = folder / side / f"seed{seed}"
            place.mkdir(parents=True, exist_ok=True)
            values = level + 0.01 * seed + 2 * np.exp(-np.arange(100) / 20)
            rows = "\n".join(f"{i},{v}" for i, v in enumerate(values))
            (place / "metrics.csv").write_text(f"step,val_loss\n{rows}\n")
