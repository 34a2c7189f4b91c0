"""Hostile lengths under a limit of 2 GiB of memory: nothing is allocated before a length was compared with the file."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.readers.tensorboard.records import VERSION, header, record, scalar

_CHILD = """
import json, resource, sys
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
from analyzer.readers.tensorboard.file_reader import read_file
content = read_file(sys.argv[1], "file")
steps = content.points[b"loss"].steps.tolist()
notes = [(note.kind, note.offset, note.size) for note in content.notes]
peak = int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) >> 10
print(json.dumps({"steps": steps, "notes": notes, "peak": peak}))
"""
BEFORE, BEHIND = VERSION + record(scalar("loss", 1, 1.0)), record(scalar("loss", 2, 2.0))


def read_in_two_gibibytes(path: Path) -> dict[str, object]:
    root = Path(__file__).resolve().parents[3]
    command = [sys.executable, "-c", _CHILD, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=root)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.mark.skipif(sys.platform != "linux", reason="limits of address space bind on Linux only")
def test_a_length_far_beyond_the_file_is_damage_before_any_allocation(tmp_path: Path) -> None:
    lengths = (2**31, 2**40, 2**63, 2**64 - 1)
    path = tmp_path / "events.out.tfevents.1"
    path.write_bytes(BEFORE + b"".join(header(length) + BEHIND for length in lengths))
    found = read_in_two_gibibytes(path)
    assert found["steps"] == [1, 2, 2, 2, 2]
    places = [len(BEFORE) + i * (12 + len(BEHIND)) for i in range(4)]
    assert found["notes"] == [["damage", place, 12] for place in places]


@pytest.mark.skipif(sys.platform != "linux", reason="limits of address space bind on Linux only")
def test_a_record_beyond_the_longest_inside_the_file_is_verified_in_pieces(tmp_path: Path) -> None:
    path, length = tmp_path / "events.out.tfevents.1", 300 << 20
    with path.open("wb") as file:  # a sparse file: a payload of zeros whose checksum is wrong
        file.write(BEFORE + header(length))
        file.seek(length + 4, 1)
        file.write(BEHIND)
    found = read_in_two_gibibytes(path)
    assert found["steps"] == [1, 2]
    assert found["notes"] == [["damage", len(BEFORE), length + 16]]
    assert isinstance(found["peak"], int)
    assert found["peak"] < 200
