r"""Names are shown so that two different ones never look the same."""

from __future__ import annotations

import os
import re

from hypothesis import given
from hypothesis import strategies as st

from analyzer.readers.display_names import shown_bytes, shown_path

PIECES = st.lists(
    st.sampled_from([b"a", b"\\", b"x", b"ff", b"5c", b"\xff", b"\\xff", b"\\x5c", b"\xc3\xa9", b"\xc3", b"\n"])
    | st.binary(max_size=3)
).map(b"".join)


def back(text: str) -> bytes:
    """Undo shown_bytes()."""
    parts = re.split(r"\\x([0-9a-f]{2})", text)
    return b"".join(part.encode() if i % 2 == 0 else bytes.fromhex(part) for i, part in enumerate(parts))


@given(PIECES)
def test_a_shown_tag_can_be_turned_back(raw: bytes) -> None:
    assert back(shown_bytes(raw)) == raw


def test_ordinary_tags_are_shown_as_they_are() -> None:
    for tag in ("train/loss", "a b [c]=d", "überschrift", "C:\\path", "x\x00y", "\\xyz"):
        assert shown_bytes(tag.encode()) == tag


def test_paths_with_strange_bytes_can_be_put_into_any_output() -> None:
    path = os.fsdecode(b"runs/\xff\xfe/a")
    assert shown_path(path) == r"runs/\xff\xfe/a"
    shown_path(path).encode("utf-8")
