"""Power is printed by kind of curve, fault and half."""

import json

import numpy as np
import pytest

from analyzer.model.case import falling
from benchmarks import power
from benchmarks.curves import Clean, clean_curves, run_of
from tests.benchmarks.small_runs import small_curve


@pytest.fixture
def arrays(tmp_path):
    """A folder of two clean runs as index.json and arrays."""
    rows, steps, values = [], [], []
    for i in range(2):
        tags = []
        for tag, (s, v) in small_curve(seed=2 * i).items():
            start = sum(map(len, steps))
            steps.append(s)
            values.append(v)
            tags.append([tag, start, start + len(s), False])
        rows.append({"name": f"run{i}", "kind": "made", "file": "made.npz", "outcome": "success", "tags": tags})
    every = np.concatenate(steps)
    stored = {"steps": np.diff(every, prepend=0), "values": np.concatenate(values), "times": np.zeros(every.size)}
    np.savez(tmp_path / "made.npz", **stored)
    (tmp_path / "index.json").write_text(json.dumps(rows))
    return tmp_path


def test_curves_that_reached_their_target_are_read_from_arrays(arrays):
    """The index says where each series lies; steps are stored as differences."""
    found = clean_curves(arrays, None)
    assert [one.name for one in found] == ["run0", "run1"]
    assert np.array_equal(found[0].curve["train/loss"][0], np.arange(400))
    assert run_of(found[0].curve).series["val/loss"].points == 40


def test_power_prints_recall_by_fault_and_alarms_on_clean_curves(arrays, capsys):
    """NaN to the end is found in every curve, and both halves are distinguished."""
    power.main(["--power", str(arrays), "--jobs", "1"])
    text = capsys.readouterr().out
    assert "## tune half" in text
    assert "| made | nan | 1 | 1 | 1.00 |" in text.partition("## report half")[2]
    assert "| made | none |" in text


def test_the_size_found_is_the_smallest_from_which_on_all_are_found():
    """A small size that is found by chance below one that is missed does not count."""
    rows = [power.Judged("made", "tune", "jump", s, f, f, not f) for s, f in ((0.1, True), (0.2, False), (0.5, True))]
    assert power.size_found(rows, 0.95) == 0.5
    assert power.size_found(rows[:2], 0.95) == float("inf")


def test_power_skips_faults_that_a_curve_cannot_hold():
    """A curve without a held-out loss has none that rises; one of few points has no wave."""
    rows = power.judged("tune", 0, Clean("short", "made", {"train/loss": (np.arange(60), falling(60))}))
    assert not {"val_rise", "wave"} & {row.fault for row in rows}
    assert {"clean", "nan"} <= {row.fault for row in rows}
