"""What a problem cost: hours from its onset without pauses, summed once for a run, priced where a price is set."""

import json
from dataclasses import replace

import numpy as np
import pytest

from analyzer import Settings, analyze, audit
from analyzer.errors import SettingsError
from analyzer.model.cost import Cost, by_kind, total
from analyzer.model.run import Run, Series
from analyzer.settings import Price, load_settings
from tests.test_settings import KNOWN

MINUTE, START = 60.0, 1_800_000_000.0


def run(times=None, **series):
    made = {}
    for tag, values in series.items():
        at = START + MINUTE * np.arange(len(values)) if times is None else times
        made[tag.replace("_", "/")] = Series(tag.replace("_", "/"), np.arange(len(values)), values, at)
    return Run("a", "a", "csv", "", made, declared="FINISHED")


def falling(n=600):
    return 0.2 + 2 * np.exp(-np.arange(n) / 60) * (1 + 0.03 * np.random.default_rng(0).normal(size=n))


def broken(at=300):
    values = falling()
    values[at:] = np.nan
    return values


def test_a_collapse_costs_the_hours_from_its_onset():
    result = analyze(run(train_loss=broken()), now=START + 1e6)
    (finding,) = [f for f in result.findings if f.symptom == "non-finite"]
    assert finding.cost.kind == "after-collapse" and finding.cost.hours == pytest.approx(299 / 60)
    assert finding.cost.money is None and result.cost == finding.cost
    assert result.to_dict()["cost"] == {"hours": 4.983, "kind": "after-collapse", "money": None, "currency": None}


def test_the_hours_after_the_best_step_are_counted_from_it():
    validation = np.concatenate([falling(200), np.linspace(falling(200)[-1], 1.2, 400)])
    result = analyze(run(train_loss=falling(), val_loss=validation), now=START + 1e6)
    (finding,) = [f for f in result.findings if f.symptom == "overfitting"]
    best = int(np.argmin(validation))
    assert finding.cost.kind == "after-best-step" and finding.cost.hours == pytest.approx((599 - best) / 60)


def test_a_run_without_a_learning_signal_costs_all_of_it():
    flat = 2.3 + 0.01 * np.random.default_rng(1).normal(size=600)
    result = analyze(run(train_loss=flat), now=START + 1e6)
    assert result.cost.kind == "no-learning-signal" and result.cost.hours == pytest.approx(599 / 60, rel=0.2)


def test_a_lost_reward_is_counted_too():
    reward = np.concatenate([np.linspace(0, 400, 300), np.full(300, 15.0)]) + np.random.default_rng(2).normal(size=600)
    loss = np.abs(np.random.default_rng(3).normal(size=600))
    series = {"rollout/ep_rew_mean": reward, "train/policy_gradient_loss": loss, "train/entropy_loss": -loss}
    times = START + MINUTE * np.arange(600)
    made = {tag: Series(tag, 2048 * np.arange(1, 601), values, times) for tag, values in series.items()}
    result = analyze(Run("a", "a", "sb3", "", made, declared="FINISHED"), now=START + 1e6)
    (finding,) = [f for f in result.findings if f.symptom == "reward-collapse"]
    assert finding.cost.kind == "after-collapse" and 4 < finding.cost.hours < 6


def test_pauses_and_missing_times_cost_nothing():
    times = START + MINUTE * np.arange(600)
    times[450:] += 86_400  # interrupted for a day
    paused = analyze(run(times=times, train_loss=broken()), now=START + 1e6)
    assert paused.cost.hours == pytest.approx(298 / 60)
    timeless = analyze(run(times=np.full(600, np.nan), train_loss=broken()), now=START + 1e6)
    assert timeless.findings and timeless.cost is None


def test_several_findings_of_a_run_are_not_added_and_what_is_suppressed_costs_nothing():
    result = analyze(run(train_loss=broken(), val_loss=broken(200)), now=START + 1e6)
    assert result.cost.hours == max(f.cost.hours for f in result.findings if f.counts and f.cost)
    aside = replace(result, findings=tuple(replace(f, suppressed={"reason": "known"}) for f in result.findings))
    assert aside.cost is None


def test_a_price_makes_money_of_hours_and_a_settings_file_sets_it(tmp_path):
    file = tmp_path / "posthoc.toml"
    file.write_text('[cost]\ngpu-hour = 2.5\ngpus = 8\ncurrency = "EUR"\n')
    settings = load_settings(file, KNOWN, tmp_path)
    assert settings.price == Price(2.5, 8.0, "EUR")
    result = analyze(run(train_loss=broken()), settings, now=START + 1e6)
    assert result.cost.money == pytest.approx(299 / 60 * 20) and result.cost.currency == "EUR"
    for text, what in (("[cost]\ngpus = 2", "needs gpu-hour"), ("[cost]\ngpu-hour = -1", "gpu-hour")):
        file.write_text(text)
        with pytest.raises(SettingsError, match=what):
            load_settings(file, KNOWN, tmp_path)


def test_sums_are_by_kind_and_of_runs():
    costs = [Cost(2.0, "after-collapse", 4.0, "EUR"), Cost(1.0, "after-best-step"), Cost(3.0, "after-collapse")]
    assert [(one.kind, one.hours, one.money) for one in by_kind(costs)] == [
        ("after-collapse", 5.0, None),
        ("after-best-step", 1.0, None),
    ]
    assert total([]) is None and total(costs)["hours"] == 6.0 and total(costs)["runs"] == 3


def test_an_audit_sums_the_runs_in_its_document(tmp_path):
    healthy = 2 * np.arange(1, 601) ** -0.3
    for name, values in (("a", broken(300)), ("b", broken(400)), ("c", healthy)):
        (tmp_path / "logs" / name).mkdir(parents=True)
        rows = [f"{START + MINUTE * i},{i},{v}" for i, v in enumerate(values)]
        (tmp_path / "logs" / name / "metrics.csv").write_text("timestamp,step,loss\n" + "\n".join(rows))
    night = audit([tmp_path / "logs"], tmp_path / "site", settings=Settings(price=Price(1.0)))
    document = json.loads((tmp_path / "site" / "findings.json").read_text("utf-8"))
    assert document["cost"]["runs"] == 2 and document["cost"]["hours"] == pytest.approx((299 + 199) / 60, abs=0.05)
    assert document["cost"] == night.to_dict()["cost"] and document["cost"]["currency"] == "USD"
    assert [one.get("cost", {}).get("kind") for one in document["runs"]] == ["after-collapse", "after-collapse", None]
