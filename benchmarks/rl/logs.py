"""The log of a training: values by name and step, and the tags under which libraries write the same thing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.rl.nets import Array
from benchmarks.truth.events import Curve, write_events


@dataclass
class Log:
    """Points (update, step, value) by name; an update is what takes time."""

    points: dict[str, list[tuple[int, int, float]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, update: int, step: int, **values: float) -> None:
        """Log some values."""
        for name, value in values.items():
            self.points[name].append((update, step, float(value)))

    def values(self, name: str) -> Array:
        """Return all values of a name."""
        return np.array([value for _, _, value in self.points[name]])

    def level(self, name: str, part: float, width: float = 0.1) -> float:
        """Return the mean over `width` of the run around the place `part` (0 to 1)."""
        values = self.values(name)
        k = max(3, round(width * values.size))
        first = min(values.size - k, max(0, round(part * values.size - k / 2)))
        return float(values[first : first + k].mean())

    def best(self, name: str) -> float:
        """Return the highest mean over a fifteenth of the run."""
        values = self.values(name)
        k = max(5, values.size // 15)
        return float(np.convolve(values, np.ones(k) / k, "valid").max())


@dataclass(frozen=True)
class Library:
    """Tags by name; a minus before a tag turns the sign, as where minus the entropy is logged."""

    name: str
    tags: Mapping[str, str]

    def write(self, log: Log, folder: Path, pace: float) -> None:
        """Write what the library logs of this as an event file; `pace` is in seconds an update."""
        curves = []
        for name, tag in self.tags.items():
            rows = log.points.get(name)
            if rows:
                at, steps, values = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
                sign = -1.0 if tag.startswith("-") else 1.0
                curves.append(Curve(tag.removeprefix("-"), steps, sign * values, at))
        write_events(folder, curves, start=1.7e9, pace=pace)


SB3 = Library("Stable-Baselines3", {
    "reward": "rollout/ep_rew_mean", "length": "rollout/ep_len_mean", "entropy": "-train/entropy_loss",
    "step_kl": "train/approx_kl", "clip": "train/clip_fraction", "value_loss": "train/value_loss",
    "explained": "train/explained_variance", "policy_loss": "train/policy_gradient_loss", "loss": "train/loss",
    "rate": "train/learning_rate", "epsilon": "rollout/exploration_rate", "held": "eval/mean_reward",
})  # fmt: skip
CLEANRL = Library("CleanRL", {
    "reward": "charts/episodic_return", "length": "charts/episodic_length", "entropy": "losses/entropy",
    "step_kl": "losses/approx_kl", "clip": "losses/clipfrac", "value_loss": "losses/value_loss",
    "explained": "losses/explained_variance", "policy_loss": "losses/policy_loss", "rate": "charts/learning_rate",
    "loss": "losses/td_loss", "q": "losses/q_values",
})  # fmt: skip
LEARNER = "ray/tune/info/learner/default_policy/learner_stats"
RLLIB = Library("RLlib", {
    "reward": "ray/tune/env_runners/episode_return_mean", "length": "ray/tune/env_runners/episode_len_mean",
    "entropy": f"{LEARNER}/entropy", "step_kl": f"{LEARNER}/kl", "value_loss": f"{LEARNER}/vf_loss",
    "explained": f"{LEARNER}/vf_explained_var", "policy_loss": f"{LEARNER}/policy_loss",
    "loss": f"{LEARNER}/total_loss", "rate": f"{LEARNER}/cur_lr", "gradient": f"{LEARNER}/grad_gnorm",
    "q": f"{LEARNER}/mean_q",
})  # fmt: skip
UNITY = Library("ML-Agents", {
    "reward": "Environment/Cumulative Reward", "length": "Environment/Episode Length", "entropy": "Policy/Entropy",
    "value_loss": "Losses/Value Loss", "policy_loss": "Losses/Policy Loss", "rate": "Policy/Learning Rate",
})  # fmt: skip
TIANSHOU = Library("Tianshou", {
    "reward": "train/returns_stat/mean", "length": "train/lens_stat/mean", "loss": "update/loss", "held": "test/reward",
    "q": "update/q_values",
})  # fmt: skip
TRL_GRPO = Library("TRL GRPO", {
    "reward": "train/reward", "spread": "train/reward_std", "zero": "train/frac_reward_zero_std", "kl": "train/kl",
    "entropy": "train/entropy", "clip": "train/clip_ratio/region_mean", "length": "train/completions/mean_length",
    "cut": "train/completions/clipped_ratio", "loss": "train/loss", "gradient": "train/grad_norm",
    "rate": "train/learning_rate", "right": "train/rewards/correct/mean", "style": "train/rewards/style/mean",
    "held": "eval/accuracy",
})  # fmt: skip
TRL_RLOO = Library("TRL RLOO", {
    "reward": "objective/scores", "net": "objective/rlhf_reward", "kl": "objective/kl", "entropy": "objective/entropy",
    "step_kl": "policy/approxkl_avg", "clip": "policy/clipfrac_avg", "loss": "loss/policy_avg", "rate": "lr",
    "held": "eval/accuracy",
})  # fmt: skip
VERL = Library("verl", {
    "reward": "critic/score/mean", "kl": "actor/kl_loss", "entropy": "actor/entropy", "clip": "actor/pg_clipfrac",
    "step_kl": "actor/ppo_kl", "length": "response_length/mean", "cut": "response_length/clip_ratio",
    "loss": "actor/pg_loss", "gradient": "actor/grad_norm", "rate": "actor/lr", "held": "val-core/toy/acc/mean@8",
})  # fmt: skip
OPENRLHF = Library("OpenRLHF", {
    "reward": "train/reward", "net": "train/return", "kl": "train/kl", "entropy": "-train/entropy_loss",
    "clip": "train/ppo_clip_ratio", "step_kl": "train/ppo_kl", "length": "train/response_length",
    "cut": "train/truncated", "loss": "train/policy_loss", "rate": "train/actor_lr", "spread": "train/reward_std",
    "held": "eval/toy_pass1",
})  # fmt: skip
STYLEGAN = Library("StyleGAN", {
    "generator": "Loss/G/loss", "discriminator": "Loss/D/loss", "real": "Loss/D/real", "fake": "Loss/D/fake",
    "fid": "Metrics/fid50k_full",
})  # fmt: skip
DCGAN = Library("DCGAN", {
    "generator": "Loss_G", "discriminator": "Loss_D", "real": "D(x)", "fake": "D(G(z))", "fid": "FID",
})  # fmt: skip
