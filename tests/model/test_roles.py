"""Tags of the loggers in the field are read as what they are."""

from dataclasses import replace

import numpy as np
import pytest

from analyzer.features import RunFeatures
from analyzer.model.case import made_run
from analyzer.model.roles import read_role, words_of
from analyzer.settings import RoleSetting

TRAIN, VAL, TEST = "train", "validation", "test"

TABLE = {
    # Keras
    "train/epoch_loss": ("loss", TRAIN),
    "validation/epoch_loss": ("loss", VAL),
    "validation/evaluation_loss_vs_iterations": ("loss", VAL),
    "train/batch_loss": ("loss", TRAIN),
    "validation/epoch_accuracy": ("metric", VAL),
    "train/epoch_learning_rate": ("learning-rate", TRAIN),
    "train/batch_steps_per_second": ("system", TRAIN),
    # Lightning
    "train_loss_step": ("loss", TRAIN),
    "val_loss/dataloader_idx_0": ("loss", VAL),
    "valid_loss_step/epoch_0": ("loss", VAL),
    "lr-AdamW": ("learning-rate", None),
    "lr-AdamW/pg1": ("learning-rate", None),
    "grad_2.0_norm_total": ("gradient-norm", None),
    "hp_metric": ("constant", None),
    "epoch": ("counter", None),
    # Transformers
    "eval/loss": ("loss", VAL),
    "eval_squad_loss": ("loss", VAL),
    "eval/runtime": ("system", VAL),
    "eval/samples_per_second": ("system", VAL),
    "train/grad_norm": ("gradient-norm", TRAIN),
    "train/total_flos": ("counter", TRAIN),
    "test/f1": ("metric", TEST),
    # other languages
    "Verlust/Validierung": ("loss", VAL),
    "perdida_entrenamiento": ("loss", TRAIN),
    "perte/entraînement": ("loss", TRAIN),
    "perda_validação": ("loss", VAL),
    "训练/损失": ("loss", TRAIN),
    "потери/валидация": ("loss", VAL),
    # fastai
    "matthews_corrcoef": ("metric", None),
    "raw_loss": ("loss", None),
    "mom_0": ("constant", None),
    "wd_1": ("constant", None),
    # Ultralytics
    "train/box_loss": ("loss", TRAIN),
    "val/dfl_loss": ("loss", VAL),
    "metrics/mAP50-95(B)": ("metric", None),
    "metrics/recall(M)": ("metric", None),
    "lr/pg2": ("learning-rate", None),
    # Stable-Baselines3
    "train/value_loss": ("loss", TRAIN),
    "rollout/ep_rew_mean": ("metric", None),
    "eval/mean_reward": ("metric", VAL),
    "train/explained_variance": ("metric", TRAIN),
    "time/fps": ("system", None),
    # Detectron2
    "total_loss": ("loss", None),
    "loss_box_reg": ("loss", None),
    "validation_loss": ("loss", VAL),
    "bbox/AP": ("metric", None),
    "data_time": ("system", None),
    # TF Object Detection
    "eval/Loss/total_loss": ("loss", VAL),
    "eval/DetectionBoxes_Precision/mAP": ("metric", VAL),
    "steps_per_sec": ("system", None),
    # nanoGPT, Megatron-LM, NeMo
    "mfu": ("system", None),
    "lm loss": ("loss", None),
    "lm loss validation": ("loss", VAL),
    "lm loss validation ppl": ("metric", VAL),
    "lm loss vs samples": ("loss", None),
    "loss-scale": ("constant", None),
    "batch-size": ("constant", None),
    "iteration-time": ("system", None),
    "reduced_train_loss": ("loss", TRAIN),
    "global_step": ("counter", None),
    # add_scalar
    "Loss/train": ("loss", TRAIN),
    "training_loss": ("loss", TRAIN),
    "train-loss": ("loss", TRAIN),
    "Loss/valid": ("loss", VAL),
    "Loss/test": ("loss", TEST),
    "Accuracy/val": ("metric", VAL),
    "Learning Rate": ("learning-rate", None),
    "Loss_val/Loss": ("loss", VAL),
    # clu
    "validation/wer": ("metric", VAL),
    "preemption_count": ("counter", None),
    "total_duration": ("counter", None),
    # MLflow's autologs
    "train-logloss": ("loss", TRAIN),
    "valid_0-binary_logloss": ("loss", VAL),
    "training-l2": ("metric", TRAIN),
    "system/gpu_0_utilization_percentage": ("system", None),
    # the same loggers' further tags
    "train/epoch_accuracy": ("metric", TRAIN),
    "batch_loss": ("loss", None),
    "evaluation_accuracy_vs_iterations": ("metric", VAL),
    "validation/epoch_auc": ("metric", VAL),
    "val_loss": ("loss", VAL),
    "train_loss": ("loss", TRAIN),
    "train_loss_epoch": ("loss", TRAIN),
    "val/loss/dataloader_idx_1": ("loss", VAL),
    "eval/accuracy": ("metric", VAL),
    "train/learning_rate": ("learning-rate", TRAIN),
    "train/epoch": ("counter", TRAIN),
    "train_runtime": ("system", TRAIN),
    "eval_runtime": ("system", VAL),
    "eval/steps_per_second": ("system", VAL),
    "train/train_samples_per_second": ("system", TRAIN),
    "valid_loss": ("loss", VAL),
    "lr_0": ("learning-rate", None),
    "lr_1": ("learning-rate", None),
    "train/seg_loss": ("loss", TRAIN),
    "train/pose_loss": ("loss", TRAIN),
    "train/kobj_loss": ("loss", TRAIN),
    "val/box_loss": ("loss", VAL),
    "metrics/precision(B)": ("metric", None),
    "metrics/recall(B)": ("metric", None),
    "metrics/mAP50(B)": ("metric", None),
    "metrics/mAP50(P)": ("metric", None),
    "metrics/mAP50-95B": ("metric", None),
    "lr/pg0": ("learning-rate", None),
    "train/policy_gradient_loss": ("loss", TRAIN),
    "train/actor_loss": ("loss", TRAIN),
    "train/critic_loss": ("loss", TRAIN),
    "train/entropy_loss": ("loss", TRAIN),
    "train/clip_range": ("constant", TRAIN),
    "time/iterations": ("system", None),
    "time/total_timesteps": ("system", None),
    "train/n_updates": ("counter", TRAIN),
    "loss_cls": ("loss", None),
    "loss_rpn_cls": ("loss", None),
    "segm/AP": ("metric", None),
    "bbox/APs": ("metric", None),
    "bbox/AP50": ("metric", None),
    "lr": ("learning-rate", None),
    "time": ("system", None),
    "fast_rcnn/cls_accuracy": ("metric", None),
    "Loss/total_loss": ("loss", None),
    "Loss/classification_loss": ("loss", None),
    "Loss/localization_loss": ("loss", None),
    "Loss/regularization_loss": ("loss", None),
    "DetectionBoxes_Recall/AR@100": ("metric", None),
    "learning_rate": ("learning-rate", None),
    "eval/DetectionBoxes_Precision/mAP (large)": ("metric", VAL),
    "iter": ("counter", None),
    "val/loss": ("loss", VAL),
    "grad-norm": ("gradient-norm", None),
    "learning-rate": ("learning-rate", None),
    "learning-rate vs samples": ("learning-rate", None),
    "lm loss validation ppl vs samples": ("metric", VAL),
    "lm loss validation vs samples": ("loss", VAL),
    "grad-norm vs samples": ("gradient-norm", None),
    "throughput": ("system", None),
    "grad_norm": ("gradient-norm", None),
    "consumed_samples": ("counter", None),
    "Loss/val": ("loss", VAL),
    "loss/test": ("loss", TEST),
    "Accuracy/train": ("metric", TRAIN),
    "LR": ("learning-rate", None),
    "Loss_train/Loss": ("loss", TRAIN),
    "train/ctc_loss": ("loss", TRAIN),
    "test/loss": ("loss", TEST),
    "validation/bleu": ("metric", VAL),
    "validation/ssim": ("metric", VAL),
    "test/accuracy": ("metric", TEST),
    "loss": ("loss", None),
    "accuracy": ("metric", None),
    "val_accuracy": ("metric", VAL),
    "eval-logloss": ("loss", VAL),
    "test-logloss": ("loss", TEST),
    "validation_1-logloss": ("loss", VAL),
    "valid_0-auc": ("metric", VAL),
    "valid_0-l2": ("metric", VAL),
    "training-binary_logloss": ("loss", TRAIN),
    "best_iteration": ("counter", None),
    "eval_loss": ("loss", VAL),
    "eval_f1": ("metric", VAL),
    "system/system_memory_usage_megabytes": ("system", None),
    "system/network_receive_megabytes": ("system", None),
    "system/disk_usage_percentage": ("system", None),
    "system/cpu_utilization_percentage": ("system", None),
    # Lightning's suffixes are no counters
    "ctc_step": ("unknown", None),
    "train/foo_epoch": ("unknown", TRAIN),
    "train_acc_step": ("metric", TRAIN),
    "train_step": ("counter", TRAIN),
    "trainer/global_step": ("counter", TRAIN),
    "current_epoch": ("counter", None),
    "lr-AdamW-momentum": ("constant", None),
    "lr-AdamW-weight_decay": ("constant", None),
    # YOLOv5, CatBoost
    "x/lr0": ("learning-rate", None),
    "x/lr2": ("learning-rate", None),
    "metrics/mAP_0.5:0.95": ("metric", None),
    "learn/Logloss": ("loss", TRAIN),
    "validation_bas": ("metric", VAL),
    # values to compare with
    "accuracy_baseline": ("constant", None),
    "val/accuracy_baseline": ("constant", VAL),
    "best_val_acc": ("constant", VAL),
    "val/best_acc": ("constant", VAL),
    "Best/val_dice": ("constant", VAL),
    "best_val_loss": ("constant", VAL),
    "target_accuracy": ("constant", None),
    "majority_class_accuracy": ("constant", None),
    "random_baseline/accuracy": ("constant", None),
    "acc_threshold": ("constant", None),
    "f1_goal": ("constant", None),
    "chance_accuracy": ("constant", None),
    "prior_auc": ("constant", None),
    "accuracy_threshold_0.5": ("metric", None),
    "val/loss_threshold": ("constant", VAL),
    "loss_baseline": ("constant", None),
    "val_loss_best": ("constant", VAL),
    "Environment/Lesson Number/jump_power": ("constant", None),
    # kohya, Coqui, DeepSpeed, StyleGAN, composer
    "lr/unet": ("learning-rate", None),
    "EvalStats/avg_loss": ("loss", VAL),
    "Train/Samples/train_loss": ("loss", TRAIN),
    "Loss/G/loss": ("loss", None),
    "metrics/eval/LanguageCrossEntropy": ("loss", VAL),
    "Losses/Baseline Loss": ("loss", None),
    "prior_loss": ("loss", None),
    # times and powers that are not the machine's, tokens that are not counted
    "travel_time": ("unknown", None),
    "mean_waiting_time": ("unknown", None),
    "train/epoch_time": ("system", TRAIN),
    "accumulated_eval_time": ("system", VAL),
    "temperature": ("constant", None),
    "gpu_0_temperature": ("system", None),
    "jump_power": ("unknown", None),
    "tokens_seen": ("counter", None),
    "model/embed_tokens/mean": ("unknown", None),
    # a metric of one of MLflow's logged models
    "val_loss (model resnet-50)": ("loss", VAL),
    # words that only contain others
    "train/interval": ("unknown", TRAIN),
    "glossary": ("unknown", None),
    "lrelu_slope": ("unknown", None),
    "train/val_loss": ("loss", VAL),
}


