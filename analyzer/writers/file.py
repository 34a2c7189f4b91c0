"""Files that are whole or not there at all."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from analyzer.errors import OutputError

_UNFINISHED = re.compile(r"\..+\.([0-9]{1,10})\.tmp", re.DOTALL)


def write_whole(path: Path, write: Callable[[TextIO], object]) -> None:
    """Let `write` fill a file beside `path`, then put it in its place in one step; folders are made as needed.

    A device or pipe is written to directly. Nothing is left behind when `write` raises. OutputError when the
    file cannot be written.
    """
    try:
        if path.is_dir():
            raise OutputError(f"{path} is a folder; give the name of a file")
        if path.exists() and not path.is_file():
            with path.open("w", encoding="utf-8", newline="\n") as device:
                write(device)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_beside(path, write)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from error


def _write_beside(path: Path, write: Callable[[TextIO], object]) -> None:
    target = path.resolve() if path.is_symlink() else path
    start = os.fsencode(target.name)[:100].decode("utf-8", "ignore")  # names are limited in bytes
    beside = target.with_name(f".{start}.{os.getpid()}.tmp")
    try:
        with beside.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            write(file)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


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


def write_text(path: Path, text: str) -> None:
    """Write a whole text as `write_whole` does."""
    write_whole(path, lambda file: file.write(text))
