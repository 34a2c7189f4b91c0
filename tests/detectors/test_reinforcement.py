"""Reinforcement learning as a whole: what must never raise an alarm, what leads when several things go wrong."""

import numpy as np
import pytest

from analyzer.diagnosis import judge_run
from analyzer.model.case import made_run, noise
from tests.detectors.judged import alarmed
from tests.detectors.saying import alarms, findings

N = 300
AT = np.arange(N) / N
RISES = 20 + 150 * (1 - np.exp(-5 * AT)) + noise(N, 5, 1)
SHARE = 0.2 + 0.6 * AT + noise(N, 0.02, 1)
PPO = {
    "rollout/ep_rew_mean": RISES,
    "train/approx_kl": 0.008 * np.exp(noise(N, 0.3, 2)),
    "train/clip_fraction": 0.1 + noise(N, 0.02, 3),
    "train/entropy_loss": -0.69 + 0.3 * AT + noise(N, 0.01, 4),
    "train/value_loss": 0.02 * RISES**2 * np.exp(noise(N, 0.2, 5)),
    "train/policy_gradient_loss": noise(N, 0.01, 6),
    "train/explained_variance": 0.8 - np.exp(-20 * AT) + noise(N, 0.05, 7),
}
GRPO = {
    "train/loss": 0.04 * AT + np.abs(noise(N, 1e-3, 2)),
    "train/reward": SHARE,
    "train/reward_std": 0.4 - 0.2 * AT + noise(N, 0.01, 3),
    "train/kl": 0.6 * AT + np.abs(noise(N, 1e-3, 4)),
    "train/entropy": 1.9 - 1.2 * AT + noise(N, 0.02, 5),
    "train/grad_norm": 0.3 * np.exp(noise(N, 0.2, 6)),
    "train/completions/mean_length": 200 + 100 * AT + noise(N, 3, 7),
}

