"""What the pages and texts of an audit say of the one before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from analyzer.model.formatting import counted
from analyzer.model.result import Vanished
from analyzer.model.summary import label_of
from analyzer.model.totals import Tally
from analyzer.writers.truncation import short

NAMED, NAME = 3, 80
"""Runs that are named in a sentence, and characters of each."""


def first_night(nights: Sequence[Tally], resolved: int, states: Iterable[str]) -> bool:
    """Whether no night came before: all is new then, and nothing gains by being called so."""
    return len(nights) == 1 and not resolved and set(states) <= {"new"}


def vanished(gone: Sequence[Vanished]) -> str:
    """Return in a sentence which runs of last time are not there any more, "" when all are."""
    if not gone:
        return ""
    named = [short(label_of(one.run, one.name), NAME) for one in gone[:NAMED]]
    rest = len(gone) - len(named)
    names = ", ".join(named) + (f" and {counted(rest, 'more run')}" if rest else "")
    still = sum(one.findings for one in gone)
    verb, whose = ("is", "its") if len(gone) == 1 else ("are", "their")
    left = f"; {whose} {counted(still, 'finding')} {'was' if still == 1 else 'were'} left unresolved" if still else ""
    return f"{counted(len(gone), 'run')} of last time {verb} not there any more: {names}{left}."
