"""How the run itself went: its pace, silences, its plan, its restarts, its memory; apart from how the loss runs."""

from dataclasses import replace

import numpy as np
import pytest

from analyzer.diagnosis import judge_run
from analyzer.features.throughput import pace, silence
from analyzer.model.case import falling, made_run, noise
from analyzer.model.run import Run, Series


def timed(seconds, steps=None, **more):
    loss = falling(np.size(seconds)) + noise(np.size(seconds), 0.01)
    at = np.arange(loss.size) if steps is None else np.asarray(steps)
    series = Series("train/loss", at, loss, 1.7e9 + np.cumsum(seconds))
    return Run("r", "r", "made", "", {"train/loss": series}, **more)


def found(run, symptom):
    return next((f for f in judge_run(run, now=2e9).findings if f.symptom == symptom), None)


def jitter(points=400, seed=0):
    return 4.0 + np.random.default_rng(seed).gamma(2.0, 0.5, points)


class TestPace:
    def test_factor_and_step_of_a_slow_down_are_named(self):
        its = pace(timed(jitter() * np.where(np.arange(400) < 180, 1, 3)).series["train/loss"])
        assert its.factor == pytest.approx(3, rel=0.1)
        assert its.since == pytest.approx(180, abs=15)

    def test_only_a_large_one_over_half_of_the_run_is_a_warning(self):
        early, late = (jitter() * np.where(np.arange(400) < k, 1, 3) for k in (150, 320))
        assert found(timed(early), "throughput-drop").severity == "warning"
        assert found(timed(late), "throughput-drop").severity == "info"

    @pytest.mark.parametrize("seed", range(10))
    def test_an_uneven_pace_is_no_drop(self, seed):
        rng = np.random.default_rng(seed)
        assert found(timed(jitter(400, seed) * rng.choice([1.0, 1.3], 400)), "throughput-drop") is None

    def test_a_log_that_is_dense_at_its_start_has_no_pace(self):
        steps = np.r_[np.arange(100), np.arange(100, 20_000, 1000)]
        assert pace(timed(np.full(steps.size, 5.0), steps).series["train/loss"]) is None

    def test_a_run_that_becomes_faster_says_nothing(self):
        assert found(timed(jitter() * np.where(np.arange(400) < 100, 3, 1)), "throughput-drop") is None


class TestSilence:
    def test_hour_and_length_are_named(self):
        gaps = np.full(300, 10.0)
        gaps[200] = 18_000.0
        assert "5 h from 2023-11-14 22:46 UTC" in found(timed(gaps), "stalled-run").summary

    def test_points_of_another_series_break_it(self):
        gaps = np.full(300, 10.0)
        gaps[200] = 18_000.0
        run = timed(gaps)
        times = 1.7e9 + np.arange(0, 30_000, 60.0)
        other = Series("val/loss", np.arange(times.size), falling(times.size), times)
        assert silence(Run("r", "r", "made", "", {**run.series, "val/loss": other})).seconds < 100

    def test_a_resume_explains_it(self):
        gaps = np.full(400, 10.0)
        gaps[200] = 18_000.0
        assert found(timed(gaps, np.r_[:200, 150:350]), "stalled-run").explained_by == "event:restart@150"


