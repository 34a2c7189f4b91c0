"""Where nothing may be written: a log is never replaced by what is said of it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from analyzer.errors import OutputError, PosthocError
from analyzer.model.redaction import mask_text
from analyzer.readers import discover, local_path

_BESIDE_A_DATABASE = ("-wal", "-shm", "-journal")
_DOCUMENT, _PAGE = b'{"schema": "posthoc', b'<meta name="generator" content="posthoc">'
"""How documents begin, and what stands near the beginning of pages that posthoc itself writes."""


def refuse_inputs(output: Path, sources: Iterable[str]) -> None:
    """Raise OutputError when writing `output` would replace a log: a source, a log or database anywhere, or
    a file inside a source that posthoc did not write.
    """
    try:
        if not output.is_file():
            return
    except OSError:  # no name that a file can have; writing will say so
        return
    shown = mask_text(str(output))
    inside = False
    for place in (Path(local_path(source).removeprefix("sqlite:///")) for source in sources):
        if _same(output, place) or any(_same(output, Path(f"{place}{end}")) for end in _BESIDE_A_DATABASE):
            raise OutputError(f"{shown} is the source itself; give another name for what is written")
        inside = inside or Path(os.path.realpath(place)) in Path(os.path.realpath(output)).parents
    if _is_log(output):
        raise OutputError(f"{shown} is a log, which is never replaced; give another name for what is written")
    if inside and not _is_ours(output):
        raise OutputError(f"{shown} lies inside the source and is not from posthoc; give another name")


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:  # the other is absent, or no name that a file can have
        return False


def _is_log(path: Path) -> bool:
    try:
        return bool(discover(str(path)).refs)
    except PosthocError:
        return False


def _is_ours(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(1000)
    except OSError:
        return False
    return not head or head.startswith(_DOCUMENT) or _PAGE in head
