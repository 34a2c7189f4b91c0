"""Sources that hold the same: each source is read once, each run is judged once."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace

from analyzer.model.formatting import counted
from analyzer.model.redaction import mask_text
from analyzer.model.run import Note
from analyzer.readers import Discovery, RunRef, local_path


def once(sources: Iterable[str]) -> tuple[list[str], list[Note]]:
    """Return the sources without those that are the same place again, and a note on each of these."""
    kept: dict[str, str] = {}
    again = []
    for source in sources:
        place = _place(source)
        if place in kept:
            again.append(source)
        kept.setdefault(place, source)
    notes = [Note("layout", f"{mask_text(source)} is given more than once; it is read once") for source in again]
    return list(kept.values()), notes


def without_overlap(found: Sequence[tuple[str, Discovery]]) -> tuple[list[tuple[str, Discovery]], list[Note]]:
    """Return each source with the runs that no source before it holds, and a note where some were held."""
    seen: set[tuple[str, str, str]] = set()
    kept, notes = [], []
    for source, discovery in found:
        own = [ref for ref in discovery.refs if _identity(ref) not in seen]
        twice = len(discovery.refs) - len(own)
        if twice:
            what = f"{counted(twice, 'run')} of it {'is' if twice == 1 else 'are'} in another source, too"
            notes.append(Note("layout", f"{mask_text(source)}: {what}, and judged once"))
        seen.update(map(_identity, own))
        kept.append((source, replace(discovery, refs=tuple(own))))
    return kept, notes


def _place(source: str) -> str:
    path = local_path(source)
    return os.path.realpath(path) if os.path.lexists(path) else source


def _identity(ref: RunRef) -> tuple[str, str, str]:
    """Where a run really lies; a file (a database) holds several, told apart by their ids.

    A place may be an address with an id of any length and any characters in it, which os.path.isdir() takes.
    """
    place = _place(ref.location)
    return (ref.source, place, "" if ref.alone or os.path.isdir(place) else ref.id)  # noqa: PTH112 - Path.is_dir() raises