@pytest.mark.parametrize(("tag", "expected"), TABLE.items(), ids=list(TABLE))
def test_a_tag_is_read_as_its_logger_means_it(tag, expected):
    role = read_role(tag)
    assert (role.role, role.split) == expected, role.why


DIRECTIONS = {"val_acc": "higher", "val/wer": "lower", "eval/mean_reward": "higher", "FID": "lower", "val_R2": "higher"}


@pytest.mark.parametrize(("tag", "direction"), DIRECTIONS.items())
def test_the_direction_of_good_follows_from_the_name(tag, direction):
    assert read_role(tag).direction == direction


def test_words_are_cut_at_changes_of_case_and_kept_whole_where_they_are_names():
    assert words_of("MulticlassF1Score/valLoss") == ("multiclass", "f1", "score", "val", "loss")
    assert words_of("metrics/mAP50-95(B)") == ("metrics", "map5095", "b")


@pytest.mark.parametrize(
    ("tag", "part"),
    [
        ("total_loss", ""),
        ("loss_ce_2", "ce"),
        ("train/bce_loss", "bce"),
        ("bce", ""),
        ("val_cross_entropy", ""),
        ("loss (model ResNet)", ""),
        ("EvalStats/avg_loss", ""),
    ],
)
def test_a_kind_of_loss_is_a_component_where_the_word_loss_stands_beside_it(tag, part):
    assert read_role(tag).part == part


