r"""Names as they are shown: bytes that are not UTF-8 become `\xNN`, and two different names never become one."""

from __future__ import annotations

import os
import re

_LOOKS_ESCAPED = re.compile(r"\\(?=x[0-9a-f]{2})")


def shown_bytes(raw: bytes) -> str:
    r"""Return the name as text; one byte that is not UTF-8 becomes `\xNN` (lower case).

    A backslash that already stands before `xNN` is itself written `\x5c`, so that the text can be turned back
    and two tags never merge.
    """
    if b"\\x" in raw:
        text = raw.decode("utf-8", "surrogateescape")
        raw = _LOOKS_ESCAPED.sub(r"\\x5c", text).encode("utf-8", "surrogateescape")
    return raw.decode("utf-8", "backslashreplace")


def shown_path(path: str | os.PathLike[str]) -> str:
    """Return a path of the file system as text that any output can hold, with `/` between the parts."""
    text = os.fspath(path)
    if os.sep != "/":
        text = text.replace(os.sep, "/")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return shown_bytes(os.fsencode(text))
    return text
