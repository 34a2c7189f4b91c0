"""Checksums worked out by tables are those of google-crc32c."""

from __future__ import annotations

import google_crc32c
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analyzer.readers.tensorboard import crc32c
from tests.readers.tensorboard.records import header, masked_crc


@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=20))
def test_checksums_of_many_lengths_are_those_of_their_bytes(lengths: list[int]) -> None:
    array = np.array(lengths, np.int64)
    expected = [masked_crc(int(length).to_bytes(8, "little", signed=True)) for length in lengths]
    assert crc32c.of_lengths(array).tolist() == expected


@given(st.binary(min_size=1, max_size=700), st.data())
def test_a_changed_byte_changes_the_checksum_as_its_table_says(message: bytes, data: st.DataObject) -> None:
    at, change = data.draw(st.integers(0, len(message) - 1)), data.draw(st.integers(0, 255))
    other = message[:at] + bytes([message[at] ^ change]) + message[at + 1 :]
    table = crc32c.change_table(len(message) - 1 - at)
    assert google_crc32c.value(message) ^ int(table[change]) == google_crc32c.value(other)


def test_headers_are_found_at_any_offset_and_nowhere_else() -> None:
    noise = bytes(range(1, 256))
    data = noise[:7] + header(5) + noise + header(0) + bytes(50) + header(2**47)
    found = crc32c.header_offsets(np.frombuffer(data, np.uint8)).tolist()
    assert found == [7, 7 + 12 + 255, len(data) - 12]


def test_pieces_give_the_checksum_of_the_whole() -> None:
    assert crc32c.extended(crc32c.extended(0, b"1234"), b"56789") == 0xE3069283
    assert crc32c.masked(0xE3069283) == crc32c.checksum(b"123456789")
