"""A metric that stands still beside a loss that clearly falls."""

import numpy as np
from judged import found

from analyzer.model.case import noise


def test_the_loss_that_falls_most_clearly_is_laid_beside_the_metric():
    at = np.arange(0, 200, 10)
    curves = {
        "train/loss": 0.2 * np.exp(noise(200, 1.1, 2)),
        "val/loss": (at, 0.19 - 0.06 * (1 - np.exp(-at / 60))),
        "val/f1": (at, np.zeros(20)),
    }
    finding = found("contradictory-metrics", curves)
    assert finding is not None
    assert "val/loss" in finding.tags


def test_a_recall_with_a_rare_chance_hit_is_0_all_the_same():
    hits = np.where(np.arange(60) % 9 == 4, 0.002, 0.0)
    curves = {"train/loss": np.exp(-np.arange(60) / 15.0) + 0.05, "eval/recall": hits}
    finding = found("contradictory-metrics", curves)
    assert finding is not None
    assert finding.summary.startswith("eval/recall stays at 0 ")
    assert found("contradictory-metrics", curves | {"eval/recall": hits + np.linspace(0, 0.02, 60)}) is None
