"""Tags of reinforcement learning libraries and of GAN code are read as what these libraries log under them."""

import pytest

from analyzer.features import RunFeatures
from analyzer.model.case import made_run
from analyzer.model.reward_signals import goal_of, signal_of
from analyzer.model.roles import read_role
from analyzer.settings import RoleSetting

CLASSIC = {
    # Stable-Baselines3 and 2
    "rollout/ep_len_mean": "episode-length",
    "eval/mean_ep_length": "episode-length",
    "train/entropy_loss": "entropy",
    "train/ent_coef": "coefficient",
    "train/ent_coef_loss": "coefficient",
    "train/approx_kl": "step-kl",
    "train/clip_fraction": "clip-share",
    "train/clip_range": "",
    "train/value_loss": "value-loss",
    "train/critic_loss": "value-loss",
    "train/policy_gradient_loss": "policy-loss",
    "train/actor_loss": "policy-loss",
    "train/explained_variance": "explained-variance",
    "rollout/exploration_rate": "exploration",
    "loss/entropy_loss": "entropy",
    "loss/approximate_kullback-leibler": "step-kl",
    "loss/clip_factor": "clip-share",
    "loss/value_function_loss": "value-loss",
    # CleanRL
    "charts/episodic_length": "episode-length",
    "losses/entropy": "entropy",
    "losses/approx_kl": "step-kl",
    "losses/old_approx_kl": "",
    "losses/clipfrac": "clip-share",
    "losses/value_loss": "value-loss",
    "losses/qf1_values": "value-estimate",
    "losses/q_values": "value-estimate",
    "losses/td_loss": "value-loss",
    "losses/qf_loss": "value-loss",
    "losses/alpha": "coefficient",
    "charts/SPS": "",
    # RLlib
    "ray/tune/episode_len_mean": "episode-length",
    "ray/tune/info/learner/default_policy/learner_stats/entropy": "entropy",
    "ray/tune/info/learner/default_policy/learner_stats/entropy_coeff": "coefficient",
    "ray/tune/info/learner/default_policy/learner_stats/kl": "step-kl",
    "ray/tune/info/learner/default_policy/learner_stats/cur_kl_coeff": "coefficient",
    "ray/tune/info/learner/default_policy/learner_stats/vf_loss": "value-loss",
    "ray/tune/info/learner/default_policy/learner_stats/vf_explained_var": "explained-variance",
    "ray/tune/info/learner/default_policy/learner_stats/mean_q": "value-estimate",
    "learners/default_policy/mean_kl_loss": "step-kl",
    "learners/default_policy/curr_kl_coeff": "coefficient",
    # ML-Agents
    "Environment/Episode Length": "episode-length",
    "Policy/Entropy": "entropy",
    "Policy/Beta": "coefficient",
    "Losses/Value Loss": "value-loss",
    "Losses/Policy Loss": "policy-loss",
    "Policy/Extrinsic Value Estimate": "value-estimate",
    "Environment/Lesson Number/limit": "difficulty",
    # Tianshou
    "train/returns_stat/mean": "",
    "train/lens_stat/mean": "episode-length",
    "loss/ent": "entropy",
    "loss/vf": "value-loss",
    # Spinning Up
    "EpLen": "episode-length",
    "Entropy": "entropy",
    "KL": "step-kl",
    "ClipFrac": "clip-share",
    "LossV": "value-loss",
    "LossQ": "value-loss",
    "DeltaLossV": "",
    "VVals": "value-estimate",
    "Q1Vals": "value-estimate",
    "QVals": "value-estimate",
    # Sample Factory
    "len/len": "episode-length",
    "train/entropy": "entropy",
    "train/kl_divergence": "step-kl",
    "train/fraction_clipped": "clip-share",
    # skrl
    "Episode / Total timesteps (mean)": "episode-length",
    "Episode / Total timesteps (max)": "",
    "Loss / Entropy loss": "entropy",
    "Loss / Value loss": "value-loss",
    "Q-network / Q1 (mean)": "value-estimate",
    # tables
    "TD Error": "value-loss",
    "Max Q": "value-estimate",
    # words that only resemble them
    "train/cross_entropy": "",
    "train/learning_rate": "",
}
LANGUAGE = {
    # TRL
    "train/frac_reward_zero_std": "zero-spread",
    "train/reward_std": "reward-spread",
    "train/kl": "reference-kl",
    "train/entropy": "entropy",
    "entropy/mean": "entropy",
    "train/clip_ratio/region_mean": "clip-share",
    "train/clip_ratio/high_max": "",
    "train/completions/mean_length": "response-length",
    "train/completions/max_length": "",
    "train/completion_length": "response-length",
    "train/completions/clipped_ratio": "truncated",
    "objective/kl": "reference-kl",
    "objective/entropy": "entropy",
    "policy/approxkl_avg": "step-kl",
    "policy/clipfrac_avg": "clip-share",
    "val/clipfrac_avg": "",
    "policy/entropy_avg": "entropy",
    "loss/value_avg": "value-loss",
    "ppo/policy/approxkl": "step-kl",
    "ppo/policy/clipfrac": "clip-share",
    "ppo/loss/value": "value-loss",
    "ppo/val/var_explained": "explained-variance",
    "tokens/responses_len_mean": "response-length",
    # verl
    "actor/entropy": "entropy",
    "actor/entropy_loss": "entropy",
    "actor/ppo_kl": "step-kl",
    "actor/pg_clipfrac": "clip-share",
    "actor/pg_clipfrac_lower": "",
    "actor/kl_loss": "reference-kl",
    "actor/kl_coef": "coefficient",
    "actor/reward_kl_penalty": "reference-kl",
    "actor/pg_loss": "policy-loss",
    "critic/vf_loss": "value-loss",
    "critic/vf_explained_var": "explained-variance",
    "critic/vf_clipfrac": "",
    "critic/values/mean": "value-estimate",
    "critic/advantages/max": "advantage",
    "critic/advantages/mean": "",
    "kl_divergence": "reference-kl",
    "ref_kl": "reference-kl",
    "train/kl_penalty": "reference-kl",
    "gen_len": "response-length",
    "truncation_rate": "truncated",
    "response_length/mean": "response-length",
    "response_length/clip_ratio": "truncated",
    "prompt_length/clip_ratio": "",
    # OpenRLHF
    "train/ppo_kl": "step-kl",
    "train/clip_ratio": "clip-share",
    "train/ppo_clip_ratio": "clip-share",
    "train/critic_loss": "value-loss",
    "train/response_length": "response-length",
    "train/policy_loss": "policy-loss",
}
GAN = {
    "Loss/discriminator": "discriminator-loss",
    "Loss/generator": "generator-loss",
    "errD": "discriminator-loss",
    "errG": "generator-loss",
    "D_loss": "discriminator-loss",
    "g_loss": "generator-loss",
    "loss_G": "generator-loss",
    "D(x)": "real-output",
    "D(G(z))": "fake-output",
    "D_G_z": "fake-output",
    "D/real": "real-output",
}
READ = [
    (b, t, s) for b, table in (("classic", CLASSIC), ("language", LANGUAGE), ("gan", GAN)) for t, s in table.items()
]


