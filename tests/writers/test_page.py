# ruff: noqa: E501 - one case a line reads best
"""The page of a run holds what the report promises, small, safe and whole without its script."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from analyzer import analyze
from analyzer.model.case import made_run, noise
from analyzer.model.result import Event
from analyzer.model.run import Note
from analyzer.writers.chart import THIN
from analyzer.writers.embed import SpillFile
from analyzer.writers.page import Provenance, main_chart, page_name, run_page, silence
from analyzer.writers.template_environment import asset
from tests import made
from tests.writers.markup import check_page

MAKING = Provenance("1.2.3", "posthoc report logs/exp1", (("overfitting", "rise", 0.1, 0.05),))
ALL = ("overfitted", "exploded", "healthy", "unjudged", "failed", "hostile", "large")


def page(result):
    return run_page(result, made.guides(), MAKING)


@pytest.mark.parametrize("name", ALL)
def test_every_page_is_well_formed_and_safe(name):
    check_page(page(getattr(made, name)()))


def test_the_sick_page_says_all_that_a_finding_has():
    words = check_page(page(made.overfitted())).words
    for promised in (
        "Overfitting: Validation loss was best at step 400",
        "Use the checkpoint of step 400; going on cost 0.31 of validation loss. Overfitting",
        "2 findings, worst first",
        "Validation loss was best at step 400 (0.47) and has risen by 66 % since",
        "rise of validation loss over its best 0.66 above 0.05",
        "Why it matters The model that is kept is worse",
        "The model memorises the training examples",
        "training loss fell by another 41 % after step 400",
        "When this may be wrong A small validation set is noisy.",
        "The log does not tell what caused this.",
        "--ignore overfitting",
        "1 finding explained by this Wasted tail",
        "1 finding explained by something ordinary in the run Loss spike",
        "Explained by the learning rate halved.",
        "3 checks came back fine",
        "No metric is logged for the training split Contradictory metrics",
        "The last record is not complete: the writer may still be at it. (events.out.tfevents.1, byte 94,112)",
        "foo/bar",
        "posthoc report logs/exp1",
        "posthoc 1.2.3, with these limits changed: overfitting.rise = 0.1 (default 0.05)",
    ):
        assert promised in words, promised


def test_a_healthy_page_says_why_and_what_still_to_check():
    words = check_page(page(made.healthy())).words
    assert "Healthy: loss/train fell from 2.3 to 0.21." in words
    assert "It stayed finite All points of 2 losses are finite" in words and "Metrics agree" not in words
    assert "Still worth checking" in words and "Stability over seeds" in words
    assert "Do first" not in words


def test_what_was_set_aside_is_told_with_its_reason():
    result = made.overfitted()
    aside = replace(
        result.findings[1], suppressed={"reason": "known bad batch", "owner": "ada", "expires": "2026-12-31"}
    )
    words = check_page(page(replace(result, findings=(aside,)))).words
    assert "1 finding suppressed" in words and "known bad batch · ada · until 2026-12-31" in words


def test_the_result_in_the_page_is_the_result():
    result = made.overfitted()
    read = check_page(page(result))
    held = next(json.loads(text) for given, text in read.scripts if given.get("id") == "result")
    assert held["runs"] == [json.loads(json.dumps(result.to_dict()))] and held["schema"] == "posthoc/1"


def test_nothing_is_hidden_from_readers_without_the_script():
    text = page(made.overfitted())
    without = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    assert "hidden" not in re.sub(r"aria-hidden|<style>.*?</style>", "", without, flags=re.DOTALL)
    assert without.count('class="plots"') >= 2 + len(made.overfitted().series) - 1


def test_budgets_hold():
    assert len(page(made.large()).encode()) <= 500_000
    assert len(page(made.large(findings=40, series=900, points=400)).encode()) <= 2_000_000
    healthy = page(replace(made.healthy(), series=made.healthy().series[:1]))
    assert len(healthy.encode()) <= 60_000
    assert len(str(asset("enhance.js")).encode()) <= 8192


def test_ten_thousand_series_stay_under_the_cap():
    rows = tuple(made.row(f"metric/{i}", np.ones(30), "metric") for i in range(10_000))
    assert len(page(replace(made.healthy(), series=rows)).encode()) <= 2_000_000


def test_a_run_of_nothing_but_odd_values_makes_a_page():
    rows = (
        made.row("nan", [np.nan] * 5), made.row("inf", [np.inf, 1, -np.inf]), made.row("one", [3.0]), made.row("zero", [0.0] * 9),
        made.row("huge", [1e308, -1e308]), made.row("tiny", [5e-324, 1e-320]), made.row("none", []),
    )  # fmt: skip
    result = replace(made.healthy(), series=rows, main_tag="nan", events=(Event("restart", 3, "a restart"),))
    check_page(page(result))


def test_hostile_names_are_seen_and_do_nothing():
    read = check_page(page(made.hostile()))
    assert "\\x1b[31m\\u202egnp.exe\\u2066\\x00\\u2028' {{7*7}} \\x80" in read.words
    assert not any(tag == "img" for tag, _, _ in read.attributes)
    assert all(value != "alert(2)" for _, _, value in read.attributes)


def test_secrets_in_parameters_are_masked():
    result = replace(made.healthy(), params=(("db_password", "hunter2"), ("uri", "postgresql://me:hunter2@db/x")))
    text = run_page(result, {}, MAKING)
    shown = text[: text.index('<script type="application/json" id="curves">')]
    assert "hunter2" not in shown


def test_many_notes_and_events_are_counted():
    notes = tuple(Note("damage", f"note {i}") for i in range(150))
    events = tuple(Event("lr-drop", i, f"drop {i}") for i in range(90))
    words = check_page(page(replace(made.overfitted(), notes=notes, events=events))).words
    assert "and 50 more notes, all in the JSON" in words and "and 30 more events" in words


def test_page_names_are_hashes():
    assert re.fullmatch(r"[0-9a-f]{16}\.html", page_name("../../etc/passwd"))
    assert page_name("a") != page_name("b")


def test_the_lines_that_set_a_finding_aside_are_toml():
    import tomllib

    result = made.hostile()
    entry = tomllib.loads(silence(result.findings[0], 'exp/ü "x"\\'))["suppress"][0]
    assert entry["run"] == 'exp/ü "x"\\' and entry["symptom"] == "overfitting"


LAST = 2**63 - 1


@pytest.mark.parametrize(
    "steps", [[LAST] * 80, [-LAST - 1] * 80, [-LAST - 1, LAST] * 40, list(range(2**53, 2**53 + 80)), [0] * 79 + [LAST]]
)
def test_steps_at_the_ends_of_what_there_is_are_drawn(steps):
    rows = (made.row("loss", np.linspace(2, 1, 80), steps=steps), made.row("val/loss", [1.0], steps=steps[:1]))
    found = made.finding("x", "plateau", "error", ("loss",), "it stays", first_step=min(steps), last_step=max(steps))
    result = replace(made.healthy("x"), series=rows, findings=(found,), main_tag="loss",
                     events=(Event("restart", max(steps), "here"),))  # fmt: skip
    text = run_page(result, made.guides(), Provenance("1", "posthoc report x"))
    assert not re.search(r"""="[^"]*\b(nan|inf)\b""", text)


def test_the_marks_of_events_are_said_in_words_below_the_picture():
    few = made.overfitted()
    words = check_page(page(few)).words
    assert "◆ step 50: the learning rate rose until step 50; ◆ step 500: the learning rate halved" in words
    many = replace(few, events=tuple(Event("restart", i, f"a restart from step {i}") for i in range(100, 900, 100)))
    read = check_page(page(many))
    assert "◆ 8 events of the training" in read.words and "#events" in read.links and "events" in read.ids


def test_where_there_was_nothing_to_check_the_list_of_checks_is_folded():
    few, none = made.unjudged(), replace(made.unjudged(), series=(), status="skipped", reason="no scalar series")
    assert few.series and '<details class="block" open>' in page(few)
    assert '<details class="block" open>' not in page(none)
    assert all("What was looked for" in check_page(page(one)).words for one in (few, none))


def test_a_single_point_is_a_number_and_no_chart():
    alone = replace(made.unjudged(), series=(made.row("rmse", [0.73], split="validation"),), main_tag="rmse")
    words = check_page(page(alone)).words
    assert "0.73" in words and "The main curve" not in words and "No curve was kept" not in words


def test_the_reason_of_a_failed_run_is_said_once_before_its_finding_and_begins_with_a_capital():
    failed = made.failed()
    reason = "events.1: no intact record"
    finding = replace(failed.findings[0], summary=f"nothing could be read: {reason}")
    text = page(replace(failed, reason=reason, findings=(finding,)))
    words = check_page(text).words.partition("1 finding")
    assert words[0].count(reason) == 1 and "Nothing could be read: events.1" in words[2]


def test_what_the_summary_says_already_is_not_repeated_as_evidence():
    sick = made.overfitted()
    told = replace(sick.findings[0], summary="It is flat: guessing.", speaks_for=("guessing", "the rate is high"))
    text = page(replace(sick, findings=(told,)))
    assert "<li>guessing</li>" not in text and "<li>the rate is high</li>" in text
    alone = page(replace(sick, findings=(replace(told, speaks_for=("guessing",)),)))
    assert "What in this log speaks for it" not in alone


def test_learning_rate_and_gradient_norm_stand_below_the_main_curve_over_the_same_steps():
    steps = np.arange(300)
    whole = made.overfitted()
    losses = tuple(row for row in whole.series if row.role == "loss")
    rate = made.row("lr", np.linspace(0.1, 0.0, 300), "learning-rate")
    norm = made.row("grad_norm", np.where(steps == 150, np.nan, 1.0 + steps / 300), "gradient-norm")
    still = made.row("lr2", np.full(300, 0.1), "learning-rate")
    drawn = main_chart(replace(whole, series=(*losses, still, rate, norm)), SpillFile())
    assert [one.title for one in drawn.panels][1:] == ["lr", "grad_norm"]
    assert len({one.across for one in drawn.panels}) == 1
    assert [one.height for one in drawn.panels] == [230, THIN, THIN]
    alone = main_chart(replace(whole, series=(*losses, still)), SpillFile())
    assert len(alone.panels) == 1


def _collapsed():
    """A policy that learns, whose divergence leaps before its reward is lost; beside it a metric of the critic."""
    at = np.arange(300)
    reward = np.where(at < 200, 200 * (1 - np.exp(-at / 60)), 20.0) + noise(300, 4.0, 1)
    series = {
        "rollout/ep_rew_mean": reward,
        "train/approx_kl": np.where((at >= 194) & (at < 205), 1.0, 0.01) * np.exp(noise(300, 0.1, 2)),
        "train/explained_variance": np.clip(0.9 + noise(300, 0.02, 3), -1, 1),
        "train/learning_rate": np.linspace(1e-3, 1e-4, 300),
    }
    return analyze(made_run(series))


def test_what_moved_before_a_reward_stands_below_it_with_a_line_where_it_moved():
    drawn = main_chart(_collapsed(), SpillFile())
    assert [one.title for one in drawn.panels] == ["rollout/ep_rew_mean", "train/approx_kl", "train/learning_rate"]
    assert [curve.tag for curve in drawn.panels[0].curves] == ["rollout/ep_rew_mean"], "no other metric is a reward"
    assert len({one.across for one in drawn.panels}) == 1
    (line,) = [mark for mark in drawn.panels[1].marks if mark.kind == "step"]
    assert 0.6 < line.start < 200 / 299, "it moved before the reward fell"


def test_a_reward_is_drawn_with_its_noise_and_its_best_level():
    sick = main_chart(_collapsed(), SpillFile()).panels[0]
    assert {mark.kind for mark in sick.marks} >= {"band", "step"}
    (best,) = [mark for mark in sick.marks if mark.kind == "step"]
    assert 0.5 < best.start < 200 / 299 and best.label == "best level"
    at = np.arange(300)
    rising = analyze(made_run({"rollout/ep_rew_mean": at + noise(300, 8.0, 1), "rollout/ep_len_mean": at + 1.0}))
    (kept,) = [mark for mark in main_chart(rising, SpillFile()).panels[0].marks if mark.kind == "step"]
    assert rising.verdict == "healthy" and kept.label == "best: keep this"
    assert main_chart(made.healthy(), SpillFile()).panels[0].marks == (), "a loss has neither"


def test_what_is_worth_checking_of_a_policy_speaks_of_rewards():
    at = np.arange(300)
    told = analyze(made_run({"rollout/ep_rew_mean": at + noise(300, 8.0, 1), "rollout/ep_len_mean": at + 1.0}))
    said = " ".join(f"{one.check} {one.in_this_log}" for one in told.further_checks)
    assert "still rises" in said and "seeds" in said and "loss" not in said and "too good" not in said