def test_a_loss_is_a_validation_loss_in_a_run_that_is_named_after_one():
    loss = made_run({"Loss": np.linspace(1, 0.5, 20)})
    for name, split in (("resnet_val", VAL), ("resnet", TRAIN), ("val", TRAIN), ("my_test", TRAIN)):
        assert RunFeatures(replace(loss, name=name)).roles["Loss"].split == split


def cast(*tags, **given):
    run = made_run({tag: np.linspace(1, 0.5, 20) for tag in tags})
    return RunFeatures(run, given).roles


def test_a_loss_without_a_split_is_the_training_loss():
    assert cast("loss", "val_loss")["loss"].split == TRAIN


def test_xgboosts_first_validation_set_is_the_training_set_when_there_is_a_second():
    roles = cast("validation_0-logloss", "validation_1-logloss")
    assert (roles["validation_0-logloss"].split, roles["validation_1-logloss"].split) == (TRAIN, VAL)
    assert cast("validation_0-logloss")["validation_0-logloss"].split == VAL


def test_an_error_metric_stands_in_where_there_is_no_loss():
    assert cast("train-rmse", "eval-rmse")["eval-rmse"].role == "loss"
    assert cast("train_loss", "val_rmse")["val_rmse"].role == "metric"


def test_the_mean_of_the_run_that_transformers_logs_once_is_no_curve():
    run = made_run({"train/loss": np.linspace(1, 0.5, 20), "train/train_loss": [0.7]})
    assert RunFeatures(run).roles["train/train_loss"].role == "constant"


