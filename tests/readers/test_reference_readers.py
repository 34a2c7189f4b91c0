"""The comparison with other libraries tells agreement, damage and differences apart."""

from collections import Counter

import pytest
from tensorboardX import SummaryWriter

from analyzer.readers import reference_readers
from analyzer.readers.reference_readers import checkup, event_files


@pytest.fixture
def file(tmp_path):
    with SummaryWriter(str(tmp_path / "run")) as writer:
        for i in range(50):
            writer.add_scalar("loss", float("nan") if i == 7 else 1 / (1 + i), i)
        for i in range(40, 60):  # a restart, which TensorBoard purges by default
            writer.add_scalar("loss", 2.0, i)
    (one,) = event_files(tmp_path)
    return one


def test_whole_files_are_read_alike(file):
    pytest.importorskip("tbparse")
    one = checkup(file)
    assert one.points == 70
    assert [(r.library, r.points, r.equal, r.only_here, r.only_there, r.fault) for r in one.readings] == [
        ("EventAccumulator", 70, 70, 0, 0, ""),
        ("tbparse", 70, 70, 0, 0, ""),
    ]


def test_what_others_miss_behind_damage_is_posthocs_alone(file):
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 0xFF
    file.write_bytes(bytes(data))
    accumulator = checkup(file).readings[0]
    assert accumulator.only_there == 0 and (accumulator.only_here > 10 or accumulator.fault)


def test_a_point_that_posthoc_lacks_is_named(file, monkeypatch):
    def more(path):
        return Counter({("loss", 49, (0.02).hex()): 1, ("extra", 3, (0.5).hex()): 1})

    monkeypatch.setattr(reference_readers, "LIBRARIES", {"other": more})
    (reading,) = checkup(file).readings
    assert reading.only_there == 2 and "at step" in reading.example


def test_a_library_that_is_missing_or_fails_says_so(file, monkeypatch):
    def absent(path):
        raise ImportError

    def broken(path):
        raise ValueError("no such thing")

    monkeypatch.setattr(reference_readers, "LIBRARIES", {"absent": absent, "broken": broken})
    assert [r.fault for r in checkup(file).readings] == ["not installed", "failed: ValueError: no such thing"]
