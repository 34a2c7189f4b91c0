"""A pair of sides compared again and again while runs are added: each look may find a difference that is none."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

from analyzer.auditing.state.store import State
from analyzer.model.comparison import Comparison
from analyzer.model.formatting import counted


def remembered(found: Comparison, path: Path, now: float) -> Comparison:
    """Keep in a state file that two sides were compared; return the comparison, with a note on earlier, smaller looks.

    StateError when the file cannot be read or written.
    """
    runs = len(found.base.runs), len(found.candidate.runs)
    with State(path) as state:
        before = [look[1:] for look in state.looks(_pair(found)) if sum(look[1:]) < sum(runs)]
        state.keep_look(_pair(found), *runs, now)
    sizes = list(dict.fromkeys(before))
    if not sizes:
        return found
    named = ", ".join(f"{base} v {candidate}" for base, candidate in sizes)
    looks = len(sizes) + 1
    note = (
        f"These sides were compared before with fewer runs ({named}): {counted(looks, 'look')} at growing groups find "
        f"a difference that is none more often than one; --looks {looks}/K spends the error in parts."
    )
    return replace(found, notes=(*found.notes, note))


def _pair(found: Comparison) -> str:
    """Return what a pair is known by: both names, as paths where they are such, and the primary metric."""
    names = [_name(found.base.name), _name(found.candidate.name)]
    metric = found.metrics[0].tag if found.metrics else ""
    return hashlib.sha256("\0".join((*names, metric)).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _name(side: str) -> str:
    return os.path.abspath(side) if os.path.lexists(side) else side  # noqa: PTH100 - links keep the name given
