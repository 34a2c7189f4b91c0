"""What only a look at all runs together shows: computed from Results alone, in one order, so that every night says it.

A comparison that fails costs itself alone, and is named.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from analyzer.fleet.across import duplicates, edge, in_common, siblings
from analyzer.model.across import Across
from analyzer.model.result import Result
from analyzer.model.run import Note

__all__ = ["across"]

_COMPARISONS: tuple[Callable[[Sequence[Result]], list[Across]], ...] = (
    in_common.in_common,
    siblings.far_from_siblings,
    edge.edges,
    duplicates.duplicates,
)


def across(results: Sequence[Result]) -> tuple[tuple[Across, ...], tuple[Note, ...]]:
    """Return what is seen across the runs, and a note for each comparison that failed."""
    found: list[Across] = []
    notes: list[Note] = []
    for compare in _COMPARISONS:
        try:
            found += compare(results)
        except Exception as error:  # whatever logs hold, the night is told
            what = f"{type(error).__name__}: {error}".splitlines()[0][:300]
            name = compare.__name__.replace("_", " ")
            notes.append(Note("limit", f"runs were not compared for {name}: {what}; please report this"))
    return tuple(found), tuple(notes)
