"""Text files that are whole or not there at all (analyzer.files), with errors in the user's words."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import IO, TextIO

from analyzer.errors import OutputError
from analyzer.files import replace_file, replace_files


def write_whole(path: Path, write: Callable[[TextIO], object]) -> None:
    """Let `write` fill a file beside `path`, then put it in its place in one step; folders are made as needed.

    A device or pipe is written to directly. Nothing is left behind when `write` raises. OutputError when the
    file cannot be written.
    """
    try:
        if path.is_dir():
            raise OutputError(f"{path} is a folder; give the name of a file")
        if path.exists() and not path.is_file():
            with _device(path) as device:
                write(device)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path.resolve() if path.is_symlink() else path, lambda file: _as_text(file, write))
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from error


def _device(path: Path) -> TextIO:
    """Open a device or pipe to write to. OutputError for a named pipe that nobody reads: opening it would wait."""
    if not path.is_fifo():
        return path.open("w", encoding="utf-8", newline="\n")
    try:
        handle = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise OutputError(f"{path} is a pipe that nobody reads; start its reader first, or name a file") from error
        raise
    os.set_blocking(handle, True)
    return os.fdopen(handle, "w", encoding="utf-8", newline="\n")


def _as_text(file: IO[bytes], write: Callable[[TextIO], object]) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", errors="backslashreplace", newline="\n")
    write(text)
    text.flush()
    text.detach()


def write_text(path: Path, text: str) -> None:
    """Write a whole text as `write_whole` does."""
    write_whole(path, lambda file: file.write(text))


def write_together(folder: Path, files: Iterable[tuple[str, Callable[[TextIO], object]]]) -> None:
    """Fill files of a folder, given by name, and put them in their places when all of them are whole, in order.

    A disk that fills leaves all of them as they were. A link is replaced and not followed. OutputError when a file
    cannot be written or a name is that of a folder.
    """
    at = folder

    def targets() -> Iterable[tuple[Path, Callable[[IO[bytes]], object]]]:
        nonlocal at
        for name, write in files:
            at = folder / name
            if at.is_dir() and not at.is_symlink():
                raise OutputError(f"{at} is a folder; remove it, or give another folder with -o")
            yield at, partial(_as_text, write=write)

    try:
        replace_files(targets())
    except OSError as error:
        raise OutputError(f"{at} cannot be written: {error.strerror or error}") from error
