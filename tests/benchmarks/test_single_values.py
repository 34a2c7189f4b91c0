"""Trained models with one value a metric: the bad ones are named, the good ones are healthy."""

import numpy as np
import pytest

from benchmarks.single import scores
from benchmarks.single_store import trained_store


@pytest.mark.filterwarnings("ignore")
def test_models_that_were_really_trained_are_told_apart(tmp_path):
    truth = trained_store(tmp_path / "mlruns", 32, np.random.default_rng(5))
    scored = scores(str(tmp_path / "mlruns"), truth, tmp_path / "site")
    outcomes = scored["found"]
    assert sum(c.total() for c in outcomes.values()) == 32
    assert outcomes["good"]["problems"] == 0
    bad = [(kind, c) for kind, c in outcomes.items() if kind != "good"]
    assert sum(c["named"] for _, c in bad) >= 0.95 * sum(c.total() for _, c in bad), scored["missed"]
    assert outcomes["good"]["healthy"] >= 0.9 * outcomes["good"].total(), scored["missed"]
