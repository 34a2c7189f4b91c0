"""A learned judge is scored beside the rules."""

import json

import numpy as np

from benchmarks import ceiling
from tests.benchmarks.small_runs import small_curve, written


def test_the_ceiling_learns_from_the_measures_of_the_detectors(tmp_path, capsys):
    """NaN in a third of the runs is learned from the tune part and found in the test part."""
    rows = []
    for i in range(24):
        curve = small_curve(seed=i)
        sick = i % 3 == 0
        if sick:
            curve["train/loss"][1][150 + i :] = np.nan
        written(tmp_path, {f"run{i}": curve})
        split = "tune" if i < 18 else "test"
        expected = ["non-finite"] if sick else []
        rows.append({"path": f"run{i}", "split": split, "expected": expected, "tolerated": []})
    (tmp_path / "truth.json").write_text(json.dumps({"runs": rows}))
    ceiling.main([str(tmp_path), "--jobs", "1"])
    assert "| non-finite | 2 | 1.00 |" in capsys.readouterr().out
