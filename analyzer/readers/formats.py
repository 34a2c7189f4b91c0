"""The formats that are read: a package in this folder that has a FORMAT is one; there is no list to enter it in."""

from __future__ import annotations

import hashlib
import importlib
import pkgutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

import analyzer.readers
from analyzer.readers.folder_walk import Tree
from analyzer.readers.object_store import Bucket
from analyzer.readers.run_ref import RunRef


@dataclass(frozen=True, slots=True)
class Choice:
    """Which runs of a tracker are wanted.

    `experiments` by name or id (empty: all), `filter` in the words of the tracking server, `deleted` ones as well.
    """

    experiments: tuple[str, ...] = ()
    filter: str | None = None
    deleted: bool = False


EVERY = Choice()


class Memo(Protocol):
    """What was learnt of a place by reading, for as long as its stamp is the same."""

    def known(self, place: str, stamp: str) -> str | None:
        """Return what was kept of a place with this stamp."""

    def keep(self, place: str, stamp: str, text: str) -> None:
        """Keep it."""


def remembered(memo: Memo | None, place: str, stamp: str | None, find: Callable[[], str]) -> str:
    """Return what `find` gives, from the memo where it was kept for this place with this stamp."""
    if memo is None or stamp is None:
        return find()
    key = hashlib.sha256(place.encode("utf-8", "surrogateescape")).hexdigest()[:32]
    found = memo.known(key, stamp)
    if found is None:
        found = find()
        memo.keep(key, stamp, found)
    return found


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for: the source as given, what only trackers need, and what earlier calls learnt."""

    source: str
    tracking_uri: str | None = None
    choice: Choice = EVERY
    memo: Memo | None = None


class Format(Protocol):
    """One log format. Each question is answered with references, never with points.

    Finding must stay cheap and must not fail because of one broken run: a reference to it is given, and its
    read() says what is wrong. SourceError only when the source as a whole cannot be used.
    """

    @property
    def name(self) -> str:
        """What Run.source says."""

    @property
    def has_experiments(self) -> bool:
        """Whether runs belong to experiments, which Choice can name."""

    def in_tree(self, tree: Tree, request: Request) -> Iterable[RunRef]:
        """Return the runs of this format anywhere in the folder, each id relative to the source."""

    def in_file(self, path: Path, request: Request) -> Sequence[RunRef] | None:
        """Return the runs in this one regular file; None when, by its content, it is not of this format."""

    def in_bucket(self, bucket: Bucket, request: Request) -> Iterable[RunRef]:
        """Return the runs of this format among objects; none when they are not read from there."""

    def at_address(self, request: Request) -> Sequence[RunRef] | None:
        """Return the runs at an address such as `sqlite:///…` or `https://…`; None: not an address of this format."""


@cache
def known() -> tuple[Format, ...]:
    """Return every format, in the order of their names."""
    names = sorted(module.name for module in pkgutil.iter_modules(analyzer.readers.__path__) if module.ispkg)
    return tuple(importlib.import_module(f"analyzer.readers.{name}").FORMAT for name in names)