@pytest.mark.parametrize(("branch", "tag", "signal"), READ, ids=[f"{b}: {t}" for b, t, _ in READ])
def test_a_tag_carries_the_signal_that_its_library_logs_under_it(branch, tag, signal):
    assert signal_of(tag, branch) == signal


GOALS = {
    ("classic", "rollout/ep_rew_mean"): "episode",
    ("classic", "eval/mean_reward"): "evaluated",
    ("classic", "rollout/success_rate"): "independent",
    ("classic", "episode_reward"): "episode",
    ("classic", "charts/episodic_return"): "episode",
    ("classic", "eval/episodic_return"): "evaluated",
    ("classic", "ray/tune/episode_reward_mean"): "episode",
    ("classic", "ray/tune/episode_reward_max"): "",
    ("classic", "ray/tune/policy_reward_mean/a"): "",
    ("classic", "env_runners/episode_return_mean"): "episode",
    ("classic", "Environment/Cumulative Reward"): "episode",
    ("classic", "Self-play/ELO"): "evaluated",
    ("classic", "train/rew"): "reward",
    ("classic", "train/returns_stat/mean"): "episode",
    ("classic", "test/rew"): "evaluated",
    ("classic", "Train/AverageReturns"): "episode",
    ("classic", "Eval/AverageReturns"): "evaluated",
    ("classic", "evaluator/episode_return"): "evaluated",
    ("classic", "actor/episode_return"): "episode",
    ("classic", "info/best_reward"): "",
    ("classic", "AverageEpRet"): "episode",
    ("classic", "StdEpRet"): "",
    ("classic", "AverageTestEpRet"): "evaluated",
    ("classic", "reward/reward"): "reward",
    ("classic", "Reward / Total reward (mean)"): "episode",
    ("classic", "Reward / Total reward (max)"): "",
    ("classic", "3.Loss/Reward_loss"): "",
    ("language", "train/reward"): "reward",
    ("language", "train/rewards/correct/mean"): "component",
    ("language", "train/rewards/correct/std"): "",
    ("language", "train/reward_std"): "",
    ("language", "objective/scores"): "score",
    ("language", "objective/rlhf_reward"): "net",
    ("language", "objective/non_score_reward"): "",
    ("language", "env/reward_mean"): "reward",
    ("language", "ppo/mean_scores"): "score",
    ("language", "critic/score/mean"): "score",
    ("language", "critic/rewards/mean"): "net",
    ("language", "critic/returns/mean"): "net",
    ("language", "val-core/gsm8k/acc/mean@16"): "independent",
    ("language", "val/test_score/gsm8k"): "independent",
    ("language", "eval/gsm8k_pass1"): "independent",
    ("language", "eval/accuracy"): "independent",
    ("language", "pass@1"): "independent",
    ("language", "oracle_reward"): "independent",
    ("language", "true_reward"): "independent",
    ("language", "eval/reward"): "evaluated",
    ("language", "train/return"): "net",
}


