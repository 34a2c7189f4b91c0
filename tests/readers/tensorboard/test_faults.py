"""Damage of every kind costs the records it touches and nothing else, and is always named."""

from __future__ import annotations

import os
import struct
import time
from pathlib import Path

import pytest
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary

from analyzer.readers import open_source
from analyzer.readers.tensorboard.file_reader import read_file
from tests.readers.tensorboard.records import VERSION, file_of, header, masked_crc, record, scalar, tensor
from tests.readers.tensorboard.test_file_reader import agree, read

EVENTS = [scalar("loss", step, 10.0 + step, wall=1.6e9 + step) for step in range(4)]
RECORDS = [record(event) for event in EVENTS]
CLEAN = VERSION + b"".join(RECORDS)
STARTS = [len(VERSION) + sum(map(len, RECORDS[:i])) for i in range(5)]


def steps(data: bytes) -> list[int]:
    points = agree(data).points
    return points[b"loss"].steps.tolist() if b"loss" in points else []


def test_truncation_at_every_byte_keeps_all_whole_records_and_names_the_torn_one() -> None:
    for size in range(len(CLEAN)):
        content = agree(CLEAN[:size])
        whole = [step for step in range(4) if STARTS[step + 1] <= size]
        kept = content.points[b"loss"].steps.tolist() if content.points else []
        assert kept == whole, size
        clean_end = size == 0 or size == len(VERSION) or size in STARTS
        assert [note.kind for note in content.notes] == ([] if clean_end else ["torn-tail"]), size


def test_every_flipped_bit_costs_its_own_record_and_is_named() -> None:
    for at in range(len(VERSION), len(CLEAN)):
        hurt = next(step for step in range(4) if STARTS[step + 1] > at)
        for bit in range(8):
            data = bytearray(CLEAN)
            data[at] ^= 1 << bit
            content = agree(bytes(data)) if bit == at % 8 else read(bytes(data))
            assert content.points[b"loss"].steps.tolist() == [step for step in range(4) if step != hurt], (at, bit)
            assert content.points[b"loss"].values.tolist() == [10.0 + step for step in range(4) if step != hurt]
            (note,) = content.notes
            assert (note.kind, note.offset) == ("damage", STARTS[hurt]), (at, bit)
            assert STARTS[hurt] + note.size == STARTS[hurt + 1], (at, bit)


def test_flips_in_a_long_regular_file_cost_one_record_each() -> None:
    events = [record(scalar("loss", step, float(step))) for step in range(1000)]
    starts = [len(VERSION) + sum(map(len, events[:i])) for i in (0, 1, 500, 998, 999)]
    for index, start in zip((0, 1, 500, 998, 999), starts, strict=True):
        for inside in (0, 7, 8, 11, 12, 20, 30, len(events[index]) - 1):
            data = bytearray(VERSION + b"".join(events))
            data[start + inside] ^= 0x10
            assert steps(bytes(data)) == [step for step in range(1000) if step != index], (index, inside)


@pytest.mark.parametrize("hole", [1, 5, 40, 60, 100])
def test_a_hole_of_zeros_costs_the_records_it_touches(hole: int) -> None:
    for at in range(len(VERSION), len(CLEAN) - hole, 7):
        data = CLEAN[:at] + bytes(hole) + CLEAN[at + hole :]
        intact = [s for s in range(4) if data[STARTS[s] : STARTS[s + 1]] == RECORDS[s]]
        assert steps(data) == intact, at


def test_a_torn_record_with_valid_ones_behind_costs_itself_only() -> None:
    """A writer that died within a record and one that went on in the same file."""
    for cut in range(1, len(RECORDS[1])):
        data = CLEAN[: STARTS[1] + cut] + CLEAN[STARTS[2] :]
        content = agree(data)
        assert content.points[b"loss"].steps.tolist() == [0, 2, 3], cut
        assert [(note.kind, note.offset, note.size) for note in content.notes] == [("damage", STARTS[1], cut)], cut


def test_lost_and_doubled_bytes_cost_the_record_they_are_in() -> None:
    for at in range(STARTS[1], STARTS[2]):
        for data in (CLEAN[:at] + CLEAN[at + 1 :], CLEAN[:at] + b"\0" + CLEAN[at:]):
            kept = steps(data)
            assert set(kept) >= {0, 2, 3}, at
            assert set(kept) <= {0, 1, 2, 3}, at


def test_a_lost_piece_in_the_middle_of_a_payload_does_not_cost_what_follows() -> None:
    long = record(Event(step=9, graph_def=bytes(range(256)) * 20).SerializeToString())
    data = VERSION + RECORDS[0] + long[:1000] + long[1400:] + b"".join(RECORDS[1:]) * 10
    assert steps(data) == [0] + [1, 2, 3] * 10


