"""Standard output and error: colour only for eyes, foreign text made safe, a reader that went away forgiven."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


def wants_colour(stream: TextIO) -> bool:
    """Whether a stream is a terminal that shows colours and nobody asked for none (NO_COLOR)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def stdout_is_gone() -> None:
    """Put nothing in the place of a standard output that nobody reads, so that leaving Python stays silent."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, sys.stdout.fileno())


def say(text: str, stream: TextIO) -> None:
    """Write a verdict; a reader that went away does not change the exit code, the pages are written already."""
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        if stream is sys.stdout:
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
