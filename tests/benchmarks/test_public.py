"""Findings are scored against what must, may and must not be said."""

import json

import numpy as np

from benchmarks import public
from tests.benchmarks.small_runs import small_curve, written


def test_public_scores_what_is_expected_tolerated_and_forbidden(tmp_path, capsys):
    """A run with NaN to the end that must be found, a plain one, and one left out as ambiguous."""
    broken = small_curve()
    broken["train/loss"][1][200:] = np.nan
    written(tmp_path, {"nan": broken, "plain": small_curve(seed=3), "odd": small_curve(seed=4)})
    every = ["non-finite", "plateau"]
    rows = [
        {
            "run": "nan",
            "path": "nan",
            "status": "clear",
            "expected": [{"symptom": "non-finite"}],
            "forbidden": every[1:],
        },
        {"run": "plain", "path": "plain", "status": "clear", "expected": [], "forbidden": every},
        {"run": "odd", "path": "odd", "status": "ambiguous", "expected": ["plateau"], "forbidden": []},
        {"run": "gone", "path": "gone", "status": "clear", "expected": ["plateau"], "forbidden": []},
    ]
    (tmp_path / "truth.json").write_text(json.dumps({"symptoms": [*every, "healthy"], "runs": rows}))
    public.main([str(tmp_path), "--jobs", "1"])
    text = capsys.readouterr().out
    assert "| non-finite | 1 | 0 | 0 | 1.00 | 1.00 | 1.00 |" in text
    assert "| plateau | 0 | 0 | 1 |" in text
    assert "sick but called healthy: 0 of 2" in text
    assert "unread: 1 of 3" in text
    assert "gone: misses plateau" in text
