"""Names that stay apart when several sources hold runs of the same name."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath

from analyzer.model.redaction import mask_text


def distinct(ids: Sequence[Sequence[str]], sources: Sequence[str]) -> list[list[str]]:
    """Return run ids, source by source, so that all differ: those that clash get the source's distinguishing end.

    `a/logs` and `b/logs` that both hold `run1` make `a/logs/run1` and `b/logs/run1`; names that do not
    clash stay as they are. A name so made that is already taken gets a number behind.
    """
    times = Counter(name for names in ids for name in set(names))
    clashing = [i for i, names in enumerate(ids) if any(times[name] > 1 for name in names)]
    ends = dict(zip(clashing, endings([sources[i] for i in clashing]), strict=True))
    taken = {name for name, count in times.items() if count == 1}
    return [[_free(f"{ends[i]}/{name}", taken) if times[name] > 1 else name for name in n] for i, n in enumerate(ids)]


def _free(name: str, taken: set[str]) -> str:
    """Return the name, or the first of `name (2)`, `name (3)`, … that is not taken, and take it."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name} ({number})"
    taken.add(free)
    return free


def endings(sources: Sequence[str]) -> list[str]:
    """Return for each source its shortest end that no other has; the same source twice gets a number."""
    parts = [_parts(source) for source in sources]
    found = [_ending(own, [other for other in parts if other != own]) for own in parts]
    seen: Counter[str] = Counter()
    for i, end in enumerate(found):
        seen[end] += 1
        found[i] = end if seen[end] == 1 else f"{end}#{seen[end]}"
    return found


def _ending(own: tuple[str, ...], others: Sequence[tuple[str, ...]]) -> str:
    for length in range(1, len(own) + 1):
        if all(other[-length:] != own[-length:] for other in others):
            return "/".join(own[-length:])
    return "/".join(own)


def _parts(source: str) -> tuple[str, ...]:
    if "://" in source:
        return tuple(part for part in mask_text(source).split("/") if part)
    parts = PurePath(os.path.abspath(source)).parts  # noqa: PTH100 - `..` is resolved, links keep the name given
    return tuple(part.strip("/\\") for part in parts if part.strip("/\\")) or (source,)
