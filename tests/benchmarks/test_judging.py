"""Time is printed by stage."""

from benchmarks import judging
from tests.benchmarks.small_runs import small_curve, written


def test_judging_prints_milliseconds_of_each_stage(tmp_path, capsys):
    """Reading, judging and drawing are timed apart; without another tool its cell is empty."""
    written(tmp_path, {"a": small_curve(), "b": small_curve(seed=2)})
    judging.main(["--runs", str(tmp_path)])
    cells = capsys.readouterr().out.splitlines()[-1].split("|")
    assert int(cells[1]) == 2
    assert all(float(cell) > 0 for cell in cells[2:6])
    assert not cells[6].strip()
