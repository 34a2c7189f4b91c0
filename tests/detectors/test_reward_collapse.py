"""Reward collapse: what had been learnt and was lost for good, with what the other curves say of the cause."""

import numpy as np
import pytest

from analyzer.model.case import noise
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


@pytest.mark.parametrize("seed", range(20))
def test_a_walk_of_correlated_noise_is_no_collapse(seed):
    wander = np.convolve(noise(330, 30.0, seed), np.ones(31) / 31, "valid")
    assert "reward-collapse" not in findings({"rollout/ep_rew_mean": wander, "train/value_loss": np.ones(300)})


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
