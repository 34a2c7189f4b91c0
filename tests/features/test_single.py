"""Runs with one value a metric are healthy, sick or unjudged by what their values prove."""

import numpy as np
import pytest

from analyzer.diagnosis import judge_run
from analyzer.features import RunFeatures
from analyzer.model.case import made_run
from analyzer.settings import RoleSetting, Settings


def judged(metrics, **params):
    """Return the result of a run with one value a metric."""
    curves = {tag: values if isinstance(values, tuple | list) else [values] for tag, values in metrics.items()}
    return judge_run(made_run(curves, **params), now=2e9)


def alarms(metrics, **params):
    return {f.symptom for f in judged(metrics, **params).findings if f.alarms}


GOOD = {"train_accuracy": 0.95, "test_accuracy": 0.93, "train_roc_auc": 0.99, "test_roc_auc": 0.97}


def test_a_good_run_is_healthy_because_chance_and_gap_were_checked():
    result = judged(GOOD, n_test=600)
    assert result.verdict == "healthy", result.sentence
    states = {c.criterion: c.state for c in result.health}
    assert states["learnt"] == states["held-out"] == states["finite"] == "shown"


def test_two_points_count_as_one_value_and_three_as_a_curve():
    assert RunFeatures(made_run({"test_accuracy": [0.5, 0.9]})).single is not None
    assert RunFeatures(made_run({"test_accuracy": [0.5, 0.8, 0.9]})).single is None


def test_a_measure_of_the_machine_may_have_any_number_of_points():
    assert RunFeatures(made_run({"test_accuracy": [0.9], "system/cpu_utilization": np.arange(50.0)})).single is not None


def test_two_points_of_a_loss_alone_are_the_beginning_of_a_curve():
    assert RunFeatures(made_run({"train/loss": [2.0, 1.9]})).single is None


def test_training_values_alone_are_unjudged_and_the_page_says_what_to_log():
    result = judged({"training_accuracy_score": 0.97, "training_roc_auc": 0.99})
    assert result.verdict == "unjudged"
    assert "held-out" in result.sentence


def test_a_held_out_value_without_its_training_value_asks_for_it():
    result = judged({"test_roc_auc": 0.95}, n_test=500)
    assert result.verdict == "unjudged"
    assert "log train_auc too" in result.sentence
    assert any("train_auc" in n.reason for n in result.not_checked if n.symptom == "overfitting")


def test_accuracy_alone_proves_nothing_against_chance():
    result = judged({"train_accuracy": 0.94, "test_accuracy": 0.93})
    assert result.verdict == "unjudged"
    assert "commonest class" in result.sentence


def test_the_gap_is_told_as_overfitting():
    assert alarms({"train_accuracy": 0.999, "test_accuracy": 0.72, "test_roc_auc": 0.7}, n_test=600) == {"overfitting"}


def test_a_forest_with_perfect_training_and_a_good_test_is_fine():
    metrics = {"train_accuracy": 1.0, "test_accuracy": 0.92, "train_roc_auc": 1.0, "test_roc_auc": 0.96}
    assert judged(metrics, n_test=600).verdict == "healthy"


def test_a_gap_within_the_noise_of_thirty_examples_is_no_finding():
    assert alarms({"train_roc_auc": 0.97, "test_roc_auc": 0.76}, n_test=30) == set()


def test_log_losses_alone_make_no_gap():
    assert alarms({"train_log_loss": 0.01, "test_log_loss": 0.6}) == set()


def test_accuracies_in_percent_are_shares():
    shares = judged({"train_accuracy": 0.999, "test_accuracy": 0.7}, n_test=600)
    percent = judged({"Train/Accuracy": 99.9, "Val/Accuracy": 70.0}, n_test=600)
    assert [f.symptom for f in shares.findings] == [f.symptom for f in percent.findings] == ["overfitting"]
    assert percent.pairs[0].value == pytest.approx(0.7)


def test_a_perfect_score_on_thirty_examples_is_not_too_good_and_on_six_hundred_a_note():
    metrics = {"train_roc_auc": 0.99, "test_roc_auc": 1.0}
    assert not judged(metrics, n_test=30).findings
    noted = judged(metrics, n_test=600)
    assert [(f.symptom, f.severity) for f in noted.findings] == [("too-good", "info")]
    assert noted.verdict == "healthy"


