"""Laws of histories: prefixes, shifts, scales, order, direction, causes, several metrics."""

import json
import time

import numpy as np
import pytest

import analyzer
from analyzer.errors import NoRunsError, UsageError
from analyzer.histories.job_columns import nights
from analyzer.histories.job_history import Limits, history

DAY = 86_400.0


def job(seed: int = 0, n: int = 100, at: int = 60, size: float = 5.0) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=n)
    values[at:] += size
    return values


def times(n: int) -> list[float]:
    return [1.75e9 + DAY * i for i in range(n)]


def found(values, **more):
    return analyzer.history(times(len(values)), {"test_loss": values}, **more).to_dict()


def core(one: dict) -> tuple:
    return tuple(one[k] for k in ("index", "interval", "shape", "until", "told", "announced", "direction", "outliers"))


@pytest.mark.parametrize("seed", range(4))
def test_the_replay_of_a_prefix_is_the_prefix_of_the_replay(seed):
    values = job(seed, 110, 50)
    values[80:] -= 4
    whole = found(values, replay=True)["alarms"]
    assert whole
    for end in (53, 70, 83, 95):
        part = found(values[:end], replay=True)["alarms"]
        assert part == [alarm for alarm in whole if alarm["told"] < end]


@pytest.mark.parametrize(("shift", "scale"), [(100.0, 1.0), (0.0, 1e-4), (-3.0, 250.0)])
def test_another_unit_changes_no_night(shift, scale):
    values = job(1) + 20
    plain, other = (
        analyzer.history(times(100), {"test_loss": v}, replay=True) for v in (values, shift + scale * values)
    )
    for one, two in ((plain.changes, other.changes), (plain.alarms, other.alarms)):
        assert [core(c.to_dict()) for c in one] == [core(c.to_dict()) for c in two]
    assert other.changes[0].difference == pytest.approx(scale * plain.changes[0].difference)


def test_the_order_of_rows_changes_nothing():
    values, at = job(2), times(100)
    at[10] = at[11] = at[12]  # ties, too
    depth = ["3"] * 60 + ["4"] * 40
    order = np.random.default_rng(0).permutation(100)
    plain = analyzer.history(at, {"test_loss": values}, settings={"depth": depth}, replay=True)
    mixed = analyzer.history(
        [at[i] for i in order], {"test_loss": values[order]}, settings={"depth": [depth[i] for i in order]}, replay=True
    )
    assert plain.to_dict() == mixed.to_dict()


def test_a_mirrored_metric_has_mirrored_changes():
    values = job(3)
    up = analyzer.history(times(100), {"m": values}, better="lower").changes[0]
    down = analyzer.history(times(100), {"m": -values}, better="higher").changes[0]
    assert (
        (up.index, up.direction, up.severity) == (down.index, down.direction, down.severity) == (60, "worse", "warning")
    )
    assert up.difference == pytest.approx(-down.difference)
    assert analyzer.history(times(100), {"m": values}, better="higher").changes[0].direction == "better"


def test_nights_without_a_value_and_missing_nights_keep_the_indices():
    values = job(4)
    values[[3, 30, 61, 70]] = [np.nan, np.inf, np.nan, np.nan]
    at = [t + (40 * DAY if i >= 40 else 0) for i, t in enumerate(times(100))]
    (change,) = analyzer.history(at, {"test_loss": values}).changes
    assert change.index in (60, 62)
    assert change.interval[0] <= 60 <= change.interval[1] or change.index == 60
    assert change.nights == 96


def test_a_setting_announces_a_change_and_names_it():
    values = job(5, size=3)
    settings = {"max_depth": [6] * 60 + [12] * 40, "n_jobs": [1] * 20 + [4] * 80, "seed": list(range(100))}
    settings["git_commit"] = [f"c{i // 7}" for i in range(100)]
    (change,) = found(values, settings=settings)["changes"]
    assert change["announced"]
    assert change["changed"] == [{"name": "max_depth", "from": "6", "to": "12"}]
    assert change["severity"] == "info"
    assert "came with max_depth 6 → 12" in change["sentence"]


def test_a_commit_is_named_and_announces_nothing():
    (change,) = found(job(6), settings={"commit": ["aaa"] * 60 + ["bbb"] * 40})["changes"]
    assert not change["announced"]
    assert change["code"] == {"from": "aaa", "to": "bbb"}
    assert change["severity"] == "warning"


