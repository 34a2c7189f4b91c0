"""Time is printed by stage."""

from benchmarks import judging
from tests.benchmarks.small_runs import small_curve, written


def test_judging_prints_milliseconds_of_each_stage(tmp_path, capsys):
    """Reading, judging and drawing are timed apart, and whole commands beside each other in one run."""
    written(tmp_path, {"a": small_curve(), "b": small_curve(seed=2)})
    judging.main(["--runs", str(tmp_path), "--rounds", "1"])
    lines = capsys.readouterr().out.splitlines()
    cells = lines[2].split("|")
    assert int(cells[1]) == 2
    assert all(float(cell) > 0 for cell in cells[2:6])
    ratios = {line.split("|")[1].strip(): line.split("|")[4].split()[0] for line in lines[6:]}
    assert ratios.pop("posthoc audit, all pages") == "nan", "without another tool there is nothing to compare with"
    assert len(ratios) == 3 and all(float(ratio) > 0 for ratio in ratios.values())