@pytest.mark.parametrize("garbage", [b"x", b"hello world" * 9, bytes(64), b"\xff" * 31, b"\x18" + bytes(11)])
def test_garbage_before_and_between_is_stepped_over(garbage: bytes) -> None:
    assert steps(garbage + CLEAN) == [0, 1, 2, 3]
    for step in range(4):
        data = CLEAN[: STARTS[step]] + garbage + CLEAN[STARTS[step] :]
        content = agree(data)
        assert content.points[b"loss"].steps.tolist() == [0, 1, 2, 3]
        assert [(note.kind, note.offset, note.size) for note in content.notes] == [
            ("damage", STARTS[step], len(garbage))
        ]


def test_records_smuggled_in_a_payload_are_never_read() -> None:
    bait = record(scalar("bait", 1, 666.0))
    image = Summary.Value(tag="image", image=Summary.Image(encoded_image_string=b"png" * 30 + bait * 3 + b"png" * 30))
    carrier = record(Event(step=1, wall_time=1.0, summary=Summary(value=[image])).SerializeToString())
    data = VERSION + RECORDS[0] + carrier + RECORDS[1] + RECORDS[2]
    start = len(VERSION + RECORDS[0])
    for at in range(start + 12, start + len(carrier)):  # the payload or its checksum is hurt
        hurt = bytearray(data)
        hurt[at] ^= 0x40
        points = agree(bytes(hurt)).points
        assert list(points) == [b"loss"], at - start
        assert points[b"loss"].steps.tolist() == [0, 1, 2]
    for size in range(start + 12, start + len(carrier)):  # the file ends within the carrier
        assert list(agree(data[:size]).points) == [b"loss"], size - start
    for at in range(start + 8, start + 12):  # the length's checksum is hurt, the length is not
        hurt = bytearray(data)
        hurt[at] ^= 0x40
        assert list(agree(bytes(hurt)).points) == [b"loss"]


def test_a_torn_record_whose_length_ends_at_a_later_record_hides_none_between() -> None:
    for hidden in range(1, 4):
        for after in (b"", RECORDS[3]):
            between = b"".join(RECORDS[:hidden])
            for torn in range(12, 40):
                length = torn - 16 + len(between)  # as if the record ended where the last one between does
                payload = scalar("loss", 77, 7.0).ljust(length, b"x")
                head = record(payload)[:torn]
                content = agree(VERSION + head + between + after)
                assert content.points[b"loss"].steps.tolist() == [*range(hidden), *([3] if after else [])], (
                    hidden,
                    torn,
                )


def test_many_bad_payloads_cost_linear_time() -> None:
    bad = bytearray(RECORDS[0])
    bad[20] ^= 1
    took = []
    for count in (2_000, 8_000):
        data, before = VERSION + bytes(bad) * count, time.process_time()
        read(data)
        took.append(time.process_time() - before)
    assert took[1] < 10 * took[0] + 0.5


@pytest.mark.skipif(not hasattr(os, "SEEK_DATA"), reason="holes of sparse files")
def test_a_hole_costs_nothing_and_what_lies_behind_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "events.out.tfevents.1"
    for behind in (b"", RECORDS[2]):
        with path.open("wb") as file:
            file.write(VERSION + RECORDS[0])
            file.seek(1 << 34)
            file.write(behind)
            file.truncate(max(1 << 34, file.tell()))
        before = time.process_time()
        content = read_file(path, "file")
        assert time.process_time() - before < 5.0  # at 5 s for each GiB it would be more than a minute
        assert content.points[b"loss"].steps.tolist() == [0, *([2] if behind else [])]
        assert [note.kind for note in content.notes] == ["damage"]


def test_a_right_checksum_over_no_event_is_named_as_damage() -> None:
    for payload in (b"\x09", b"\x0a\xff", b"\xff" * 12, b"\x2a\x03\x0a\x05\x0a", b"\x07\x00"):
        content = agree(VERSION + RECORDS[0] + record(payload) + RECORDS[1])
        assert content.points[b"loss"].steps.tolist() == [0, 1]
        assert [note.kind for note in content.notes] == ["damage"]


def test_many_damages_are_summed_up() -> None:
    bad = bytearray(RECORDS[0])
    bad[20] ^= 1
    content = read(VERSION + (bytes(bad) + RECORDS[1]) * 300)
    assert content.points[b"loss"].steps.size == 300
    assert len(content.notes) == 51
    assert sum(note.size for note in content.notes) == 300 * len(bad)
    assert "250 more damaged places" in content.notes[-1].message


