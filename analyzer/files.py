"""Files that are whole or not there at all, written so that no planted link leads a write elsewhere."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO

_UNFINISHED = re.compile(r"\..+\.([0-9]{1,10})(?:\.[0-9a-f]{16})?\.tmp", re.DOTALL)
_EXCLUSIVE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_LONGEST = 100  # bytes of the target's name in that of its temporary file; file systems take 255 in all


def replace_file(target: Path, write: Callable[[IO[bytes]], object], beside: Path | None = None) -> None:
    """Let `write` fill a new file in the folder `beside` (by default the target's), then rename it to `target`.

    Nothing is left behind when `write` raises. OSError when the file cannot be written.
    """
    made = new_file(target, write, beside)
    try:
        made.replace(target)
    except BaseException:
        _remove(made)
        raise


def replace_files(files: Iterable[tuple[Path, Callable[[IO[bytes]], object]]]) -> None:
    """Fill a new file beside each target, and only when all of them are whole rename each to its target, in order.

    A disk that fills leaves every target as it was. OSError when a file cannot be written; nothing is left behind.
    """
    made: list[tuple[Path, Path]] = []
    try:
        for target, write in files:
            made.append((new_file(target, write), target))
        for file, target in made:
            file.replace(target)
    except BaseException:
        for file, _ in made:
            _remove(file)
        raise


def new_file(target: Path, write: Callable[[IO[bytes]], object], beside: Path | None = None) -> Path:
    """Let `write` fill a new file that can be renamed to `target`; return its path.

    The file has a random name and is made exclusively: a file or link that is there is neither opened nor followed.
    Nothing is left behind when `write` raises. OSError when the file cannot be written.
    """
    start = os.fsencode(target.name)[:_LONGEST].decode("utf-8", "ignore")
    made = (beside or target.parent) / f".{start}.{os.getpid()}.{secrets.token_hex(8)}.tmp"
    handle = os.open(made, _EXCLUSIVE, 0o666)
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
    except BaseException:
        _remove(made)
        raise
    return made


def _remove(file: Path) -> None:
    with suppress(OSError):
        file.unlink()


def remove_abandoned(folder: Path) -> None:
    """Remove the unfinished files that a killed process of ours left in a folder; those of living ones stay."""
    for path in folder.glob(".*.tmp"):
        found = _UNFINISHED.fullmatch(path.name)
        if found and path.is_file() and not path.is_symlink() and not _lives(int(found[1])):
            path.unlink(missing_ok=True)


def _lives(process: int) -> bool:
    """Whether a process is there, as far as this system tells; where it cannot tell (Windows), all count as alive."""
    if os.name != "posix":
        return True
    try:
        os.kill(process, 0)  # asks, and sends nothing
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True