def test_a_negative_r2_is_chance_level():
    assert alarms({"train_r2": 0.03, "test_r2": -0.4, "test_rmse": 1.2}, n_test=400) == {"chance-level"}


def test_a_regression_is_healthy_by_r2_and_by_errors_that_make_one():
    assert judged({"train_r2": 0.8, "test_r2": 0.75}, n_test=400).verdict == "healthy"
    assert judged({"train_rmse": 0.9, "test_rmse": 1.0, "test_r2": 0.75}, n_test=400).verdict == "healthy"
    assert alarms({"train_rmse": 0.05, "test_rmse": 1.0, "test_r2": 0.4}, n_test=400) == {"overfitting"}


def test_errors_alone_are_unjudged_and_the_reason_names_r2():
    result = judged({"rmse": 0.8, "mae": 0.6})
    assert result.verdict == "unjudged"
    assert "r2" in result.sentence


def test_a_log_loss_without_class_count_shows_guessing_and_learning():
    assert alarms({"test_accuracy": 0.21, "test_log_loss": 1.61, "train_accuracy": 0.22}, n_test=600) == {
        "chance-level"
    }
    well = {"train_accuracy": 0.93, "test_accuracy": 0.91, "test_log_loss": 0.21}
    assert judged(well, n_test=600).verdict == "healthy"


def test_a_weak_signal_on_many_examples_is_no_chance():
    assert alarms({"train_roc_auc": 0.63, "test_roc_auc": 0.6}, n_test=2000) == set()


def test_an_area_that_few_examples_cannot_tell_from_chance_is_unjudged():
    result = judged({"train_roc_auc": 0.72, "test_roc_auc": 0.7}, n_test=30)
    assert result.verdict == "unjudged"
    assert "30 examples" in result.sentence


@pytest.mark.parametrize(
    "metrics",
    [
        {"test_accuracy": 0.92, "test_f1": 0.0},
        {"test_accuracy": 0.92, "test_recall": 0.0, "test_mcc": 0.0},
        {"test_roc_auc": 0.5, "test_accuracy": 0.8},
        {"test_accuracy": 0.8, "test_precision_weighted": 0.64},
        {"test_accuracy": 0.8, "test_f1_macro": 2 * 0.8 / 1.8 / 2},
        {"test_accuracy": 0.7, "test_precision": 0.7, "test_recall": 1.0},
        {"test_accuracy": 0.9, "baseline_accuracy": 0.9},
        {"test_accuracy": 0.923, "test_log_loss": 0.2713, "train_accuracy": 0.931, "train_log_loss": 0.2511},
    ],
)
def test_a_constant_answer_is_known_by_its_digits(metrics):
    assert "constant-predictor" in alarms(metrics, n_test=600, n_train=1000)


def test_a_small_recall_is_no_constant_answer():
    assert alarms({"test_accuracy": 0.96, "test_recall": 0.1, "test_roc_auc": 0.8, "train_roc_auc": 0.85}) == set()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1.797e308])
def test_a_metric_that_is_no_number_is_non_finite(value):
    assert alarms({**GOOD, "test_f1": value}) == {"non-finite"}
    result = judged({**GOOD, "test_log_loss": value})
    assert result.findings[0].severity == "error"
    assert "test_log_loss is" in result.findings[0].summary


def test_clusterings_and_unknown_metrics_get_no_verdict_and_a_reason():
    assert "clustering" in judged({"silhouette_score": 0.4}).sentence
    unknown = judged({"wobble": 0.4})
    assert unknown.verdict == "unjudged"


def test_the_role_that_the_user_gives_says_which_set_it_is():
    run = made_run({"acc_a": [0.999], "acc_b": [0.7]}, n_test=600)
    roles = {"acc_a": RoleSetting("metric", "train", "higher"), "acc_b": RoleSetting("metric", "test", "higher")}
    result = judge_run(run, Settings(roles=roles), now=2e9)
    assert [f.symptom for f in result.findings] == ["overfitting"]


def test_a_reinforcement_learning_run_with_one_value_is_left_alone():
    assert RunFeatures(made_run({"rollout/ep_rew_mean": [200.0], "train/value_loss": [1.0]})).single is None


def test_confusion_counts_of_mlflow_evaluate_give_size_and_share():
    metrics = {"true_positives": 0, "false_positives": 0, "true_negatives": 540, "false_negatives": 60}
    result = judged({"accuracy_score": 0.9, **metrics})
    assert "constant-predictor" in {f.symptom for f in result.findings}
