"""Standard output and error: colour only for eyes, a reader that went away forgiven, a full disk told."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import contextmanager

from analyzer.errors import OutputError

TYPE_CHECKING = False  # as of typing, which takes longer to import than all the rest that `posthoc --help` needs
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any, TextIO


def wants_colour(stream: TextIO) -> bool:
    """Whether a stream is a terminal that shows colours; NO_COLOR means never, FORCE_COLOR always, in this order."""
    if os.environ.get("FORCE_COLOR", "0") != "0" and not os.environ.get("NO_COLOR"):
        return True
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def width_of(stream: TextIO) -> int:
    """Return the columns of a terminal; 0 for anything else, where no line is cut or wrapped."""
    import shutil  # noqa: PLC0415 - slow to import for `posthoc --help`

    return shutil.get_terminal_size().columns if stream.isatty() else 0


_COMMANDS = r"#(?=#(?:vso)?\[)|(?:(?<=\n)|^)(?P<blank>[ \t]*):(?=:)"
"""Where a CI service would take a line for a command to itself: `##[…]` and `##vso[…]` anywhere (Azure Pipelines, and
GitHub's first form), `::…` at the beginning of a line (GitHub Actions)."""


def harmless(text: str) -> str:
    r"""Return a text in which no CI service finds a command: its first character is `\u0023` or `\u003a`.

    In JSON that is the same character, so that documents stay what they are.
    """
    if "##" not in text and "::" not in text:
        return text
    import re  # noqa: PLC0415 - slow to import for `posthoc --help`

    return re.sub(_COMMANDS, lambda found: "\\u0023" if found[0] == "#" else f"{found['blank']}\\u003a", text)


class _Guarded:
    """A standard stream, or a closed one (None): `failed` is called with what goes wrong in writing, and may raise."""

    def __init__(self, stream: TextIO | None, failed: Callable[[OSError], object]) -> None:
        self._stream = stream
        self._failed = failed

    def write(self, text: str) -> int:
        try:
            if self._stream is None:
                raise OSError(errno.EBADF, "it is closed")
            return self._stream.write(harmless(text))
        except OSError as error:
            self._failed(error)
            return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        self.write("".join(lines))

    def flush(self) -> None:
        try:
            if self._stream is not None:
                self._stream.flush()
        except OSError as error:
            self._failed(error)

    def isatty(self) -> bool:
        return self._stream is not None and self._stream.isatty()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def guarded() -> Iterator[None]:
    """Make writing to standard output raise OutputError or BrokenPipeError, and to standard error nothing at all.

    Characters that the streams cannot hold are escaped. A stream that is closed counts as one that cannot be
    written; its number is taken, so that no file of ours gets what others write to it.
    """
    real = sys.stdout, sys.stderr
    if None in real:
        while (taken := os.open(os.devnull, os.O_RDWR)) <= 2:
            pass
        os.close(taken)
    for stream in real:
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    sys.stdout = _Guarded(real[0], _stdout_failed)
    sys.stderr = _Guarded(real[1], lambda error: None)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = real


def _stdout_failed(error: OSError) -> None:
    if isinstance(error, BrokenPipeError):
        raise error
    raise OutputError(f"standard output cannot be written: {error.strerror or error}") from error


def stdout_is_gone() -> None:
    """Put nothing in the place of a standard output that takes nothing, so that leaving Python stays silent."""
    try:
        number = sys.stdout.fileno()
    except (AttributeError, OSError):  # closed from the beginning, or no file at all
        return
    os.dup2(os.open(os.devnull, os.O_WRONLY), number)


def deliver(write: Callable[[TextIO], object], stream: TextIO) -> None:
    """Let `write` fill a stream; a reader that went away does not change the exit code, the pages are written."""
    try:
        write(stream)
        stream.flush()
    except BrokenPipeError:
        stdout_is_gone()


class Bar:
    """How far an audit is; `__call__` takes the number of runs judged and the number of all."""

    def __call__(self, done: int, total: int) -> None:
        """Move on. Does nothing here: no bar in a pipe."""


@contextmanager
def bar(wanted: bool) -> Iterator[Bar]:
    """Give a progress bar on standard error, for a terminal only."""
    if not (wanted and sys.stderr.isatty()):
        yield Bar()
        return
    from rich.console import Console  # noqa: PLC0415 - slow to import, needed on terminals only
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (TextColumn("judging"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("judging", total=None)

        class RichBar(Bar):
            def __call__(self, done: int, total: int) -> None:
                progress.update(task, completed=done, total=total)

        yield RichBar()
