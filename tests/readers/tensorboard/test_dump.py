"""`posthoc dump` of a damaged file has every intact point and names each damage by file, offset and bytes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from analyzer.cli import main
from tests.readers.tensorboard.records import VERSION, header, record, scalar

RECORDS = [record(scalar("loss", step, step + 0.5)) for step in range(4)]
SIZE = len(RECORDS[1])
START = len(VERSION) + len(RECORDS[0])
CLEAN = VERSION + b"".join(RECORDS)


def flipped(at: int) -> bytes:
    data = bytearray(CLEAN)
    data[START + at] ^= 4
    return bytes(data)


NAME = "events.out.tfevents.1.host"
DAMAGED = f"{NAME}: damaged at offset {START}, "
TORN = f"{NAME}: the last record, at offset {START + 2 * SIZE}, is not complete ({SIZE - 9} bytes so far)"


@pytest.mark.parametrize(
    ("data", "steps", "problems"),
    [
        (CLEAN, [0, 1, 2, 3], []),
        (flipped(1), [0, 2, 3], [f"{DAMAGED}{SIZE} bytes skipped"]),
        (flipped(9), [0, 2, 3], [f"{DAMAGED}{SIZE} bytes skipped"]),
        (flipped(30), [0, 2, 3], [f"{DAMAGED}{SIZE} bytes skipped"]),
        (flipped(SIZE - 2), [0, 2, 3], [f"{DAMAGED}{SIZE} bytes skipped"]),
        (CLEAN[:START] + bytes(SIZE) + CLEAN[START + SIZE :], [0, 2, 3], [f"{DAMAGED}{SIZE} bytes skipped"]),
        (CLEAN[:START] + b"garbage" * 9 + CLEAN[START:], [0, 1, 2, 3], [f"{DAMAGED}63 bytes skipped"]),
        (CLEAN[:START] + header(2**63) + CLEAN[START:], [0, 1, 2, 3], [f"{DAMAGED}12 bytes skipped"]),
        (CLEAN[: START + 20] + CLEAN[START + SIZE :], [0, 2, 3], [f"{DAMAGED}20 bytes skipped"]),
        (CLEAN[:-9], [0, 1, 2], [TORN]),
        (VERSION, [], []),
        (b"", [], []),
    ],
)
def test_every_intact_point_and_every_damage(
    tmp_path: Path, capsys, data: bytes, steps: list[int], problems: list[str]
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / NAME).write_bytes(data)
    code = main(["dump", str(tmp_path / "run")])
    told = json.loads(capsys.readouterr().out)
    assert code == 0
    assert told["points"] == [["loss", step, step + 0.5, "run"] for step in steps]
    assert len(told["problems"]) == len(problems)
    assert all(problem in sentence for problem, sentence in zip(problems, told["problems"], strict=True))
