"""Names that stay apart when several sources hold runs of the same name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePath

from analyzer.model.secrets import mask_text


def distinct(ids: Sequence[Sequence[str]], sources: Sequence[str]) -> list[list[str]]:
    """Return run ids, source by source, so that all differ: those that clash get the source's distinguishing end.

    `a/logs` and `b/logs` that both hold `run1` make `a/logs/run1` and `b/logs/run1`; names that do not
    clash stay as they are.
    """
    times = Counter(name for names in ids for name in set(names))
    clashing = [i for i, names in enumerate(ids) if any(times[name] > 1 for name in names)]
    ends = dict(zip(clashing, endings([sources[i] for i in clashing]), strict=True))
    return [[f"{ends[i]}/{name}" if times[name] > 1 else name for name in names] for i, names in enumerate(ids)]


def endings(sources: Sequence[str]) -> list[str]:
    """Return for each source its shortest end that no other has; the same source twice gets a number."""
    parts = [_parts(source) for source in sources]
    found = [_ending(own, [p for j, p in enumerate(parts) if j != i]) for i, own in enumerate(parts)]
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
    parts = PurePath(Path(source).absolute()).parts
    return tuple(part.strip("/\\") for part in parts if part.strip("/\\")) or (source,)
