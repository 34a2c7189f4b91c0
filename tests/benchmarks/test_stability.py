"""Flips of verdicts are counted for each change."""

import numpy as np

from benchmarks import stability
from benchmarks.curves import run_of
from tests.benchmarks.small_runs import small_curve, written


def test_stability_counts_flips_for_each_change(tmp_path, capsys):
    """Two plain runs do not change their verdict by rounding; every change has its row."""
    written(tmp_path, {"a": small_curve(seed=1), "b": small_curve(seed=5)})
    stability.main([str(tmp_path), "--jobs", "1", "-v"])
    text = capsys.readouterr().out
    assert all(name in text for name in stability.CHANGES)
    assert "| float32 | 2 | 0 (0.0%) | 0 (0.0%) |" in text


def test_changes_do_what_their_names_say():
    """Half of the points, no last twentieth, three times the loss, a little noise, the same steps."""
    run = run_of(small_curve())
    loss = run.series["train/loss"]
    assert stability.thinned(run).series["train/loss"].points == 200
    assert stability.cut(run).series["train/loss"].steps.max() <= 0.95 * 399
    assert np.allclose(stability.rescaled(run).series["train/loss"].values, 3 * loss.values)
    added = stability.noisier(run).series["train/loss"].values - loss.values
    assert 0.1 < np.std(added[200:]) / np.std(np.diff(loss.values[200:]) / np.sqrt(2)) < 0.6
    assert stability.shifted(run) is None, "a positive loss has a scale of its own"
