"""Reward collapse: what had been learnt and was lost for good, with what the other curves say of the cause."""

import numpy as np
import pytest

from analyzer.model.case import noise
from tests.detectors.judged import found as found_in
from tests.detectors.saying import findings


def learnt(points: int = 300, collapse: int = 200, level: float = 10.0) -> np.ndarray:
    values = 200 * (1 - np.exp(-6 * np.arange(points) / points)) + noise(points, 12, 4)
    values[collapse:] = level + noise(points - collapse, 12, 5)
    return values


def leap(points: int, at: int, before: float, after: float) -> np.ndarray:
    return np.where(np.arange(points) < at, before, after) * np.exp(noise(points, 0.1, 6))


@pytest.mark.parametrize(
    ("tag", "curve", "cause"),
    [
        ("train/entropy", leap(300, 185, 1.3, 0.02), "entropy"),
        ("train/approx_kl", leap(300, 190, 0.01, 0.3), "too large"),
        ("train/value_loss", leap(300, 190, 1.0, 50.0), "value function"),
    ],
)
def test_the_cause_is_read_from_the_curve_that_moved_first(tag, curve, cause):
    said = findings({"rollout/ep_rew_mean": learnt(), "train/policy_loss": noise(300, 0.1), tag: curve})
    finding = said["reward-collapse"]
    assert cause in (finding.cause or "")
    assert finding.severity == "warning"
    assert abs(finding.first_step - 200) < 15


def test_without_a_sign_the_cause_is_not_guessed():
    said = findings({"rollout/ep_rew_mean": learnt(), "train/value_loss": np.abs(noise(300, 1.0))})
    assert said["reward-collapse"].cause is None


def test_a_reward_that_comes_back_is_no_collapse():
    values = learnt(300, 150, 10.0)
    values[180:] = 200 + noise(120, 12, 9)
    assert "reward-collapse" not in findings({"rollout/ep_rew_mean": values, "train/value_loss": np.ones(300)})


def test_walks_of_correlated_noise_are_hardly_ever_taken_for_a_collapse():
    """Each has about ten independent values: some look like a collapse to any eye, nine of ten raise no alarm."""
    walks = (np.convolve(noise(330, 30.0, seed), np.ones(31) / 31, "valid") for seed in range(200))
    found = [
        found_in("reward-collapse", {"rollout/ep_rew_mean": walk, "train/value_loss": np.ones(300)}) for walk in walks
    ]
    assert sum(one is not None for one in found) <= 12


@pytest.mark.parametrize("seed", range(5))
def test_white_noise_is_no_collapse(seed):
    assert not found_in("reward-collapse", {"rollout/ep_rew_mean": noise(200, 30, seed)})


LAWS = {
    "another unit": lambda steps, values: (steps, 0.001 * values),
    "an offset": lambda steps, values: (steps, values + 50),
    "every third point": lambda steps, values: (steps[::3], values[::3]),
    "steps as episodes": lambda steps, values: (1000 * steps + 7, values),
    "a climb as long as the run": lambda steps, values: (steps, np.r_[np.linspace(0, 200, 200), values[200:]]),
    "a ramp of a tenth": lambda steps, values: (
        steps,
        np.r_[np.linspace(0, 200, 30), np.full(170, 200.0), values[200:]],
    ),
}


@pytest.mark.parametrize("change", LAWS.values(), ids=list(LAWS))
def test_a_collapse_is_found_whatever_the_unit_the_thinning_and_the_axis(change):
    steps, values = change(np.arange(300), learnt())
    finding = found_in("reward-collapse", {"rollout/ep_rew_mean": (steps, values)})
    assert finding is not None
    assert finding.severity == "warning"
    assert abs((finding.first_step - steps[0]) / (steps[-1] - steps[0]) - 2 / 3) < 0.05


def test_a_change_below_what_the_log_resolves_is_none():
    values = np.r_[np.full(150, -102.0), np.full(150, -102.00001)]
    assert found_in("reward-collapse", {"rollout/ep_rew_mean": values}) is None


def test_a_reward_that_never_rose_and_sinks_far_below_its_start_has_collapsed():
    values = -np.geomspace(4e6, 2.3e8, 200) * np.exp(noise(200, 0.05))
    finding = found_in("reward-collapse", {"rollout/ep_rew_mean": values})
    assert "less than before" in finding.summary


def test_exploration_that_is_raised_again_is_no_collapse():
    epsilon = np.where(np.arange(300) < 205, 0.05, 0.6)
    assert found_in("reward-collapse", {"rollout/ep_rew_mean": learnt(), "rollout/exploration_rate": epsilon}) is None


def test_a_witness_that_moves_after_the_fall_is_no_cause():
    said = findings({"rollout/ep_rew_mean": learnt(), "train/approx_kl": leap(300, 230, 0.01, 0.3)})
    assert said["reward-collapse"].cause is None


def test_a_lower_reward_of_episodes_that_were_made_shorter_raises_no_alarm():
    length = np.where(np.arange(300) < 200, 200.0, 20.0)
    curves = {"rollout/ep_rew_mean": length + noise(300, 1.0), "rollout/ep_len_mean": length}
    curves["rollout/ep_rew_mean"][:60] = np.linspace(20, 200, 60)
    curves["rollout/ep_len_mean"] = np.where(np.arange(300) < 60, curves["rollout/ep_rew_mean"], length)
    assert findings(curves)["reward-collapse"].severity == "info"


def test_a_collected_reward_that_holds_is_told_beside_the_evaluated_one():
    said = findings(
        {
            "eval/mean_reward": learnt(),
            "rollout/ep_rew_mean": learnt(300, 300),
            "train/value_loss": np.abs(noise(300, 1.0)),
        }
    )
    finding = said["reward-collapse"]
    assert finding.tags == ("eval/mean_reward",)
    assert any("does not fall" in text for text in finding.speaks_for)


def test_a_task_that_gets_harder_raises_no_alarm():
    curves = {"rollout/ep_rew_mean": learnt(), "train/value_loss": np.ones(300), "env/lesson": np.arange(300) // 100}
    assert findings(curves)["reward-collapse"].severity == "info"


def test_a_fall_from_a_ceiling_to_a_floor_is_found_with_a_point_half_way_down():
    """Only the fall itself is noisy: its residuals must not count as what the reward does for itself."""
    climb = 200 * (1 - np.exp(-np.arange(81) / 12)) + 4 * np.r_[noise(55, 1.0, 3), np.zeros(26)]
    reward = np.r_[np.minimum(climb, 200), 39.8, 9.5, np.full(67, 9.35)]
    said = findings({"rollout/ep_rew_mean": reward, "train/value_loss": np.abs(noise(150, 1.0))})
    assert said["reward-collapse"].severity == "warning"
