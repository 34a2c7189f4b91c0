"""Holes of sparse files are found, and the position of the file stays where it was."""

import os

import pytest

from analyzer.readers.holes import end_of_data, next_data

pytestmark = pytest.mark.skipif(not hasattr(os, "SEEK_DATA"), reason="holes of sparse files")


def test_a_hole_is_found_where_it_is_and_reading_goes_on_from_the_start(tmp_path):
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.write(b"x" * 4096)
        file.truncate(1 << 30)
    with path.open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        end = end_of_data(file.fileno(), size)
        assert 4096 <= end < 1 << 20
        assert next_data(file.fileno(), end, size) == size
        assert file.read(4) == b"xxxx"


def test_a_file_without_holes_ends_at_its_size(tmp_path):
    (tmp_path / "whole").write_bytes(b"y" * 10_000)
    with (tmp_path / "whole").open("rb", buffering=0) as file:
        assert end_of_data(file.fileno(), 10_000) == 10_000
        assert next_data(file.fileno(), 77, 10_000) == 77
        assert len(file.read()) == 10_000
