"""Tables of numbers that bear the name of a log and are not taken for one: they are named, never dropped in silence."""

from __future__ import annotations

from pathlib import Path

from analyzer.readers.filelog import kinds
from analyzer.readers.filelog.files import Place
from analyzer.readers.filelog.json_rows import numbers_of
from analyzer.readers.filelog.kind import Candidate

LEAST_ROWS = 2


def has_rows(root: Path, path: str) -> bool:
    """Whether a file, by its path in a folder, has a log's name and begins with several rows of numbers."""
    place = Place(str(root))
    if not kinds.asked_for(path.rpartition("/")[2]):
        return False
    candidate = Candidate(path, place.head(path), lambda inside: False)
    if not candidate.head.strip():
        return False
    if candidate.objects:
        return sum(bool(numbers_of(row)) for row in candidate.objects) >= LEAST_ROWS
    return candidate.table.size >= LEAST_ROWS and bool(candidate.table.columns)