QUIET = {
    "PPO whose value loss rises with the reward": PPO,
    "GRPO whose loss rises from 0": GRPO,
    "GRPO whose loss is 0 by rounding": {**GRPO, "train/loss": np.zeros(N)},
    "GRPO whose length grows with the reward": {**GRPO, "train/completions/mean_length": 200 + 300 * AT},
    "a divergence that grows with the reward": {**GRPO, "train/kl": 0.6 * AT**3 + 1e-3},
    "clipping in the first updates": {**PPO, "train/clip_fraction": np.where(AT < 0.04, 0.7, 0.1)},
    "a wait of half the run for the first success": {
        "Episode Reward": np.where(AT < 0.5, 0.0, 1.0),
        "TD Error": np.where(AT < 0.5, 0.0, 0.01 * np.exp(noise(N, 0.3, 2))),
    },
    "a reward at its ceiling from early on": {**PPO, "rollout/ep_rew_mean": np.minimum(20 + 2000 * AT, 200.0)},
    "a net reward below the score": {
        "objective/scores": SHARE,
        "objective/rlhf_reward": SHARE - 0.9 * AT,
        "objective/kl": 9 * AT + 0.01,
        "loss/policy_avg": noise(N, 0.01, 3),
    },
    "single lost episodes": {
        "charts/episodic_return": np.where(np.arange(N) % 37 == 36, 10.0, RISES),
        "losses/td_loss": np.abs(noise(N, 0.1, 4)),
    },
    "evaluations that jump beside a calm reward": {
        **PPO,
        "eval/mean_reward": (np.arange(0, N, 5), RISES[::5] + noise(N // 5, 40, 8)),
    },
    "an explained variance that is NaN or negative at first": {
        **PPO,
        "train/explained_variance": np.where(AT < 0.05, np.nan, PPO["train/explained_variance"]),
    },
    "exploration that is annealed": {**PPO, "rollout/exploration_rate": np.maximum(1 - 2 * AT, 0.05)},
    "an entropy coefficient that is annealed": {
        **PPO,
        "train/entropy_loss": -0.69 * np.exp(-8 * AT) - 1e-4,
        "train/ent_coef": 0.01 * (1 - AT),
    },
    "chosen rewards below 0": {
        "train/loss": 0.69 * np.exp(-AT) + noise(N, 0.01, 2),
        "train/rewards/chosen": -0.5 * AT,
        "train/rewards/rejected": -1.5 * AT,
        "train/rewards/margins": AT,
        "train/rewards/accuracies": 0.5 + 0.4 * AT + noise(N, 0.02, 3),
    },
    "a balanced GAN whose losses are constant": {
        "loss_D": 1.386 + noise(N, 0.01, 2),
        "loss_G": 0.693 + noise(N, 0.01, 3),
    },
    "a critic of a Wasserstein GAN": {"critic_loss": -30 + 25 * AT, "generator_loss": 10 - 40 * AT},
    "PPO without a logged reward": {t: v for t, v in PPO.items() if "rew" not in t},
}


@pytest.mark.parametrize("curves", QUIET.values(), ids=list(QUIET))
def test_what_is_ordinary_raises_no_alarm(curves):
    assert alarms(curves) == set()


HEALTHY = [name for name in QUIET if not any(w in name for w in ("without a logged", "Wasserstein", "single lost"))]


@pytest.mark.parametrize("name", HEALTHY)
def test_health_is_earned_by_the_reward(name):
    result = judge_run(made_run(QUIET[name]), now=2e9)
    assert result.verdict == "healthy", result.sentence


def test_without_a_reward_a_run_is_unjudged_and_says_why():
    result = judge_run(made_run(QUIET["PPO without a logged reward"]), now=2e9)
    assert result.verdict == "unjudged"
    assert "no reward is logged" in result.sentence
    assert result.family == "rl"


def test_the_collapse_leads_and_what_came_with_it_follows():
    gone = np.where(AT < 0.62, -0.6, -0.001)
    leap = np.where((AT > 0.62) & (AT < 0.8), 0.8, 0.008) * np.exp(noise(N, 0.2, 2))
    reward = np.where(AT < 0.66, RISES, 10.0) + noise(N, 2, 9)
    curves = {**PPO, "rollout/ep_rew_mean": reward, "train/entropy_loss": gone, "train/approx_kl": leap}
    assert alarms(curves) == {"reward-collapse"}
    said = findings(curves)
    assert said["entropy-collapse"].explained_by == said["reward-collapse"].fingerprint
    assert "entropy" in said["reward-collapse"].cause or "too large" in said["reward-collapse"].cause


def test_hacking_leads_where_the_independent_score_falls():
    score = np.r_[np.linspace(0.2, 0.5, 10), np.linspace(0.5, 0.05, 20)] + noise(30, 0.01, 2)
    curves = {**GRPO, "eval/accuracy": (np.arange(0, N, 10), score)}
    said = findings(curves)
    assert said["reward-hacking"].severity == "error"
    assert said["reward-hacking"].counts
    assert {s for s in alarms(curves) if s.startswith(("reward", "contra"))} == {"reward-hacking"}
    assert "100" in said["reward-hacking"].advice[0]


def test_an_entropy_that_is_gone_explains_a_signal_that_is_gone():
    curves = {
        "train/reward": 0.3 + noise(N, 0.02, 1),
        "train/frac_reward_zero_std": np.clip(2 * AT, 0, 0.98),
        "train/entropy": 1.9 * np.exp(-30 * AT),
        "eval/accuracy": (np.arange(0, N, 10), 0.1 + noise(30, 0.005, 2)),
    }
    said = findings(curves)
    assert alarms(curves) == {"entropy-collapse"}
    assert said["no-learning-signal"].explained_by == said["entropy-collapse"].fingerprint


def test_values_that_diverge_lead_before_the_nan_that_follows():
    values = 20.0 * np.exp(np.arange(N) / 20)
    values[280:] = np.nan
    curves = {"charts/episodic_return": 20 + noise(N, 3, 1), "losses/q_values": values, "losses/td_loss": values}
    said = findings(curves)
    assert said["value-divergence"].counts
    assert said["non-finite"].explained_by == said["value-divergence"].fingerprint


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_entropy_is_read_with_the_sign_of_the_library(sign):
    entropy = 1.9 * np.exp(-30 * AT) + 1e-4
    tag = "losses/entropy" if sign > 0 else "train/entropy_loss"
    assert "entropy-collapse" in alarms({"charts/episodic_return": 20 + noise(N, 3, 1), tag: sign * entropy})


def test_continuous_actions_lose_their_spread_per_dimension():
    entropy = 1.42 * 6 - 16 * np.minimum(2 * AT, 1.0)  # six actions: 2.67 nats each
    assert "entropy-collapse" in alarms({"Episode Reward": 20 + noise(N, 3, 1), "train/entropy": entropy})
    little = 1.42 * 6 - 10 * np.minimum(2 * AT, 1.0)
    assert "entropy-collapse" not in findings({"Episode Reward": 20 + noise(N, 3, 1), "train/entropy": little})


def test_a_log_of_single_episodes_is_judged_by_means_of_blocks():
    """A window over a share of the run must not cost the square of its points."""
    n = 200_000
    reward = np.where(np.arange(n) < 0.7 * n, 200.0, 20.0) * np.minimum(20 * np.arange(n) / n, 1.0) + noise(n, 30, 1)
    said = findings({"charts/episodic_return": reward, "losses/approx_kl": 0.01 * np.exp(noise(n, 0.3, 2))})
    assert abs(said["reward-collapse"].first_step / n - 0.7) < 0.01


def test_a_reward_that_falls_with_each_harder_lesson_is_not_unstable():
    at = np.arange(600)
    reward = 100 * (1 - np.exp(-(at % 200) / 40)) + noise(600, 2)
    assert alarmed("reward-instability", {"rollout/ep_rew_mean": reward})
    assert not alarmed("reward-instability", {"rollout/ep_rew_mean": reward, "curriculum/lesson": at // 200 * 1.0})
