"""What MLflow's autologging calls things, library by library, is understood: kind and split of every key."""

import pytest

from analyzer import analyze
from analyzer.readers import open_source
from tests.readers.mlflow.test_file_store import make_run

SYSTEM = {
    "system/gpu_0_utilization_percentage": ("system", None),
    "system/cpu_utilization_percentage": ("system", None),
    "system/system_memory_usage_megabytes": ("system", None),
    "system/network_receive_megabytes": ("system", None),
}
AUTOLOGS = {
    "transformers": {
        "loss": ("loss", "train"),
        "eval_loss": ("loss", "validation"),
        "eval_accuracy": ("metric", "validation"),
        "eval_f1": ("metric", "validation"),
        "learning_rate": ("learning-rate", None),
        "grad_norm": ("gradient-norm", None),
        "epoch": ("counter", None),
        "total_flos": ("counter", None),
        "eval_runtime": ("system", None),
        "eval_samples_per_second": ("system", None),
        "train_steps_per_second": ("system", None),
    },
    "keras": {
        "loss": ("loss", "train"),
        "val_loss": ("loss", "validation"),
        "accuracy": ("metric", None),
        "val_accuracy": ("metric", "validation"),
        "val_mean_absolute_error": ("metric", "validation"),
        "learning_rate": ("learning-rate", None),
    },
    "lightning": {
        "train_loss": ("loss", "train"),
        "train_loss_step": ("loss", "train"),
        "train_loss_epoch": ("loss", "train"),
        "val_loss": ("loss", "validation"),
        "val_acc": ("metric", "validation"),
        "lr-AdamW": ("learning-rate", None),
        "lr-SGD/pg1": ("learning-rate", None),
        "grad_2.0_norm_total": ("gradient-norm", None),
        "epoch": ("counter", None),
    },
    "xgboost": {
        "train-logloss": ("loss", "train"),
        "eval-logloss": ("loss", "validation"),
        "validation_1-logloss": ("loss", "validation"),
        "eval-auc": ("metric", "validation"),
        "test-rmse": ("metric", "test"),
    },
    "lightgbm": {
        "training-binary_logloss": ("loss", "train"),
        "valid_0-binary_logloss": ("loss", "validation"),
        "valid_0-auc": ("metric", "validation"),
    },
    "ultralytics": {
        "train/box_loss": ("loss", "train"),
        "val/box_loss": ("loss", "validation"),
        "metrics/precisionB": ("metric", None),
        "metrics/mAP50B": ("metric", None),
        "metrics/mAP50-95B": ("metric", None),
        "lr/pg0": ("learning-rate", None),
    },
}


@pytest.mark.parametrize("library", AUTOLOGS)
def test_what_a_library_autologs_is_understood(tmp_path, library):
    wanted = AUTOLOGS[library] | SYSTEM
    lines = "".join(f"{1000 * i} {1.0 / (i + 1)} {i}\n" for i in range(30))
    place = make_run(tmp_path)
    for name in wanted:
        (place / "metrics" / name).parent.mkdir(parents=True, exist_ok=True)
        (place / "metrics" / name).write_text(lines)
    (run,) = open_source(str(tmp_path))
    rows = {row.tag: (row.role, row.split) for row in analyze(run).series}
    found = {tag: (role, split if wanted[tag][1] else None) for tag, (role, split) in rows.items()}
    assert found == wanted