def test_a_setting_that_changes_in_many_places_is_a_label():
    depth = [str(i // 10) for i in range(100)]
    assert not found(job(7), settings={"max_depth": depth})["changes"][0]["announced"]


def test_a_drift_has_a_start_and_an_end():
    rng = np.random.default_rng(8)
    values = rng.normal(size=120) + 8 * np.clip((np.arange(120) - 60) / 25, 0, 1)
    (change,) = found(values)["changes"]
    assert change["shape"] == "drift"
    assert abs(change["index"] - 60) <= 6
    assert abs(change["until"] - 85) <= 8
    assert change["after"] - change["before"] == pytest.approx(8, abs=1.2)


def test_changes_of_several_metrics_are_one_entry_worst_first():
    rng = np.random.default_rng(9)
    metrics = {f"m{i}": rng.normal(size=100) for i in range(10)}
    for i in range(4):
        metrics[f"m{i}"][60:] += 4 + i
    one = analyzer.history(times(100), metrics, better="lower", replay=True)
    (change,) = one.changes
    (alarm,) = one.alarms
    assert change.metric == "m3"
    assert {other.metric for other in change.also} == {"m0", "m1", "m2"}
    assert alarm.told in (61, 62, 63)


def test_an_alarm_is_told_without_a_replay_when_the_replay_tells_it():
    for seed in range(5):
        values = job(seed, size=4)
        plain, replayed = found(values), found(values, replay=True)
        assert [c["told"] for c in plain["changes"]] == [c["told"] for c in replayed["changes"]]


def test_a_change_too_small_to_matter_is_no_warning():
    values = 1000 + 0.1 * job(10)
    assert found(values)["changes"][0]["severity"] == "info"
    assert history(nights(times(100), {"test_loss": values}), Limits(matters=1e-5)).changes[0].severity == "warning"


def test_constant_values_never_changed():
    assert found(np.full(40, 0.7), replay=True) | {"metrics": 0} == {
        "changes": [], "alarms": [], "job": "", "nights": 40, "metrics": 0, "notes": [],
    }  # fmt: skip


def test_fewer_than_twelve_nights_are_said_in_a_sentence():
    with pytest.raises(NoRunsError, match=r"^11 nights with a value; a history needs at least 12$"):
        found(np.arange(11.0))
    values = np.full(30, np.nan)
    values[:5] = 1
    with pytest.raises(NoRunsError, match="5 nights"):
        found(values)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (lambda: analyzer.history([1, 2], {"m": [1.0]}), "m has 1 values for 2 times"),
        (lambda: analyzer.history(["soon"], {"m": [1.0]}), "time 0 is 'soon'"),
        (lambda: analyzer.history([float("nan")], {"m": [1.0]}), "every run needs a time"),
        (lambda: analyzer.history([1], {"m": ["x"]}), "m has a value that is not a number"),
        (lambda: analyzer.history([1], {"m": [1]}, better="up"), "better is 'up'"),
        (lambda: analyzer.history([1], {"m": [1]}, settings={"a": [1, 2]}), "a has 2 values for 1 times"),
        (lambda: analyzer.history([1e30], {"m": [1]}), "time 0"),
    ],
)
def test_what_means_nothing_is_refused_in_a_sentence(given, sentence):
    with pytest.raises(UsageError, match=sentence):
        given()


def test_times_may_be_dates_texts_or_milliseconds():
    values = job(11, 40, 25)
    plain = found(values)["changes"][0]
    texts = [np.datetime64(int(t), "s") for t in times(40)]
    for other in (texts, [str(t) for t in texts], [t * 1000 for t in times(40)]):
        assert analyzer.history(other, {"test_loss": values}).to_dict()["changes"][0]["night"] == plain["night"]


def test_an_unknown_direction_is_said_to_be_assumed():
    notes = analyzer.history(times(40), {"frobs": job(12, 40, 25)}).notes
    assert any("taken to be higher" in note for note in notes)


def test_it_is_strict_json_and_a_notebook_shows_it():
    one = analyzer.history(times(100), {"<b>loss": job(13)}, replay=True)
    json.dumps(one.to_dict(), allow_nan=False)
    html = one._repr_html_()
    assert "<b>loss" not in html
    assert "<svg" in html


def test_a_thousand_nights_of_ten_metrics_take_about_a_second():
    rng = np.random.default_rng(14)
    metrics = {f"m{i}": rng.normal(size=1000) + 4 * (np.arange(1000) > 700) for i in range(10)}
    began = time.process_time()
    analyzer.history(times(1000), metrics, better="lower")
    assert time.process_time() - began < 3  # 0.6 s on an idle core; a busy one is no reason to fail
