"""`file://` addresses, which mean the same as the path that they hold."""

from __future__ import annotations

import os
import re
from urllib.parse import unquote

_SCHEME = re.compile(r"file:(?=/)", re.IGNORECASE)
_DRIVE = re.compile(r"/[A-Za-z]:")
_THIS_MACHINE = ("", "localhost", "127.0.0.1")


def local_path(source: str) -> str:
    """Return the path that a `file:` address of this machine holds; any other source as it is."""
    scheme = _SCHEME.match(source)
    if scheme is None:
        return source
    rest = source[scheme.end() :]
    if rest.startswith("//"):
        host, slash, path = rest[2:].partition("/")
        if host.lower() not in _THIS_MACHINE:
            return source
        rest = slash + path
    path = unquote(rest, errors="surrogateescape")
    return path[1:] if os.name == "nt" and _DRIVE.match(path) else path or "/"