@pytest.mark.parametrize(("where", "goal"), GOALS.items(), ids=[f"{b}: {t}" for b, t in GOALS])
def test_a_reward_is_worth_what_the_library_means_it_to_be(where, goal):
    branch, tag = where
    assert goal_of(tag, branch, held_out=read_role(tag).split in ("validation", "test")) == goal


FAMILIES = {
    ("rl", "classic"): [
        ("rollout/ep_rew_mean",),
        ("Eval/AverageReturns",),
        ("train/actor_loss", "train/critic_loss", "rollout/ep_rew_mean"),
        ("Losses/Policy Loss", "Losses/Value Loss", "Environment/Cumulative Reward"),
        ("train/approx_kl", "train/clip_fraction", "train/loss", "train/value_loss"),  # no reward is logged
        ("train/entropy_loss", "train/policy_loss", "train/value_loss"),
        ("reward/reward", "len/len", "train/kl_divergence", "train/policy_loss"),
        ("rollout/exploration_rate", "train/loss"),
        ("actor_loss", "critic_loss", "reward"),
        ("discriminator_loss", "policy_loss", "generator_loss", "episode_reward"),  # imitation
        ("Episode Reward", "TD Error"),
    ],
    ("rl", "language"): [
        ("train/loss", "train/reward"),
        ("train/loss", "train/reward", "train/kl", "train/completion_length"),
        ("train/frac_reward_zero_std", "train/loss"),
        ("objective/kl", "objective/scores", "loss/policy_avg"),
        ("critic/score/mean", "actor/pg_loss"),
        ("train/reward", "train/kl", "train/policy_loss", "train/response_length"),
        ("ppo/mean_scores", "ppo/loss/value"),
    ],
    ("preference", ""): [
        ("train/loss", "train/rewards/chosen", "train/rewards/rejected"),
        ("loss", "eval_loss", "rewards/accuracies", "logps/chosen"),
        ("chosen_reward", "reject_reward", "train/loss"),
    ],
    ("gan", "gan"): [
        ("D_A", "G_A", "cycle_A", "D_B", "G_B"),
        ("netG", "netD"),
        ("G", "D"),
        ("loss_G", "loss_D"),
        ("generator_loss", "discriminator_loss"),
        ("errD", "errG", "D_x", "D_G_z"),
        ("critic_loss", "generator_loss"),
        ("Loss/D/loss", "D(x)"),
    ],
    ("supervised", ""): [
        ("train/loss", "val/loss", "val/accuracy"),
        ("train/loss", "val/loss", "train/reward", "val/cider"),
        ("train/loss", "train/kl_loss", "val/loss"),
        ("train/cross_entropy", "val/cross_entropy", "val/explained_variance"),
        ("train/loss", "d_model", "g_model"),
    ],
}
TOLD = [(family, tags) for family, all_tags in FAMILIES.items() for tags in all_tags]


@pytest.mark.parametrize(("family", "tags"), TOLD, ids=[f"{f[0]} {f[1]}: {t[0]}" for f, t in TOLD])
def test_the_family_is_told_by_evidence(family, tags):
    kind = RunFeatures(made_run({tag: [1.0, 2.0, 3.0] for tag in tags})).kind
    assert (kind.name, kind.branch) == family
    assert set(kind.tags) <= set(tags)
    assert all(tag in kind.sentence for tag in kind.tags)


def test_a_role_that_the_user_set_is_evidence_and_stays():
    run = made_run({"train/loss": [1.0, 2.0, 3.0], "train/reward": [1.0, 2.0, 3.0]})
    assert RunFeatures(run).family == "rl"
    told = RunFeatures(run, {"train/reward": RoleSetting("unknown", None, None)})
    assert told.family == "supervised"
    assert told.roles["train/reward"].role == "unknown"