def test_empty_files_and_a_version_alone_are_no_damage() -> None:
    assert read(b"").notes == []
    assert read(VERSION).notes == []
    assert read(record(b"")).notes == []


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n", "git-LFS"),
        (b"fileFormatVersion: 2\nguid: 123\n", "Unity"),
        (b"\x1f\x8b\x08\x00" + bytes(40), "gzip"),
        (b"PK\x03\x04" + bytes(40), "zip"),
        (b"just some text, longer than a header\n", "text file"),
        (bytes(100), "zero bytes"),
        (b"\x93\xfe" * 40, "no intact record"),
    ],
)
def test_files_in_disguise_are_named(tmp_path: Path, content: bytes, word: str) -> None:
    path = tmp_path / "events.out.tfevents.1.host"
    path.write_bytes(content)
    (run,) = open_source(str(path))
    assert not run.series
    (note,) = run.notes
    assert note.kind == "unreadable"
    assert word in note.message


def test_a_file_that_cannot_be_opened_costs_itself_only(tmp_path: Path) -> None:
    (tmp_path / "events.out.tfevents.1.a").write_bytes(CLEAN)
    content = read_file(tmp_path / "gone", "gone")
    assert [note.kind for note in content.notes] == ["unreadable"]
    assert read_file(tmp_path, "folder").notes[0].kind == "unreadable"


def test_a_hostile_length_over_the_whole_range_allocates_nothing_and_loses_nothing() -> None:
    for length in [2**k - 1 for k in range(8, 65)] + [2**k for k in range(8, 64)]:
        data = VERSION + RECORDS[0] + header(length) + b"".join(RECORDS[1:])
        if length > len(data):
            assert steps(data) == [0, 1, 2, 3], length


def test_crowded_false_headers_cost_linear_time() -> None:
    """A length that is good everywhere and a payload that is good nowhere: searching must give up, and say so."""
    trap = header(100_000) * 20_000
    content = read(VERSION + RECORDS[0] + b"\x01" + trap)
    assert content.points[b"loss"].steps.tolist() == [0]
    assert any(note.kind in {"damage", "limit"} for note in content.notes)


def test_odd_steps_and_times_are_data() -> None:
    ends = [0, 2**63 - 1, -(2**63), -1]
    walls = [float("nan"), float("-inf"), -5.0, 0.0]
    data = file_of(scalar("loss", step, 1.0, wall) for step, wall in zip(ends, walls, strict=True))
    curve = agree(data).points[b"loss"]
    assert curve.steps.tolist() == ends
    assert struct.pack("<4d", *curve.wall_times) == struct.pack("<4d", *walls)


def test_tags_that_are_not_utf8_stay_apart(tmp_path: Path) -> None:
    raw = [scalar("aXb", 1, 1.0).replace(b"aXb", b"a" + bytes([byte]) + b"b") for byte in (0xFF, 0xFE, 0x41)]
    (tmp_path / "events.out.tfevents.1").write_bytes(file_of([*raw, scalar("a\\xffb", 2, 2.0)]))
    (run,) = open_source(str(tmp_path))
    assert list(run.series) == [r"a\xffb", r"a\xfeb", "aAb", r"a\x5cxffb"]


def test_a_tag_of_eight_mebibytes_and_a_hundred_thousand_tags_are_kept() -> None:
    huge = "t" * (8 << 20)
    assert len(next(iter(read(file_of([scalar(huge, 1, 1.0)])).points))) == 8 << 20
    summary = [Summary.Value(tag=f"tag/{i:06}", simple_value=i) for i in range(100_000)]
    many = [Event(step=1, summary=Summary(value=summary[i : i + 1])).SerializeToString() for i in range(100_000)]
    points = read(file_of(many)).points
    assert len(points) == 100_000
    assert points[b"tag/099999"].values.tolist() == [99999.0]


def test_wrong_shapes_and_types_in_one_record_are_left_out_and_named() -> None:
    events = [tensor("loss", 0, 1.0, plugin="scalars"), tensor("loss", 1, [1.0, 2.0]), tensor("loss", 2, 3.0)]
    content = agree(file_of(events))
    assert content.points[b"loss"].steps.tolist() == [0, 2]
    (note,) = content.notes
    assert (note.kind, note.offset) == ("not-scalar", len(file_of(events[:1])) + 12)


def test_the_helper_for_checksums_agrees_with_the_known_value() -> None:
    assert masked_crc(b"123456789") == ((0xE3069283 >> 15 | 0xE3069283 << 17) + 0xA282EAD8) & 0xFFFFFFFF
