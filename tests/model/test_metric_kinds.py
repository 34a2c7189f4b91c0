"""Names of metrics that are logged once are read as kind and set of data, and not guessed."""

import pytest

from analyzer.model.metric_kinds import reference_of, score_of

NAMES = [
    ("train_accuracy", "accuracy", "train"),
    ("training_accuracy_score", "accuracy", "train"),
    ("accuracy_score_X_test", "accuracy", "test"),
    ("accuracy_score-2_X_test", "accuracy", "test"),
    ("validation_0-logloss", "log-loss", "validation"),
    ("valid_0.auc", "auc", "validation"),
    ("holdout mcc", "mcc", "validation"),
    ("cv/roc_auc", "auc", "validation"),
    ("testRocAuc", "auc", "test"),
    ("Val/LogLoss", "log-loss", "validation"),
    ("eval/F1", "f1", "validation"),
    ("test.r2", "r2", "test"),
    ("precision_recall_auc", "pr-auc", None),
    ("oob_score", "score", "validation"),
    ("root_mean_squared_error", "rmse", None),
]


@pytest.mark.parametrize(("tag", "kind", "split"), NAMES)
def test_a_name_says_its_kind_and_its_set_of_data_with_any_separator(tag, kind, split):
    score = score_of(tag)
    assert score is not None
    assert (score.kind, score.split) == (kind, split)


@pytest.mark.parametrize(
    "tag", ["silhouette_score", "std_test_score", "top_5_accuracy", "example_count", "fairness", "baseline_accuracy"]
)
def test_what_has_no_known_direction_or_chance_is_not_read_as_a_score(tag):
    assert score_of(tag) is None


def test_scores_of_one_class_and_negated_errors_are_marked():
    assert score_of("recall_class_3").of_class
    assert score_of("recall_0").of_class
    assert score_of("neg_mean_squared_error").negated
    assert score_of("test_f1_weighted").average == "weighted"


def test_the_value_of_a_baseline_is_a_reference():
    assert reference_of("baseline_accuracy") == "accuracy"
    assert reference_of("dummy/rmse") == "rmse"
    assert reference_of("test_accuracy") is None
