"""What was seen across runs, as the index, the digest and the terminal show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analyzer.model.cross_run import ACROSS_KINDS, Across, AcrossKind
from analyzer.writers.index_row import Entry
from analyzer.writers.truncation import short

MOST, MOST_LINES = 4, 5
"""Of each kind on the index, and of all kinds as lines of a digest; findings.json has them all."""

LINKS, FOLDED_LINKS = 3, 6
"""Runs that are linked at once, and those behind a click: the index of 5,000 runs has room for no more."""

OPEN = 2
"""So many of what sick runs have in common are unfolded; all else is behind its sentence."""

TITLES: Mapping[AcrossKind, tuple[str, str]] = {
    "in-common": (
        "What sick runs have in common",
        "What goes along with a symptom need not be its cause: it may be whatever else differs between these runs.",
    ),
    "far-from-siblings": ("Far from their siblings", ""),
    "edge-of-sweep": ("Best at the edge of what was tried", ""),
    "duplicates": ("The same curves twice", ""),
    "history": ("Nightly jobs that changed", "What came with a change need not be its cause."),
}
"""The heading of each kind, and a caveat that belongs to all of it."""


@dataclass(frozen=True, slots=True)
class Link:
    """A run that is spoken of, and its page ("" where it has none)."""

    label: str
    page: str


@dataclass(frozen=True, slots=True)
class Item:
    """One thing seen, where, and its runs: `first` are shown at once, `more` behind a click, `rest` only counted."""

    across: Across
    where: str
    first: tuple[Link, ...]
    more: tuple[Link, ...]
    rest: int
    open: bool


@dataclass(frozen=True, slots=True)
class Kind:
    """All that was seen of one kind; `rest` are only counted."""

    title: str
    caveat: str
    items: tuple[Item, ...]
    rest: int


def kinds(across: Sequence[Across], entries: Sequence[Entry]) -> list[Kind]:
    """Return what was seen, by kind."""
    by_run = {entry.run: entry for entry in entries}
    found = []
    for kind in ACROSS_KINDS:
        own = [one for one in across if one.kind == kind]
        if own:
            items = tuple(_item(one, by_run, kind == "in-common" and i < OPEN) for i, one in enumerate(own[:MOST]))
            found.append(Kind(*TITLES[kind], items, len(own) - len(items)))
    return found


def lines(across: Sequence[Across]) -> list[str]:
    """Return what was seen as one line each, and what is left out as a last one."""
    told = [f"{where}: {one.sentence}" if (where := _where(one)) else one.sentence for one in across[:MOST_LINES]]
    rest = len(across) - len(told)
    return told + ([f"and {rest:,} more across runs, on the index"] if rest else [])


def _where(one: Across) -> str:
    """Return the experiment it was seen in, "" where the sentence names it itself."""
    return "" if one.sentence.startswith(one.group) else short(one.group, 80)


def _item(one: Across, by_run: Mapping[str, Entry], is_open: bool) -> Item:
    links = tuple(link(run, by_run) for run in one.runs[: LINKS + FOLDED_LINKS])
    return Item(one, _where(one), links[:LINKS], links[LINKS:], len(one.runs) - len(links), is_open)


def link(run: str, by_run: Mapping[str, Entry]) -> Link:
    """Return a run as it is called and linked in the index, also one that is not there."""
    entry = by_run.get(short(run))
    return Link(entry.label, entry.page) if entry else Link(short(run), "")