class TestPlan:
    @pytest.mark.parametrize(
        ("declared", "severity"), [("FAILED", "warning"), ("KILLED", "info"), ("RUNNING", "info"), ("FINISHED", None)]
    )
    def test_the_word_of_the_tracker_counts(self, declared, severity):
        finding = found(timed(np.ones(100), declared=declared), "cut-off")
        assert (finding.severity if finding else None) == severity

    def test_a_run_that_is_still_written_is_not_cut_off(self):
        run = timed(np.ones(100), declared="RUNNING", params={"epochs": 300})
        at_work, ten_months_later = (
            [f.symptom for f in judge_run(run, now=1.7e9 + age).findings] for age in (200.0, 300 * 86_400.0)
        )
        assert "cut-off" not in at_work and "cut-off" in ten_months_later

    @pytest.mark.parametrize(
        ("declared", "epochs", "severity", "words"),
        [
            ("RUNNING", 30, "warning", "10 of 30 planned epochs"),
            ("RUNNING", 10, "info", "never marked as finished"),
            ("FAILED", 30, "warning", "10 of 30 planned epochs"),
            ("FAILED", 10, "info", "failed after training was complete"),
            ("KILLED", 10, "info", "killed after training was complete"),
        ],
    )
    def test_how_a_run_ended_weighs_as_much_as_what_it_lacks(self, declared, epochs, severity, words):
        curves = {"train/loss": falling(200), "epoch": np.arange(200) // 20}
        finding = found(replace(made_run(curves, epochs=epochs), declared=declared), "cut-off")
        assert finding.severity == severity and words in finding.summary

    @pytest.mark.parametrize(
        ("params", "missing"),
        [
            ({"max_steps": 4000}, True),
            ({"max_steps": 2000}, False),
            ({"trainer/max_steps": "4000"}, True),
            ({"max_steps": -1, "num_train_epochs": 3}, False),
            ({"total_timesteps": 4000}, True),
            ({"max_steps": 1_000_000}, False),
            ({"max_steps": 100}, False),
            ({"max_steps": "auto"}, False),
        ],
    )
    def test_planned_steps_are_compared_where_units_agree(self, params, missing):
        run = made_run({"train/loss": (np.arange(10, 2001, 10), falling(200))}, **params)
        finding = found(run, "cut-off")
        assert (finding is not None) == missing

    def test_epochs_are_read_from_their_counter_or_axis(self):
        counter = {"train/loss": falling(200), "epoch": np.arange(200) // 20}
        assert "10 of 30 planned epochs" in found(made_run(counter, epochs=30), "cut-off").summary
        assert found(made_run(counter, epochs=10), "cut-off") is None
        by_epoch = {"loss": falling(12), "val_loss": falling(12)}
        assert "12 of 30" in found(made_run(by_epoch, epochs=30), "cut-off").summary
        assert found(made_run(by_epoch, epochs=12), "cut-off") is None

    def test_patience_explains_an_early_end(self):
        run = made_run({"loss": falling(12)}, epochs=30, patience=5)
        assert found(run, "cut-off").explained_by.startswith("event:early-stopping")

    def test_a_failed_run_is_a_problem_even_if_its_loss_is_fine(self):
        assert judge_run(timed(np.ones(100), declared="FAILED"), now=2e9).verdict == "problems"


class TestReplay:
    def resumed(self, depth, length, seed=1):
        steps = np.r_[np.arange(300), np.arange(240, 600)]
        loss = falling(600, floor=0.8)[steps] * np.exp(noise(steps.size, 0.03, seed))
        loss[300 : 300 + length] *= 1 - depth
        return made_run({"train/loss": (steps, loss)})

    @pytest.mark.parametrize("length", [20, 60, 120])
    def test_its_stretch_is_found_at_any_length_up_to_an_epoch(self, length):
        finding = found(self.resumed(0.1, length), "replayed-data")
        assert finding.first_step == 240
        assert finding.last_step == pytest.approx(240 + length, rel=0.1)

    @pytest.mark.parametrize("seed", range(20))
    def test_a_restart_alone_is_none(self, seed):
        assert found(self.resumed(0.0, 0, seed), "replayed-data") is None

    def test_a_loss_that_stays_lower_is_none(self):
        assert found(self.resumed(0.1, 400), "replayed-data") is None


class TestMachine:
    def test_a_scale_that_comes_down_at_the_start_is_quiet_and_later_is_a_warning(self):
        at = np.arange(300)
        for collapse, expected in ((5, None), (250, "warning")):
            scale = 65536.0 * 0.5 ** np.clip((at - collapse) // 2, 0, 16)
            finding = found(made_run({"train/loss": falling(300), "loss_scale": scale}), "collapsing-loss-scale")
            assert (finding.severity if finding else None) == expected

    def test_free_and_total_memory_are_not_looked_at(self):
        run = made_run({"train/loss": falling(300), "memory_free": np.linspace(1, 9, 300)})
        assert found(run, "growing-memory") is None


class TestPaceOfAgents:
    def agent(self, tag):
        seconds = jitter() * np.where(np.arange(400) < 180, 1, 3)
        run = timed(seconds)
        times = run.series["train/loss"].wall_times
        rewards = Series("rollout/ep_rew_mean", np.arange(400), np.linspace(0, 200, 400), times)
        policy = Series("train/policy_loss", np.arange(400), noise(400, 0.1), times)
        return Run(
            "r",
            "r",
            "made",
            "",
            {
                "rollout/ep_rew_mean": rewards,
                "train/policy_loss": policy,
                tag: Series(tag, np.arange(400), np.ones(400), times),
            },
        )

    def test_episodes_that_grow_longer_are_no_drop(self):
        assert found(self.agent("rollout/ep_len_mean"), "throughput-drop") is None

    def test_steps_of_the_environment_have_a_pace(self):
        assert found(self.agent("time/fps"), "throughput-drop") is not None

    def test_collecting_before_learning_starts_is_left_out(self):
        run = self.agent("time/fps")
        early = jitter() * np.where(np.arange(400) < 30, 0.2, 1)
        series = {t: Series(t, s.steps, s.values, 1.7e9 + np.cumsum(early)) for t, s in run.series.items()}
        assert found(Run("r", "r", "made", "", series), "throughput-drop") is None
