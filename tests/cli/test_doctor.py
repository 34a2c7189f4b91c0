"""The doctor says what is there and exits by what it found."""

from pathlib import Path

import pytest

from analyzer.cli import main
from analyzer.readers import reference_readers

EXAMPLES = Path(__file__).parents[2] / "examples" / "logs"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_without_a_source_it_says_what_is_installed(capsys):
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "numpy " in out and "extra notify: " in out and "terminal: not a terminal" in out
    assert "settings: the defaults" in out


def test_invalid_settings_are_named(tmp_path, capsys):
    (tmp_path / "posthoc.toml").write_text("alphas = 1\n")
    assert main(["doctor"]) == 0 and "alphas" in capsys.readouterr().out


def test_event_files_are_compared_and_a_difference_is_one(capsys, monkeypatch):
    run = str(EXAMPLES / "keras" / "unicorn_by_heart" / "train")
    assert main(["doctor", run]) == 0 and "EventAccumulator: 360 points, all equal" in capsys.readouterr().out

    def more(path):
        return reference_readers._accumulator(path) + reference_readers.Counter({("loss", 0, (1.0).hex()): 1})

    monkeypatch.setattr(reference_readers, "LIBRARIES", {"other": more})
    assert main(["doctor", run]) == 1
    assert "1 that posthoc lacks, as in loss at step 0: 1.0" in capsys.readouterr().out


def test_other_kinds_are_read_and_counted(tmp_path, capsys):
    (tmp_path / "metrics.csv").write_text("step,train_loss\n" + "".join(f"{i},{1 / (i + 1)}\n" for i in range(30)))
    assert main(["doctor", "metrics.csv"]) == 0
    out = capsys.readouterr().out
    assert "nothing to compare" in out and "30 points in 1 series" in out
    assert main(["doctor", "absent"]) == 2
