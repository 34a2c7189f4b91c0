"""What holds for every run that a reader gives, whatever the bytes were."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from analyzer.model.run import Note, Run
from analyzer.readers.sanitize import cleaned

SECONDS = 5.0
"""Of this thread's processor for one input, which stands for at most some ten thousand bytes; usual is a thousandth."""


def obeys(one_input: Callable[[bytes], None], data: bytes) -> None:
    """Give an input to a target. AssertionError when it takes too long, and whatever the target raises."""
    begun = time.thread_time()
    one_input(data)
    taken = time.thread_time() - begun
    assert taken < SECONDS, f"{len(data)} bytes of input took {taken:.1f} s"


def sound(run: Run) -> Run:
    """Return a run as it leaves its reader; AssertionError when a series is empty or any output cannot hold a text."""
    found = cleaned(run)
    assert all(one.points and one.tag == tag for tag, one in found.series.items())
    texts = [found.id, found.name, found.experiment, *found.series, *found.params, *found.tags, *found.tags.values()]
    texts += [value for value in found.params.values() if isinstance(value, str)]
    said(found.notes)
    for text in texts:
        text.encode("utf-8")
    return found


def said(notes: Iterable[Note]) -> None:
    """AssertionError when a note is not one sentence in one line."""
    for note in notes:
        assert note.message and "\n" not in note.message, note
        note.message.encode("utf-8")


def counted(notes: Iterable[Note], pattern: str) -> int:
    """Return the sum of the numbers that notes give; where the pattern has no group, how many notes there are."""
    found = [match for note in notes if (match := re.search(pattern, note.message))]
    return sum(int(match[1].replace(",", "")) if match.re.groups else 1 for match in found)


@contextmanager
def only(*errors: type[Exception]) -> Iterator[None]:
    """Let a reader refuse what it reads with its own errors, in one line; every other exception goes through."""
    try:
        yield
    except errors as error:
        assert str(error) and "\n" not in str(error), str(error)
