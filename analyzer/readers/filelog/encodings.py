"""The text of a file in whatever encoding its first bytes show; what is not UTF-8 is kept as surrogates."""

from __future__ import annotations

_MARK = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def text_of(raw: bytes) -> str:
    """Return the text without its byte order mark. Never raises."""
    if raw.startswith(_UTF16):
        return raw.decode("utf-16", "replace")
    return raw.removeprefix(_MARK).decode("utf-8", "surrogateescape")


def is_utf8(raw: bytes) -> bool:
    """Whether the text was read as UTF-8 by default, without a mark that says so."""
    return not raw.startswith((_MARK, *_UTF16))