def test_the_user_overrules_every_reading():
    roles = RunFeatures(
        made_run({"glossary": np.linspace(1, 0, 9)}), {"glossary": RoleSetting("loss", "validation", None)}
    ).roles
    assert (roles["glossary"].role, roles["glossary"].split, roles["glossary"].direction) == ("loss", VAL, "lower")
    assert "user" in roles["glossary"].why


@pytest.mark.parametrize(
    ("tags", "family"),
    [
        (("train/actor_loss", "train/critic_loss", "rollout/ep_rew_mean"), "rl"),
        (("Losses/Policy Loss", "Losses/Value Loss", "Environment/Cumulative Reward"), "rl"),
        (("loss_G", "loss_D"), "gan"),
        (("generator_loss", "discriminator_loss"), "gan"),
        (("train/loss", "val/loss", "val/accuracy"), "supervised"),
        (("train-logloss", "eval-logloss"), "boosting"),
        (("alpha", "beta"), "unknown"),
    ],
)
def test_the_kind_of_training_is_told_from_the_tags(tags, family):
    assert RunFeatures(made_run({t: np.linspace(1, 0.5, 20) for t in tags})).family == family


def test_components_without_a_total_are_summed():
    run = made_run(
        {"train/box_loss": np.full(20, 2.0), "train/cls_loss": np.full(20, 1.0), "train/dfl_loss": np.full(20, 0.5)}
    )
    (total,) = RunFeatures(run).training
    assert total.tags == ("train/box_loss", "train/cls_loss", "train/dfl_loss")
    assert set(total.raw) == {3.5}
