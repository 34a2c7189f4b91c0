"""What was seen across runs, as the index, the digest and the terminal show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analyzer.model.across import ACROSS_KINDS, Across, AcrossKind
from analyzer.writers.entry import Entry
from analyzer.writers.shortening import short

MOST, MOST_LINES = 10, 5
"""Of each kind on the index, and of all kinds as lines of a digest; findings.json has them all."""

LINKS, FOLDED_LINKS = 4, 60
"""Runs that are linked at once, and those behind a click."""

OPEN = 3
"""More than so many are folded, each behind its sentence."""

TITLES: Mapping[AcrossKind, tuple[str, str]] = {
    "in-common": (
        "What sick runs have in common",
        "What goes along with a symptom need not be its cause: whatever else differs between these runs may be.",
    ),
    "far-from-siblings": (
        "Far from their siblings",
        "Runs with the same settings that ended far worse than the others.",
    ),
    "edge-of-sweep": ("Best at the edge of what was tried", "The best value of a setting may lie beyond."),
    "duplicates": ("The same curves twice", "Values agree to the last digit, which chance does not do."),
}


@dataclass(frozen=True, slots=True)
class Link:
    """A run that is spoken of, and its page ("" where it has none)."""

    label: str
    page: str


@dataclass(frozen=True, slots=True)
class Item:
    """One thing seen, with its runs: `first` are shown at once, `more` behind a click, `rest` only counted."""

    across: Across
    first: tuple[Link, ...]
    more: tuple[Link, ...]
    rest: int


@dataclass(frozen=True, slots=True)
class Kind:
    """All that was seen of one kind; `rest` are only counted."""

    title: str
    lead: str
    items: tuple[Item, ...]
    rest: int
    folded: bool


def kinds(across: Sequence[Across], entries: Sequence[Entry]) -> list[Kind]:
    """Return what was seen, by kind."""
    by_run = {entry.run: entry for entry in entries}
    found = []
    for kind in ACROSS_KINDS:
        own = [one for one in across if one.kind == kind]
        if own:
            items = tuple(_item(one, by_run) for one in own[:MOST])
            found.append(Kind(*TITLES[kind], items, len(own) - len(items), len(own) > OPEN))
    return found


def lines(across: Sequence[Across]) -> list[str]:
    """Return what was seen as one line each, and what is left out as a last one."""
    told = [f"{short(one.group, 80)}: {one.sentence}" if one.group else one.sentence for one in across[:MOST_LINES]]
    rest = len(across) - len(told)
    return told + ([f"and {rest:,} more across runs, on the index"] if rest else [])


def _item(one: Across, by_run: Mapping[str, Entry]) -> Item:
    links = tuple(_link(run, by_run) for run in one.runs[: LINKS + FOLDED_LINKS])
    return Item(one, links[:LINKS], links[LINKS:], len(one.runs) - len(links))


def _link(run: str, by_run: Mapping[str, Entry]) -> Link:
    entry = by_run.get(short(run))
    return Link(entry.label, entry.page) if entry else Link(short(run), "")
